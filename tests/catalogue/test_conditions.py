"""The language of the model conditions."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from srm_checks.catalogue.conditions import ConditionError, parse
from srm_checks.catalogue.scene import Judged, Scene
from srm_checks.model import ABSENT, Ref, Repeated, Resource, SourceRange, Stack, Unit, UnitKind, Unknown
from srm_checks.policy.access import Context, Environment, StackIndex
from srm_checks.policy.truth import FALSE, TRUE, UNKNOWN

VAR = Unknown("var.x")


def nobody(other: Resource, context: Context) -> Judged:
    raise AssertionError("no other resource is there")


def truth(test: str, value: Any, **others: Any) -> int:
    resource = Resource(
        type="aws_it", address="it", base="it", attributes={"a": value, **others}, block=SourceRange("main.tf", 1, 2)
    )
    index = StackIndex(Stack(unit=Unit(UnitKind.TERRAFORM, "."), resources=[resource]))
    context = Context(index, Environment(datetime.date(2026, 1, 1)), ())
    return parse(test, "a").read(Scene(resource, context, nobody))[0]


@pytest.mark.parametrize(
    ("test", "value", "expected"),
    [
        ("otherwise", ABSENT, TRUE),
        ("resource present", ABSENT, TRUE),
        ("present", ABSENT, FALSE),
        ("present", [], FALSE),
        ("present", "x", TRUE),
        ("present", False, TRUE),
        ("present", [{}], TRUE),
        ("present", VAR, UNKNOWN),
        ("present", Unknown("aws_x.y.arn", present=True), TRUE),
        ("present", [Repeated({})], UNKNOWN),
        ("absent", ABSENT, TRUE),
        ("absent", "x", FALSE),
        ("absent", VAR, UNKNOWN),
        ("present or absent", VAR, TRUE),
        ("== EC2", "EC2", TRUE),
        ("== EC2", "FARGATE", FALSE),
        ("== EC2", ABSENT, FALSE),
        ("== EC2", VAR, UNKNOWN),
        ("== EC2", Unknown('"FAR${var.x}"', parts=("FAR", None)), FALSE),
        ("== true", True, TRUE),
        ("== true", "true", TRUE),
        ("absent or == EC2", ABSENT, TRUE),
        ("absent or == EC2", "FARGATE", FALSE),
        ("!= CUSTOM", "CUSTOM", FALSE),
        ("!= CUSTOM", "AL2", TRUE),
        ("!= CUSTOM", ABSENT, FALSE),
        ("absent or != CUSTOM", ABSENT, TRUE),
        ("absent or != CUSTOM", VAR, UNKNOWN),
        ("in EC2, SPOT", "SPOT", TRUE),
        ("in EC2, SPOT", "FARGATE", FALSE),
        ("starts with custom-", "custom-oracle-ee", TRUE),
        ("starts with custom-", "oracle-ee", FALSE),
        ("starts with custom-", VAR, UNKNOWN),
        ("starts with custom-", Unknown('"custom-${var.x}"', parts=("custom-", None)), TRUE),
        ("does not start with custom-", "oracle-ee", TRUE),
        ("does not start with custom-", ABSENT, FALSE),
        ("does not start with custom-", VAR, UNKNOWN),
        ("contains only EC2", ["EC2"], TRUE),
        ("contains only EC2", ["EC2", "FARGATE"], FALSE),
        ("contains only EC2", [], FALSE),
        ("contains only EC2", ABSENT, FALSE),
        ("contains only EC2", ["EC2", VAR], UNKNOWN),
        ("contains only EC2", ["FARGATE", VAR], FALSE),
        ("contains only EC2", [Repeated("EC2")], UNKNOWN),
        ("all in A, B", ["A", "B"], TRUE),
        ("all in A, B", ["A", "C"], FALSE),
        ("an AWS deep learning image", "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch:2", TRUE),
        ("an AWS deep learning image", "123456789012.dkr.ecr.us-east-1.amazonaws.com/mine:1", UNKNOWN),
        ("an AWS deep learning image", "docker.io/mine:1", FALSE),
        ("an AWS deep learning image", ABSENT, FALSE),
        (
            "an AWS deep learning image",
            Unknown("", parts=("763104351884.dkr.ecr.", None, ".amazonaws.com/pytorch:2")),
            TRUE,
        ),
        ("an AWS deep learning image", Unknown("data.x", refs=(Ref("data.aws_sagemaker_prebuilt_ecr_image.x"),)), TRUE),
        ("an AWS deep learning image", Unknown("", parts=(None, "/pytorch:2")), UNKNOWN),
        ("an AWS deep learning image", VAR, UNKNOWN),
        ("related: a bundle of AWS", "x", FALSE),
    ],
)
def test_one_check(test: str, value: Any, expected: int) -> None:
    assert truth(test, value) == expected


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("EC2", ABSENT, TRUE),
        (ABSENT, ABSENT, TRUE),
        ("EC2", "x", FALSE),
        ("EC2", VAR, UNKNOWN),
        ("FARGATE", VAR, FALSE),
    ],
)
def test_all_clauses_must_hold(a: Any, b: Any, expected: int) -> None:
    assert truth("absent or == EC2, and b absent", a, b=b) == expected


def test_a_clause_that_is_false_decides_against_a_related_one() -> None:
    test = "== Zip, and related: a bundle of AWS"
    assert truth(test, "Image", bundle_id="wsb-1") == FALSE
    assert truth(test, "Zip", bundle_id="wsb-1") == UNKNOWN


OPTION = "option aws:autoscaling:asg MinSize absent or == 1"


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (ABSENT, TRUE),
        ([{"namespace": "aws:autoscaling:asg", "name": "MinSize", "value": "1"}], TRUE),
        ([{"namespace": "aws:autoscaling:asg", "name": "MinSize", "value": "2"}], FALSE),
        ([{"Namespace": "aws:autoscaling:asg", "OptionName": "MinSize", "Value": 2}], FALSE),
        ([{"namespace": "aws:autoscaling:asg", "name": "MaxSize", "value": "2"}], TRUE),
        ([{"namespace": "aws:autoscaling:asg", "name": VAR, "value": "2"}], UNKNOWN),
        ([Repeated({"namespace": VAR, "name": VAR, "value": VAR})], UNKNOWN),
        (VAR, UNKNOWN),
    ],
)
def test_an_entry_of_a_list_of_options(settings: Any, expected: int) -> None:
    assert truth(OPTION, settings) == expected


@pytest.mark.parametrize(
    ("test", "attribute"),
    [
        ("", "a"),
        ("is EC2", "a"),
        ("== ", "a"),
        ("present", ""),
        ("absent or", "a"),
        ("present, and b is fine", "a"),
        ("related: a thing unheard of", "a"),
    ],
)
def test_a_test_outside_the_language_is_refused(test: str, attribute: str) -> None:
    with pytest.raises(ConditionError):
        parse(test, attribute)
