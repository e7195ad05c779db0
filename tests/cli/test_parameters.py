"""CloudFormation parameter files: the forms that AWS tools read, and mistakes in them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from srm_checks.cli.parameters import read_parameters
from srm_checks.errors import UsageError

FORMS: list[tuple[str, Any]] = [
    (
        "the AWS CLI",
        [{"ParameterKey": "Env", "ParameterValue": "prod"}, {"ParameterKey": "Size", "ParameterValue": "3"}],
    ),
    ("CodePipeline", {"Parameters": {"Env": "prod", "Size": "3"}, "Tags": {"a": "b"}}),
    ("a plain mapping", {"Env": "prod", "Size": 3}),
]


@pytest.mark.parametrize("data", [form[1] for form in FORMS], ids=[form[0] for form in FORMS])
def test_forms(tmp_path: Path, data: Any) -> None:
    path = tmp_path / "p.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    assert read_parameters(str(path)) == {"Env": "prod", "Size": "3"}


def test_yaml_values_stay_as_written(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text("Encrypted: no\nAccount: 012345678901\nDay: 2024-01-01\nZones: [a, b]\n", encoding="utf-8")
    assert read_parameters(str(path)) == {
        "Encrypted": "no",
        "Account": "012345678901",
        "Day": "2024-01-01",
        "Zones": "a,b",
    }


def test_json_booleans_are_the_texts_that_cloudformation_gets(tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    path.write_text('{"Encrypted": true}', encoding="utf-8")
    assert read_parameters(str(path)) == {"Encrypted": "true"}


def test_a_previous_value_gives_none(tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    path.write_text('[{"ParameterKey": "Env", "UsePreviousValue": true}]', encoding="utf-8")
    assert read_parameters(str(path)) == {}


def test_a_parameter_that_is_called_parameters(tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    path.write_text('{"Parameters": "x"}', encoding="utf-8")
    assert read_parameters(str(path)) == {"Parameters": "x"}


MISTAKES = [
    ("broken", '{"a": ', "neither JSON nor YAML"),
    ("two documents", "a: 1\n---\nb: 2\n", "neither JSON nor YAML"),
    ("a scalar", "hello", "must hold a list"),
    ("empty", "", "must hold a list"),
    ("entries without a key", '[{"Env": "prod"}]', "needs a ParameterKey"),
    ("an entry without a value", '[{"ParameterKey": "Env"}]', "Env has no ParameterValue"),
    ("a nested value", '{"Env": {"a": 1}}', "the value of Env must be a text"),
    ("a name that is none", "? [a]\n: b\n", "neither JSON nor YAML"),
]


@pytest.mark.parametrize(("text", "message"), [case[1:] for case in MISTAKES], ids=[case[0] for case in MISTAKES])
def test_mistakes(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "p.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=message):
        read_parameters(str(path))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_parameters(str(tmp_path / "nope.json"))


def test_a_file_that_is_not_text(tmp_path: Path) -> None:
    (tmp_path / "p.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="not UTF-8"):
        read_parameters(str(tmp_path / "p.json"))
