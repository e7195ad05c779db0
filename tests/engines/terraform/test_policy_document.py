"""data.aws_iam_policy_document as the policy that it describes."""

from __future__ import annotations

from typing import Any

from srm_checks.model import ABSENT, Choice, Encoded, Repeated, Unknown
from srm_checks.model import Test as Condition

ON = Condition("|var.on", True, "var.on")


def policy(roots: Any, body: str, setting: str = "") -> Any:
    text = f'{setting}\ndata "aws_iam_policy_document" "p" {{\n{body}\n}}\n'
    resources = roots.resources(text + 'resource "aws_x" "y" {\n  p = data.aws_iam_policy_document.p.json\n}')
    value = resources["aws_x.y"].attributes["p"]
    assert resources["data.aws_iam_policy_document.p"].attributes["json"] == value
    assert isinstance(value, Encoded)
    return value.value


def test_statement(roots: Any) -> None:
    assert policy(
        roots,
        """
        policy_id = "id"
        statement {
          sid         = "one"
          effect      = "Deny"
          actions     = ["s3:*"]
          not_actions = []
          resources   = ["*"]
          principals {
            type        = "AWS"
            identifiers = ["a", "b"]
          }
          principals {
            type        = "AWS"
            identifiers = ["c"]
          }
          principals {
            type        = "Service"
            identifiers = ["ec2.amazonaws.com"]
          }
          condition {
            test     = "Bool"
            variable = "aws:SecureTransport"
            values   = ["false"]
          }
          condition {
            test     = "StringLike"
            variable = "x"
            values   = ["y"]
          }
        }
        """,
    ) == {
        "Version": "2012-10-17",
        "Id": "id",
        "Statement": [
            {
                "Sid": "one",
                "Effect": "Deny",
                "Action": ["s3:*"],
                "Resource": ["*"],
                "Principal": {"AWS": ["a", "b", "c"], "Service": ["ec2.amazonaws.com"]},
                "Condition": {"Bool": {"aws:SecureTransport": ["false"]}, "StringLike": {"x": ["y"]}},
            }
        ],
    }


def test_defaults(roots: Any) -> None:
    assert policy(roots, 'statement {\n  not_actions = ["iam:*"]\n  not_resources = ["x"]\n}')["Statement"] == [
        {"Effect": "Allow", "NotAction": ["iam:*"], "NotResource": ["x"]}
    ]
    assert policy(roots, "")["Statement"] == []
    assert policy(roots, 'version = "2008-10-17"')["Version"] == "2008-10-17"


def test_everybody(roots: Any) -> None:
    [statement] = policy(roots, 'statement {\n  principals {\n    type = "*"\n    identifiers = ["*"]\n  }\n}')[
        "Statement"
    ]
    assert statement["Principal"] == "*"


def test_open_parts_stay_in_their_place(roots: Any) -> None:
    setting = 'variable "on" {}\nvariable "arns" {}\nresource "aws_s3_bucket" "b" {}'
    body = """
    statement {
      actions   = ["s3:GetObject"]
      resources = ["${aws_s3_bucket.b.arn}/*"]
      principals {
        type        = "AWS"
        identifiers = var.arns
      }
    }
    dynamic "statement" {
      for_each = var.on ? ["x"] : []
      content {
        actions = [statement.value]
      }
    }
    dynamic "statement" {
      for_each = var.arns
      content {
        actions = ["a"]
      }
    }
    """
    first, second, third = policy(roots, body, setting)["Statement"]
    assert first["Resource"][0].parts == ("arn:", None, "/*")
    assert first["Principal"] == {"AWS": Unknown("var.arns", subject="|var.arns")}
    assert second == Choice(ON, {"Effect": "Allow", "Action": ["x"]}, ABSENT)
    assert third == Repeated({"Effect": "Allow", "Action": ["a"]})


def test_a_condition_with_an_open_key_leaves_the_others_known(roots: Any) -> None:
    body = """
    statement {
      actions = ["a"]
      condition {
        test     = "StringLike"
        variable = "${var.provider}:sub"
        values   = ["repo:*"]
      }
      condition {
        test     = "StringLike"
        variable = "gitlab.com:sub"
        values   = ["x"]
      }
      condition {
        test     = "StringEquals"
        variable = "aws:SourceAccount"
        values   = ["1"]
      }
    }
    """
    (statement,) = policy(roots, body, 'variable "provider" {}')["Statement"]
    likes = statement["Condition"]["StringLike"]
    assert likes["gitlab.com:sub"] == ["x", Repeated(Unknown('"${var.provider}:sub"'))]  # the open key may be this one
    assert isinstance(likes["*"], Unknown)
    assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": ["1"]}


def test_documents_that_are_taken_in(roots: Any) -> None:
    setting = """
    variable "extra" {}
    data "aws_iam_policy_document" "base" {
      statement {
        sid     = "a"
        actions = ["base"]
      }
      statement {
        sid     = "b"
        actions = ["base"]
      }
    }
    """
    body = """
    source_policy_documents   = [data.aws_iam_policy_document.base.json, var.extra]
    override_policy_documents = [jsonencode({ Statement = { Sid = "a", Action = "override" } })]
    statement {
      sid     = "b"
      actions = ["own"]
    }
    """
    statements = policy(roots, body, setting)["Statement"]
    assert statements == [
        {"Sid": "a", "Action": "override"},
        {"Sid": "b", "Effect": "Allow", "Action": ["own"]},
        Repeated(Unknown("var.extra", subject="|var.extra")),
    ]


def test_unknown_list_of_documents(roots: Any) -> None:
    statements = policy(roots, "source_policy_documents = var.on", 'variable "on" {}')["Statement"]
    assert statements == [Repeated(Unknown("var.on", subject="|var.on"))]


def test_document_by_an_open_condition(roots: Any) -> None:
    setting = 'variable "on" {}'
    body = 'source_policy_documents = [var.on ? "{\\"Statement\\": [{\\"Sid\\": \\"x\\"}]}" : ""]'
    assert policy(roots, body, setting)["Statement"] == [Choice(ON, {"Sid": "x"}, ABSENT)]


def test_document_that_is_no_json(roots: Any) -> None:
    [statement] = policy(roots, 'source_policy_documents = ["{"]')["Statement"]
    assert isinstance(statement, Repeated)


def test_open_principal_type(roots: Any) -> None:
    body = 'statement {\n  principals {\n    type = var.on\n    identifiers = ["x"]\n  }\n}'
    [statement] = policy(roots, body, 'variable "on" {}')["Statement"]
    assert isinstance(statement["Principal"], Unknown)


def test_decoded_again(roots: Any) -> None:
    setting = 'data "aws_iam_policy_document" "p" {\n  statement {\n    actions = ["a"]\n  }\n}'
    assert roots.value("jsondecode(data.aws_iam_policy_document.p.json).Statement[0].Action", setting) == ["a"]
