"""The service model of a report's subject, from the code that it is about."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from srm_checks.foreign.code import Code, Subject
from srm_checks.model import EngineOptions, Stack, Unit, UnitKind
from srm_checks.units import load_unit

Project = Callable[[dict[str, str]], Path]

MAIN = """\
resource "aws_ecs_service" "s" {
  for_each    = { host = "EC2", none = "FARGATE" }
  name        = each.key
  launch_type = each.value
}
resource "aws_ecs_service" "one" {
  name        = "one"
  launch_type = "FARGATE"
}
"""


@pytest.fixture
def code(project: Project) -> Code:
    project({"main.tf": MAIN})
    return Code(lambda: [load_unit(Unit(UnitKind.TERRAFORM, "."), EngineOptions())])


def model(code: Code, address: str, line: int = 1, *, type_name: str = "aws_ecs_service") -> str | None:
    decision = code.decision(Subject(type_name, address, "main.tf", line))
    return decision.service_model if decision else "no decision"


@pytest.mark.parametrize(
    ("address", "line", "expected"),
    [
        ('aws_ecs_service.s["host"]', 1, "IaaS"),
        ('aws_ecs_service.s["none"]', 1, "CaaS"),
        ("aws_ecs_service.one[0]", 1, "CaaS"),
        ("line 7", 7, "CaaS"),
        ("line 1", 1, None),
        ("aws_ecs_service.s", 1, None),
        ("aws_ecs_service.gone", 99, "no decision"),
    ],
)
def test_by_address_else_by_line(code: Code, address: str, line: int, expected: str | None) -> None:
    assert model(code, address, line) == expected


def test_instances_that_differ_say_so(code: Code) -> None:
    decision = code.decision(Subject("aws_ecs_service", "aws_ecs_service.s", "main.tf", 1))
    assert decision is not None
    assert decision.decided_by.startswith("its instances differ: launch_type = EC2")


def test_a_type_that_decides_by_itself_reads_no_code() -> None:
    def load() -> Iterator[Stack]:
        raise AssertionError("the code was read")

    assert model(Code(load), "aws_s3_bucket.b", type_name="aws_s3_bucket") == "no decision"


def test_without_code() -> None:
    assert model(Code(), "aws_ecs_service.one") == "no decision"
