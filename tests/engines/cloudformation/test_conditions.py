"""Conditions, what they make of a resource, and which branches can be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from srm_checks.model import AllOf, AnyOf, Choice, Cond, Not, Resource, Stack, Test, Unknown
from srm_checks.subjects import composed

PROD = Test("Parameters/Env", "prod", "Env")
EU = Test("AWS::Region", "eu-west-1", "AWS::Region")


def template(condition: str, parameters: str = "Env: {Type: String}") -> str:
    return f"""\
Parameters:
  {parameters}
  Other: {{Type: String}}
  Count: {{Type: Number}}
  List: {{Type: CommaDelimitedList}}
Conditions:
  IsProd: !Equals [!Ref Env, prod]
  Asked: {condition}
Resources:
  B: {{Type: AWS::S3::Bucket, Condition: Asked}}
"""


@pytest.mark.parametrize(
    ("condition", "exists"),
    [
        pytest.param("!Equals [!Ref Env, prod]", PROD, id="equals"),
        pytest.param("!Equals [prod, !Ref Env]", PROD, id="equals-turned-round"),
        pytest.param("!Condition IsProd", PROD, id="other-condition"),
        pytest.param("!Not [!Condition IsProd]", Not(PROD), id="not"),
        pytest.param("!Not [!Not [!Condition IsProd]]", PROD, id="not-not"),
        pytest.param("!And [!Condition IsProd, !Equals [!Ref AWS::Region, eu-west-1]]", AllOf((PROD, EU)), id="and"),
        pytest.param("!Or [!Condition IsProd, !Equals [!Ref AWS::Region, eu-west-1]]", AnyOf((PROD, EU)), id="or"),
        pytest.param("!And [!Condition IsProd, !Equals [a, a]]", PROD, id="and-of-a-constant"),
        pytest.param("!Or [!Condition IsProd, !Equals ['1', 1]]", True, id="text-and-number-are-equal"),
        pytest.param("!Equals [!Ref Env, !Ref Env]", True, id="the-same-value"),
        pytest.param("!Equals [!Ref Count, '3']", Test("Parameters/Count", 3, "Count"), id="number-parameter"),
        pytest.param("!Equals [!Ref Count, '']", None, id="number-is-never-empty"),
        pytest.param("!Equals [!Sub 'x-${Env}', y]", None, id="text-that-cannot-match"),
        pytest.param(
            "!Equals [!Sub 'x-${Env}', x-prod]",
            Test(composed(["x-", Unknown("Env", subject="Parameters/Env")]), "x-prod", '!Sub "x-${Env}"'),
            id="text-that-can",
        ),
        pytest.param(
            "!Equals [!Ref Env, !Ref Other]",
            Test("!Ref Env == !Ref Other", True, "!Ref Env == !Ref Other"),
            id="two-open",
        ),
        pytest.param(
            "!Equals [!Join ['', !Ref List], '']",
            Test('!Join ["", !Ref List]', "", '!Join ["", !Ref List]'),
            id="emptiness-of-an-open-list",
        ),
    ],
)
def test_condition(load_text: Callable[..., Stack], condition: str, exists: Cond | None) -> None:
    stack = load_text(template(condition))
    assert stack.errors == []
    if exists is None:
        assert stack.resources == []
    else:
        assert stack.resources[0].exists == exists


def test_default_decides(load_text: Callable[..., Stack]) -> None:
    text = template("!Equals [!Ref Env, prod]", "Env: {Type: String, Default: dev}")
    assert load_text(text).resources == []
    assert load_text(text, Env="prod").resources[0].exists is True
    assert load_text(text, strict=True).resources[0].exists == PROD


def test_allowed_values_decide_what_can_be_equal(load_text: Callable[..., Stack]) -> None:
    text = template("!Equals [!Ref Env, test]", "Env: {Type: String, AllowedValues: [dev, prod]}")
    assert load_text(text).resources == []


def test_comparison_of_a_mapped_value_becomes_a_test_of_the_key(load_text: Callable[..., Stack]) -> None:
    text = template("!Equals [!FindInMap [M, !Ref Env, Size], big]")
    text += "Mappings: {M: {dev: {Size: small}, prod: {Size: big}}}\n"
    dev = Test("Parameters/Env", "dev", "Env")
    assert load_text(text).resources[0].exists == Not(dev)


def test_attributes_are_those_of_a_resource_that_exists(load_one: Callable[..., Resource]) -> None:
    resource = load_one("""\
        Parameters: {Env: {Type: String}}
        Conditions: {NotProd: !Not [!Equals [!Ref Env, prod]]}
        Resources:
          B:
            Type: AWS::S3::Bucket
            Condition: NotProd
            Properties: {A: !If [NotProd, false, true]}
        """)
    assert resource.exists == Not(PROD)
    assert resource.attributes == {"A": False}


def test_properties_that_are_an_if_as_a_whole(load_one: Callable[..., Resource]) -> None:
    resource = load_one("""\
        Parameters: {Env: {Type: String}}
        Conditions: {IsProd: !Equals [!Ref Env, prod]}
        Resources:
          B:
            Type: AWS::S3::Bucket
            Properties:
              Fn::If:
                - IsProd
                - {Both: 1, Encrypted: true}
                - {Both: 1, Name: x}
        """)
    attributes = resource.attributes
    assert attributes["Both"] == 1
    assert (attributes["Encrypted"].cond, attributes["Encrypted"].then) == (PROD, True)
    assert attributes["Name"].otherwise == "x"
    assert resource.place(("Encrypted",)).start_line == 9


def test_properties_of_which_one_branch_is_open(load_one: Callable[..., Resource]) -> None:
    resource = load_one("""\
        Parameters: {Env: {Type: String}}
        Conditions: {IsProd: !Equals [!Ref Env, prod]}
        Resources:
          B:
            Type: AWS::S3::Bucket
            Properties: !If [IsProd, {Encrypted: true}, !Transform {Name: X}]
        """)
    opened = Unknown("!Transform {Name: X}")
    assert resource.attributes == {"Encrypted": Choice(PROD, True, opened), "*": opened}


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        pytest.param("Undeclared", 'condition "Undeclared" is not declared', id="undeclared"),
        pytest.param("Loop", 'condition "Loop" rests on itself', id="circle"),
        pytest.param("Broken", "condition Broken cannot be read", id="malformed"),
        pytest.param("[a]", "the Condition of B is not text", id="no-name"),
    ],
)
def test_a_condition_that_cannot_be_read_leaves_existence_open(
    load_text: Callable[..., Stack], written: str, sentence: str
) -> None:
    stack = load_text(f"""\
        Conditions:
          Loop: !Not [!Condition Loop]
          Broken: {{a: b, c: d}}
        Resources:
          B: {{Type: AWS::S3::Bucket, Condition: {written}}}
        """)
    assert isinstance(stack.resources[0].exists, Test | Not)
    assert sentence in stack.errors[0].message


class TestFeasible:
    def decided(self, stack: Stack, *tests: tuple[str, Any, bool]) -> bool:
        return stack.feasible(tests)

    def test_nothing_is_excluded_without_constraints(self, load_text: Callable[..., Stack]) -> None:
        stack = load_text(template("!Condition IsProd"))
        assert self.decided(stack, ("Parameters/Env", "prod", True))

    def test_one_of_the_allowed_values_must_hold(self, load_text: Callable[..., Stack]) -> None:
        stack = load_text(template("!Condition IsProd", "Env: {Type: String, AllowedValues: [dev, prod]}"))
        dev, prod = ("Parameters/Env", "dev", False), ("Parameters/Env", "prod", False)
        assert self.decided(stack, dev)
        assert not self.decided(stack, dev, prod)
        assert not self.decided(stack, ("Parameters/Env", "test", True))

    def test_rules_exclude_what_they_refuse(self, load_text: Callable[..., Stack]) -> None:
        stack = load_text(
            template("!Condition IsProd")
            + """\
Rules:
  ProdInEurope:
    RuleCondition: !Equals [!Ref Env, prod]
    Assertions: [{Assert: {"Fn::Contains": [[eu-west-1], !Ref AWS::Region]}}]
  NotUnderstood:
    Assertions: [{Assert: {"Fn::EachMemberIn": [[a], [b]]}}]
"""
        )
        prod = ("Parameters/Env", "prod", True)
        assert self.decided(stack, prod, ("AWS::Region", "eu-west-1", True))
        assert not self.decided(stack, prod, ("AWS::Region", "us-east-1", True))
        assert self.decided(stack, ("Parameters/Env", "dev", True), ("AWS::Region", "us-east-1", True))

    def test_two_conditions_on_one_parameter_can_hold_together(self, load_text: Callable[..., Stack]) -> None:
        """cfn-lint's own scenarios say that they cannot, and would lose a branch that a deployment can reach."""
        stack = load_text(template("!And [!Equals [!Ref Env, !Ref Other], !Condition IsProd]"))
        assert self.decided(stack, ("!Ref Env == !Ref Other", True, True), ("Parameters/Env", "prod", True))
