"""The gate: what fails it, what does not, and the sentence that says why."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from srm_checks.gate import Gate
from srm_checks.model import Cause, Disposition, Finding, Outcome, Severity

MakeFinding = Callable[..., Finding]


def gap(make_finding: MakeFinding, severity: Severity, **changes: object) -> Finding:
    return make_finding(outcome=Outcome.GAP, severity=severity, **changes)


def unknown(make_finding: MakeFinding, **changes: object) -> Finding:
    return make_finding(outcome=Outcome.UNKNOWN, cause=Cause.UNRESOLVED_VALUE, **changes)


def test_no_findings_pass() -> None:
    decision = Gate().decide([])
    assert not decision.failed
    assert decision.because == "No new gap at or above medium."


@pytest.mark.parametrize("limit", list(Severity))
@pytest.mark.parametrize("severity", list(Severity))
def test_a_gap_fails_at_or_above_the_limit(make_finding: MakeFinding, severity: Severity, limit: Severity) -> None:
    decision = Gate(fail_on=limit).decide([gap(make_finding, severity)])
    assert decision.failed is (severity.rank <= limit.rank)


def test_the_sentence_counts_by_severity_worst_first(make_finding: MakeFinding) -> None:
    findings = [
        gap(make_finding, severity) for severity in (Severity.HIGH, Severity.CRITICAL, Severity.HIGH, Severity.LOW)
    ]
    assert Gate().decide(findings).because == "3 gaps at or above medium (1 critical, 2 high)."


def test_gaps_below_the_limit_are_named(make_finding: MakeFinding) -> None:
    assert Gate().decide([gap(make_finding, Severity.LOW)]).because == "No new gap at or above medium; 1 gap below it."


def test_never_lets_a_critical_gap_pass(make_finding: MakeFinding) -> None:
    decision = Gate(fail_on=None).decide([gap(make_finding, Severity.CRITICAL)])
    assert not decision.failed
    assert decision.because == "Gaps do not fail the gate, as asked."


@pytest.mark.parametrize("disposition", [word for word in Disposition if word is not Disposition.NEW])
def test_only_new_findings_count(make_finding: MakeFinding, disposition: Disposition) -> None:
    findings = [
        gap(make_finding, Severity.CRITICAL, disposition=disposition),
        unknown(make_finding, disposition=disposition),
    ]
    assert not Gate(max_unknown=0).decide(findings).failed


@pytest.mark.parametrize("outcome", [Outcome.MET, Outcome.NOT_APPLICABLE, Outcome.UNKNOWN])
def test_only_gaps_fail_unless_asked(make_finding: MakeFinding, outcome: Outcome) -> None:
    assert not Gate(fail_on=Severity.INFO).decide([make_finding(outcome=outcome, severity=Severity.CRITICAL)]).failed


@pytest.mark.parametrize(("limit", "number", "failed"), [(0, 0, False), (0, 1, True), (2, 2, False), (2, 3, True)])
def test_unknowns_fail_above_their_limit(make_finding: MakeFinding, limit: int, number: int, failed: bool) -> None:
    findings = [unknown(make_finding) for _ in range(number)]
    assert Gate(max_unknown=limit).decide(findings).failed is failed


def test_both_limits_are_named(make_finding: MakeFinding) -> None:
    findings = [gap(make_finding, Severity.HIGH), unknown(make_finding)]
    because = Gate(max_unknown=0).decide(findings).because
    assert because == "1 gap at or above medium (1 high) and 1 unknown where none is allowed."


def test_account_wide_unknowns_are_outside_the_limit_under_scope_stack(make_finding: MakeFinding) -> None:
    findings = [unknown(make_finding, account_wide=True)]
    assert not Gate(max_unknown=0).decide(findings, scope="stack").failed
    assert Gate(max_unknown=0).decide(findings, scope="account").failed
