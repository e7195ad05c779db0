"""Where the value of a variable comes from, and what its type makes of it."""

from __future__ import annotations

from typing import Any

import pytest

from srm_checks.model import ABSENT, Choice, Options, Unknown
from srm_checks.model import Test as Condition

ROOT = 'variable "v" {\n  type    = string\n  default = "default"\n}\nresource "aws_x" "y" {\n  v = var.v\n}\n'


def value(roots: Any, files: dict[str, str] | None = None, **options: Any) -> Any:
    return roots.one({"main.tf": ROOT, **(files or {})}, "aws_x.y", **options).attributes.get("v", ABSENT)


def test_default(roots: Any) -> None:
    assert value(roots) == "default"


def test_order_of_precedence(roots: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TF_VAR_v", "environment")
    assert value(roots) == "environment"
    files = {"terraform.tfvars": 'v = "terraform"'}
    assert value(roots, files) == "terraform"
    files["terraform.tfvars.json"] = '{"v": "terraform-json"}'
    assert value(roots, files) == "terraform-json"
    files["a.auto.tfvars"] = 'v = "a"'
    assert value(roots, files) == "a"
    files["b.auto.tfvars.json"] = '{"v": "b"}'
    assert value(roots, files) == "b"
    files["prod.tfvars"] = 'v = "prod"'
    files["more.json"] = '{"v": "more"}'
    assert value(roots, files) == "b"
    assert value(roots, files, var_files=("prod.tfvars",)) == "prod"
    assert value(roots, files, var_files=("prod.tfvars", "more.json")) == "more"
    assert value(roots, files, var_files=("more.json", "prod.tfvars")) == "prod"


def test_strict_parameters_leave_defaults_out(roots: Any) -> None:
    assert value(roots, strict_parameters=True) == Unknown("var.v", subject="|var.v")
    assert value(roots, {"terraform.tfvars": 'v = "t"'}, strict_parameters=True) == "t"


def test_strict_parameters_are_about_the_root(roots: Any) -> None:
    resource = roots.one(
        {"main.tf": 'module "m" {\n  source = "./m"\n}', "m/main.tf": ROOT}, "module.m.aws_x.y", strict_parameters=True
    )
    assert resource.attributes["v"] == "default"


def test_variable_files_do_not_reach_into_modules(roots: Any) -> None:
    resource = roots.one(
        {"main.tf": 'module "m" {\n  source = "./m"\n}', "m/main.tf": ROOT, "terraform.tfvars": 'v = "root"'},
        "module.m.aws_x.y",
    )
    assert resource.attributes["v"] == "default"


def test_environment_gives_expressions_for_collections(roots: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TF_VAR_v", '["a", "b"]')
    assert roots.value("var.v", 'variable "v" {\n  type = list(string)\n}') == ["a", "b"]
    assert roots.value("var.v", 'variable "v" {\n  type = string\n}') == '["a", "b"]'


def test_texts_in_json_variables_are_no_templates(roots: Any) -> None:
    assert value(roots, {"terraform.tfvars.json": '{"v": "${x}"}'}) == "${x}"


def test_broken_variable_file_is_told(roots: Any) -> None:
    stack = roots.load({"main.tf": ROOT, "terraform.tfvars": "v = = 1\n", "a.auto.tfvars.json": "{"})
    assert sorted(error.path for error in stack.errors) == ["a.auto.tfvars.json", "terraform.tfvars"]
    assert stack.resources[0].attributes["v"] == "default"
    assert {"terraform.tfvars", "a.auto.tfvars.json"} <= stack.files


def test_missing_variable_file_is_told(roots: Any) -> None:
    stack = roots.load(ROOT, var_files=("gone.tfvars",))
    assert [error.path for error in stack.errors] == ["gone.tfvars"]


def test_null_is_absent(roots: Any) -> None:
    assert value(roots, {"terraform.tfvars": "v = null"}) is ABSENT


def test_null_for_a_variable_that_is_never_null(roots: Any) -> None:
    setting = 'variable "v" {\n  default  = "d"\n  nullable = false\n}'
    roots.write({"terraform.tfvars": "v = null"})
    assert roots.value("var.v", setting) == "d"


@pytest.mark.parametrize(
    ("constraint", "given", "expected"),
    [
        pytest.param("bool", '"true"', True, id="bool"),
        pytest.param("number", '"5"', 5, id="number"),
        pytest.param("string", "5", "5", id="string-of-number"),
        pytest.param("string", "true", "true", id="string-of-bool"),
        pytest.param("list(string)", "[1, 2]", ["1", "2"], id="list"),
        pytest.param("set(string)", '["b", "a", "b"]', ["a", "b"], id="set"),
        pytest.param("map(number)", '{ a = "1" }', {"a": 1}, id="map"),
        pytest.param("tuple([string, number])", '[1, "2"]', ["1", 2], id="tuple"),
        pytest.param("object({ a = bool })", '{ a = "true", b = 1 }', {"a": True}, id="object-drops-others"),
        pytest.param(
            'object({ a = optional(string, "x"), b = optional(bool), c = string })',
            '{ c = "c" }',
            {"a": "x", "c": "c"},
            id="optional-attributes",
        ),
        pytest.param(
            "map(object({ on = optional(bool, true) }))", "{ k = {} }", {"k": {"on": True}}, id="nested-optional"
        ),
        pytest.param("any", "[1]", [1], id="any"),
        pytest.param('"string"', "5", "5", id="quoted-type-of-old"),
        pytest.param("number", '"x"', "x", id="what-does-not-fit-stays"),
        pytest.param("list(string)", '"x"', "x", id="scalar-for-a-list-stays"),
        pytest.param("tuple([string])", "[1, 2]", [1, 2], id="tuple-of-another-length-stays"),
    ],
)
def test_types_convert(roots: Any, constraint: str, given: str, expected: Any) -> None:
    roots.write({"terraform.tfvars": f"v = {given}"})
    assert roots.value("var.v", f'variable "v" {{\n  type = {constraint}\n}}') == expected


def test_types_keep_what_is_open(roots: Any) -> None:
    files = {
        "main.tf": 'variable "e" {}\nmodule "m" {\n  source = "./m"\n  v = { a = var.e, b = var.e == "x" ? "1" : "2" }\n}',
        "m/main.tf": 'variable "v" {\n  type = map(number)\n}\nresource "aws_x" "y" {\n  a = var.v.a\n  b = var.v.b\n}',
    }
    attributes = roots.one(files, "module.m.aws_x.y").attributes
    assert attributes["a"] == Unknown("var.e", subject="|var.e")
    assert (attributes["b"].then, attributes["b"].otherwise) == (1, 2)


NEEDED = """
variable "launch" {}
variable "o" {
  type = object({
    size    = number
    days    = optional(number)
    engine  = optional(string, "e")
    logging = optional(object({ on = optional(bool, true), to = optional(string) }), {})
  })
  default = null
  validation {
    condition     = var.launch == false || var.o != null
    error_message = "no"
  }
}
"""
LAUNCH = Condition("|var.launch", True, "var.launch")


@pytest.mark.parametrize(
    ("expression", "there"),
    [
        pytest.param("var.o.size", Unknown("var.o.size", subject="|var.o.size"), id="required"),
        pytest.param("var.o.days", Unknown("var.o.days", subject="|var.o.days"), id="optional"),
        pytest.param("var.o.engine == null", False, id="optional-with-default"),
        pytest.param("var.o.logging == null", False, id="optional-object-with-default"),
        pytest.param("var.o.logging.on == null", False, id="inside-of-it"),
    ],
)
def test_a_null_default_that_a_validation_refuses(roots: Any, expression: str, there: Any) -> None:
    assert roots.value(f"var.launch ? {expression} : 0", NEEDED) == Choice(LAUNCH, there, 0)


def test_a_null_default_that_a_validation_allows(roots: Any) -> None:
    assert roots.value("var.launch ? 1 : var.o == null", NEEDED) == Choice(LAUNCH, 1, True)
    assert roots.value("var.o", NEEDED.replace('"launch" {}', '"launch" {\n  default = false\n}')) is ABSENT
    assert roots.value("var.o", NEEDED.replace("||", "&&")) is ABSENT


def test_a_null_that_is_given_is_null(roots: Any) -> None:
    roots.write({"terraform.tfvars": "o = null"})
    assert roots.value("var.o", NEEDED) is ABSENT


MODULE = """
variable "v" {
  type = object({ days = optional(number, 7), size = optional(number) })
}
variable "days" {
  default  = 365
  nullable = false
}
resource "aws_x" "y" {
  a = var.v.days
  b = var.v.size
  c = var.days
}
"""


def test_null_in_a_branch_takes_the_default(roots: Any) -> None:
    root = """
    variable "on" {}
    module "m" {
      source = "./m"
      v      = { days = var.on ? 1 : null }
      days   = var.on ? 1 : null
    }
    """
    attributes = roots.one({"main.tf": root, "m/main.tf": MODULE}, "module.m.aws_x.y").attributes
    on = Condition("|var.on", True, "var.on")
    assert attributes == {"a": Choice(on, 1, 7), "c": Choice(on, 1, 365)}


def test_an_open_value_that_may_be_null_takes_the_default_then(roots: Any) -> None:
    root = 'variable "d" {}\nmodule "m" {\n  source = "./m"\n  v = { days = var.d }\n  days = var.d\n}'
    attributes = roots.one({"main.tf": root, "m/main.tf": MODULE}, "module.m.aws_x.y").attributes
    is_null = Condition("|var.d == null", True, "var.d == null")
    given = Unknown("var.d", subject="|var.d", present=True)
    assert attributes == {"a": Choice(is_null, 7, given), "c": Choice(is_null, 365, given)}


CONFINED = """
variable "dbs" {
  type = map(object({ engine = string, size = number }))
  validation {
    condition     = alltrue([for db in var.dbs : contains(["mysql", "postgres"], db.engine)])
    error_message = "no"
  }
}
resource "aws_x" "each" {
  for_each = var.dbs
  engine   = each.value.engine
  size     = each.value.size
}
resource "aws_x" "some" {
  for_each = { for key, db in var.dbs : key => db if db.size > 1 }
  engine   = each.value.engine
}
resource "aws_x" "one" {
  engine  = var.dbs["a"].engine
  engines = [for db in var.dbs : db.engine]
}
"""


def test_a_validation_of_each_element(roots: Any) -> None:
    found = roots.resources(CONFINED)
    values = ("mysql", "postgres")
    each = found["aws_x.each"].attributes
    assert each["engine"] == Options("|for_each|var.dbs|each.value.engine", "each.value.engine", values)
    assert type(each["size"]) is Unknown
    assert found["aws_x.some"].attributes["engine"].values == values
    assert found["aws_x.one"].attributes["engine"].values == values
    assert [element.value.values for element in found["aws_x.one"].attributes["engines"]] == [values]


@pytest.mark.parametrize(
    "condition",
    [
        pytest.param('anytrue([for db in var.dbs : contains(["mysql"], db.engine)])', id="of-some"),
        pytest.param('alltrue([for db in var.dbs : contains(["mysql"], db.engine) if db.size > 1])', id="of-those"),
        pytest.param('alltrue([for db in var.other : contains(["mysql"], db.engine)])', id="of-another"),
        pytest.param("alltrue([for db in var.dbs : contains(var.other, db.engine)])", id="by-another"),
        pytest.param('alltrue([for db in var.dbs : db.engine == "mysql" || db.name == "a"])', id="two-attributes"),
        pytest.param('alltrue([for db in var.dbs : contains(["mysql"], db.a.engine)])', id="further-down"),
    ],
)
def test_a_validation_that_tells_nothing_of_each_element(roots: Any, condition: str) -> None:
    text = CONFINED.replace('alltrue([for db in var.dbs : contains(["mysql", "postgres"], db.engine)])', condition)
    found = roots.resources(text + 'variable "other" {}')
    assert type(found["aws_x.each"].attributes["engine"]) is Unknown


def test_the_collection_itself_stays_unknown(roots: Any) -> None:
    assert roots.value("var.dbs", CONFINED) == Unknown("var.dbs", subject="|var.dbs")
