"""Beside Checkov: where everything is known the values agree; where Checkov guesses or loses, we do not.

The tests state what Checkov does as well, so that an upgrade that changes it is noticed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from srm_checks.model import Choice, Encoded, Unknown
from srm_checks.model import Test as Condition

from .conftest import by_address


def rendered(directory: Path) -> dict[str, dict[str, Any]]:
    """The resources of Checkov's graph after it has rendered variables, without its own bookkeeping."""
    from checkov.common.graph.graph_builder.graph_components.block_types import BlockType
    from checkov.terraform.graph_manager import TerraformGraphManager

    manager = TerraformGraphManager(db_connector=None, source="Terraform")
    graph, _ = manager.build_graph_from_source_directory(str(directory), render_variables=True)
    return {
        vertex.attributes.get("__address__", vertex.name): dict(
            vertex.config[vertex.name.split(".")[0]][vertex.name.split(".")[1]]
        )
        for vertex in graph.vertices
        if vertex.block_type == BlockType.RESOURCE
    }


def plain(value: Any) -> Any:
    """A value of Checkov without the lists of one that it wraps everything in."""
    if isinstance(value, list) and len(value) == 1:
        return plain(value[0])
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items() if not k.startswith("__") and k not in ("count", "for_each")}
    return [plain(element) for element in value] if isinstance(value, list) else value


def unwrapped(value: Any) -> Any:
    """The same of ours."""
    if isinstance(value, list) and len(value) == 1:
        return unwrapped(value[0])
    if isinstance(value, dict):
        return {k: unwrapped(v) for k, v in value.items()}
    return [unwrapped(element) for element in value] if isinstance(value, list) else value


KNOWN = """
variable "env" {
  default = "prod"
}
variable "sizes" {
  default = { prod = 100, dev = 10 }
}
locals {
  name = "app-${var.env}"
  tags = merge({ a = "1" }, { Name = local.name })
}
resource "aws_db_instance" "db" {
  identifier          = local.name
  engine              = "mysql"
  allocated_storage   = var.sizes[var.env]
  storage_encrypted   = var.env == "prod" ? true : false
  publicly_accessible = var.env == "dev" ? true : false
  tags                = local.tags
}
resource "aws_security_group" "sg" {
  name = upper("web-${var.env}")
  ingress {
    from_port   = 443
    to_port     = 443
    cidr_blocks = ["10.0.0.0/8", "192.168.0.0/16"]
  }
}
resource "aws_s3_bucket" "b" {
  count  = 2
  bucket = "logs-${count.index}"
}
resource "aws_sqs_queue" "q" {
  for_each = toset(["x", "y"])
  name     = "queue-${each.key}"
}
"""


def test_known_values_agree(roots: Any) -> None:
    stack = roots.load(KNOWN)
    assert stack.errors == []
    ours = {address: unwrapped(resource.attributes) for address, resource in by_address(stack).items()}
    theirs = {address: plain(attributes) for address, attributes in rendered(roots.directory).items()}
    assert set(ours) == set(theirs)
    assert ours == theirs


OPEN = """
variable "x" {}
resource "random_id" "r" {
  byte_length = 4
}
resource "aws_thing" "t" {
  VALUE
}
"""


def both(roots: Any, value: str) -> tuple[Any, dict[str, Any]]:
    stack = roots.load(OPEN.replace("VALUE", value))
    assert stack.errors == []
    return by_address(stack), rendered(roots.directory)


def test_comparison_with_an_unset_variable(roots: Any) -> None:
    ours, theirs = both(roots, 'v = var.x == "a" ? "A" : "B"')
    assert plain(theirs["aws_thing.t"]["v"]) == "B"
    assert ours["aws_thing.t"].attributes["v"] == Choice(Condition("|var.x", "a", "var.x"), "A", "B")


def test_count_over_an_unset_variable(roots: Any) -> None:
    ours, theirs = both(roots, 'count = var.x == "a" ? 1 : 0')
    assert plain(theirs["aws_thing.t"]["count"]) == 0
    assert ours["aws_thing.t[0]"].exists == Condition("|var.x", "a", "var.x")


@pytest.mark.parametrize(
    "expression",
    [
        'coalesce(var.x, "d")',
        'try(var.x.y, "d")',
        "random_id.r.hex",
    ],
)
def test_what_stays_as_text_there_is_unknown_here(roots: Any, expression: str) -> None:
    ours, theirs = both(roots, f"v = {expression}")
    assert isinstance(plain(theirs["aws_thing.t"]["v"]), str)
    assert isinstance(ours["aws_thing.t"].attributes["v"], Unknown)


def test_unknown_each_value(roots: Any) -> None:
    ours, theirs = both(roots, "for_each = var.x\n  v = each.value")
    assert plain(theirs["aws_thing.t"]["v"]) == "each.value"
    assert isinstance(ours["aws_thing.t"].attributes["v"], Unknown)


def test_policy_document_data_source(roots: Any) -> None:
    setting = 'data "aws_iam_policy_document" "d" {\n  statement {\n    actions = ["*"]\n  }\n}\n'
    stack = roots.load(setting + 'resource "aws_thing" "t" {\n  v = data.aws_iam_policy_document.d.json\n}')
    assert isinstance(plain(rendered(roots.directory)["aws_thing.t"]["v"]), str)
    value = by_address(stack)["aws_thing.t"].attributes["v"]
    assert value == Encoded({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["*"]}]})


def test_statement_written_as_one_map(roots: Any) -> None:
    assert roots.value('jsonencode({ Statement = { Effect = "Allow" } })') == Encoded(
        {"Statement": {"Effect": "Allow"}}
    )


def test_default_tags(roots: Any) -> None:
    stack = roots.load(
        'provider "aws" {\n  default_tags {\n    tags = { a = "b" }\n  }\n}\nresource "aws_thing" "t" {\n  tags = { c = "d" }\n}'
    )
    assert plain(rendered(roots.directory)["aws_thing.t"]["tags"]) == {"c": "d"}
    assert by_address(stack)["aws_thing.t"].tags == {"a": "b", "c": "d"}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        pytest.param("main.tofu", 'resource "aws_thing" "t" {}', id="tofu"),
        pytest.param("main.tf.json", '{"resource": {"aws_thing": {"t": {"a": 1}}}}', id="json"),
    ],
)
def test_files_that_checkov_passes_over(roots: Any, name: str, text: str) -> None:
    stack = roots.load({name: text})
    assert rendered(roots.directory) == {}
    assert list(by_address(stack)) == ["aws_thing.t"]


def test_two_roots_with_one_module_stay_apart(roots: Any) -> None:
    roots.write(
        {
            "m/main.tf": 'variable "v" {}\nresource "aws_thing" "t" {\n  v = var.v\n}',
            "a/main.tf": 'module "m" {\n  source = "../m"\n  v = 1\n}',
            "b/main.tf": 'module "m" {\n  source = "../m"\n  v = 2\n}',
        }
    )
    values = [by_address(roots.load({}, root=root))["module.m.aws_thing.t"].attributes["v"] for root in ("a", "b")]
    assert values == [1, 2]
    assert len([a for a in rendered(roots.directory) if a.startswith("module.m.")]) == 1


def test_newline_inside_parentheses(roots: Any) -> None:
    # Checkov's own reading gives this file up
    assert roots.value("(\n    true\n    && false\n  )") is False
