"""What parameters accept, and what follows for the branches of a template."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from srm_checks.engines.cloudformation.constraints import MAX_TEXT, Constraints
from srm_checks.model import Stack, Unknown

OCTET = "([0-9]|[1-9][0-9]|1[0-9]{2}|2[0-4][0-9]|25[0-5])"
PRIVATE_RANGE = rf"^({OCTET}\.){{3}}{OCTET}(\/(1[6-9]|2[0-8]))$"


@pytest.mark.parametrize(
    ("declared", "refused", "accepted"),
    [
        pytest.param({"AllowedPattern": PRIVATE_RANGE}, "0.0.0.0/0", "10.0.0.0/16", id="pattern"),
        pytest.param({"AllowedPattern": "[a-z]+"}, "dev1", "dev", id="the whole value counts"),
        pytest.param({"AllowedPattern": "^$|^arn:.*$"}, "x", "", id="empty allowed"),
        pytest.param({"AllowedPattern": "(a,)*a"}, "", "a,a", id="long repetition, empty value"),
        pytest.param({"MinLength": 8, "MaxLength": "16"}, "short", "long enough", id="length"),
        pytest.param({"MinValue": 1, "MaxValue": "10"}, 11, 10, id="number"),
    ],
)
def test_values_are_held_against_the_declaration(declared: dict[str, Any], refused: Any, accepted: Any) -> None:
    constraints = Constraints.of(declared)

    assert constraints.refuse(refused)
    assert not constraints.refuse(accepted)


@pytest.mark.parametrize(
    "declared",
    [
        pytest.param({}, id="nothing declared"),
        pytest.param({"AllowedPattern": "[a"}, id="no regular expression"),
        pytest.param({"AllowedPattern": ["a"]}, id="no text"),
        pytest.param({"AllowedPattern": "[a--z]b"}, id="read otherwise by Java"),
        pytest.param({"AllowedPattern": "(a+)+$"}, id="repetition inside a repetition"),
        pytest.param({"AllowedPattern": "(a|a)*$"}, id="alternatives inside a repetition"),
        pytest.param({"AllowedPattern": r"(a)\1*$"}, id="back reference"),
        pytest.param({"MinLength": "many", "MaxValue": True}, id="no numbers"),
    ],
)
@pytest.mark.parametrize("value", [f"{'a' * 60}!", 10_000, True], ids=["text", "number", "truth value"])
def test_what_cannot_be_read_refuses_nothing(declared: dict[str, Any], value: Any) -> None:
    assert not Constraints.of(declared).refuse(value)


def test_a_very_long_text_is_not_matched() -> None:
    assert not Constraints.of({"AllowedPattern": "b*"}).refuse("a" * (MAX_TEXT + 1))


TEMPLATE = """\
Parameters:
  Range:
    Type: String
    AllowedPattern: '[0-9.]+/(1[6-9]|2[0-8])'
  Ranges:
    Type: CommaDelimitedList
    AllowedPattern: '[0-9.]+/16'
  Path:
    Type: AWS::SSM::Parameter::Value<String>
    AllowedPattern: '/.*'
Resources:
  Rule: {Type: AWS::EC2::SecurityGroupIngress, Properties: {CidrIp: !Ref Range}}
"""


@pytest.mark.parametrize(
    ("name", "value", "possible"),
    [
        pytest.param("Range", "0.0.0.0/0", False, id="refused"),
        pytest.param("Range", "10.0.0.0/16", True, id="accepted"),
        pytest.param("Ranges", "10.0.0.0/8", True, id="a list's pattern is that of its elements"),
        pytest.param("Path", "0.0.0.0/0", True, id="the pattern is that of the path"),
        pytest.param("Other", "0.0.0.0/0", True, id="not declared"),
    ],
)
def test_a_refused_value_cannot_be(load_text: Callable[..., Stack], name: str, value: str, possible: bool) -> None:
    stack = load_text(TEMPLATE)

    assert stack.feasible([(f"Parameters/{name}", value, True)]) is possible
    assert stack.feasible([(f"Parameters/{name}", value, False)])


def test_a_pattern_that_refuses_the_empty_text_makes_a_value_sure(load_text: Callable[..., Stack]) -> None:
    value = load_text(TEMPLATE).resources[0].attributes["CidrIp"]

    assert isinstance(value, Unknown)
    assert value.present


def test_a_doubtful_pattern_warns_nobody(tmp_path: Path) -> None:
    template = tmp_path / "template.yaml"
    template.write_text(TEMPLATE.replace("[0-9.]+/16", "[0--9]+").replace("[0-9.]+/(", "[0--9.]+/("), encoding="utf-8")
    code = (
        "from srm_checks.engines.cloudformation import load\n"
        "from srm_checks.model import EngineOptions, Unit, UnitKind\n"
        f"print(load(Unit(UnitKind.CLOUDFORMATION, {str(template)!r}), EngineOptions()).errors)"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"
    assert done.stderr == ""
