"""Templates as text, loaded through the engine's own door."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from srm_checks.engines.cloudformation import load
from srm_checks.model import EngineOptions, Resource, Stack, Unit, UnitKind


@pytest.fixture(autouse=True)
def _working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def load_text() -> Callable[..., Stack]:
    """Write a template and load it; keyword arguments become parameter values."""

    def run(text: str, *, file: str = "template.yaml", strict: bool = False, **parameters: str) -> Stack:
        Path(file).write_text(textwrap.dedent(text), encoding="utf-8")
        options = EngineOptions(parameters=parameters, strict_parameters=strict)
        return load(Unit(UnitKind.CLOUDFORMATION, file), options)

    return run


@pytest.fixture
def load_one(load_text: Callable[..., Stack]) -> Callable[..., Resource]:
    """The only resource of a template that must be without error."""

    def run(text: str, **options: Any) -> Resource:
        stack = load_text(text, **options)
        assert stack.errors == []
        (resource,) = stack.resources
        return resource

    return run


@pytest.fixture
def value_of(load_text: Callable[..., Stack]) -> Callable[..., Any]:
    """The value of an expression as property `Value` of a resource, beside given sections of the template."""

    def run(expression: str, sections: str = "", **options: Any) -> Any:
        template = f"""\
{textwrap.dedent(sections)}
Resources:
  Role: {{Type: AWS::IAM::Role}}
  Child: {{Type: AWS::CloudFormation::Stack}}
  Custom: {{Type: Custom::Thing}}
  Subject:
    Type: AWS::S3::Bucket
    Properties:
      Value: {expression}
"""
        stack = load_text(template, **options)
        assert stack.errors == []
        return next(r for r in stack.resources if r.address == "Subject").attributes.get("Value", "(not set)")

    return run
