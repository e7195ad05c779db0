"""Which open values are references, and which are surely given: values as the engines make them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from srm_checks.model import EngineOptions, Unit, UnitKind, Unknown
from srm_checks.policy.provenance import comes_from_reference, is_surely_given
from srm_checks.units import load_unit
from tests.policy.making import outcome, policy, thing

TEMPLATE = """
Parameters:
  Plain: {Type: String}
  Filled: {Type: String, MinLength: 1}
  Image: {Type: "AWS::SSM::Parameter::Value<String>"}
  Key: {Type: "AWS::SSM::Parameter::Value<String>", Default: /acme/key}
Resources:
  Topic: {Type: AWS::SNS::Topic}
  Thing:
    Type: AWS::Acme::Thing
    Properties:
      Value: %s
"""
ROOT = """
variable "plain" {}
resource "aws_kms_key" "k" {}
resource "aws_thing" "t" {
  value = %s
}
"""


def value_of(kind: UnitKind, text: str, folder: Path) -> Any:
    path = folder / ("template.yaml" if kind is UnitKind.CLOUDFORMATION else "main.tf")
    path.write_text(text)
    stack = load_unit(Unit(kind, str(path if kind is UnitKind.CLOUDFORMATION else folder)), EngineOptions())
    assert stack.errors == []
    attributes = next(item for item in stack.resources if item.name in ("Thing", "t")).attributes
    return attributes.get("Value", attributes.get("value"))


@pytest.mark.parametrize(
    ("expression", "reference", "given"),
    [
        ("!Ref Plain", False, False),
        ("!Ref Filled", False, True),
        ("!Ref Image", True, True),
        ("!Ref Key", True, True),
        ("!Ref Topic", True, True),
        ("!ImportValue acme-key", True, True),
        ("!ImportValue {'Fn::Sub': '${Plain}-key'}", True, True),
        ("!Select [0, !Split [',', !ImportValue acme-keys]]", True, True),
        ("'{{resolve:ssm:/acme/key}}'", True, True),
        ("!Sub '{{resolve:ssm:/acme/key}}'", True, True),
        ("!Sub '{{resolve:ssm:/acme/${Plain}/key}}'", True, True),
        ("!Sub '${Plain}-{{resolve:ssm:/acme/key}}'", False, True),
        ("!Sub '${Plain}'", False, False),
        ("!Join ['', [!Ref Plain, !ImportValue acme-key]]", False, False),
    ],
)
def test_values_of_templates(expression: str, reference: bool, given: bool, tmp_path: Path) -> None:
    value = value_of(UnitKind.CLOUDFORMATION, TEMPLATE % expression, tmp_path)
    assert (comes_from_reference(value), is_surely_given(value)) == (reference, given)


@pytest.mark.parametrize(
    ("expression", "reference", "given"),
    [
        ("var.plain", False, False),
        ('"${var.plain}"', False, False),
        ('"a-${var.plain}"', False, True),
        ("aws_kms_key.k.arn", True, True),
        ("aws_kms_key.k.description", True, False),
        ("aws_kms_key.elsewhere.arn", True, False),
        ("data.aws_ssm_parameter.elsewhere.value", True, False),
        ("aws_kms_key.elsewhere[0].arn", True, False),
        ("module.elsewhere.key", False, False),
    ],
)
def test_values_of_roots(expression: str, reference: bool, given: bool, tmp_path: Path) -> None:
    value = value_of(UnitKind.TERRAFORM, ROOT % expression, tmp_path)
    assert (comes_from_reference(value), is_surely_given(value)) == (reference, given)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("x", "met"),
        ("", "gap"),
        (0, "met"),
        (False, "met"),
        ([], "gap"),
        (["", "x"], "met"),
        ([""], "gap"),
        ([Unknown("var.x")], "unknown (unresolved-value)"),
        ({}, "gap"),
        ({"a": 1}, "met"),
        (Unknown("var.x"), "unknown (unresolved-value)"),
        (Unknown("aws_kms_key.k.arn", present=True, parts=("arn:", None)), "met"),
    ],
)
def test_is_given(value: Any, expected: str) -> None:
    assert outcome(policy("require: {attribute: x, is_given: yes, absent: gap}"), thing(x=value)) == expected
    assert outcome(policy("require: {attribute: x, is_given: yes, absent: gap}"), thing()) == "gap"
