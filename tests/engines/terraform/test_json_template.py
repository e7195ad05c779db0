"""JSON documents that a template makes around `jsonencode` of open values."""

from __future__ import annotations

from typing import Any

import pytest

from srm_checks.model import ABSENT, Encoded, Unknown
from tests.engines.terraform.conftest import Roots

SETTING = """
variable "arns" {}
variable "bucket" {}
"""


def statement(value: Any) -> Any:
    assert isinstance(value, Encoded), value
    return value.value["Statement"][0]


@pytest.mark.parametrize(
    "resource",
    [
        pytest.param("${jsonencode(var.arns)}", id="variable"),
        pytest.param('${jsonencode([for arn in ["a", var.bucket] : "${arn}"])}', id="list-with-open-element"),
        pytest.param("${jsonencode({ a = var.bucket })}", id="object"),
    ],
)
def test_what_is_written_beside_jsonencode_is_known(roots: Roots, resource: str) -> None:
    document = f'{{"Statement": [{{"Effect": "Allow", "Action": ["s3:Get*"], "Resource": {resource}}}]}}'
    found = statement(roots.value(f"<<EOT\n{document}\nEOT\n", SETTING))
    assert (found["Effect"], found["Action"]) == ("Allow", ["s3:Get*"])


def test_the_encoded_value_stands_in_its_place(roots: Roots) -> None:
    value = roots.value('<<EOT\n{"Statement": [{"Resource": ${jsonencode(["a", var.bucket])}}]}\nEOT\n', SETTING)
    known, unknown = statement(value)["Resource"]
    assert known == "a"
    assert isinstance(unknown, Unknown)
    assert unknown.text == "var.bucket"


def test_a_template_file_of_one_jsonencode_and_a_line_end(roots: Roots) -> None:
    roots.write({"policy.json.tftpl": '${jsonencode({ Statement = [{ Effect = "Deny", Resource = arns }] })}\n'})
    found = statement(roots.value('templatefile("policy.json.tftpl", { arns = var.arns })', SETTING))
    assert found["Effect"] == "Deny"
    assert isinstance(found["Resource"], Unknown)


def test_open_texts_within_strings_keep_what_is_known(roots: Roots) -> None:
    value = roots.value(
        '<<EOT\n{"Statement": [{"Sid": "${var.bucket}", "Action": ${jsonencode(var.arns)},'
        ' "Resource": "arn:aws:s3:::${var.bucket}/*"}]}\nEOT\n',
        SETTING,
    )
    found = statement(value)
    assert found["Resource"].parts == ("arn:aws:s3:::", None, "/*")
    assert found["Sid"].text == "var.bucket"


def test_null_is_not_set(roots: Roots) -> None:
    value = roots.value('<<EOT\n{"Statement": [{"Sid": null, "Action": ${jsonencode(var.arns)}}]}\nEOT\n', SETTING)
    assert statement(value).get("Sid", ABSENT) is ABSENT


@pytest.mark.parametrize(
    "document",
    [
        pytest.param('{"${var.bucket}": ${jsonencode(var.arns)}}', id="open-key"),
        pytest.param('{"a": ${var.bucket}, "b": ${jsonencode(var.arns)}}', id="open-text-outside-a-string"),
        pytest.param('{"a": "${jsonencode(var.arns)}"}', id="within-a-string"),
        pytest.param("echo ${jsonencode(var.arns)}", id="no-json"),
        pytest.param("${jsonencode(var.arns)} ", id="no-object"),
    ],
)
def test_what_is_no_such_document_stays_a_text_with_holes(roots: Roots, document: str) -> None:
    value = roots.value(f"<<EOT\n{document}\nEOT\n", SETTING)
    assert isinstance(value, Unknown)
    assert value.parts is not None
    assert None in value.parts
