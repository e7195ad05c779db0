"""Conditions, assumptions and branches by themselves."""

from __future__ import annotations

from typing import Any

import pytest

from srm_checks.engines.terraform.values import (
    FAILED,
    OMITTED,
    Assumption,
    Fallible,
    OpenMap,
    TooManyBranches,
    choice,
    conjoin,
    either,
    export,
    lift,
    same,
    split,
)
from srm_checks.model import ABSENT, AllOf, AnyOf, Choice, Encoded, Not, Options, Repeated, Unknown
from srm_checks.model import Test as Condition

A, B = Condition("x", "a", "x"), Condition("x", "b", "x")
C = Condition("c", True, "c")


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (1, 1.0, True),
        (1, True, False),
        ("1", 1, False),
        ([1, {"a": 2}], [1, {"a": 2}], True),
        ({"a": 1}, {"b": 1}, False),
        (Unknown("v", subject="v"), Unknown("w", subject="v"), True),
        (Unknown("v"), Unknown("v"), False),
        (Encoded([1]), Encoded([1]), True),
        (Encoded([1]), Repeated([1]), False),
        (ABSENT, ABSENT, True),
    ],
)
def test_sameness(one: Any, other: Any, expected: bool) -> None:
    assert same(one, other) is expected


@pytest.mark.parametrize(
    ("conds", "expected"),
    [
        pytest.param([], True, id="nothing"),
        pytest.param([A, B], False, id="a-subject-has-one-value"),
        pytest.param([A, Not(B)], A, id="denial-that-follows"),
        pytest.param([Not(A), Not(B)], AllOf((Not(A), Not(B))), id="denials-that-do-not"),
        pytest.param([AllOf((A, C)), C], AllOf((A, C)), id="one-level"),
        pytest.param([A, Not(C)], AllOf((A, Not(C))), id="another-subject"),
    ],
)
def test_conjunction(conds: list[Any], expected: Any) -> None:
    assert conjoin(conds) == expected


@pytest.mark.parametrize(
    ("then", "otherwise", "expected"),
    [
        (True, True, True),
        (True, False, C),
        (False, True, Not(C)),
        (True, A, AnyOf((C, A))),
        (A, True, AnyOf((Not(C), A))),
        (A, False, AllOf((C, A))),
        (A, A, A),
    ],
)
def test_either(then: Any, otherwise: Any, expected: Any) -> None:
    assert either(C, then, otherwise) == expected


def test_choice_in_its_simplest_form() -> None:
    assert choice(True, 1, 2) == 1
    assert choice(C, 1, 1) == 1
    assert choice(C, 1, True) == Choice(C, 1, True)
    assert choice(Not(C), 1, 2) == Choice(C, 2, 1)


@pytest.mark.parametrize(
    ("cond", "truth", "value", "expected"),
    [
        pytest.param(C, True, Choice(C, 1, 2), 1, id="the-condition"),
        pytest.param(C, False, Choice(C, 1, 2), 2, id="its-denial"),
        pytest.param(A, True, Choice(B, 1, 2), 2, id="another-value-of-the-subject"),
        pytest.param(AllOf((A, C)), True, Choice(C, 1, 2), 1, id="a-part-of-a-conjunction"),
        pytest.param(AnyOf((A, C)), False, Choice(C, 1, 2), 2, id="a-part-of-a-disjunction"),
        pytest.param(AnyOf((A, C)), True, Choice(C, 1, 2), Choice(C, 1, 2), id="nothing-follows"),
        pytest.param(A, True, Unknown("x", subject="x"), "a", id="the-value-itself"),
        pytest.param(A, False, Options("x", "x", ("a", "b")), "b", id="the-last-option"),
        pytest.param(A, False, Options("x", "x", ("a", "b", "c")), Options("x", "x", ("b", "c")), id="fewer-options"),
        pytest.param(Condition("x == null", True, "n"), True, Unknown("x", subject="x"), ABSENT, id="null"),
        pytest.param(
            Condition("x == null", True, "n"),
            False,
            Unknown("x", subject="x"),
            Unknown("x", subject="x", present=True),
            id="not-null",
        ),
        pytest.param(C, False, [1, Choice(C, 2, OMITTED)], [1], id="left-out"),
        pytest.param(C, True, {"k": Choice(C, OMITTED, 2)}, {}, id="entry-left-out"),
    ],
)
def test_assumption(cond: Any, truth: bool, value: Any, expected: Any) -> None:
    assert Assumption(cond, truth).apply(value) == expected


def test_lift_keeps_branches_of_one_condition_together() -> None:
    assert lift(lambda a, b: a + b, [Choice(C, 1, 2), Choice(C, 10, 20)]) == Choice(C, 11, 22)


def test_lift_has_a_limit() -> None:
    branches = [Choice(Condition(f"s{i}", True, "s"), i, -i) for i in range(1, 8)]
    with pytest.raises(TooManyBranches):
        lift(lambda *values: list(values), branches)


def test_split() -> None:
    assert split(1, FAILED) == (True, 1)
    assert split(FAILED, FAILED) == (False, FAILED)
    assert split(Choice(C, 1, FAILED), FAILED) == (C, 1)
    assert split(Choice(C, FAILED, 1), FAILED) == (Not(C), 1)
    assert split(Choice(C, Choice(A, 1, OMITTED), 2), OMITTED) == (AnyOf((Not(C), A)), Choice(C, 1, 2))


def test_export_leaves_only_what_the_model_knows() -> None:
    assert export(Choice(C, FAILED, 1), "t") == 1
    assert export(FAILED, "t") == Unknown("t")
    assert export([OMITTED, ABSENT, 1, Choice(C, 2, OMITTED)], "t") == [1, Choice(C, 2, ABSENT)]
    assert export({"a": ABSENT, "b": [ABSENT]}, "t") == {"b": []}
    assert type(export(Fallible("f"), "t")) is Unknown
    assert export(OpenMap({"a": 1, "b": ABSENT}, Unknown("u")), "t") == {"a": 1, "b": ABSENT, "*": Unknown("u")}
    assert export(OpenMap({"a": Choice(C, 1, OMITTED)}, 2), "t") == {"a": Choice(C, 1, Unknown("t")), "*": Unknown("t")}
    assert export(Encoded([Fallible("f")]), "t") == Encoded([Unknown("f")])
