"""Every case of model_conditions.tsv on real code, in each framework that can express it.

A resource of a fixture says behind `#` on its first line which cases may hold, and after `;` how the words begin that
say what decided it or what is missing: `# fargate-launch-type; launch_type = FARGATE`.
"""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from srm_checks.catalogue import cases
from srm_checks.catalogue.models import ModelDecision, decide
from srm_checks.catalogue.types import describe
from srm_checks.engines import loader
from srm_checks.model import EngineOptions, Resource, Unit, UnitKind
from srm_checks.policy.access import StackIndex

FOLDER = Path(__file__).parents[2] / "fixtures" / "catalogue"
KINDS = {"main.tf": UnitKind.TERRAFORM, "template.yaml": UnitKind.CLOUDFORMATION}
MARK = re.compile(r"^(?P<code>(?:resource .*\{)|(?:  \w+:)) # (?P<cases>[\w-]+(?: \| [\w-]+)*)(?:; (?P<words>.+))?$")


class Marked(NamedTuple):
    """A resource of a fixture with what is expected of it."""

    file: str
    line: int
    cases: frozenset[str]
    words: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


def marks() -> Iterator[Marked]:
    for path in sorted(FOLDER.glob("*/*")):
        for number, line in enumerate(path.read_text().splitlines(), start=1):
            match = MARK.match(line)
            if match:
                names = frozenset(match["cases"].split(" | "))
                yield Marked(path.relative_to(FOLDER).as_posix(), number, names, match["words"] or "")


MARKS = list(marks())


@functools.cache
def decisions(file: str) -> dict[int, tuple[Resource, ModelDecision]]:
    """The decision for each resource of a fixture file, by the line on which it begins."""
    path = Path(os.path.relpath(FOLDER / file))
    kind = KINDS[path.name]
    unit = Unit(kind, (path.parent if kind is UnitKind.TERRAFORM else path).as_posix())
    stack = loader(kind)(unit, EngineOptions())
    assert stack.errors == []
    index = StackIndex(stack)
    return {resource.block.start_line: (resource, decide(resource, index)) for resource in stack.resources}


@pytest.mark.parametrize("mark", MARKS, ids=str)
def test_a_case_holds_in_its_fixture(mark: Marked) -> None:
    resource, decision = decisions(mark.file)[mark.line]
    assert {case.name for case in decision.cases} == mark.cases
    models = {case.service_model for case in decision.cases}
    entry = describe(resource.type)
    assert entry is not None
    assert decision.service_model == (models.pop() if len(models) == 1 else None)
    if mark.words:
        assert decision.decided_by.startswith(mark.words)


@pytest.mark.parametrize("mark", [mark for mark in MARKS if len(mark.cases) == 1 and " = " in mark.words], ids=str)
def test_the_words_name_the_line_that_decided(mark: Marked) -> None:
    _resource, decision = decisions(mark.file)[mark.line]
    path, _, line = decision.decided_by.rpartition(", ")[2].rpartition(":")
    text = Path(path).read_text().splitlines()[int(line) - 1]
    assert decision.decided_by.rpartition(", ")[0].rpartition(" = ")[2] in text


# What a fixture cannot show: the data source that tells whose bundle it is has no like in CloudFormation.
NOT_TO_BE_TOLD = {
    ("AWS::WorkSpaces::Workspace", "personal-aws-bundle"),
    ("AWS::WorkSpaces::Workspace", "personal-custom-bundle"),
}


def test_every_case_has_a_fixture_in_each_framework_that_can_express_it() -> None:
    shown = {
        (decisions(mark.file)[mark.line][0].type, name) for mark in MARKS if len(mark.cases) == 1 for name in mark.cases
    }
    listed = {(type_name, case.name) for type_name in cases.types() for case in cases.of_type(type_name)}
    assert listed - shown == NOT_TO_BE_TOLD
