"""The gate: what fails it, what does not, and the sentence that says why."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest

from srm_checks.gate import Budget, Gate, Group, Limit
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


class TestByWhoAnswers:
    """Limits by group: the more a group says about a finding, the more its limit weighs."""

    POLICY = Group("policy", "SRM-DAR-005")
    GLOB = Group("policy", "SRM-DAR-*")
    DOMAIN = Group("domain", "data-at-rest")
    MODEL = Group("model", "PaaS")
    SIDE = Group("side", "customer")
    ORDER = (POLICY, GLOB, DOMAIN, MODEL, SIDE)

    @pytest.mark.parametrize(("stronger", "weaker"), list(itertools.combinations(ORDER, 2)))
    def test_the_more_exact_group_wins(self, make_finding: MakeFinding, stronger: Group, weaker: Group) -> None:
        finding = gap(make_finding, Severity.MEDIUM)
        for first, second in ((Severity.LOW, None), (None, Severity.LOW)):
            limits = (Limit(weaker, second), Limit(stronger, first))
            assert Gate(limits=limits).limit_for(finding) is first

    def test_of_several_globs_the_strictest_holds(self, make_finding: MakeFinding) -> None:
        limits = (Limit(self.GLOB, None), Limit(Group("policy", "SRM-*"), Severity.LOW))
        assert Gate(limits=limits).limit_for(gap(make_finding, Severity.LOW)) is Severity.LOW

    def test_a_service_model_wins_over_its_family(self, make_finding: MakeFinding) -> None:
        limits = (Limit(Group("model", "PaaS"), Severity.LOW), Limit(Group("model", "FaaS"), None))
        finding = gap(make_finding, Severity.HIGH, service_model="FaaS", model_family="PaaS")
        assert Gate(limits=limits).limit_for(finding) is None

    def test_an_undetermined_model_is_a_group_too(self, make_finding: MakeFinding) -> None:
        limits = (Limit(Group("model", "undetermined"), None),)
        finding = gap(make_finding, Severity.HIGH, service_model=None, model_family=None)
        assert Gate(limits=limits).limit_for(finding) is None

    def test_what_no_group_concerns_goes_by_the_default(self, make_finding: MakeFinding) -> None:
        gate = Gate(fail_on=Severity.HIGH, limits=(Limit(Group("side", "aws"), Severity.INFO),))
        assert gate.limit_for(gap(make_finding, Severity.LOW)) is Severity.HIGH

    def test_the_sentence(self, make_finding: MakeFinding) -> None:
        gate = Gate(fail_on=None, limits=(Limit(self.DOMAIN, Severity.LOW),))
        assert gate.decide([gap(make_finding, Severity.LOW)]).because == "1 gap at or above their limits (1 low)."
        assert gate.decide([]).because == "No new gap at or above its limit."

    def test_each_budget_is_held_by_itself(self, make_finding: MakeFinding) -> None:
        budgets = (Budget(self.SIDE, 2), Budget(self.DOMAIN, 0), Budget(Group("policy", "SRM-IAM-*"), 0))
        decision = Gate(max_unknown=0, budgets=budgets).decide([unknown(make_finding), unknown(make_finding)])
        assert decision.because == (
            "2 unknowns where none is allowed and 2 unknowns of domain data-at-rest where none is allowed."
        )

    def test_budgets_that_hold(self, make_finding: MakeFinding) -> None:
        assert not Gate(budgets=(Budget(self.SIDE, 1),)).decide([unknown(make_finding)]).failed
