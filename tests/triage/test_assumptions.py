"""Assumptions: what they answer, and that they never make anything met."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import pytest

from srm_checks.model import Cause, Disposition, Evidence, Finding, Outcome
from srm_checks.triage import assumptions
from srm_checks.triage.assumptions import Assumption
from srm_checks.triage.terms import Mistake, Scope

TODAY = datetime.date(2026, 6, 1)
MakeFinding = Callable[..., Finding]


def assumption(**changes: Any) -> Assumption:
    fields: dict[str, Any] = {
        "control": "SRM-DAR-005",
        "by": "platform team",
        "evidence": "https://wiki.example/encryption",
        "expires": datetime.date(2026, 12, 31),
        "at": "srm-checks.yaml:3:5",
    }
    return Assumption(**{**fields, **changes})


def disposition(finding: Finding, entry: Assumption, mandatory: frozenset[str] = frozenset()) -> Disposition:
    (done,) = assumptions.apply([finding], [entry], mandatory=mandatory, today=TODAY).findings
    assert done.outcome is finding.outcome
    return done.disposition


ANSWERED = [
    ("another stack may decide", {"outcome": Outcome.UNKNOWN, "cause": Cause.OTHER_STACK}, True),
    ("what it refers to is not in view", {"outcome": Outcome.UNKNOWN, "cause": Cause.MISSING_REFERENCE}, True),
    ("a default of the account", {"outcome": Outcome.UNKNOWN, "cause": Cause.PROVIDER_DEFAULT}, True),
    ("the framework has no words", {"outcome": Outcome.UNKNOWN, "cause": Cause.NOT_EXPRESSIBLE}, True),
    ("a value that the code leaves open", {"outcome": Outcome.UNKNOWN, "cause": Cause.UNRESOLVED_VALUE}, False),
    ("an absence", {"address": "(absent)", "evidence": ()}, True),
    ("a setting that is not declared", {"evidence": (Evidence("storage_encrypted", None, "e"),)}, True),
    ("a setting that is declared wrongly", {"evidence": (Evidence("storage_encrypted", False, "e"),)}, False),
    ("one of two declared wrongly", {"evidence": (Evidence("a", None, "e"), Evidence("b", 1, "f"))}, False),
    ("a gap without evidence", {"evidence": ()}, False),
    ("another policy", {"policy_id": "SRM-DAR-006", "evidence": (Evidence("a", None, "e"),)}, False),
    ("what is met already", {"outcome": Outcome.MET}, False),
    ("what is suppressed already", {"disposition": Disposition.SUPPRESSED, "address": "(absent)"}, False),
]


@pytest.mark.parametrize(("changes", "answered"), [case[1:] for case in ANSWERED], ids=[case[0] for case in ANSWERED])
def test_what_it_answers(make_finding: MakeFinding, changes: dict[str, Any], answered: bool) -> None:
    assert (disposition(make_finding(**changes), assumption()) is Disposition.ASSUMED) is answered


def test_the_finding_says_who_why_and_until_when(make_finding: MakeFinding) -> None:
    finding = make_finding(address="(absent)")
    (done,) = assumptions.apply([finding], [assumption()], mandatory=frozenset(), today=TODAY).findings
    assert done.assumption == {
        "control": "SRM-DAR-005",
        "by": "platform team",
        "evidence": "https://wiki.example/encryption",
        "expiry": "2026-12-31",
    }


def test_it_holds_on_its_last_day_and_not_after(make_finding: MakeFinding) -> None:
    finding = make_finding(address="(absent)")
    assert disposition(finding, assumption(expires=TODAY)) is Disposition.ASSUMED
    yesterday = assumption(expires=TODAY - datetime.timedelta(days=1))
    assert disposition(finding, yesterday) is Disposition.NEW
    assert assumptions.expired([yesterday], TODAY) == [
        "srm-checks.yaml:3:5: the assumption that platform team provides SRM-DAR-005 expired on 2026-05-31"
    ]


def test_its_scope_limits_it(make_finding: MakeFinding) -> None:
    entry = assumption(scope=Scope(root="/envs/prod"))
    assert disposition(make_finding(address="(absent)", root="envs/prod"), entry) is Disposition.ASSUMED
    assert disposition(make_finding(address="(absent)", root="envs/dev"), entry) is Disposition.NEW


class TestMandatory:
    def test_an_absence_may_be_answered_elsewhere(self, make_finding: MakeFinding) -> None:
        finding = make_finding(address="(absent)")
        assert disposition(finding, assumption(), frozenset({"SRM-DAR-005"})) is Disposition.ASSUMED

    def test_what_a_resource_lacks_may_not(self, make_finding: MakeFinding) -> None:
        finding = make_finding(evidence=(Evidence("storage_encrypted", None, "e"),))
        result = assumptions.apply([finding], [assumption()], mandatory=frozenset({"SRM-DAR-005"}), today=TODAY)
        assert result.findings == [finding]
        assert result.notes == ("srm-checks.yaml:3:5: SRM-DAR-005 is mandatory, so it is not assumed for main.tf:2",)


MISTAKES: list[tuple[str, Any, tuple[str | int, ...], str]] = [
    ("no mapping", "x", (), "must be a mapping"),
    ("nobody answers", {"control": "A", "evidence": "e", "expires": "2030-01-01"}, (), "lacks by"),
    ("an unknown key", {"controls": "A"}, ("controls",), "did you mean 'control'"),
    ("no date", {"control": "A", "by": "b", "evidence": "e", "expires": "soon"}, ("expires",), "must be a date"),
    ("empty evidence", {"control": "A", "by": "b", "evidence": " ", "expires": "2030-01-01"}, ("evidence",), "empty"),
    (
        "an unknown scope",
        {"control": "A", "by": "b", "evidence": "e", "expires": "2030-01-01", "scope": {"rot": "x"}},
        ("scope", "rot"),
        "did you mean 'root'",
    ),
]


@pytest.mark.parametrize(
    ("value", "place", "message"), [case[1:] for case in MISTAKES], ids=[case[0] for case in MISTAKES]
)
def test_a_mistake_is_told_with_its_place(value: Any, place: tuple[str | int, ...], message: str) -> None:
    with pytest.raises(Mistake, match=message) as caught:
        assumptions.read(value, "")
    assert caught.value.place == place
