"""Module directories, calls, and what is read from where."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest

from srm_checks.model import Call, Cause, Choice, Not, ScanError, Unknown, UnreadModule
from srm_checks.model import Test as Condition

from .conftest import by_address

BUCKET = """
variable "name" {}
variable "encrypted" {
  type    = bool
  default = true
}
resource "aws_s3_bucket" "b" {
  bucket    = var.name
  encrypted = var.encrypted
}
output "arn" {
  value = aws_s3_bucket.b.arn
}
output "bucket" {
  value = aws_s3_bucket.b.bucket
}
"""


def test_local_module(roots: Any) -> None:
    resources = roots.resources(
        {
            "main.tf": 'module "m" {\n  source = "./m"\n  name = "logs"\n}\nresource "aws_x" "y" {\n  n = module.m.bucket\n}',
            "m/main.tf": BUCKET,
        }
    )
    bucket = resources["module.m.aws_s3_bucket.b"]
    assert bucket.attributes == {"bucket": "logs", "encrypted": True}
    assert bucket.module == "module.m"
    assert bucket.calls == (Call("module.m", "main.tf", 1),)
    assert bucket.block.path == "m/main.tf"
    assert resources["aws_x.y"].attributes["n"] == "logs"


def test_module_above_the_root(roots: Any) -> None:
    stack = roots.load(
        {
            "envs/prod/main.tf": 'module "m" {\n  source = "../../modules/b"\n  name = "x"\n}',
            "modules/b/main.tf": BUCKET,
        },
        root="envs/prod",
    )
    assert stack.errors == []
    assert stack.resources[0].block.path == "modules/b/main.tf"
    assert stack.files == {"envs/prod/main.tf", "modules/b/main.tf"}


def test_open_values_of_the_caller_flow_through(roots: Any) -> None:
    resources = roots.resources(
        {
            "main.tf": """
            variable "env" {}
            module "m" {
              source    = "./m"
              name      = "x"
              encrypted = var.env == "prod"
            }
            module "n" {
              source = "./m"
              name   = var.env
            }
            """,
            "m/main.tf": BUCKET,
        }
    )
    prod = Condition("|var.env", "prod", "var.env")
    assert resources["module.m.aws_s3_bucket.b"].attributes["encrypted"] == Choice(prod, True, False)
    assert resources["module.n.aws_s3_bucket.b"].attributes["bucket"] == Unknown("var.env", subject="|var.env")


def test_open_variable_of_a_module_is_its_own(roots: Any) -> None:
    resources = roots.resources({"main.tf": 'module "m" {\n  source = "./m"\n}', "m/main.tf": BUCKET})
    value = resources["module.m.aws_s3_bucket.b"].attributes["bucket"]
    assert value == Unknown("var.name", subject="module.m|var.name")


def test_repeated_modules(roots: Any) -> None:
    resources = roots.resources(
        {
            "main.tf": """
            variable "on" {}
            module "each" {
              source   = "./m"
              for_each = toset(["a", "b"])
              name     = each.key
            }
            module "count" {
              source = "./m"
              count  = var.on ? 1 : 0
              name   = "c${count.index}"
            }
            resource "aws_x" "y" {
              all  = [for k, m in module.each : m.bucket]
              one  = module.each["a"].bucket
              some = module.count[*].bucket
            }
            """,
            "m/main.tf": BUCKET,
        }
    )
    on = Condition("|var.on", True, "var.on")
    assert list(resources)[:1] == ["aws_x.y"]
    assert resources['module.each["a"].aws_s3_bucket.b'].attributes["bucket"] == "a"
    assert resources["module.count[0].aws_s3_bucket.b"].exists == on
    assert resources["aws_x.y"].attributes == {"all": ["a", "b"], "one": "a", "some": Choice(on, ["c0"], [])}


def test_module_with_an_unknown_for_each(roots: Any) -> None:
    resources = roots.resources(
        {
            "main.tf": 'variable "n" {}\nmodule "m" {\n  source = "./m"\n  for_each = var.n\n  name = each.key\n}',
            "m/main.tf": BUCKET,
        }
    )
    bucket = resources["module.m.aws_s3_bucket.b"]
    assert bucket.exists == Condition("|for_each|var.n", True, "var.n is not empty")
    assert bucket.attributes["bucket"].text == "each.key"


def test_condition_of_the_call_joins_that_of_the_resource(roots: Any) -> None:
    resources = roots.resources(
        {
            "main.tf": 'variable "on" {}\nmodule "m" {\n  source = "./m"\n  count = var.on ? 1 : 0\n  on = !var.on\n}',
            "m/main.tf": 'variable "on" {}\nresource "aws_x" "y" {\n  count = var.on ? 1 : 0\n}',
        }
    )
    on = Condition("|var.on", True, "var.on")
    exists = resources["module.m[0].aws_x.y[0]"].exists
    assert set(exists.of) == {on, Not(on)}


def test_nested_modules(roots: Any) -> None:
    stack = roots.load(
        {
            "main.tf": 'module "a" {\n  source = "./a"\n}',
            "a/main.tf": 'module "b" {\n  source = "../b"\n  name = "deep"\n}\noutput "o" {\n  value = module.b.bucket\n}',
            "b/main.tf": BUCKET,
        }
    )
    resource = by_address(stack)["module.a.module.b.aws_s3_bucket.b"]
    assert [call.address for call in resource.calls] == ["module.a", "module.a.module.b"]
    assert [call.path for call in resource.calls] == ["main.tf", "a/main.tf"]


def test_module_that_was_not_fetched(roots: Any) -> None:
    stack = roots.load(
        """
        module "vpc" {
          source = "terraform-aws-modules/vpc/aws"
        }
        resource "aws_x" "y" {
          subnets = module.vpc.private_subnets
        }
        """
    )
    assert stack.errors == []
    assert stack.unread_modules == [UnreadModule("module.vpc", "terraform-aws-modules/vpc/aws", "main.tf", 2)]
    value = by_address(stack)["aws_x.y"].attributes["subnets"]
    assert (value.text, value.cause) == ("module.vpc.private_subnets", Cause.UNRESOLVED_VALUE)


def test_module_that_was_fetched(roots: Any) -> None:
    modules = {
        "Modules": [
            {"Key": "", "Source": "", "Dir": "."},
            {"Key": "m", "Source": "x/y/aws", "Dir": ".terraform/modules/m"},
            {"Key": "m.inner", "Source": "z/y/aws", "Dir": ".terraform/modules/m.inner"},
        ]
    }
    stack = roots.load(
        {
            "root/main.tf": 'module "m" {\n  source = "x/y/aws"\n}',
            "root/.terraform/modules/modules.json": json.dumps(modules),
            "root/.terraform/modules/m/main.tf": 'module "inner" {\n  source = "z/y/aws"\n  name = "i"\n}',
            "root/.terraform/modules/m.inner/main.tf": BUCKET,
        },
        root="root",
    )
    assert (stack.errors, stack.unread_modules) == ([], [])
    assert "module.m.module.inner.aws_s3_bucket.b" in by_address(stack)
    assert "root/.terraform/modules/modules.json" in stack.files


@pytest.mark.parametrize("text", ["{", "[]", '{"Modules": [{"Key": "m"}]}', '{"Modules": {"Key": "m"}}', "null"])
def test_broken_list_of_fetched_modules_is_told(roots: Any, text: str) -> None:
    stack = roots.load({"main.tf": 'resource "aws_x" "y" {}', ".terraform/modules/modules.json": text})
    assert [error.kind for error in stack.errors] == ["parse"]
    assert len(stack.resources) == 1


def test_source_that_is_no_directory(roots: Any) -> None:
    stack = roots.load('resource "aws_x" "y" {}\nmodule "m" {\n  source = "./gone"\n}')
    assert stack.errors == [
        ScanError("main.tf", "terraform", "parse", '2: The module "m" has the source "./gone", which is no directory.')
    ]
    assert len(stack.resources) == 1


def test_module_that_calls_itself(roots: Any) -> None:
    stack = roots.load(
        {
            "main.tf": 'module "a" {\n  source = "./a"\n}',
            "a/main.tf": 'module "b" {\n  source = "../b"\n}',
            "b/main.tf": 'module "a" {\n  source = "../a"\n}\nresource "aws_x" "y" {}',
        }
    )
    assert "module.a.module.b.aws_x.y" in by_address(stack)
    assert ["calls itself" in error.message for error in stack.errors] == [True]


def test_broken_file_does_not_cost_the_others(roots: Any) -> None:
    stack = roots.load(
        {
            "good.tf": 'resource "aws_x" "good" {\n  v = var.in_bad\n}',
            "bad.tf": 'variable "in_bad" {\n  default = "x\n}\n',
            "half.tf": 'resource "aws_x" "lost" {\n  a = = 1\n}\nresource "aws_x" "kept" {}\n',
        }
    )
    resources = by_address(stack)
    assert set(resources) == {"aws_x.good", "aws_x.kept"}
    assert [(e.path, e.engine, e.kind) for e in stack.errors] == [
        ("bad.tf", "terraform", "parse"),
        ("half.tf", "terraform", "parse"),
    ]
    # the name may well be declared in what could not be read
    assert resources["aws_x.good"].attributes["v"].cause is Cause.UNRESOLVED_VALUE


def test_files_that_belong_to_a_module(roots: Any) -> None:
    stack = roots.load(
        {
            "a.tf": 'resource "aws_x" "a" {\n  v = "tf"\n}',
            "a.tofu": 'resource "aws_x" "a" {\n  v = "tofu"\n}',
            "b.tofu": 'resource "aws_x" "b" {}',
            "c.tf.json": '{"resource": {"aws_x": {"c": {}}}}',
            "d.tf.txt": "no",
            ".hidden.tf": "no",
            "e.tf~": "no",
        }
    )
    assert stack.errors == []
    resources = by_address(stack)
    assert set(resources) == {"aws_x.a", "aws_x.b", "aws_x.c"}
    assert resources["aws_x.a"].attributes["v"] == "tofu"


def test_overrides(roots: Any) -> None:
    resource = roots.one(
        {
            "main.tf": """
            variable "v" { default = 1 }
            locals { l = 1 }
            resource "aws_x" "y" {
              a = 1
              b = 1
              v = var.v
              l = local.l
              inner { c = 1 }
              inner { c = 2 }
              other { d = 1 }
            }
            """,
            "x_override.tf": """
            variable "v" { default = 2 }
            locals { l = 2 }
            resource "aws_x" "y" {
              b = 2
              inner { c = 3 }
            }
            """,
        },
        "aws_x.y",
    )
    assert resource.attributes == {"a": 1, "b": 2, "v": 2, "l": 2, "inner": [{"c": 3}], "other": [{"d": 1}]}
    assert resource.lines[("b",)].path == "x_override.tf"


def test_override_of_the_backend(roots: Any) -> None:
    resource = roots.one(
        {
            "main.tf": 'terraform {\n  required_version = "1"\n  backend "s3" {\n    bucket = "a"\n  }\n}',
            "override.tf": 'terraform {\n  backend "local" {}\n}',
        },
        "terraform",
    )
    assert resource.attributes == {"required_version": "1", "backend": [{"type": "local"}]}


def test_name_declared_twice_is_told_and_both_are_judged(roots: Any) -> None:
    stack = roots.load('resource "aws_x" "y" {\n  a = 1\n}\nresource "aws_x" "y" {\n  a = 2\n}')
    assert [r.attributes["a"] for r in stack.resources] == [1, 2]
    assert ["declared twice" in error.message for error in stack.errors] == [True]


def test_directory_that_does_not_exist(roots: Any) -> None:
    stack = roots.load("", root="nowhere")
    assert stack.resources == []
    assert [error.path for error in stack.errors] == ["nowhere"]


def test_symbolic_link_that_leads_nowhere(roots: Any) -> None:
    roots.write({"main.tf": 'resource "aws_x" "y" {}'})
    os.symlink("nowhere.tf", "gone.tf")
    os.symlink(".", "loop")
    stack = roots.load({})
    assert [r.address for r in stack.resources] == ["aws_x.y"]
    assert [error.path for error in stack.errors] == ["gone.tf"]


def test_changed_file_is_read_again(roots: Any) -> None:
    assert roots.one('resource "aws_x" "y" {\n  a = 1\n}', "aws_x.y").attributes == {"a": 1}
    assert roots.one('resource "aws_x" "y" {\n  a = 200\n}', "aws_x.y").attributes == {"a": 200}


def test_files_read_by_functions(roots: Any) -> None:
    stack = roots.load(
        {
            "root/main.tf": """
            module "m" {
              source = "./m"
            }
            """,
            "root/m/main.tf": """
            resource "aws_x" "y" {
              file     = file("${path.module}/policy.json")
              decoded  = jsondecode(file("${path.module}/policy.json")).a
              exists   = fileexists("${path.module}/policy.json")
              missing  = fileexists("${path.module}/gone.json")
              set      = fileset(path.module, "*.json")
              some     = fileset(path.root, "{m,n}/**/*.{json,tftpl}")
              digest   = filesha256("${path.module}/policy.json")
              base64   = filebase64sha256("${path.module}/policy.json")
              template = templatefile("${path.module}/t.tftpl", { name = "n", list = ["a", "b"] })
              open     = templatefile("${path.module}/t.tftpl", { name = var.name, list = [] })
              outside  = file("/etc/hostname")
              gone     = try(file("${path.module}/gone.json"), "none")
            }
            variable "name" {}
            """,
            "root/m/policy.json": '{"a": 1}',
            "root/m/t.tftpl": 'hello ${name}%{ for x in list } ${x}%{ endfor } "q" \\n',
        },
        root="root",
    )
    assert stack.errors == []
    attributes = by_address(stack)["module.m.aws_x.y"].attributes
    assert attributes["file"] == '{"a": 1}'
    assert attributes["decoded"] == 1
    assert (attributes["exists"], attributes["missing"]) == (True, False)
    assert attributes["set"] == ["policy.json"]
    assert attributes["some"] == ["m/policy.json", "m/t.tftpl"]
    assert attributes["digest"] == "f9d86028c6e0d64e225186f96acb69338b2c59764df79162107f5c4bb34d1310"
    assert attributes["base64"] == "+dhgKMbg1k4iUYb5astpM4ssWXZN95FiEH9cS7NNExA="
    assert attributes["template"] == 'hello n a b "q" \\n'
    assert attributes["open"].parts == ("hello ", None, ' "q" \\n')
    assert isinstance(attributes["outside"], Unknown)
    assert isinstance(attributes["gone"], Unknown)
    assert {"root/m/policy.json", "root/m/t.tftpl"} <= stack.files


def test_override_inside_of_lifecycle(roots: Any) -> None:
    resource = roots.one(
        {
            "main.tf": 'resource "aws_x" "y" {\n  lifecycle {\n    prevent_destroy = false\n    ignore_changes = [a]\n  }\n}',
            "override.tf": 'resource "aws_x" "y" {\n  lifecycle {\n    prevent_destroy = true\n  }\n}',
        },
        "aws_x.y",
    )
    assert resource.attributes == {"lifecycle": [{"prevent_destroy": True, "ignore_changes": ["a"]}]}


def test_alias_is_not_inherited(roots: Any) -> None:
    resource = roots.one(
        {
            "main.tf": (
                'provider "aws" {\n  alias = "east"\n  default_tags {\n    tags = { a = "b" }\n  }\n}\n'
                'module "m" {\n  source = "./m"\n}'
            ),
            "m/main.tf": 'resource "aws_x" "y" {\n  provider = aws.east\n}',
        },
        "module.m.aws_x.y",
    )
    assert resource.tags == {}
