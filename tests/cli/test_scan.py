"""`srm-checks scan` from the command line to its output: exit codes, streams, options."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from srm_checks.cli import run
from srm_checks.config import ENVIRONMENT_VARIABLE

POLICY = "SRM-DAR-005"
ONLY = ("--select", POLICY)


def template(encrypted: str, *, parameters: str = "", metadata: str = "") -> str:
    return f"""\
AWSTemplateFormatVersion: "2010-09-09"
{parameters}
Resources:
  Db:
    Type: AWS::RDS::DBInstance
{metadata}
    Properties:
      Engine: postgres
      StorageEncrypted: {encrypted}
"""


OPEN = template("!Ref E", parameters="Parameters: {E: {Type: String}}")


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(ENVIRONMENT_VARIABLE, raising=False)


@pytest.fixture
def scan(capfd: pytest.CaptureFixture[str]) -> Any:
    """Runs `scan`; gives exit code, standard output and standard error."""

    def call(*arguments: str) -> tuple[int, str, str]:
        code = run(["scan", *arguments])
        captured = capfd.readouterr()
        return code, captured.out, captured.err

    return call


def write(path: str, text: str) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text, encoding="utf-8")


class TestExitCodes:
    @pytest.mark.parametrize(
        ("text", "options", "code"),
        [
            (template("true"), [], 0),
            (template("false"), [], 1),
            (template("false"), ["--fail-on", "high"], 1),
            (template("false"), ["--fail-on", "critical"], 0),
            (template("false"), ["--fail-on", "never"], 0),
            (template("false"), ["--exit-zero"], 0),
            (OPEN, [], 0),
            (OPEN, ["--fail-on", "info"], 0),
            (OPEN, ["--fail-on-unknown"], 1),
            (OPEN, ["--max-unknown", "0"], 1),
            (OPEN, ["--max-unknown", "1"], 0),
        ],
    )
    def test_the_gate(self, scan: Any, text: str, options: list[str], code: int) -> None:
        write("t.yaml", text)
        assert scan(".", *ONLY, *options)[0] == code

    def test_nothing_to_scan_is_0_with_a_note(self, scan: Any) -> None:
        write("k8s.yaml", "apiVersion: v1\nkind: Pod\n")
        code, out, err = scan(".")
        assert (code, out) == (0, "Nothing to scan.\n")
        assert "note: nothing to scan" in err

    BROKEN = 'AWSTemplateFormatVersion: "2010-09-09"\nResources:\n  A:\n  Type: AWS::RDS::DBInstance\n   x: [\n'

    def test_an_input_that_cannot_be_read_is_3(self, scan: Any) -> None:
        write("ok.yaml", template("true"))
        write("bad.yaml", self.BROKEN)
        code, out, _ = scan(".", *ONLY, "-f", "json")
        assert code == 3
        assert [error["path"] for error in json.loads(out)["errors"]] == ["bad.yaml"]

    def test_exit_zero_does_not_hide_that_it_is_incomplete(self, scan: Any) -> None:
        write("bad.yaml", self.BROKEN)
        assert scan(".", *ONLY, "--exit-zero")[0] == 3

    def test_a_gap_beside_an_unreadable_input_is_1_and_listed(self, scan: Any) -> None:
        write("gap.yaml", template("false"))
        write("bad.yaml", self.BROKEN)
        code, out, _ = scan(".", *ONLY, "-f", "json")
        assert code == 1
        assert [finding["location"]["path"] for finding in json.loads(out)["findings"]] == ["gap.yaml"]

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["no/such/path"], "no/such/path"),
            ([".", "--pack", "no/such/pack"], "no/such/pack"),
            ([".", "--var-file", "nope.tfvars"], "nope.tfvars: there is no such variable file"),
            ([".", "--select", "SRM-DAR-0005"], "did you mean 'SRM-DAR-005'"),
            ([".", "--select", "XYZ-*"], "'XYZ-*' matches no policy"),
            ([".", "-f", "json=t.yaml/x.json"], "its folder cannot be made"),
            ([".", "-f", "json", "-f", "text"], "two formats go to standard output"),
        ],
    )
    def test_wrong_input_is_2(self, scan: Any, arguments: list[str], message: str) -> None:
        write("t.yaml", template("true"))
        code, out, err = scan(*arguments)
        assert (code, out) == (2, "")
        assert message in err

    def test_a_mistake_in_the_configuration_is_2(self, scan: Any) -> None:
        write("srm-checks.yaml", "fial_on: high\n")
        code, _, err = scan(".")
        assert code == 2
        assert "srm-checks.yaml:1:1" in err


class TestOutput:
    def test_the_working_directory_is_the_default(self, scan: Any) -> None:
        write("t.yaml", template("false"))
        code, out, err = scan(*ONLY)
        assert code == 1
        assert "t.yaml\n" in out
        assert "Db\n" in out
        assert err == ""

    def test_a_machine_format_has_standard_output_alone(self, scan: Any) -> None:
        write("t.yaml", template("false"))
        _, out, _ = scan(".", *ONLY, "-f", "json", "-v")
        assert json.loads(out)["summary"]["gap"] == 1

    def test_several_formats_at_once(self, scan: Any) -> None:
        write("t.yaml", template("false"))
        _, text, _ = scan(".", *ONLY, "-f", "text", "-f", "json=out/r.json")
        assert "SRM-DAR-005" in text
        assert Path("out/r.json").read_text(encoding="utf-8") == scan(".", *ONLY, "-f", "json")[1]

    def test_two_runs_give_the_same_bytes(self, scan: Any) -> None:
        write("a/t.yaml", template("false"))
        write("b/t.yaml", OPEN)
        assert scan(".", "-f", "json") == scan(".", "-f", "json")

    def test_quiet_leaves_standard_error_empty(self, scan: Any) -> None:
        assert scan(".", "-q") == (0, "Nothing to scan.\n", "")

    def test_all_lists_what_is_met(self, scan: Any) -> None:
        write("t.yaml", template("true"))
        assert json.loads(scan(".", *ONLY, "-f", "json")[1])["findings"] == []
        listed = json.loads(scan(".", *ONLY, "-f", "json", "--all")[1])["findings"]
        assert [finding["outcome"] for finding in listed] == ["met"]

    def test_a_suppressed_gap_stays_in_sight(self, scan: Any) -> None:
        skip = f"    Metadata: {{checkov: {{skip: [{{id: {POLICY}, comment: accepted}}]}}}}"
        write("t.yaml", template("false", metadata=skip))
        code, out, _ = scan(".", *ONLY)
        assert code == 0
        assert "suppressed" in out
        assert "accepted" in out


class TestOptions:
    def test_parameters_settle_an_unknown(self, scan: Any) -> None:
        write("t.yaml", OPEN)
        write("p.json", '[{"ParameterKey": "E", "ParameterValue": "false"}]')
        code, out, _ = scan("t.yaml", *ONLY, "-f", "json", "--parameters", "p.json")
        assert (code, json.loads(out)["summary"]["gap"]) == (1, 1)

    def test_later_parameter_files_win(self, scan: Any) -> None:
        write("t.yaml", OPEN)
        write("a.json", '{"E": "false"}')
        write("b.json", '{"E": "true"}')
        assert scan("t.yaml", *ONLY, "--parameters", "a.json", "--parameters", "b.json")[0] == 0

    @pytest.mark.parametrize(
        ("option", "value", "found"),
        [
            ("--side", "customer", 1),
            ("--side", "aws", 0),
            ("--domain", "data-at-rest", 1),
            ("--domain", "network", 0),
            ("--service-model", "PaaS", 1),
            ("--service-model", "IaaS", 0),
            ("--ignore", "SRM-DAR-*", 0),
        ],
    )
    def test_filters(self, scan: Any, option: str, value: str, found: int) -> None:
        write("t.yaml", template("false"))
        findings = json.loads(scan(".", "-f", "json", option, value)[1])["findings"]
        assert sum(finding["policy_id"] == POLICY for finding in findings) == found

    def test_today_moves_the_end_of_support(self, scan: Any) -> None:
        write(
            "t.yaml",
            "AWSTemplateFormatVersion: '2010-09-09'\nResources:\n  F:\n    Type: AWS::Lambda::Function\n"
            "    Properties: {Runtime: python3.8, Handler: a.b, Code: {ZipFile: x}, Role: x}\n",
        )
        select = ("--select", "SRM-PLT-001")
        assert scan(".", *select, "--today", "2022-01-01")[0] == 0
        assert scan(".", *select, "--today", "2026-01-01")[0] == 1

    def test_the_configuration_holds_and_options_win(self, scan: Any) -> None:
        write("t.yaml", template("false"))
        write("srm-checks.yaml", f"select: [{POLICY}]\nfail_on: critical\n")
        assert scan(".")[0] == 0
        assert scan(".", "--fail-on", "high")[0] == 1

    def test_excluded_paths_are_left_out(self, scan: Any) -> None:
        write("old/t.yaml", template("false"))
        write("srm-checks.yaml", "exclude: [old/**]\n")
        code, out, _ = scan(".", *ONLY, "-f", "json")
        assert code == 0
        assert json.loads(out)["inputs"]["cloudformation_templates"] == 0

    def test_a_configuration_above_excludes_from_its_own_folder(
        self, scan: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write("stacks/old/t.yaml", template("false"))
        write("srm-checks.yaml", "exclude: [stacks/old]\n")
        monkeypatch.chdir("stacks")
        code, out, _ = scan(".", *ONLY, "-f", "json")
        assert code == 0
        assert json.loads(out)["inputs"]["cloudformation_templates"] == 0

    def test_waivers_above_hold_from_their_own_folder(self, scan: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        write("stacks/t.yaml", template("false"))
        waiver = f"policy: {POLICY}, reason: known, owner: me, expires: 2100-01-01"
        write("srm-waivers.yaml", f"waivers:\n- {{{waiver}, scope: {{path: stacks/t.yaml}}}}\n")
        monkeypatch.chdir("stacks")
        assert scan(".", *ONLY)[0] == 0


class TestPythonDoor:
    def test_it_returns_what_the_command_prints(self, scan: Any) -> None:
        from srm_checks import scan as python_scan

        write("t.yaml", template("false"))
        assert python_scan(["t.yaml"], select=[POLICY]) == json.loads(scan("t.yaml", *ONLY, "-f", "json")[1])

    def test_one_path_may_stand_alone(self) -> None:
        from srm_checks import scan as python_scan

        write("t.yaml", template("false"))
        assert python_scan("t.yaml", select=[POLICY], fail_on="never")["summary"]["gate"]["failed"] is False
        assert python_scan(Path("t.yaml"), select=[POLICY])["summary"]["gate"]["failed"] is True

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"sides": ["vendor"]}, "unknown side 'vendor'; there are customer, shared, aws"),
            ({"fail_on": "hihg"}, "unknown severity 'hihg'; did you mean 'high'"),
            ({"scope": "world"}, "unknown scope 'world'"),
            ({"max_unknown": -1}, "cannot be -1"),
            ({"engine": "fats"}, "unknown engine 'fats'"),
        ],
    )
    def test_wrong_options_raise(self, options: dict[str, Any], message: str) -> None:
        from srm_checks import scan as python_scan
        from srm_checks.errors import UsageError

        with pytest.raises(UsageError, match=message):
            python_scan(".", **options)


class TestProcess:
    def test_a_reader_that_leaves_early_does_not_change_the_exit_code(self) -> None:
        write("t.yaml", template("false"))
        process = subprocess.Popen(
            [sys.executable, "-m", "srm_checks", "scan", ".", *ONLY], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert process.stdout
        process.stdout.close()
        _, error = process.communicate()
        assert process.returncode == 1
        assert error == b""

    def test_an_encoding_that_lacks_a_character_does_not_stop_the_report(self) -> None:
        write("été/t.yaml", template("false"))
        result = subprocess.run(
            [sys.executable, "-m", "srm_checks", "scan", ".", *ONLY],
            capture_output=True,
            env={**os.environ, "PYTHONIOENCODING": "ascii"},
        )
        assert result.returncode == 1
        assert b"\\xe9t\\xe9/t.yaml" in result.stdout

    @pytest.mark.skipif(sys.platform == "win32", reason="signals")
    def test_an_interrupt_is_130_without_a_traceback(self) -> None:
        for number in range(400):
            write(f"t{number}.yaml", template("false"))
        # The child says when Python itself has started: before that, an interrupt is not ours to handle.
        script = "import sys; from srm_checks.__main__ import main; print('ready', flush=True); main()"
        process = subprocess.Popen(
            [sys.executable, "-c", script, "scan", ".", "-f", "json"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )
        assert process.stdout
        assert process.stdout.readline() == b"ready\n"
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        _, error = process.communicate()
        assert process.returncode == 130
        assert b"Traceback" not in error
