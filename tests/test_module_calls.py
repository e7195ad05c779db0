"""What the cheap reading of Terraform syntax takes for a local module call, and what not."""

from __future__ import annotations

import pytest

from srm_checks.discovery.calls import decode, keeps_state, local_sources


@pytest.mark.parametrize(
    "text",
    [
        "",
        '# module "a" {\n#   source = "./a"\n# }\n',
        '// module "a" { source = "./a" }\n',
        '/*\nmodule "a" {\n  source = "./a"\n}\n*/\n',
        'module "a" {\n  # source = "./a"\n}\n',
        'module "a" {\n  providers = {\n    source = "./a"\n  }\n}\n',
        'module "a" {\n  nested {\n    source = "./a"\n  }\n}\n',
        'resource "module" "a" {\n  source = "./a"\n}\n',
        'resource "x" "module" {\n  source = "./a"\n}\n',
        'locals {\n  a = <<EOT\nmodule "a" {\n  source = "./a"\n}\nEOT\n}\n',
        'locals {\n  a = <<-EOT\n    module "a" {\n      source = "./a"\n    }\n  EOT\n}\n',
        'locals {\n  a = "module { source = ./a }"\n}\n',
        'module "a" {\n  source = "terraform-aws-modules/vpc/aws"\n}\n',
        'module "a" {\n  source = "/abs"\n}\n',
        'module "a" {\n  source = "./${var.x}"\n}\n',
        'module "a" {\n  source = ["./a"]\n}\n',
        'module "a" {\n  source = "./a\\u0000"\n}\n',
        'module "a" {\n  other_source = "./a"\n}\n',
        'module "a" {\n  source == "./a"\n}\n',
    ],
)
def test_no_local_call(text):
    assert local_sources(text) == []


@pytest.mark.parametrize(
    "text",
    [
        'module "a" {\n  source = "./a"\n}\n',
        'module "a" { source = "./a" }',
        'module a {\n  source="./a"\n}',
        'module "a" { # why\n  source /* here */ = "./a" // so\n}\n',
        '/* one */ module "a" {\n  source = "./a"\n}\n',
        'module "a" {\r\n  source = "./a"\r\n}\r\n',
        'locals {\n  a = "${merge({ b = "}" }, { c = "{" })}"\n}\nmodule "a" {\n  source = "./a"\n}\n',
        'locals {\n  a = "$${not an interpolation"\n}\nmodule "a" {\n  source = "./a"\n}\n',
        'locals {\n  a = "quote \\" brace {"\n}\nmodule "a" {\n  source = "./a"\n}\n',
        'locals {\n  a = <<E\n  {{ "\nE\n}\nmodule "a" {\n  source = "./a"\n}\n',
        'module "a" {\n  x = { y = { z = "1" } }\n  for_each = { for k, v in var.x : k => v }\n  source = "./a"\n}\n',
        'x = "unclosed\nmodule "a" {\n  source = "./a"\n}\n',
        'module "a" {\n  source = "\\u002e/a"\n}\n',
    ],
)
def test_one_local_call(text):
    assert local_sources(text) == ["./a"]


def test_every_call_of_a_file_is_found_in_order():
    text = (
        'module "a" {\n  source = "../a"\n}\nmodule "b" {\n  source = ".."\n}\nmodule "c" {\n  source = "./c//d"\n}\n'
    )
    assert local_sources(text) == ["../a", "..", "./c//d"]


@pytest.mark.parametrize(
    "text", ['module "a" {', '"', '"${', "/*", "<<E\n", "}}}", 'module "a" {\n  source = "./a', '"%{ if x ~}']
)
def test_broken_files_end(text):
    assert local_sources(text) in ([], ["./a"])
    assert not keeps_state(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('terraform {\n  backend "s3" {\n  }\n}\n', True),
        ('terraform { backend "s3" {} }', True),
        ("terraform {\n  cloud {\n  }\n}\n", True),
        ('terraform {\n  required_version = ">= 1"\n}\nterraform {\n  backend "local" {}\n}\n', True),
        ('terraform {\n  # backend "s3" {}\n}\n', False),
        ('module "terraform" {\n  backend "s3" {}\n}\n', False),
        ("terraform {\n  nested {\n    cloud {}\n  }\n}\n", False),
    ],
)
def test_state_blocks(text, expected):
    assert keeps_state(text) is expected


@pytest.mark.parametrize("data", [b"\xef\xbb\xbfa", "a".encode("utf-16"), b"a"])
def test_byte_order_marks_are_no_text(data):
    assert decode(data) == "a"
