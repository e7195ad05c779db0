"""Lines, references and traces."""

from __future__ import annotations

from typing import Any

from srm_checks.model import Path, Ref, Resource, SourceRange

from .conftest import by_address


def refs(resource: Resource, *path: str | int) -> list[Ref]:
    return [ref for where, ref in resource.references if where == path]


def lines(resource: Resource, *path: str | int) -> tuple[int, int]:
    place = resource.lines[path]
    return place.start_line, place.end_line


def test_lines_of_attributes_blocks_and_entries(roots: Any) -> None:
    resource = roots.one(
        {
            "main.tf": (
                'resource "aws_x" "y" {\n'
                "  a = 1\n"
                "  tags = {\n"
                '    Name = "n"\n'
                "    deep = { k = 1 }\n"
                "  }\n"
                "  list = [\n"
                "    { p = 1 },\n"
                "    { p = 2 },\n"
                "  ]\n"
                "  inner {\n"
                "    b = <<E\n"
                "x\n"
                "E\n"
                "  }\n"
                "  inner {}\n"
                "  policy = jsonencode({\n"
                "    Statement = [\n"
                '      { Effect = "Allow" },\n'
                "    ]\n"
                "  })\n"
                "  merged = merge({\n"
                "    one = 1\n"
                "  }, { two = 2 })\n"
                "}\n"
            )
        },
        "aws_x.y",
    )
    assert resource.block == SourceRange("main.tf", 1, 25)
    assert lines(resource, "a") == (2, 2)
    assert lines(resource, "tags") == (3, 6)
    assert lines(resource, "tags", "Name") == (4, 4)
    assert lines(resource, "tags", "deep", "k") == (5, 5)
    assert lines(resource, "list", 1, "p") == (9, 9)
    assert lines(resource, "inner", 0) == (11, 15)
    assert lines(resource, "inner") == (11, 15)
    assert lines(resource, "inner", 0, "b") == (12, 14)
    assert lines(resource, "inner", 1) == (16, 16)
    assert lines(resource, "policy", "Statement", 0, "Effect") == (19, 19)
    assert lines(resource, "merged", "one") == (23, 23)
    assert resource.place(("inner", 1, "absent")).start_line == 16
    assert resource.place(("absent",)) == SourceRange("main.tf", 1, 1)


def test_lines_of_dynamic_blocks_are_those_of_their_content(roots: Any) -> None:
    resource = roots.one(
        {
            "main.tf": (
                'resource "aws_x" "y" {\n'
                '  dynamic "inner" {\n'
                "    for_each = [1, 2]\n"
                "    content {\n"
                "      v = inner.value\n"
                "    }\n"
                "  }\n"
                "}\n"
            )
        },
        "aws_x.y",
    )
    assert lines(resource, "inner", 1) == (4, 6)
    assert lines(resource, "inner", 1, "v") == (5, 5)


SETTING = """
resource "aws_kms_key" "k" {}
resource "aws_subnet" "s" {
  for_each = toset(["a", "b"])
}
data "aws_iam_policy_document" "d" {}
variable "v" {}
locals {
  key   = aws_kms_key.k.arn
  table = { one = { id = aws_kms_key.k.id }, two = { id = aws_subnet.s["a"].id } }
}
"""


def value_refs(roots: Any, expression: str, setting: str = SETTING) -> list[Ref]:
    stack = roots.load(f'{setting}\nresource "aws_thing" "t" {{\n  value = {expression}\n}}\n')
    assert stack.errors == []
    return refs(by_address(stack)["aws_thing.t"], "value")


def test_direct_references(roots: Any) -> None:
    assert value_refs(roots, "aws_kms_key.k.arn") == [Ref("aws_kms_key.k", None, "arn")]
    assert value_refs(roots, "aws_kms_key.k") == [Ref("aws_kms_key.k", None, "")]
    assert value_refs(roots, 'aws_subnet.s["b"].id') == [Ref("aws_subnet.s", "b", "id")]
    assert value_refs(roots, "aws_subnet.s[var.v].id") == [Ref("aws_subnet.s", None, "id")]
    assert value_refs(roots, "values(aws_subnet.s)[*].id") == [Ref("aws_subnet.s", None, "id")]
    assert value_refs(roots, "[for s in aws_subnet.s : s.id]") == [Ref("aws_subnet.s", None, "id")]
    assert value_refs(roots, '"${data.aws_iam_policy_document.d.json}x"') == [
        Ref("data.aws_iam_policy_document.d", None, "json")
    ]
    assert value_refs(roots, "aws_gone.g[0].id") == [Ref("aws_gone.g", 0, "id")]
    assert value_refs(roots, "1") == []


def test_references_through_locals(roots: Any) -> None:
    assert value_refs(roots, "local.key") == [Ref("aws_kms_key.k", None, "arn")]


def test_only_the_entry_that_is_read_counts(roots: Any) -> None:
    assert value_refs(roots, "local.table.one.id") == [Ref("aws_kms_key.k", None, "id")]
    assert value_refs(roots, 'local.table["two"].id') == [Ref("aws_subnet.s", "a", "id")]
    assert value_refs(roots, 'lookup(local.table, "one", {}).id') == [Ref("aws_kms_key.k", None, "id")]
    assert set(value_refs(roots, "local.table[var.v].id")) == {
        Ref("aws_kms_key.k", None, "id"),
        Ref("aws_subnet.s", "a", "id"),
    }


def test_the_condition_is_no_source_of_the_value(roots: Any) -> None:
    assert value_refs(roots, 'var.v == "" ? aws_kms_key.k.arn : null') == [Ref("aws_kms_key.k", None, "arn")]
    assert value_refs(roots, "true ? null : aws_kms_key.k.arn") == []
    assert value_refs(roots, 'aws_kms_key.k.arn == "" ? 1 : 2') == []


def test_references_where_the_value_is_known(roots: Any) -> None:
    setting = 'resource "aws_s3_bucket" "b" {\n  bucket = "logs"\n}'
    assert roots.value("aws_s3_bucket.b.bucket", setting) == "logs"
    assert value_refs(roots, "aws_s3_bucket.b.bucket", setting) == [Ref("aws_s3_bucket.b", None, "bucket")]


def test_references_of_each_value(roots: Any) -> None:
    resources = roots.resources(
        SETTING + 'resource "aws_x" "y" {\n  for_each = local.table\n  v = each.value.id\n  k = each.key\n}'
    )
    assert refs(resources['aws_x.y["one"]'], "v") == [Ref("aws_kms_key.k", None, "id")]
    assert refs(resources['aws_x.y["two"]'], "v") == [Ref("aws_subnet.s", "a", "id")]
    assert refs(resources['aws_x.y["one"]'], "k") == []


def test_references_by_the_same_key(roots: Any) -> None:
    resources = roots.resources(
        SETTING
        + 'resource "aws_x" "y" {\n  for_each = aws_subnet.s\n  v = aws_subnet.s[each.key].id\n  w = each.value.id\n}'
    )
    assert refs(resources['aws_x.y["b"]'], "v") == [Ref("aws_subnet.s", "b", "id")]
    assert refs(resources['aws_x.y["b"]'], "w") == [Ref("aws_subnet.s", "b", "id")]


def test_references_in_blocks(roots: Any) -> None:
    resource = roots.one(
        SETTING
        + 'resource "aws_x" "y" {\n  one {\n    k = local.key\n  }\n  dynamic "two" {\n    for_each = [aws_kms_key.k.id]\n'
        + "    content {\n      v = two.value\n    }\n  }\n}",
        "aws_x.y",
    )
    assert refs(resource, "one", 0, "k") == [Ref("aws_kms_key.k", None, "arn")]
    assert refs(resource, "two", 0, "v") == [Ref("aws_kms_key.k", None, "id")]


def test_references_through_modules(roots: Any) -> None:
    resources = roots.resources(
        {
            "main.tf": """
            resource "aws_kms_key" "k" {}
            module "m" {
              source   = "./m"
              for_each = toset(["a", "b"])
              key      = aws_kms_key.k.arn
            }
            resource "aws_x" "one" {
              v = module.m["a"].bucket
            }
            resource "aws_x" "all" {
              v = values(module.m)[*].bucket
            }
            """,
            "m/main.tf": """
            variable "key" {}
            resource "aws_s3_bucket" "b" {
              key = var.key
            }
            output "bucket" { value = aws_s3_bucket.b.id }
            output "other" { value = var.key }
            """,
        }
    )
    assert refs(resources['module.m["a"].aws_s3_bucket.b'], "key") == [Ref("aws_kms_key.k", None, "arn")]
    assert refs(resources["aws_x.one"], "v") == [Ref('module.m["a"].aws_s3_bucket.b', None, "id")]
    assert refs(resources["aws_x.all"], "v") == [
        Ref('module.m["a"].aws_s3_bucket.b', None, "id"),
        Ref('module.m["b"].aws_s3_bucket.b', None, "id"),
    ]


def traced(resource: Resource, path: Path) -> list[tuple[str, int]]:
    return [(place.path, place.start_line) for place in resource.trace(path)]


def test_trace_leads_from_the_argument_to_the_default(roots: Any) -> None:
    files = {
        "main.tf": 'module "m" {\n  source = "./m"\n\n  encrypted = var.encrypted\n}\n',
        "variables.tf": 'variable "encrypted" {\n  default = false\n}\n',
        "m/main.tf": (
            'variable "encrypted" {\n  default = true\n}\nlocals {\n  on = var.encrypted\n}\n'
            'resource "aws_x" "y" {\n  e = local.on\n  f = true\n  inner {\n    g = var.encrypted\n  }\n}\n'
        ),
    }
    resource = roots.one(files, "module.m.aws_x.y")
    expected = [("m/main.tf", 5), ("main.tf", 4), ("variables.tf", 2)]
    assert traced(resource, ("e",)) == expected
    assert traced(resource, ("inner", 0, "g")) == expected[1:]
    assert traced(resource, ("f",)) == []
    assert traced(resource, ("absent",)) == []
    roots.write({"terraform.tfvars": "\nencrypted = true\n"})
    assert traced(roots.one(files, "module.m.aws_x.y"), ("e",))[-1] == ("terraform.tfvars", 2)


def test_trace_finds_the_entry(roots: Any) -> None:
    resource = roots.one(
        {
            "main.tf": (
                "locals {\n  t = {\n    a = { size = 1 }\n    b = {\n      size = 2\n    }\n  }\n}\n"
                'resource "aws_x" "y" {\n  for_each = local.t\n  s = each.value.size\n  all = each.value\n}\n'
            )
        },
        'aws_x.y["b"]',
    )
    assert traced(resource, ("s",)) == [("main.tf", 5)]
    assert traced(resource, ("all", "size")) == [("main.tf", 5)]


def test_trace_includes_what_decided_an_open_condition(roots: Any) -> None:
    resource = roots.one(
        {
            "main.tf": 'variable "e" {}\nlocals {\n  prod = var.e == "prod"\n}\nresource "aws_x" "y" {\n  s = local.prod ? 1 : 2\n}\n'
        },
        "aws_x.y",
    )
    assert traced(resource, ("s",)) == [("main.tf", 3)]
