"""Which findings count, in which order, under which mark."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from srm_checks.model import Cause, Disposition, Finding, Outcome, Severity
from srm_checks.report.selection import Changes, changes, distinct_marks, is_new, is_new_gap, worst_first

MakeFinding = Callable[..., Finding]


@pytest.mark.parametrize("disposition", [each for each in Disposition if each is not Disposition.NEW])
def test_what_is_excepted_or_known_is_not_new(disposition: Disposition, make_finding: MakeFinding) -> None:
    assert not is_new_gap(make_finding(disposition=disposition))
    assert not is_new(make_finding(disposition=disposition, outcome=Outcome.UNKNOWN, cause=Cause.OTHER_STACK))


def test_gaps_and_unknowns_are_new_and_nothing_else(make_finding: MakeFinding) -> None:
    assert [is_new(make_finding(outcome=outcome)) for outcome in Outcome] == [True, False, True, False]
    assert [is_new_gap(make_finding(outcome=outcome)) for outcome in Outcome] == [True, False, False, False]


def test_worst_first_keeps_the_order_of_equals(make_finding: MakeFinding) -> None:
    low = make_finding(severity=Severity.LOW)
    high = [make_finding(address=name) for name in "ba"]
    unknown = make_finding(severity=Severity.CRITICAL, outcome=Outcome.UNKNOWN)
    assert worst_first([unknown, low, *high]) == [*high, low, unknown]


def test_marks_are_the_fingerprints_and_never_equal(make_finding: MakeFinding) -> None:
    findings = [make_finding(fingerprint=mark) for mark in ("a", "b", "a", "a")]
    assert distinct_marks(findings) == ["a", "b", "a-2", "a-3"]


class TestChanges:
    def test_none_without_a_baseline(self, make_finding: MakeFinding) -> None:
        assert changes([make_finding()]) is None

    def test_new_and_known(self, make_finding: MakeFinding) -> None:
        known = make_finding(disposition=Disposition.BASELINED)
        met = make_finding(outcome=Outcome.MET)
        assert changes([make_finding(), known, known, met]) == Changes(1, 2, None)

    def test_fixed_ones_are_told_by_the_caller(self, make_finding: MakeFinding) -> None:
        assert changes([make_finding()], fixed=3) == Changes(1, 0, 3)
