"""count, for_each and dynamic blocks."""

from __future__ import annotations

from typing import Any

from srm_checks.model import ABSENT, Choice, Repeated, Unknown
from srm_checks.model import Test as Condition

ON = Condition("|var.on", True, "var.on")
OPEN = 'variable "on" {}\nvariable "names" {}\nvariable "env" {}\n'


def test_known_count(roots: Any) -> None:
    resources = roots.resources('resource "aws_x" "y" {\n  count = 2\n  name  = "n${count.index}"\n}')
    assert [(a, r.key, r.base, r.attributes) for a, r in resources.items()] == [
        ("aws_x.y[0]", 0, "aws_x.y", {"name": "n0"}),
        ("aws_x.y[1]", 1, "aws_x.y", {"name": "n1"}),
    ]
    assert resources["aws_x.y[0]"].name == "y"


def test_count_zero(roots: Any) -> None:
    assert roots.resources('resource "aws_x" "y" {\n  count = 0\n}') == {}


def test_count_by_an_open_condition(roots: Any) -> None:
    resources = roots.resources(OPEN + 'resource "aws_x" "y" {\n  count = var.on ? 1 : 0\n}')
    assert {a: r.exists for a, r in resources.items()} == {"aws_x.y[0]": ON}


def test_count_of_several_sizes(roots: Any) -> None:
    resources = roots.resources(OPEN + 'resource "aws_x" "y" {\n  count = var.on ? 2 : 1\n}')
    assert {a: r.exists for a, r in resources.items()} == {"aws_x.y[0]": True, "aws_x.y[1]": ON}


def test_unknown_count(roots: Any) -> None:
    resource = roots.one(OPEN + 'resource "aws_x" "y" {\n  count = length(var.names)\n  i = count.index\n}', "aws_x.y")
    assert resource.key is None
    assert resource.exists == Condition("|length(var.names) > 0", True, "length(var.names) > 0")
    assert isinstance(resource.attributes["i"], Unknown)


def test_unknown_count_that_is_computed_reads_well(roots: Any) -> None:
    resource = roots.one(OPEN + 'resource "aws_x" "y" {\n  count = length(var.names) - 1\n}', "aws_x.y")
    assert resource.exists == Condition("|length(var.names) - 1 > 0", True, "(length(var.names) - 1) > 0")


def test_for_each_over_a_map(roots: Any) -> None:
    resources = roots.resources(
        OPEN
        + """
        resource "aws_x" "y" {
          for_each = { b = { size = 2 }, a = { size = var.env } }
          name     = each.key
          size     = each.value.size
        }
        """
    )
    assert list(resources) == ['aws_x.y["a"]', 'aws_x.y["b"]']
    assert resources['aws_x.y["a"]'].attributes["size"].text == "var.env"
    assert resources['aws_x.y["b"]'].attributes == {"name": "b", "size": 2}
    assert resources['aws_x.y["b"]'].key == "b"


def test_for_each_over_a_set(roots: Any) -> None:
    resources = roots.resources('resource "aws_x" "y" {\n  for_each = toset(["b", "a"])\n  name = each.value\n}')
    assert {a: r.attributes["name"] for a, r in resources.items()} == {'aws_x.y["a"]': "a", 'aws_x.y["b"]': "b"}


def test_key_is_escaped_in_the_address(roots: Any) -> None:
    resources = roots.resources('resource "aws_x" "y" {\n  for_each = toset(["a\\"b"])\n}')
    assert list(resources) == ['aws_x.y["a\\"b"]']


def test_for_each_by_an_open_condition(roots: Any) -> None:
    resources = roots.resources(
        OPEN + 'resource "aws_x" "y" {\n  for_each = var.on ? { a = 1, b = 1 } : { b = 2 }\n  v = each.value\n}'
    )
    assert {a: r.exists for a, r in resources.items()} == {'aws_x.y["a"]': ON, 'aws_x.y["b"]': True}
    assert resources['aws_x.y["b"]'].attributes["v"] == Choice(ON, 1, 2)


def test_for_each_over_a_filtered_map(roots: Any) -> None:
    resources = roots.resources(
        OPEN
        + """
        locals {
          all = { a = { on = true }, b = { on = var.on }, c = { on = false } }
        }
        resource "aws_x" "y" {
          for_each = { for k, v in local.all : k => v if v.on }
        }
        """
    )
    assert {a: r.exists for a, r in resources.items()} == {'aws_x.y["a"]': True, 'aws_x.y["b"]': ON}


def test_unknown_for_each(roots: Any) -> None:
    resource = roots.one(
        OPEN + 'resource "aws_x" "y" {\n  for_each = var.names\n  k = each.key\n  v = each.value.size\n}', "aws_x.y"
    )
    assert resource.exists == Condition("|for_each|var.names", True, "var.names is not empty")
    assert resource.attributes["k"].text == "each.key"
    assert resource.attributes["k"].present
    assert resource.attributes["v"].text == "each.value.size"


def test_for_each_over_an_unknown_collection_keeps_the_shape_of_its_elements(roots: Any) -> None:
    resource = roots.one(
        OPEN
        + """
        resource "aws_x" "y" {
          for_each = { for n in var.names : n => { encrypted = true, name = n } }
          e        = each.value.encrypted
        }
        """,
        "aws_x.y",
    )
    assert resource.attributes["e"] is True


def test_reference_to_an_instance(roots: Any) -> None:
    setting = 'resource "aws_x" "y" {\n  for_each = toset(["a", "b"])\n  name = "n-${each.key}"\n}'
    assert roots.value('aws_x.y["a"].name', setting) == "n-a"
    assert roots.value("[for k, v in aws_x.y : v.name]", setting) == ["n-a", "n-b"]
    assert roots.value("values(aws_x.y)[*].name", setting) == ["n-a", "n-b"]
    counted = 'resource "aws_x" "y" {\n  count = 2\n  name = "n-${count.index}"\n}'
    assert roots.value("aws_x.y[*].name", counted) == ["n-0", "n-1"]
    assert roots.value("aws_x.y.*.name", counted) == ["n-0", "n-1"]
    assert roots.value("aws_x.y.1.name", counted) == "n-1"
    assert [v.text for v in roots.value("aws_x.y[*].id", counted)] == ["aws_x.y[0].id", "aws_x.y[1].id"]


def test_nested_blocks_are_lists(roots: Any) -> None:
    resource = roots.one(
        'resource "aws_x" "y" {\n  one {\n    a = 1\n  }\n  many {\n    b = 1\n  }\n  many {\n    c { d = 2 }\n  }\n}',
        "aws_x.y",
    )
    assert resource.attributes == {"one": [{"a": 1}], "many": [{"b": 1}, {"c": [{"d": 2}]}]}


def test_dynamic_blocks_join_static_ones(roots: Any) -> None:
    resource = roots.one(
        """
        resource "aws_x" "y" {
          ingress {
            port = 1
          }
          dynamic "ingress" {
            for_each = { b = 3, a = 2 }
            content {
              port = ingress.value
              name = ingress.key
            }
          }
          dynamic "egress" {
            for_each = ["p", "q"]
            iterator = it
            content {
              port = "${it.key}-${it.value}"
              dynamic "inner" {
                for_each = toset(["z"])
                content {
                  v = "${it.value}${inner.key}${inner.value}"
                }
              }
            }
          }
        }
        """,
        "aws_x.y",
    )
    assert resource.attributes["ingress"] == [{"port": 1}, {"port": 2, "name": "a"}, {"port": 3, "name": "b"}]
    assert resource.attributes["egress"] == [
        {"port": "0-p", "inner": [{"v": "pzz"}]},
        {"port": "1-q", "inner": [{"v": "qzz"}]},
    ]


def test_dynamic_block_by_an_open_condition(roots: Any) -> None:
    resource = roots.one(
        OPEN
        + 'resource "aws_x" "y" {\n  dynamic "logging" {\n    for_each = var.on ? [1] : []\n    content {\n      a = 1\n    }\n  }\n}',
        "aws_x.y",
    )
    assert resource.attributes["logging"] == [Choice(ON, {"a": 1}, ABSENT)]


def test_dynamic_block_over_an_unknown_list(roots: Any) -> None:
    resource = roots.one(
        OPEN
        + 'resource "aws_x" "y" {\n  dynamic "rule" {\n    for_each = var.names\n    content {\n      a = 1\n      b = rule.value\n    }\n  }\n}',
        "aws_x.y",
    )
    [rule] = resource.attributes["rule"]
    assert isinstance(rule, Repeated)
    assert rule.value["a"] == 1
    assert isinstance(rule.value["b"], Unknown)


def test_too_many_instances_are_told(roots: Any) -> None:
    stack = roots.load('resource "aws_x" "y" {\n  count = 100000\n}')
    assert [r.address for r in stack.resources] == ["aws_x.y"]
    assert [(e.kind, "instances" in e.message) for e in stack.errors] == [("unsupported", True)]
