"""How other engines name resources."""

from __future__ import annotations

import pytest

from srm_checks.foreign.naming import ResourceName, from_checkov, from_source


@pytest.mark.parametrize(
    ("name", "type_name", "address"),
    [
        ("aws_lb.a", "aws_lb", "aws_lb.a"),
        ("aws_lb.a[0]", "aws_lb", "aws_lb.a[0]"),
        ('module.m["a.b"].aws_lb.a["x]"]', "aws_lb", 'module.m["a.b"].aws_lb.a["x]"]'),
        ("module.m.module.n[1].aws_lb.a", "aws_lb", "module.m.module.n[1].aws_lb.a"),
        ("aws_iam_policy_document.d", "data.aws_iam_policy_document", "data.aws_iam_policy_document.d"),
        (
            "module.m.aws_iam_policy_document.d",
            "data.aws_iam_policy_document",
            "module.m.data.aws_iam_policy_document.d",
        ),
        ("data.aws_lb.d", "data.aws_lb", "data.aws_lb.d"),
        ("aws.default", "(provider)", "provider.aws"),
        ("aws.west", "(provider)", "provider.aws.west"),
        ("AWS::S3::Bucket.Logs", "AWS::S3::Bucket", "Logs"),
        ("25910f981e85ca04", None, "25910f981e85ca04"),
        ("", None, ""),
    ],
)
def test_checkovs_names(name: str, type_name: str | None, address: str) -> None:
    assert from_checkov(name) == ResourceName(type_name, address)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('resource "aws_lb" "a" {\n}\n', ResourceName("aws_lb", "aws_lb.a")),
        ('data "aws_lb" "a" {\n}\n', ResourceName("data.aws_lb", "data.aws_lb.a")),
        ('provider "aws" {\n}\n', ResourceName("(provider)", "provider.aws")),
        ("  Db:\n    Type: AWS::RDS::DBInstance\n", ResourceName("AWS::RDS::DBInstance", "Db")),
        ('  "Db": {\n    "Type": "AWS::RDS::DBInstance",\n', ResourceName("AWS::RDS::DBInstance", "Db")),
        ("  Db: {Type: 'AWS::RDS::DBInstance'}\n", ResourceName("AWS::RDS::DBInstance", "Db")),
        ("  access_key = 1\n", None),
        ("", None),
    ],
)
def test_source_text(text: str, expected: ResourceName | None) -> None:
    assert from_source(text) == expected
