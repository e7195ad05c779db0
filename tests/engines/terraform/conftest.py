"""Roots written into a fresh directory, which is the working directory of the test."""

from __future__ import annotations

import os
import textwrap
from pathlib import Path
from typing import Any

import pytest

from srm_checks.engines.terraform import load
from srm_checks.model import ABSENT, EngineOptions, Resource, Stack, Unit, UnitKind


class Roots:
    """Writes files and loads roots."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def write(self, files: dict[str, str | bytes]) -> None:
        for name, content in files.items():
            path = self.directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, str):
                content = textwrap.dedent(content).encode()
            path.write_bytes(content)

    def load(self, files: dict[str, str | bytes] | str = "", root: str = ".", **options: Any) -> Stack:
        self.write({"main.tf": files} if isinstance(files, str) else files)
        return load(Unit(UnitKind.TERRAFORM, root), EngineOptions(**options))

    def resources(self, files: dict[str, str | bytes] | str, **options: Any) -> dict[str, Resource]:
        """The resources of a root that has no errors, by address."""
        stack = self.load(files, **options)
        assert stack.errors == []
        return by_address(stack)

    def one(self, files: dict[str, str | bytes] | str, address: str, **options: Any) -> Resource:
        """A resource of a root that has no errors."""
        return self.resources(files, **options)[address]

    def value(self, expression: str, setting: str = "", **options: Any) -> Any:
        """The value of an expression in a root that declares `setting` as well."""
        text = f'{textwrap.dedent(setting)}\nresource "aws_thing" "t" {{\n  value = {expression}\n}}\n'
        stack = self.load(text, **options)
        assert stack.errors == []
        return by_address(stack)["aws_thing.t"].attributes.get("value", ABSENT)


def by_address(stack: Stack) -> dict[str, Resource]:
    return {resource.address: resource for resource in stack.resources}


@pytest.fixture
def roots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Roots:
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith("TF_VAR_"):
            monkeypatch.delenv(name)
    return Roots(tmp_path)
