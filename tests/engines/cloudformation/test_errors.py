"""Bad input: an error with its place and a remedy, and everything else still read."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from srm_checks.engines.cloudformation import load, source
from srm_checks.engines.cloudformation.source import MAX_BYTES
from srm_checks.model import EngineOptions, Stack, Unit, UnitKind

HEAD = "AWSTemplateFormatVersion: '2010-09-09'\n"


def load_bytes(data: bytes, file: str = "template.yaml") -> Stack:
    Path(file).write_bytes(data)
    return load(Unit(UnitKind.CLOUDFORMATION, file), EngineOptions())


def deep(levels: int, innermost: str = "") -> str:
    return json.dumps({"Resources": {"B": {"Type": "AWS::S3::Bucket", "Properties": {"A": "@"}}}}).replace(
        '"@"', "[" * levels + innermost + "]" * levels
    )


def alias_bomb(merge: bool) -> str:
    lines = [f"{HEAD}X0: &x0 {{a: 1}}"]
    for level in range(1, 40):
        inner = f"*x{level - 1}, *x{level - 1}"
        lines.append(f"X{level}: &x{level} " + (f"{{<<: [{inner}], k{level}: 1}}" if merge else f"[{inner}]"))
    return "\n".join(lines) + "\nResources: {}\n"


@pytest.mark.parametrize(
    ("text", "kind", "sentence"),
    [
        pytest.param("Resources:\n  B: [", "parse", "template.yaml:3:1:", id="broken-yaml"),
        pytest.param('{"Resources": {"B": ', "parse", "template.yaml:2:1: did not find", id="broken-json"),
        pytest.param(
            "Resources:\n  A: {Type: 'A::B'}\n  A: {Type: 'A::B'}\n",
            "parse",
            "template.yaml:2:3: Duplicate",
            id="twice",
        ),
        pytest.param(
            "a: 1\n---\nb: 2\n",
            "parse",
            "template.yaml:2:1: Template could not be parsed: expected a single",
            id="two-documents",
        ),
        pytest.param("a: !!python/name:os.system x\n", "parse", "could not determine a constructor", id="python-tag"),
        pytest.param("a: &a [*a]\n", "parse", "template.yaml", id="alias-in-itself"),
        pytest.param(alias_bomb(merge=False), "unsupported", "once aliases are in place", id="alias-bomb"),
        pytest.param(alias_bomb(merge=True), "unsupported", "once aliases are in place", id="merge-bomb"),
        pytest.param(deep(100_000), "unsupported", "nested more than 400 levels", id="very-deep-json"),
        pytest.param("a: " + "- " * 100_000 + "b", "parse", "template.yaml:1:", id="sequence-on-a-line"),
        pytest.param("a:\n  " + "- " * 100_000 + "b", "unsupported", "template.yaml:2:", id="very-deep-sequence"),
    ],
)
def test_template_that_cannot_be_decoded(load_text: Callable[..., Stack], text: str, kind: str, sentence: str) -> None:
    stack = load_text(text)
    (error,) = stack.errors
    assert (error.path, error.engine, error.kind, stack.resources) == ("template.yaml", "cfn-lint", kind, [])
    assert sentence in error.message
    assert error.message.endswith(".")
    assert stack.files == {"template.yaml"}


def test_nesting_up_to_the_limit_is_read(load_text: Callable[..., Stack]) -> None:
    assert load_text(deep(390)).errors == []


def test_nesting_that_only_python_minds_costs_no_more_than_its_template(load_text: Callable[..., Stack]) -> None:
    stack = load_text(deep(390, "&anchor 1"))  # an anchor, so that it is cfn-lint's to decode
    assert len(stack.errors) == 1


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        pytest.param(
            b"Resources:\n  B: {Type: 'A::B', Metadata: \xe4}\n", "template.yaml:2: the file is not UTF-8", id="latin-1"
        ),
        pytest.param(b"\xff\xfea", "the file is not UTF-16", id="half-a-character"),
        pytest.param(b"a: \x00\n", "template.yaml", id="nul"),
        pytest.param(b"#" * (MAX_BYTES + 1), "5,000,001 bytes", id="huge"),
    ],
)
def test_bytes_that_are_no_text(data: bytes, sentence: str) -> None:
    (error,) = load_bytes(data).errors
    assert sentence in error.message


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_byte_order_marks(encoding: str) -> None:
    stack = load_bytes("Resources: {B: {Type: AWS::S3::Bucket, Properties: {Name: ä}}}".encode(encoding))
    assert stack.resources[0].attributes == {"Name": "ä"}


def test_missing_file() -> None:
    (error,) = load(Unit(UnitKind.CLOUDFORMATION, "none.yaml"), EngineOptions()).errors
    assert (
        error.message
        == "none.yaml cannot be read: No such file or directory. Check that the file is there and readable."
    )


@pytest.mark.parametrize(
    ("section", "sentence"),
    [
        pytest.param("Resources: [a]", "template.yaml:2: the template has no Resources.", id="resources-list"),
        pytest.param("Resources:", "template.yaml:2: the template has no Resources.", id="resources-null"),
        pytest.param("Outputs: {}", "template.yaml: the template has no Resources.", id="no-resources"),
    ],
)
def test_template_without_resources(load_text: Callable[..., Stack], section: str, sentence: str) -> None:
    (error,) = load_text(HEAD + section).errors
    assert error.message.startswith(sentence)


def test_a_function_that_gives_no_resources(load_text: Callable[..., Stack]) -> None:
    stack = load_text(HEAD + "Resources: !Nope\n  Odd: {Type: AWS::RDS::DBInstance}")
    (error,) = stack.errors
    assert "resource Fn::Nope is a function that gives no resources." in error.message
    assert stack.unread_modules == []


def test_a_function_that_gives_resources_is_no_error(load_text: Callable[..., Stack]) -> None:
    stack = load_text(f"{HEAD}Resources: !Transform {{Name: AWS::Include}}")
    assert (len(stack.errors), len(stack.unread_modules)) == (0, 1)


def test_a_macro_may_make_resources_of_anything(load_text: Callable[..., Stack]) -> None:
    stack = load_text(f"{HEAD}Transform: Mine\nResources: {{'Fn::Mine': 1}}")
    assert (stack.errors, [module.address for module in stack.unread_modules]) == ([], ["Transform", "Fn::Mine"])


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("- a\n- b\n", id="list"),
        pytest.param("", id="empty"),
        pytest.param("just text", id="text"),
        pytest.param("Resources: {cpu: 1}\nkind: Pod\n", id="kubernetes-like"),
        pytest.param('{"Resources": [], "name": "x"}', id="json"),
    ],
)
def test_other_files_are_no_templates(load_text: Callable[..., Stack], text: str) -> None:
    stack = load_text(text)
    assert (stack.resources, stack.errors) == ([], [])


@pytest.mark.parametrize(
    ("resource", "sentence"),
    [
        pytest.param("text", "resource Bad is not a mapping.", id="text"),
        pytest.param("null", "resource Bad is not a mapping.", id="null"),
        pytest.param("{Properties: {}}", "resource Bad has no type.", id="no-type"),
        pytest.param("{Type: {a: b}}", "resource Bad has no type.", id="type-is-a-map"),
        pytest.param("{Type: [a]}", "resource Bad has no type.", id="type-is-a-list"),
    ],
)
def test_bad_resource_costs_only_itself(load_text: Callable[..., Stack], resource: str, sentence: str) -> None:
    stack = load_text(
        f"Resources:\n  Good: {{Type: AWS::S3::Bucket}}\n  Bad: {resource}\n  Fine: {{Type: AWS::S3::Bucket}}\n"
    )
    assert [r.address for r in stack.resources] == ["Good", "Fine"]
    (error,) = stack.errors
    assert error.message.startswith(f"template.yaml:3: {sentence}")


@pytest.mark.parametrize(
    "section",
    [
        "Parameters: [a]",
        "Parameters: {P: null}",
        "Parameters: {P: {Type: [x], Default: {a: b}, AllowedValues: x}}",
        "Parameters: {P: {AllowedValues: [{a: b}], AllowedPattern: '('}}",
        "Mappings: [a]",
        "Mappings: {M: [a], N: {a: [b]}}",
        "Conditions: [a]",
        "Conditions: {C: null}",
        "Conditions: {C: !Equals [a]}",
        "Conditions: {C: {'Fn::Not': {}}}",
        "Rules: [a]",
        "Rules: {R: {Assertions: [a, {Assert: [b]}, {Assert: {'Fn::Equals': a}}]}}",
        "Metadata: null",
        "Metadata: {cfn-lint: {config: {regions: [mars-1]}}}",
        "Globals: [a]",
        "Globals: {Function: null}",
        "Transform: {a: b}",
        "Transform: [[a]]",
        "Transform: AWS::Serverless-2016-10-31\nGlobals: {Function: {Layers: {a: b}}}",
        "Modules: [a]",
        "1: 2",
    ],
)
def test_odd_section_never_costs_the_resources(load_text: Callable[..., Stack], section: str) -> None:
    stack = load_text(f"""\
{section}
Resources:
  B:
    Type: AWS::S3::Bucket
    Properties:
      P: !Ref P
      M: !FindInMap [M, a, b]
      N: !FindInMap [N, a, !Ref AWS::Region]
      C: !If [C, 1, 2]
  F: {{Type: AWS::Serverless::Function}}
""")
    assert [r.address for r in stack.resources] == ["B", "F"]
    assert stack.feasible([("Parameters/P", "a", True)]) in (True, False)
    assert all(error.kind == "parse" and error.message.startswith("template.yaml") for error in stack.errors)


@pytest.mark.parametrize(
    "written",
    [
        "!Ref [a]",
        "!Ref null",
        "!GetAtt A",
        "!GetAtt [A]",
        "{'Fn::GetAtt': {a: b}}",
        "{'Fn::GetAtt': []}",
        "!If [C]",
        "!If [[C], 1, 2]",
        "!Sub [a]",
        "!Sub [[a], {}]",
        "!Sub null",
        "!Sub ['${}', {'': 1}]",
        "!Join [a]",
        "!Join [[a], b]",
        "!Join [',', text]",
        "!Join [',', [[a], {b: c}]]",
        "!Select [a, b]",
        "!Select [-1, [a]]",
        "!Select a",
        "!Split ['', a]",
        "!Split [',', [a]]",
        "!FindInMap [a]",
        "!FindInMap [{a: b}, [c], null]",
        "!FindInMap [a, b, c, {Other: d}]",
        "!Cidr [x, y, z]",
        "!Cidr [10.0.0.0/8, 1000000000, 1]",
        "!Cidr [10.0.0.1/8, 1, 8]",
        "!Cidr 1",
        "{'Fn::Length': text}",
        "{'Fn::ToJsonString': null}",
        "!Base64 null",
        "!ImportValue null",
        "!GetAZs null",
        "{'Fn::Nothing': 1}",
        "!!binary aGk=",
        "!!set {a}",
        "!!timestamp 2024-01-01",
        "{1: 2, 2.5: 3}",
        "'{{resolve:'",
    ],
)
def test_malformed_value_costs_only_itself(load_text: Callable[..., Stack], written: str) -> None:
    stack = load_text(f"""\
Resources:
  B:
    Type: AWS::S3::Bucket
    Properties:
      Bad: {written}
      Good: kept
""")
    assert stack.resources[0].attributes["Good"] == "kept"
    assert all(e.kind == "parse" and e.message.startswith("template.yaml:") for e in stack.errors)


@pytest.mark.parametrize("properties", ["text", "[a, b]", "5"])
def test_properties_that_are_no_mapping(load_text: Callable[..., Stack], properties: str) -> None:
    stack = load_text(f"Resources: {{B: {{Type: AWS::S3::Bucket, Properties: {properties}}}}}")
    assert set(stack.resources[0].attributes) == {"*"}
    assert "the Properties of B are not a mapping" in stack.errors[0].message


def test_import_is_cheap_and_a_scan_is_silent_and_minds_no_surroundings(tmp_path: Path) -> None:
    """In a process of its own: which modules the import loads, what is printed, and whose settings count."""
    (tmp_path / ".cfnlintrc").write_text("regions: [mars-1]\nignore_checks: [E]\n", encoding="utf-8")
    nested = "[" * 390 + "]" * 390  # too much for cfn-lint's JSON decoder, which logs that
    (tmp_path / "bad.json").write_text(f'{{"a": {nested}, "b": "\\q"}}', encoding="utf-8")
    (tmp_path / "good.yaml").write_text(
        "Resources: {S: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: ./none.yaml}}}", encoding="utf-8"
    )
    code = """
import sys
from srm_checks.engines.cloudformation import load
from srm_checks.model import EngineOptions, Unit, UnitKind
heavy = {"cfnlint", "yaml", "sympy"} & set(sys.modules)
assert not heavy, heavy
bad = load(Unit(UnitKind.CLOUDFORMATION, "bad.json"), EngineOptions())
good = load(Unit(UnitKind.CLOUDFORMATION, "good.yaml"), EngineOptions())
assert len(bad.errors) == 1 and not good.errors and len(good.resources) == 1
"""
    environment = {**os.environ, "AWS_REGION": "mars-1", "AWS_DEFAULT_REGION": "mars-1", "HOME": str(tmp_path)}
    environment["PYTHONPATH"] = os.pathsep.join(sys.path)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    "text",
    [
        "a:\n- " + "- " * 450 + "b\n",
        "".join(f"{' ' * depth}a:\n" for depth in range(450)) + " " * 450 + "b\n",
        "".join(f"{' ' * depth}a:\n{' ' * depth}-\n" for depth in range(220)) + " " * 220 + "b\n",
        "? " * 450 + "a\n",
        "[" * 450 + "]" * 450,
        "\r".join(f"{' ' * depth}a:" for depth in range(450)),
        "\x85".join(f"{' ' * depth}a:" for depth in range(450)),
        "a: &a [b]\nc: *a\n",
        "a:\n  &a b\n",
    ],
    ids=[
        "dashes",
        "mappings",
        "lists at the margin",
        "keys",
        "brackets",
        "returns",
        "next lines",
        "anchor",
        "anchor below",
    ],
)
def test_a_glance_leaves_what_may_be_deep_or_large_to_a_closer_look(text: str) -> None:
    assert not source._is_harmless(text)


def test_a_glance_is_enough_for_a_common_template() -> None:
    assert source._is_harmless(
        "Resources:\n  A:\n    Type: AWS::S3::Bucket\n    Properties: {Tags: [{Key: a, Value: b}]}\n"
    )
