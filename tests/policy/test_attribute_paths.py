"""Every attribute path that a policy names exists, nesting included; and the check itself, on made-up policies."""

from __future__ import annotations

import csv
import functools
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from srm_checks.policy.source import parse, read
from tests.policy.making import HEAD
from tools.attribute_paths import (
    DOCUMENTS,
    ELSEWHERE,
    WITHOUT,
    Checked,
    policy_files,
    repeats,
    shape_of,
)

ROOT = Path(__file__).resolve().parent.parent.parent
ORGANISATION = sorted(path for path in (ROOT / "examples/org-pack").rglob("*.yaml") if path.name != "pack.yaml")
POLICIES = [*policy_files(), *(path for path in ORGANISATION if "fixtures" not in path.parts)]


@functools.cache
def checked(path: Path) -> Checked:
    return Checked(read(str(path)))


@pytest.mark.parametrize("path", POLICIES, ids=[path.stem for path in POLICIES])
def test_a_policy_names_only_paths_that_exist(path: Path) -> None:
    assert checked(path).problems == []


@pytest.mark.parametrize(
    ("table", "used"),
    [
        pytest.param(WITHOUT, lambda policy: {(name,) for name in policy.without}, id="types without data"),
        pytest.param(DOCUMENTS, lambda policy: policy.documents, id="JSON documents"),
        pytest.param(ELSEWHERE, lambda policy: policy.elsewhere, id="paths of other versions"),
    ],
)
def test_the_exceptions_are_needed_and_have_a_reason(
    table: Path, used: Callable[[Checked], set[tuple[str, ...]]]
) -> None:
    with table.open(encoding="utf-8") as stream:
        rows = list(csv.reader((line for line in stream if not line.startswith("#")), delimiter="\t"))[1:]
    assert all(row[-1].strip() for row in rows)
    assert {tuple(row[:-1]) for row in rows} - set().union(*(used(checked(path)) for path in POLICIES)) == set()


# ------------------------------------------------------------------ the check

INSTANCE = '{terraform: aws_instance, cloudformation: "AWS::EC2::Instance"}'


def problems(body: str, types: str = INSTANCE) -> list[str]:
    """The mistakes without their places."""
    return [problem.split(": ", 1)[1] for problem in placed(body, types)]


def placed(body: str, types: str = INSTANCE) -> list[str]:
    return Checked(parse("policy.yaml", f"{HEAD}resources: {types}\n{textwrap.dedent(body)}")).problems


@pytest.mark.parametrize(
    "condition",
    [
        pytest.param("{attribute: monitoring, exists: yes}", id="by rule"),
        pytest.param("{attribute: metadata_options.http_tokens / MetadataOptions.HttpTokens, exists: yes}", id="nested"),
        pytest.param("{attribute: tags.Owner / Tags.Value, exists: yes}", id="keys of a map"),
        pytest.param("{attribute: lifecycle.prevent_destroy / DeletionPolicy, exists: yes}", id="names of all resources"),
        pytest.param("{tag: anything.at.all, exists: yes}", id="tag"),
        pytest.param(
            "{some: {in: ebs_block_device / BlockDeviceMappings, where: {attribute: encrypted / Ebs.Encrypted, is_true: yes}}}",
            id="element of a block",
        ),
        pytest.param(
            "{case: {terraform: {attribute: ami, exists: yes}, cloudformation: {attribute: ImageId, exists: yes}}}",
            id="case",
        ),
        pytest.param(
            "{attribute: {terraform: [ami, user_data], cloudformation: [ImageId, UserData]}, exists: yes}",
            id="several by framework",
        ),
        pytest.param("{every: {in: security_groups, where: {attribute: ., starting_with: sg}}}", id="the element itself"),
        pytest.param(
            "{related: {resources: {terraform: aws_subnet, cloudformation: 'AWS::EC2::Subnet'}, through: subnet_id, "
            "missing: gap, every: {attribute: map_public_ip_on_launch, is_true: yes}}}",
            id="related",
        ),
    ],
)  # fmt: skip
def test_right_paths(condition: str) -> None:
    assert problems(f"require: {condition}") == []


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        pytest.param(
            "{attribute: metadata_options.http_token / MetadataOptions.HttpTokens, exists: yes}",
            ["aws_instance.metadata_options has no 'http_token'; did you mean 'http_tokens'?"],
            id="nested in Terraform",
        ),
        pytest.param(
            "{attribute: metadata_options.http_tokens / MetadataOptions.HttpToken, exists: yes}",
            ["AWS::EC2::Instance.MetadataOptions has no 'HttpToken'; did you mean 'HttpTokens'?"],
            id="nested in CloudFormation",
        ),
        pytest.param(
            "{attribute: http_tokens / MetadataOptions.HttpTokens, exists: yes}",
            ["aws_instance has no 'http_tokens'"],
            id="a nested name at the top",
        ),
        pytest.param(
            "{attribute: ami.name / ImageId.Name, exists: yes}",
            [
                "AWS::EC2::Instance.ImageId has no 'Name'; it holds a plain value",
                "aws_instance.ami has no 'name'; it holds a plain value",
            ],
            id="below a plain value",
        ),
        pytest.param(
            "{some: {in: ebs_block_device / BlockDeviceMappings, where: {attribute: encrypted, is_true: yes}}}",
            ["AWS::EC2::Instance.BlockDeviceMappings has no 'Encrypted'"],
            id="in a quantifier, by rule",
        ),
        pytest.param(
            "{not: {all: [{every: {in: network_interface / NetworkInterfaces, where: {port_range: {from: device_index, "
            "to: device_index, protocol: protocol / GroupSet}, includes_any: [22]}}}]}}",
            ["aws_instance.network_interface has no 'protocol'"],
            id="deep down, ports",
        ),
        pytest.param(
            "{related: {resources: {terraform: aws_subnet, cloudformation: 'AWS::EC2::Subnet'}, through: subnet_id, "
            "missing: gap, every: {attribute: map_public_ip / MapPublicIpOnLaunch, is_true: yes}}}",
            ["aws_subnet has no 'map_public_ip'; did you mean 'map_public_ip_on_launch'?"],
            id="of a related resource",
        ),
        pytest.param(
            "{related: {resources: {terraform: aws_ebs_volume, cloudformation: 'AWS::EC2::Volume'}, by: instance_id / Instances,"
            " identity: id / Names, missing: gap}}",
            [
                "AWS::EC2::Instance has no 'Names'",
                "AWS::EC2::Volume has no 'Instances'",
                "aws_ebs_volume has no 'instance_id'",
            ],
            id="links",
        ),
        pytest.param(
            "{case: {otherwise: {attribute: PrivateIp, exists: yes}, aws_instance: {attribute: ami, exists: yes}}}",
            ["AWS::EC2::Instance has no 'PrivateIp'; did you mean 'PrivateIpAddress'?"],
            id="what a template cannot set",
        ),
    ],
)  # fmt: skip
def test_wrong_paths(condition: str, expected: list[str]) -> None:
    found = sorted(problems(f"require: {condition}"))
    assert len(found) == len(expected), found
    for problem, start in zip(found, expected, strict=True):
        assert problem.startswith(start)


def test_a_mistake_comes_with_its_place() -> None:
    found = placed("""\
        require:
          attribute:
            terraform: metadata_options.http_token
            cloudformation: MetadataOptions.HttpTokens
          exists: yes
        unknown_when:
          - when: {attribute: [user_data, users_data], exists: yes}
            cause: provider-default
            for: terraform
        """)
    assert [problem.split(": ")[0] for problem in found] == ["policy.yaml:14:5", "policy.yaml:18:35"]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        pytest.param("{some: {statements: policy / PolicyDocument, where: {attribute: Effect, equals: Allow}}}", [], id="right"),
        pytest.param(
            "{some: {statements: policy / PolicyDocument, where: {attribute: Effects, equals: Allow}}}",
            ["AWS::IAM::ManagedPolicy.PolicyDocument has no 'Effects'; did you mean 'Effect'?"],
            id="wrong",
        ),
        pytest.param(
            "{some: {statements: policy / PolicyDocument, where: {none: {in: Conditions, where: {attribute: Keys, equals: a}}}}}",
            ["AWS::IAM::ManagedPolicy.PolicyDocument.Conditions has no 'Keys'; did you mean 'Key'?"],
            id="conditions",
        ),
    ],
)  # fmt: skip
def test_statements_have_the_shape_of_the_language(condition: str, expected: list[str]) -> None:
    types = '{terraform: {not_expressible: x}, cloudformation: "AWS::IAM::ManagedPolicy"}'
    assert problems(f"require: {condition}", types) == expected


@pytest.mark.parametrize(
    ("types", "condition"),
    [
        pytest.param(
            "{terraform: aws_ecs_task_definition, cloudformation: {not_expressible: x}}",
            "{some: {in: container_definitions, where: {attribute: anything.at.all, exists: yes}}}",
            id="JSON text",
        ),
        pytest.param(
            '{terraform: {not_expressible: x}, cloudformation: "AWS::Lambda::Function"}',
            "{some: {values_of: Environment.Variables, where: {attribute: ., has_secret: yes}}}",
            id="values of a map",
        ),
        pytest.param(
            '{terraform: {not_expressible: x}, cloudformation: "AWS::RDS::DBParameterGroup"}',
            "{attribute: Parameters.rds.force_ssl, equals: 1}",
            id="keys with dots",
        ),
        pytest.param(
            '{terraform: {not_expressible: x}, cloudformation: "AWS::Serverless::Function"}',
            "{attribute: VpcConfig.SubnetIds, exists: yes}",
            id="SAM",
        ),
        pytest.param(
            "{terraform: data.aws_ami, cloudformation: {not_expressible: x}}",
            "{some: {in: filter, where: {attribute: name, exists: yes}}}",
            id="data source",
        ),
    ],
)
def test_documents_maps_and_other_kinds(types: str, condition: str) -> None:
    assert problems(f"require: {condition}", types) == []


def test_a_type_without_data_is_not_passed_silently() -> None:
    types = '{terraform: aws_no_such_thing, cloudformation: "AWS::No::Thing"}'
    found = problems("require: {attribute: anything, exists: yes}", types)
    assert [problem.partition(":")[0] for problem in found] == ["there is no data on AWS", "there is no data on aws_no_such_thing"]  # fmt: skip


@pytest.mark.parametrize(
    ("type_name", "path", "several"),
    [
        ("aws_s3_bucket", ("versioning", "enabled"), False),
        ("aws_s3_bucket", ("cors_rule", "allowed_headers"), True),
        ("aws_s3_bucket", ("acl",), False),
        ("AWS::S3::Bucket", ("VersioningConfiguration", "Status"), False),
        ("AWS::S3::Bucket", ("BucketEncryption", "ServerSideEncryptionConfiguration", "BucketKeyEnabled"), True),
        ("aws_no_such_thing", ("a", "b"), True),
    ],
)
def test_which_paths_lead_to_several_values(type_name: str, path: tuple[str, ...], several: bool) -> None:
    assert repeats(type_name, path) is several


def test_a_shape_that_contains_itself_ends() -> None:
    shape = shape_of("AWS::WAFv2::WebACL")
    for _ in range(20):
        assert shape is not None
        shape = shape.names().get("Statement") or shape.names().get("AndStatement") or shape.names().get("Statements") or shape.names().get("Rules")  # fmt: skip
    assert shape is not None
