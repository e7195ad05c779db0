"""YAML and JSON of one meaning, and the two doors, give equal stacks."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cfnlint.decode import decode, decode_str
from cfnlint.template import Template

from srm_checks.engines.cloudformation import load, stack_from_template
from srm_checks.model import EngineOptions, Stack, Unit, UnitKind

FULL = """\
AWSTemplateFormatVersion: '2010-09-09'
Transform: [AWS::LanguageExtensions, AWS::Serverless-2016-10-31]
Metadata: {cfn-lint: {config: {ignore_checks: [E906001]}}}
Globals: {Function: {Layers: [base]}}
Parameters:
  Env: {Type: String, AllowedValues: [dev, prod]}
  Names: {Type: CommaDelimitedList}
  Key: {Type: String}
Mappings: {M: {dev: {S: 1}, prod: {S: 2}}}
Conditions:
  IsProd: !Equals [!Ref Env, prod]
  Never: !Equals [a, b]
Resources:
  Fn::ForEach::Loop:
    - N
    - !Ref Names
    - B${N}: {Type: AWS::S3::Bucket, Properties: {BucketName: !Ref N}}
  Gone: {Type: AWS::S3::Bucket, Condition: Never}
  Db:
    Type: AWS::RDS::DBInstance
    Condition: IsProd
    DeletionPolicy: Retain
    # checkov:skip=SRM-DAR-005:known
    Properties:
      StorageEncrypted: !If [IsProd, true, !Ref AWS::NoValue]
      KmsKeyId: !If [Never, x, !Ref Key]
      Size: !FindInMap [M, !Ref Env, S]
      Name: !Sub "${Env}-${AWS::Region}"
      Role: !GetAtt Role.Arn
      List: [!If [IsProd, a, b], !ImportValue c]
      Password: "{{resolve:ssm-secure:/p}}"
      Tags: [{Key: a, Value: !Join ["-", [x, !Ref Role]]}]
  Role: {Type: AWS::IAM::Role}
  F: {Type: AWS::Serverless::Function, Properties: {Layers: [own]}}
"""
UNIT = Unit(UnitKind.CLOUDFORMATION, "template.yaml")


def values(stack: Stack) -> list[Any]:
    return [(r.type, r.address, repr(r.attributes), r.exists, r.references, repr(r.tags)) for r in stack.resources]


def everything(stack: Stack) -> Any:
    places = [(r.block, dict(r.lines), r.suppressions) for r in stack.resources]
    return values(stack), places, stack.errors, stack.unread_modules


def test_json_and_yaml_give_equal_values(load_text: Callable[..., Stack]) -> None:
    document, _ = decode_str(FULL)
    from_json = load_text(json.dumps(document, indent=1), file="template.json")
    from_yaml = load_text(FULL)
    assert from_json.errors == from_yaml.errors == []
    assert values(from_json) == values(from_yaml)
    assert len(from_yaml.resources) == 4


def template_of(path: str) -> Template:
    document, matches = decode(path)
    assert not matches
    cfn = Template(path, document, ["us-east-1"])
    cfn.transform()
    return cfn


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(FULL, id="loops-that-cfn-lint-expands-by-guesses"),
        pytest.param(FULL.replace("AWS::LanguageExtensions, ", ""), id="globals-merged-by-cfn-lint"),
    ],
)
def test_both_doors_give_equal_stacks(load_text: Callable[..., Stack], text: str) -> None:
    from_file = load_text(text)
    from_template = stack_from_template(template_of("template.yaml"), UNIT, EngineOptions())
    assert everything(from_template) == everything(from_file)


def test_template_from_standard_input_lacks_only_its_comments() -> None:
    document, _ = decode_str("Resources: {B: {Type: AWS::S3::Bucket, Properties: {Name: x}}}")
    stack = stack_from_template(
        Template(None, document, ["us-east-1"]), Unit(UnitKind.CLOUDFORMATION, "-"), EngineOptions()
    )
    assert stack.errors == []
    assert stack.resources[0].attributes == {"Name": "x"}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_template_from_a_pipe_is_not_read_again(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.yaml"
    os.mkfifo(pipe)
    document, _ = decode_str("Resources: {B: {Type: AWS::S3::Bucket, Properties: {Name: x}}}")
    unit = Unit(UnitKind.CLOUDFORMATION, str(pipe))
    stack = stack_from_template(Template(None, document, ["us-east-1"]), unit, EngineOptions())
    assert (stack.errors, stack.resources[0].attributes) == ([], {"Name": "x"})


def test_guesses_of_cfn_lint_are_refused_where_the_file_is_not_at_hand() -> None:
    document, _ = decode_str("Transform: AWS::LanguageExtensions\nResources: {B: {Type: AWS::S3::Bucket}}")
    stack = stack_from_template(
        Template(None, document, ["us-east-1"]), Unit(UnitKind.CLOUDFORMATION, "-"), EngineOptions()
    )
    assert (len(stack.errors), stack.resources) == (1, [])


def test_two_loads_are_equal(load_text: Callable[..., Stack]) -> None:
    assert everything(load_text(FULL)) == everything(load_text(FULL))


def test_a_template_beside_is_not_read(load_text: Callable[..., Stack]) -> None:
    Path("child.yaml").write_text("Resources: {B: {Type: AWS::S3::Bucket}}", encoding="utf-8")
    stack = load_text("Resources: {S: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: child.yaml}}}")
    assert [r.address for r in stack.resources] == ["S"]
    assert stack.files == {"template.yaml"}


def test_path_is_kept_as_given(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "t.yaml").write_text("Resources: {B: {Type: AWS::S3::Bucket}}", encoding="utf-8")
    stack = load(Unit(UnitKind.CLOUDFORMATION, "sub/t.yaml"), EngineOptions())
    assert stack.resources[0].block.path == "sub/t.yaml"
