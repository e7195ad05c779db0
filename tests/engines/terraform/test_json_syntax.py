"""The JSON syntax gives the same resources as the native one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from srm_checks.model import Choice, Ref
from srm_checks.model import Test as Condition

from .conftest import by_address


def test_json_root(roots: Any) -> None:
    document = {
        "//": "a comment",
        "variable": {"env": {"type": "string"}, "on": [{"default": True}]},
        "locals": {"name": "${var.env}-x"},
        "provider": {"aws": [{"region": "eu-west-1"}, {"alias": "east", "default_tags": {"tags": {"t": "east"}}}]},
        "terraform": {"backend": {"s3": {"encrypt": True}}},
        "resource": {
            "aws_kms_key": {"k": {}},
            "aws_x": {
                "y": [
                    {
                        "//": "another",
                        "count": '${var.env == "prod" ? 1 : 0}',
                        "provider": "aws.east",
                        "plain": "text",
                        "number": 5,
                        "nothing": None,
                        "name": "${local.name}",
                        "key": "${aws_kms_key.k.arn}",
                        "tags": {"Name": "n"},
                        "one": {"a": True},
                        "many": [{"b": 1}, {"b": 2}],
                        "list": ["a", "b"],
                        "dynamic": {"ingress": {"for_each": ["p"], "content": {"v": "${ingress.value}"}}},
                        "lifecycle": {"prevent_destroy": True},
                    }
                ]
            },
        },
    }
    stack = roots.load({"main.tf.json": json.dumps(document, indent=2)})
    assert stack.errors == []
    assert stack.region == "eu-west-1"
    resources = by_address(stack)
    assert set(resources) == {"terraform", "provider.aws", "provider.aws.east", "aws_kms_key.k", "aws_x.y[0]"}
    assert resources["terraform"].attributes == {"backend": [{"type": "s3", "encrypt": True}]}
    resource = resources["aws_x.y[0]"]
    assert resource.exists == Condition("|var.env", "prod", "var.env")
    assert resource.tags == {"t": "east", "Name": "n"}
    attributes = dict(resource.attributes)
    assert attributes.pop("name").parts == (None, "-x")
    assert attributes.pop("key").refs == (Ref("aws_kms_key.k", None, "arn"),)
    assert attributes == {
        "plain": "text",
        "number": 5,
        "tags": {"Name": "n"},
        "one": [{"a": True}],
        "many": [{"b": 1}, {"b": 2}],
        "list": ["a", "b"],
        "ingress": [{"v": "p"}],
        "lifecycle": [{"prevent_destroy": True}],
    }


def test_lines_of_json(roots: Any) -> None:
    text = '{\n  "resource": {\n    "aws_x": {\n      "y": {\n        "a": 1,\n        "b": {\n          "c": 2\n        }\n      }\n    }\n  }\n}\n'
    resource = roots.one({"main.tf.json": text}, "aws_x.y")
    assert (resource.block.start_line, resource.block.end_line) == (4, 9)
    assert resource.lines[("a",)].start_line == 5
    assert resource.lines[("b", 0)].start_line == 6
    assert resource.lines[("b", 0, "c")].start_line == 7


def test_templates_of_json_mix_with_native_files(roots: Any) -> None:
    resource = roots.one(
        {
            "main.tf": 'variable "on" {}',
            "x.tofu.json": '{"resource": {"aws_x": {"y": {"v": "${var.on ? \\"a\\" : \\"b\\"}", "w": "$${no}"}}}}',
        },
        "aws_x.y",
    )
    assert resource.attributes == {"v": Choice(Condition("|var.on", True, "var.on"), "a", "b"), "w": "${no}"}


def test_module_calls_in_json(roots: Any) -> None:
    resource = roots.one(
        {
            "main.tf.json": '{"module": {"m": {"source": "./m", "settings": {"a": 1}, "list": [{"b": 2}]}}}',
            "m/main.tf": (
                'variable "settings" {}\nvariable "list" {}\n'
                'resource "aws_x" "y" {\n  a = var.settings.a\n  b = var.list[0].b\n}'
            ),
        },
        "module.m.aws_x.y",
    )
    assert resource.attributes == {"a": 1, "b": 2}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("{", "1:2: Expected a quoted member name.", id="open"),
        pytest.param('{"a": }', "1:7: Expected a JSON value, not '}'.", id="no-value"),
        pytest.param('{"a": 1,}', "1:9: Expected another element after the comma.", id="comma"),
        pytest.param('{"a": 1} x', "1:10: Expected the end of the file", id="more"),
        pytest.param('{"resource": 1}', "1:14: Expected an object.", id="no-object"),
        pytest.param("[" * 50_000, "1:1: Values are nested too deeply", id="deep"),
        pytest.param('{"locals": {"a": "${b"}}', 'Expected "}" to close the template sequence', id="open-hole"),
    ],
)
def test_broken_json_is_told(roots: Any, text: str, message: str) -> None:
    stack = roots.load({"main.tf.json": text, "good.tf": 'resource "aws_x" "y" {}'})
    assert [r.address for r in stack.resources] == ["aws_x.y"]
    [error] = stack.errors
    assert (error.path, error.kind) == ("main.tf.json", "parse")
    assert message in error.message
