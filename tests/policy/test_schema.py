"""The editor's schema accepts what the loader accepts, and refuses what it refuses."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from srm_checks.policy.packs import library
from srm_checks.policy.reference import markdown
from srm_checks.policy.schema import json_schema
from srm_checks.policy.source import parse, read
from tests.policy.making import HEAD

POLICIES = sorted(path for path in Path(library()).rglob("*.yaml") if path.name != "pack.yaml")
TYPES = "resources: {terraform: aws_thing, cloudformation: {not_expressible: not here}}\n"


def errors(data: Any, part: str = "") -> list[str]:
    schema = json_schema()
    if part:
        schema = {"$defs": schema["$defs"], "$ref": f"#/$defs/{part}"}
    return [error.message for error in Draft202012Validator(schema).iter_errors(data)]


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(json_schema())


@pytest.mark.parametrize("path", POLICIES, ids=lambda path: path.stem)
def test_our_policies_fit(path: Path) -> None:
    assert errors(read(str(path)).data) == []


def test_our_packs_fit() -> None:
    for manifest in Path(library()).glob("*/pack.yaml"):
        assert errors(read(str(manifest)).data, "pack") == []


@pytest.mark.parametrize(
    "body",
    [
        "require: {attribute: a, is_tru: yes, absent: gap}",
        "require: {attribute: a, is_true: no, absent: gap}",
        "require: {none: {in: rules}}",
        "require: {all: []}",
        "severty: high\nrequire: {attribute: a, exists: yes}",
        "require: {attribute: a, exists: yes}\nabsence: {}",
        "require: {attribute: a, exists: yes}\nunknown_when: [{when: {attribute: a, exists: yes}, cause: dunno}]",
    ],
)
def test_mistakes_do_not_fit(body: str) -> None:
    assert errors(parse("policy.yaml", HEAD + TYPES + body).data) != []


def test_the_reference_names_every_operator_and_condition() -> None:
    text = markdown()
    for name in re.findall(r"'(\w+)'", str(list(json_schema()["properties"]))):
        assert f"`{name}`" in text
    assert "| `cidr_covers` |" in text
    assert "| `related` |" in text
