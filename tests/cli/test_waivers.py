"""`srm-checks waivers`, and waivers and assumptions in a scan."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from srm_checks.cli import run
from tests.repositories import database, write

POLICY = "SRM-DAR-005"
TODAY = ("--today", "2026-06-01")
ADD = ("add", POLICY, "--reason", "old", "--owner", "team", "--expires", "2026-12-31", *TODAY)


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("SRM_CHECKS_")]:
        monkeypatch.delenv(name)
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    write({"envs/a/main.tf": database("db", "false"), "envs/b/main.tf": database("db", "false")})


@pytest.fixture
def call(capfd: pytest.CaptureFixture[str]) -> Any:
    """Runs a command; gives the exit code, standard output and standard error."""

    def call(*arguments: str) -> tuple[int, str, str]:
        code = run(arguments)
        captured = capfd.readouterr()
        return code, captured.out, captured.err

    return call


@pytest.fixture
def scan(call: Any) -> Any:
    """Runs a scan of one policy; gives the exit code, the dispositions by root and standard error."""

    def scan(*arguments: str) -> tuple[int, dict[str, str], str]:
        code, out, err = call("scan", "--select", POLICY, *TODAY, "-f", "json", *arguments)
        findings = json.loads(out)["findings"] if out else []
        return code, {finding["resource"]["root"]: finding["disposition"] for finding in findings}, err

    return scan


class TestScan:
    def test_a_waived_gap_does_not_fail_the_gate(self, call: Any, scan: Any) -> None:
        call("waivers", *ADD, "--root", "envs/a")
        assert scan()[:2] == (1, {"envs/a": "waived", "envs/b": "new"})
        call("waivers", *ADD, "--root", "envs/b")
        assert scan()[:2] == (0, {"envs/a": "waived", "envs/b": "waived"})

    def test_the_report_says_on_whose_word(self, call: Any) -> None:
        call("waivers", *ADD, "--ticket", "OPS-1")
        out = call("scan", "--select", POLICY, *TODAY, "-f", "json")[1]
        assert json.loads(out)["findings"][0]["waiver"] == {
            "policy": POLICY,
            "reason": "old",
            "owner": "team",
            "expiry": "2026-12-31",
            "ticket": "OPS-1",
            "created": "2026-06-01",
            "path": "srm-waivers.yaml",
            "start_line": 2,
        }
        assert "old, by team, until 2026-12-31" in call("scan", "--select", POLICY, *TODAY)[1]

    def test_an_expired_one_ends_the_scan_with_its_line(self, call: Any, scan: Any) -> None:
        call("waivers", *ADD)
        code, found, err = scan("--today", "2027-01-01")
        assert (code, found) == (2, {})
        assert "srm-waivers.yaml:2:5: the waiver of SRM-DAR-005 by team expired on 2026-12-31" in err

    def test_or_what_it_covered_counts_again(self, call: Any, scan: Any) -> None:
        call("waivers", *ADD)
        write({"srm-checks.yaml": "expired_waivers: finding\n"})
        code, found, err = scan("--today", "2027-01-01")
        assert (code, found) == (1, {"envs/a": "new", "envs/b": "new"})
        assert "expired on 2026-12-31; what it covered counts again" in err

    def test_an_unknown_policy_is_an_error(self, scan: Any) -> None:
        text = "waivers:\n  - {policy: SRM-DAR-099, reason: r, owner: o, expires: 2030-01-01}\n"
        write({"srm-waivers.yaml": text})
        code, _found, err = scan()
        assert code == 2
        assert "srm-waivers.yaml:2:5: 'SRM-DAR-099' matches no policy" in err

    def test_an_unused_one_is_told(self, call: Any, scan: Any) -> None:
        call("waivers", *ADD, "--root", "envs/c")
        assert "srm-waivers.yaml:2:5: the waiver of SRM-DAR-005 by team is not used" in scan()[2]

    @pytest.mark.parametrize("arguments", [("envs/a",), ("envs/a/main.tf",)])
    def test_but_not_by_a_scan_of_a_part(self, call: Any, scan: Any, arguments: tuple[str, ...]) -> None:
        call("waivers", *ADD, "--root", "envs/b")
        assert "is not used" not in scan(*arguments)[2]

    def test_a_mandatory_policy_cannot_be_waived(self, call: Any, scan: Any) -> None:
        write({"org/pack.yaml": f"name: org\nversion: 1.0.0\nextends: [aws-baseline]\nmandatory: [{POLICY}]\n"})
        call("waivers", *ADD)
        code, found, err = scan("--pack", "./org")
        assert (code, found) == (1, {"envs/a": "new", "envs/b": "new"})
        assert "SRM-DAR-005 is mandatory, so this waiver does not hold" in err

    def test_a_waived_finding_is_not_written_to_the_baseline(self, call: Any, scan: Any) -> None:
        call("waivers", *ADD, "--root", "envs/a")
        scan("--write-baseline", "base.json")
        assert [entry["root"] for entry in json.loads(Path("base.json").read_text())["findings"]] == ["envs/b"]


class TestAssume:
    CONFIG = """\
assume:
  - {control: SRM-MON-001, by: platform team, evidence: "https://wiki.example/trail", expires: 2026-12-31}
"""

    def findings(self, call: Any, *arguments: str) -> tuple[int, list[dict[str, Any]], str]:
        options = ("--select", "SRM-MON-001", "--scope", "account", "--fail-on", "info", *TODAY, "-f", "json")
        code, out, err = call("scan", "envs/a", *options, *arguments)
        return code, json.loads(out)["findings"] if out else [], err

    def test_what_is_absent_is_assumed_and_never_met(self, call: Any) -> None:
        code, (before,), _err = self.findings(call)
        assert (code, before["outcome"], before["disposition"]) == (1, "gap", "new")
        write({"srm-checks.yaml": self.CONFIG})
        code, (after,), _err = self.findings(call)
        assert (code, after["outcome"], after["disposition"]) == (0, "gap", "assumed")
        assert after["assumption"]["by"] == "platform team"

    def test_in_words(self, call: Any) -> None:
        write({"srm-checks.yaml": self.CONFIG})
        out = call("scan", "envs/a", "--select", "SRM-MON-001", "--scope", "account", *TODAY)[1]
        assert "met (assumed)" in out
        assert "provided by platform team, evidence https://wiki.example/trail, until 2026-12-31" in out

    def test_an_expired_one_ends_the_scan(self, call: Any) -> None:
        write({"srm-checks.yaml": self.CONFIG})
        code, found, err = self.findings(call, "--today", "2027-01-01")
        assert (code, found) == (2, [])
        assert "srm-checks.yaml:2:5: the assumption that platform team provides SRM-MON-001 expired" in err

    def test_an_unknown_control_is_an_error(self, call: Any) -> None:
        write({"srm-checks.yaml": self.CONFIG.replace("SRM-MON-001", "SRM-MON-099")})
        code, _found, err = self.findings(call)
        assert code == 2
        assert "srm-checks.yaml:2:5: assume: 'SRM-MON-099' matches no policy" in err


class TestLimits:
    def test_an_unknown_policy_in_a_limit_is_an_error(self, scan: Any) -> None:
        write({"srm-checks.yaml": "fail_on: {policy: {SRM-DAR-099: low}}\n"})
        code, _found, err = scan()
        assert code == 2
        assert "srm-checks.yaml:1:1: fail_on: 'SRM-DAR-099' matches no policy" in err

    def test_by_who_answers(self, scan: Any) -> None:
        write({"srm-checks.yaml": "fail_on: {domain: {data-at-rest: never}}\n"})
        assert scan()[0] == 0
        assert scan("--fail-on", "high")[0] == 1


class TestAdd:
    def test_it_tells_what_it_did(self, call: Any) -> None:
        assert call("waivers", *ADD) == (0, "srm-waivers.yaml: waived SRM-DAR-005 until 2026-12-31\n", "")

    def test_days_count_from_today(self, call: Any) -> None:
        call("waivers", *ADD[:6], "--days", "30", *TODAY)
        assert "    expires: 2026-07-01\n" in Path("srm-waivers.yaml").read_text()

    def test_into_the_configured_file(self, call: Any) -> None:
        write({"srm-checks.yaml": "waivers: conf/waivers.yaml\n"})
        assert call("waivers", *ADD)[0] == 0
        assert Path("conf/waivers.yaml").exists()

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (ADD[:6], "give one of --expires and --days"),
            ((*ADD, "--days", "3"), "give one of --expires and --days"),
            ((*ADD[:6], "--expires", "2026-05-01", *TODAY), "lies in the past"),
            (("add", "SRM-DAR-099", *ADD[2:]), "'SRM-DAR-099' matches no policy"),
            (("add", "*", *ADD[2:]), "needs a `scope`"),
            ((*ADD, "--path", "[z-a]/x"), "is no glob"),
        ],
    )
    def test_what_is_wrong_is_not_written(self, call: Any, arguments: tuple[str, ...], message: str) -> None:
        code, _out, err = call("waivers", *arguments)
        assert code == 2
        assert message in err
        assert not Path("srm-waivers.yaml").exists()


class TestList:
    def test_the_next_to_expire_first(self, call: Any) -> None:
        call("waivers", *ADD, "--root", "envs/a")
        call("waivers", "add", "SRM-NET-*", "--reason", "r", "--owner", "o", "--days", "1", *TODAY)
        out = call("waivers", "list", *TODAY)[1]
        assert out.splitlines() == [
            "SRM-NET-*  2026-06-02 (1 day left)  o  srm-waivers.yaml:8:5",
            "    r",
            "SRM-DAR-005  2026-12-31 (213 days left)  team  srm-waivers.yaml:2:5",
            "    where: root envs/a",
            "    old",
        ]

    def test_as_json(self, call: Any) -> None:
        call("waivers", *ADD)
        (entry,) = json.loads(call("waivers", "list", "-f", "json", "--today", "2027-01-01")[1])
        assert (entry["policy"], entry["expired"]) == (POLICY, True)

    def test_none(self, call: Any) -> None:
        assert call("waivers", "list") == (0, "srm-waivers.yaml: no waivers\n", "")


class TestCheck:
    def test_all_hold(self, call: Any) -> None:
        call("waivers", *ADD)
        assert call("waivers", "check", *TODAY) == (0, "srm-waivers.yaml: waivers that hold: 1\n", "")

    def test_an_expired_one(self, call: Any) -> None:
        call("waivers", *ADD)
        code, _out, err = call("waivers", "check", "--today", "2027-01-01")
        assert code == 2
        assert "srm-waivers.yaml:2:5: the waiver of SRM-DAR-005 by team expired on 2026-12-31" in err

    def test_no_file(self, call: Any) -> None:
        assert call("waivers", "check")[0] == 2


class TestPrune:
    @pytest.fixture(autouse=True)
    def _three(self, call: Any) -> None:
        call("waivers", *ADD, "--root", "envs/a")
        call("waivers", *ADD, "--root", "envs/c")
        call("waivers", *ADD[:6], "--expires", "2026-06-01", "--root", "envs/b", *TODAY)

    def left(self) -> list[str]:
        return [line.split('"')[1] for line in Path("srm-waivers.yaml").read_text().splitlines() if "scope" in line]

    def test_what_expired_or_is_not_used_goes(self, call: Any) -> None:
        code, out, err = call("waivers", "prune", "--today", "2026-07-01")
        assert code == 0
        assert "not used" in out
        assert "expired on 2026-06-01" in out
        assert "waivers removed: 2 of 3" in err
        assert self.left() == ["envs/a"]

    def test_only_what_expired(self, call: Any) -> None:
        call("waivers", "prune", "--expired-only", "--today", "2026-07-01")
        assert self.left() == ["envs/a", "envs/c"]

    def test_a_dry_run_changes_nothing(self, call: Any) -> None:
        assert "waivers to remove: 2 of 3" in call("waivers", "prune", "--dry-run", "--today", "2026-07-01")[2]
        assert len(self.left()) == 3

    @pytest.mark.parametrize("path", ["envs/a", "envs/a/main.tf"])
    def test_a_part_cannot_tell(self, call: Any, path: str) -> None:
        code, _out, err = call("waivers", "prune", path, *TODAY)
        assert code == 2
        assert "no waiver can be called unused" in err

    def test_nor_can_a_scan_that_could_not_read_everything(self, call: Any) -> None:
        write({"envs/c/main.tf": "resource {"})
        assert call("waivers", "prune", *TODAY)[0] == 2
        assert len(self.left()) == 3
