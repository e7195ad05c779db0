"""A root as a stack: data sources, providers, tags, the terraform block, moves, suppressions."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from srm_checks.model import (
    Cause,
    Choice,
    EngineOptions,
    Ref,
    SourceRange,
    Suppression,
    Unit,
    UnitKind,
    Unknown,
)
from srm_checks.model import (
    Test as Condition,
)

from .conftest import by_address


def test_empty_root(roots: Any) -> None:
    stack = roots.load("")
    assert (stack.resources, stack.errors, stack.files) == ([], [], {"main.tf"})
    assert stack.framework == "terraform"
    assert isinstance(stack.region, Unknown)


def test_importing_the_engine_is_cheap() -> None:
    code = (
        "import sys, srm_checks.engines.terraform\n"
        "print([m for m in ('hcl2', 'lark', 'checkov', 'yaml') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_data_sources(roots: Any) -> None:
    resources = roots.resources(
        """
        data "aws_caller_identity" "me" {}
        data "aws_ami" "a" {
          owners = ["self"]
        }
        data "terraform_remote_state" "net" {
          backend = "s3"
        }
        resource "aws_x" "y" {
          account = data.aws_caller_identity.me.account_id
          ami     = data.aws_ami.a.id
          owners  = data.aws_ami.a.owners
          subnet  = data.terraform_remote_state.net.outputs.subnet
        }
        """
    )
    assert resources["data.aws_ami.a"].type == "data.aws_ami"
    assert resources["data.aws_ami.a"].attributes == {"owners": ["self"]}
    attributes = resources["aws_x.y"].attributes
    assert attributes["account"].present
    assert attributes["ami"].refs == (Ref("data.aws_ami.a", None, "id"),)
    assert attributes["owners"] == ["self"]
    assert attributes["subnet"].cause is Cause.OTHER_STACK


def test_meta_arguments_are_no_settings(roots: Any) -> None:
    resource = roots.one(
        """
        resource "aws_x" "y" {
          count      = 1
          provider   = aws.east
          depends_on = [aws_x.z]
          lifecycle {
            prevent_destroy = true
            ignore_changes  = [tags, size]
            precondition {
              condition = true
            }
          }
        }
        """,
        "aws_x.y[0]",
    )
    assert resource.attributes == {"lifecycle": [{"prevent_destroy": True, "ignore_changes": ["tags", "size"]}]}


def test_terraform_blocks_are_one_resource(roots: Any) -> None:
    resource = roots.one(
        {
            "a.tf": 'terraform {\n  required_version = ">= 1"\n}\n',
            "b.tf": (
                'terraform {\n  backend "s3" {\n    encrypt = true\n  }\n  required_providers {\n'
                '    aws = { source = "hashicorp/aws", configuration_aliases = [aws.east] }\n  }\n}\n'
            ),
        },
        "terraform",
    )
    assert resource.type == "terraform"
    assert resource.attributes == {
        "required_version": ">= 1",
        "backend": [{"type": "s3", "encrypt": True}],
        "required_providers": [{"aws": {"source": "hashicorp/aws", "configuration_aliases": ["aws.east"]}}],
    }
    assert resource.block.path == "b.tf"
    assert resource.lines[("backend", 0, "encrypt")] == SourceRange("b.tf", 3, 3)


def test_providers_are_resources(roots: Any) -> None:
    stack = roots.load(
        """
        provider "aws" {
          region = "eu-west-1"
        }
        provider "aws" {
          alias      = "east"
          region     = "us-east-1"
          access_key = "k"
        }
        """
    )
    resources = by_address(stack)
    assert {a: r.type for a, r in resources.items()} == {
        "provider.aws": "provider.aws",
        "provider.aws.east": "provider.aws",
    }
    assert resources["provider.aws.east"].attributes["access_key"] == "k"
    assert stack.region == "eu-west-1"


TAGGED = """
variable "env" {}
provider "aws" {
  default_tags {
    tags = { team = "t", env = "default" }
  }
}
provider "aws" {
  alias = "east"
  default_tags {
    tags = { east = "yes" }
  }
}
"""


def test_a_resource_is_in_the_region_of_its_provider_or_of_its_own(roots: Any) -> None:
    found = roots.resources(
        """
        provider "aws" {
          region = "eu-central-1"
        }
        provider "aws" {
          alias  = "us"
          region = "us-east-1"
        }
        resource "aws_instance" "default" {
        }
        resource "aws_instance" "aliased" {
          provider = aws.us
        }
        resource "aws_instance" "own" {
          region = "eu-west-1"
        }
        """
    )
    regions = {name: found[f"aws_instance.{name}"].region for name in ("default", "aliased", "own")}
    assert regions == {"default": "eu-central-1", "aliased": "us-east-1", "own": "eu-west-1"}


def test_default_tags_lie_under_the_tags(roots: Any) -> None:
    resources = roots.resources(
        TAGGED
        + """
        resource "aws_x" "none" {}
        resource "aws_x" "own" {
          tags = { env = var.env, a = "b" }
        }
        resource "aws_x" "east" {
          provider = aws.east
          tags     = { a = "b" }
        }
        resource "aws_x" "open" {
          tags = var.env
        }
        resource "aws_x" "branch" {
          tags = var.env == "x" ? { a = "b" } : {}
        }
        resource "other_x" "y" {
          tags = { a = "b" }
        }
        """
    )
    assert resources["aws_x.none"].tags == {"team": "t", "env": "default"}
    assert resources["aws_x.none"].attributes == {}
    assert resources["aws_x.own"].tags == {"team": "t", "env": Unknown("var.env", subject="|var.env"), "a": "b"}
    assert resources["aws_x.own"].attributes["tags"] == {"env": Unknown("var.env", subject="|var.env"), "a": "b"}
    assert resources["aws_x.east"].tags == {"east": "yes", "a": "b"}
    assert set(resources["aws_x.open"].tags) == {"*"}
    assert resources["aws_x.branch"].tags == Choice(
        Condition("|var.env", "x", "var.env"),
        {"team": "t", "env": "default", "a": "b"},
        {"team": "t", "env": "default"},
    )
    assert resources["other_x.y"].tags == {"a": "b"}


def test_default_tags_reach_into_modules(roots: Any) -> None:
    resources = roots.resources(
        {
            "main.tf": TAGGED
            + """
            module "inherits" {
              source = "./m"
            }
            module "given" {
              source    = "./m"
              providers = { aws = aws.east }
            }
            """,
            "m/main.tf": 'resource "aws_x" "y" {}',
        }
    )
    assert resources["module.inherits.aws_x.y"].tags == {"team": "t", "env": "default"}
    assert resources["module.given.aws_x.y"].tags == {"east": "yes"}


def test_moved(roots: Any) -> None:
    resources = roots.resources(
        {
            "main.tf": """
            resource "aws_x" "c" {}
            resource "aws_x" "counted" {
              count = 1
            }
            module "new" {
              source = "./m"
            }
            moved {
              from = aws_x.a
              to   = aws_x.b
            }
            moved {
              from = aws_x.b
              to   = aws_x.c
            }
            moved {
              from = aws_x.single
              to   = aws_x.counted[0]
            }
            moved {
              from = module.old
              to   = module.new
            }
            """,
            "m/main.tf": 'resource "aws_x" "y" {}\nmoved {\n  from = aws_x.before\n  to = aws_x.y\n}',
        }
    )
    assert resources["aws_x.c"].former_bases == ("aws_x.b", "aws_x.a")
    assert resources["aws_x.counted[0]"].former_bases == ("aws_x.single",)
    assert set(resources["module.new.aws_x.y"].former_bases) == {
        "module.new.aws_x.before",
        "module.old.aws_x.y",
        "module.old.aws_x.before",
    }


def test_suppressions(roots: Any) -> None:
    resources = roots.resources(
        {
            "main.tf": (
                'resource "aws_x" "y" {\n'
                "  #checkov:skip=SRM-DAR-005,SRM-DAR-006: known\n"
                "  // checkov:skip=SRM-NET-001\n"
                "}\n"
                "# checkov:skip=SRM-OUT-001:outside of a block\n"
                'module "m" {\n'
                "  # checkov:skip=SRM-DAR-007:all of it\n"
                '  source = "./m"\n'
                "}\n"
            ),
            "m/main.tf": 'resource "aws_x" "y" {}',
        }
    )
    at_two, at_three = SourceRange("main.tf", 2, 2), SourceRange("main.tf", 3, 3)
    assert resources["aws_x.y"].suppressions == (
        Suppression("SRM-DAR-005", "known", "checkov", at_two),
        Suppression("SRM-DAR-006", "known", "checkov", at_two),
        Suppression("SRM-NET-001", None, "checkov", at_three),
    )
    assert resources["module.m.aws_x.y"].suppressions == (
        Suppression("SRM-DAR-007", "all of it", "checkov", SourceRange("main.tf", 7, 7)),
    )


def test_hash_in_a_text_is_no_comment(roots: Any) -> None:
    resource = roots.one('resource "aws_x" "y" {\n  v = "#checkov:skip=SRM-DAR-005:no"\n}', "aws_x.y")
    assert resource.suppressions == ()


@pytest.mark.parametrize("spelling", [".", "root", "./root", "root/../root"])
def test_paths_are_relative_to_the_working_directory(roots: Any, spelling: str) -> None:
    folder = "" if spelling == "." else "root/"
    stack = roots.load({f"{folder}main.tf": 'resource "aws_x" "y" {}'}, root=spelling)
    assert stack.resources[0].block.path == f"{folder}main.tf"


def test_absolute_unit_path(roots: Any) -> None:
    stack = roots.load({"r/main.tf": 'resource "aws_x" "y" {}'}, root=str(roots.directory / "r"))
    assert stack.files == {"r/main.tf"}


def test_chain_of_local_values(roots: Any) -> None:
    chain = "\n".join(f"  l{i} = {i} > 0 ? local.l{i - 1} : 0" for i in range(1, 300))
    assert roots.value("local.l299", f"locals {{\n  l0 = 7\n{chain}\n}}") == 7


def test_chain_without_end_is_told(roots: Any) -> None:
    chain = "\n".join(f"  l{i} = true ? local.l{i - 1} : 0" for i in range(1, 3000))
    stack = roots.load(
        f'locals {{\n  l0 = 7\n{chain}\n}}\nresource "aws_x" "deep" {{\n  v = local.l2999\n}}\nresource "aws_x" "y" {{}}\n'
    )
    assert [r.address for r in stack.resources] == ["aws_x.y"]
    assert [(error.kind, "too deeply" in error.message) for error in stack.errors] == [("unsupported", True)]


def test_loading_twice_gives_the_same(roots: Any) -> None:
    from srm_checks.engines.terraform import load

    roots.write({"main.tf": TAGGED + 'resource "aws_x" "y" {\n  count = var.env == "x" ? 2 : 1\n  v = var.env\n}'})
    unit = Unit(UnitKind.TERRAFORM, ".")
    first, second = load(unit, EngineOptions()), load(unit, EngineOptions())
    assert [(r.address, r.attributes, r.exists, r.references) for r in first.resources] == [
        (r.address, r.attributes, r.exists, r.references) for r in second.resources
    ]


def test_tags_over_an_open_map_keep_what_is_certain(roots: Any) -> None:
    resource = roots.one(
        """
        variable "tags" { type = map(string) }
        provider "aws" {
          default_tags { tags = { owner = "us" } }
        }
        resource "aws_sqs_queue" "q" {
          tags = merge(var.tags, { team = "x" })
        }
        """,
        "aws_sqs_queue.q",
    )
    assert resource.tags["team"] == "x"
    assert set(resource.tags) == {"team", "*"}  # an open map may override the owner
    assert resource.attributes["tags"]["team"] == "x"
