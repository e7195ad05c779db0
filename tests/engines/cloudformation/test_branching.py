"""Laws of narrowing and lifting, against a plain reading of the values under every assignment."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from srm_checks.engines.cloudformation.branching import (
    Facts,
    TooManyBranches,
    choice,
    lift,
    narrow,
    same,
    select,
    simplify,
)
from srm_checks.model import ABSENT, AllOf, AnyOf, Choice, Cond, Not, Options, Test, all_of, any_of, negate

SUBJECTS = {"P": ("a", "b"), "Q": ("a", "b"), "R": ("a", "b", "c")}
tests = st.sampled_from([Test(subject, value, subject) for subject, values in SUBJECTS.items() for value in values])
conditions = st.recursive(
    tests | st.booleans(),
    lambda inner: st.one_of(
        inner.map(negate),
        st.lists(inner, min_size=1, max_size=3).map(all_of),
        st.lists(inner, min_size=1, max_size=3).map(any_of),
    ),
    max_leaves=5,
)
leaves = st.sampled_from(
    ["x", "y", 1, True, *(Options(subject, subject, values) for subject, values in SUBJECTS.items())]
)
branched = st.recursive(leaves, lambda inner: st.builds(choice, conditions, inner, inner), max_leaves=4)
assignments = st.fixed_dictionaries({subject: st.sampled_from(values) for subject, values in SUBJECTS.items()})


def holds(cond: Cond, world: dict[str, str]) -> bool:
    match cond:
        case bool():
            return cond
        case Test(subject=subject, value=value):
            return world[subject] == value
        case Not(of=inner):
            return not holds(inner, world)
        case AllOf(of=parts):
            return all(holds(part, world) for part in parts)
        case AnyOf(of=parts):
            return any(holds(part, world) for part in parts)


def read(value: Any, world: dict[str, str]) -> Any:
    match value:
        case Choice(cond=cond, then=then, otherwise=otherwise):
            return read(then if holds(cond, world) else otherwise, world)
        case Options(subject=subject):
            return world[subject]
        case _:
            return value


@given(conditions, conditions, assignments)
def test_simplifying_keeps_the_truth_where_the_facts_hold(cond: Cond, fact: Cond, world: dict[str, str]) -> None:
    assert holds(simplify(cond, Facts.of(fact, holds(fact, world))), world) == holds(cond, world)


@given(branched, conditions, assignments)
def test_narrowing_keeps_the_value_where_the_facts_hold(value: Any, fact: Cond, world: dict[str, str]) -> None:
    assert read(narrow(value, Facts.of(fact, holds(fact, world))), world) == read(value, world)


@given(st.lists(branched, max_size=3), assignments)
def test_lifting_agrees_with_applying_to_what_is_read(values: list[Any], world: dict[str, str]) -> None:
    def join(parts: Any) -> str:
        return "-".join(map(str, parts))

    try:
        lifted = lift(values, join)
    except TooManyBranches:
        return
    assert read(lifted, world) == join([read(value, world) for value in values])


def test_lifting_stops_at_too_many_combinations() -> None:
    values = [Options(str(number), "", ("a", "b")) for number in range(7)]
    with pytest.raises(TooManyBranches):
        lift(values, "".join)


def test_equality_tells_types_apart() -> None:
    cond = Test("P", "a", "P")
    assert not same(1, True)
    assert not same([1], [True])
    assert same({"a": [1, "x"]}, {"a": [1, "x"]})
    assert choice(cond, 1, True) == Choice(cond, 1, True)
    assert choice(cond, ABSENT, ABSENT) is ABSENT


def test_cases_of_one_value_are_one_branch() -> None:
    a, b = Test("P", "a", "P"), Test("P", "b", "P")
    assert select([(a, 1), (b, 1)], 2) == Choice(AnyOf((a, b)), 1, 2)
