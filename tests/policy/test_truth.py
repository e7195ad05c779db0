"""The laws of three-valued logic, on all combinations and on random ones."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from srm_checks.policy.truth import FALSE, NA, TRUE, UNKNOWN, Result, all_of, any_of, negate

KLEENE = (FALSE, TRUE, UNKNOWN)
truths = st.sampled_from(KLEENE)


def conj(*values: int) -> int:
    return all_of(Result(value) for value in values).truth


def disj(*values: int) -> int:
    return any_of(Result(value) for value in values).truth


def inv(value: int) -> int:
    return negate(Result(value)).truth


def possible(value: int) -> set[bool]:
    """What an unknown may turn out to be: the meaning against which the tables are held."""
    return {True, False} if value == UNKNOWN else {value == TRUE}


def as_truth(values: set[bool]) -> int:
    return UNKNOWN if len(values) == 2 else TRUE if values == {True} else FALSE


@pytest.mark.parametrize(("a", "b"), list(itertools.product(KLEENE, KLEENE)))
def test_and_or_agree_with_every_way_that_unknowns_can_turn_out(a: int, b: int) -> None:
    pairs = list(itertools.product(possible(a), possible(b)))
    assert conj(a, b) == as_truth({x and y for x, y in pairs})
    assert disj(a, b) == as_truth({x or y for x, y in pairs})


@given(truths, truths)
def test_de_morgan(a: int, b: int) -> None:
    assert inv(conj(a, b)) == disj(inv(a), inv(b))
    assert inv(disj(a, b)) == conj(inv(a), inv(b))


@given(truths, truths, truths)
def test_commutative_associative_distributive(a: int, b: int, c: int) -> None:
    for op in (conj, disj):
        assert op(a, b) == op(b, a)
        assert op(a, op(b, c)) == op(op(a, b), c) == op(a, b, c)
    assert conj(a, disj(b, c)) == disj(conj(a, b), conj(a, c))
    assert disj(a, conj(b, c)) == conj(disj(a, b), disj(a, c))


@given(truths, truths)
def test_identity_absorption_double_negation(a: int, b: int) -> None:
    assert conj(a, TRUE) == disj(a, FALSE) == conj(a, a) == disj(a, a) == inv(inv(a)) == a
    assert conj(a, FALSE) == FALSE
    assert disj(a, TRUE) == TRUE
    assert conj(a, disj(a, b)) == disj(a, conj(a, b)) == a


def test_there_is_no_excluded_middle() -> None:
    assert disj(UNKNOWN, inv(UNKNOWN)) == UNKNOWN
    assert conj(UNKNOWN, inv(UNKNOWN)) == UNKNOWN


@given(st.lists(truths, min_size=1), truths)
def test_learning_a_value_never_changes_a_decided_answer(values: list[int], learnt: int) -> None:
    """Monotone in knowledge: this is what makes a met or a gap safe to report."""
    for op in (conj, disj):
        before = op(*values)
        after = op(*(learnt if value == UNKNOWN else value for value in values))
        assert before in (UNKNOWN, after)


@given(truths)
def test_not_applicable_is_neutral(a: int) -> None:
    assert conj(a, NA) == disj(a, NA) == a
    assert conj(NA, NA) == disj(NA, NA) == inv(NA) == NA


def test_nothing_at_all() -> None:
    assert conj() == TRUE
    assert disj() == FALSE
