"""Waivers: the file, what each covers, and when it no longer holds."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path

import pytest

from srm_checks.errors import UsageError
from srm_checks.model import Disposition, Finding, Outcome
from srm_checks.triage import waivers
from srm_checks.triage.waivers import Waiver

TODAY = datetime.date(2026, 6, 1)
MakeFinding = Callable[..., Finding]

FULL = """\
waivers:
  - policy: SRM-DAR-005
    scope: {root: envs/legacy, path: "**/db.tf", address: "aws_db_instance.*"}
    reason: The image cannot start from an encrypted volume.
    owner: team-payments
    ticket: PAY-431
    created: 2026-01-12
    expires: 2026-12-31
"""


def one(scope: str = "", policy: str = "SRM-DAR-005", expires: str = "2026-12-31", path: str = "w.yaml") -> Waiver:
    line = f"    scope: {scope}\n" if scope else ""
    text = f"waivers:\n  - policy: {policy}\n{line}    reason: r\n    owner: o\n    expires: {expires}\n"
    (waiver,) = waivers.parse(path, text)
    return waiver


def apply(finding: Finding, *given: Waiver, mandatory: frozenset[str] = frozenset()) -> waivers.Waived:
    return waivers.apply([finding], given, mandatory=mandatory, today=TODAY)


class TestFile:
    def test_all_that_it_can_say(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        Path("srm-waivers.yaml").write_text(FULL)
        (waiver,) = waivers.read("srm-waivers.yaml")
        assert waivers.record(waiver) == {
            "policy": "SRM-DAR-005",
            "reason": "The image cannot start from an encrypted volume.",
            "owner": "team-payments",
            "expiry": "2026-12-31",
            "ticket": "PAY-431",
            "created": "2026-01-12",
            "path": "srm-waivers.yaml",
            "start_line": 2,
        }
        assert waiver.at == "srm-waivers.yaml:2:5"

    @pytest.mark.parametrize("text", ["waivers: []\n", "waivers:\n"])
    def test_it_may_be_empty(self, text: str) -> None:
        assert waivers.parse("w.yaml", text) == ()

    MISTAKES = (
        ("an unknown key of the file", "waiver: []\n", r"w\.yaml:1:1: unknown key 'waiver'; did you mean 'waivers'"),
        ("no list", "waivers: {a: b}\n", r"w\.yaml:1:1: `waivers` takes a list"),
        ("no mapping", "waivers: [x]\n", r"w\.yaml:1:11: a waiver must be a mapping"),
        ("no reason", FULL.replace("    reason: The image cannot start from an encrypted volume.\n", ""), "lacks reason"),
        ("no end", FULL.replace("    expires: 2026-12-31\n", ""), "lacks expires"),
        ("an unknown key", FULL.replace("ticket", "tiket"), r"w\.yaml:6:5: unknown key 'tiket'; did you mean 'ticket'"),
        ("a date that is none", FULL.replace("2026-12-31", "31.12.2026"), r"w\.yaml:8:5: `expires` must be a date"),
        ("an end before its beginning", FULL.replace("2026-12-31", "2025-12-31"), r"w\.yaml:8:5: it expires before"),
        ("an empty reason", FULL.replace("The image cannot start from an encrypted volume.", '" "'), r":4:5: `reason`"),
        ("an unknown scope", FULL.replace("root:", "rots:"), r"w\.yaml:3:13: unknown key 'rots'; did you mean 'root'"),
        ("an impossible glob", FULL.replace("**/db.tf", "[z-a]/x"), r"is no glob"),
        ("every policy everywhere", "waivers:\n- {policy: '*', reason: r, owner: o, expires: 2030-01-01}\n", "needs a `scope`"),
        ("no YAML", "waivers: [\n", r"w\.yaml:2:1: not valid YAML"),
    )  # fmt: skip

    @pytest.mark.parametrize(("text", "message"), [case[1:] for case in MISTAKES], ids=[case[0] for case in MISTAKES])
    def test_a_mistake_is_told_with_its_place(self, text: str, message: str) -> None:
        with pytest.raises(UsageError, match=message):
            waivers.parse("w.yaml", text)

    def test_all_mistakes_are_told_at_once(self) -> None:
        with pytest.raises(UsageError) as caught:
            waivers.parse("w.yaml", FULL.replace("ticket", "tiket") + "  - policy: SRM-DAR-001\n")
        assert len(str(caught.value).splitlines()) == 2

    def test_an_unknown_policy(self) -> None:
        assert waivers.unknown([one()], ["SRM-DAR-005"]) == []
        assert waivers.unknown([one(policy="SRM-DAR-*")], ["SRM-DAR-005"]) == []
        assert waivers.unknown([one(policy="SRM-DAR-050")], ["SRM-DAR-005"]) == [
            "w.yaml:2:5: 'SRM-DAR-050' matches no policy of the active packs; did you mean 'SRM-DAR-005'?"
        ]

    def test_a_check_of_another_tool_is_not_ours_to_know(self) -> None:
        assert waivers.unknown([one(policy="CKV_AWS_16"), one(policy="E3012")], ["SRM-DAR-005"]) == []


COVERED = [
    ("everywhere", "", True),
    ("the root", "{root: envs/prod}", True),
    ("a root above", "{root: envs}", True),
    ("a glob of roots", "{root: envs/p*}", True),
    ("another root", "{root: envs/dev}", False),
    ("a root by its last name only", "{root: prod}", False),
    ("the file", "{path: modules/db/main.tf}", True),
    ("a name at any depth", "{path: main.tf}", True),
    ("another file", "{path: modules/db/other.tf}", False),
    ("the address", "{address: module.db.aws_db_instance.main}", True),
    ("a glob of addresses", "{address: module.db.*}", True),
    ("another address", "{address: aws_db_instance.main}", False),
    ("all of them", "{root: envs/prod, path: modules/**, address: '*.main'}", True),
    ("not all of them", "{root: envs/prod, path: envs/**}", False),
]


@pytest.mark.parametrize(("scope", "covered"), [case[1:] for case in COVERED], ids=[case[0] for case in COVERED])
def test_scope(make_finding: MakeFinding, scope: str, covered: bool) -> None:
    location = make_finding().location.__class__("modules/db/main.tf", 3, 3)
    finding = make_finding(root="envs/prod", location=location, address="module.db.aws_db_instance.main[0]")
    (done,) = apply(finding, one(scope)).findings
    assert (done.disposition is Disposition.WAIVED) is covered


def test_paths_count_from_the_file(make_finding: MakeFinding) -> None:
    waiver = one("{root: prod}", path="envs/w.yaml")
    assert apply(make_finding(root="envs/prod"), waiver).findings[0].disposition is Disposition.WAIVED
    assert apply(make_finding(root="prod"), waiver).findings[0].disposition is Disposition.NEW


def test_the_finding_carries_reason_owner_and_end(make_finding: MakeFinding) -> None:
    (done,) = apply(make_finding(), one()).findings
    assert done.waiver is not None
    assert {key: done.waiver[key] for key in ("reason", "owner", "expiry")} == {
        "reason": "r",
        "owner": "o",
        "expiry": "2026-12-31",
    }


@pytest.mark.parametrize("outcome", [Outcome.MET, Outcome.NOT_APPLICABLE])
def test_what_is_no_gap_needs_no_waiver(make_finding: MakeFinding, outcome: Outcome) -> None:
    result = apply(make_finding(outcome=outcome), one())
    assert result.findings[0].disposition is Disposition.NEW
    assert not result.used


def test_an_unknown_can_be_waived(make_finding: MakeFinding) -> None:
    assert apply(make_finding(outcome=Outcome.UNKNOWN), one()).findings[0].disposition is Disposition.WAIVED


def test_it_holds_on_its_last_day_and_not_after(make_finding: MakeFinding) -> None:
    assert apply(make_finding(), one(expires="2026-06-01")).findings[0].disposition is Disposition.WAIVED
    ended = one(expires="2026-05-31")
    assert apply(make_finding(), ended).findings[0].disposition is Disposition.NEW
    assert waivers.expired([one(), ended], TODAY) == [
        "w.yaml:2:5: the waiver of SRM-DAR-005 by o expired on 2026-05-31"
    ]


def test_a_mandatory_policy_is_never_waived_and_the_attempt_is_told(make_finding: MakeFinding) -> None:
    result = apply(make_finding(), one(policy="SRM-DAR-*"), mandatory=frozenset({"SRM-DAR-005"}))
    assert result.findings[0].disposition is Disposition.NEW
    assert result.notes == ("w.yaml:2:5: SRM-DAR-005 is mandatory, so this waiver does not hold",)


class TestUnused:
    def test_one_that_found_something_is_used(self, make_finding: MakeFinding) -> None:
        waiver = one()
        used = apply(make_finding(), waiver).used
        assert waivers.unused([waiver], used, ["SRM-DAR-005"], TODAY) == []

    def test_also_where_something_else_silences_it(self, make_finding: MakeFinding) -> None:
        waiver = one()
        result = apply(make_finding(disposition=Disposition.SUPPRESSED), waiver)
        assert result.findings[0].disposition is Disposition.SUPPRESSED
        assert result.used == {waiver}

    def test_one_that_found_nothing(self) -> None:
        waiver = one()
        assert waivers.unused([waiver], frozenset(), ["SRM-DAR-005"], TODAY) == [waiver]

    def test_one_whose_policy_was_not_judged_is_not_told(self) -> None:
        assert waivers.unused([one()], frozenset(), ["SRM-DAR-001"], TODAY) == []

    def test_one_that_expired_is_told_otherwise(self) -> None:
        assert waivers.unused([one(expires="2026-05-31")], frozenset(), ["SRM-DAR-005"], TODAY) == []
