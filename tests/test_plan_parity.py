"""Plans give what their configurations give: every Terraform fixture against its plan twin."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias

import pytest

from srm_checks import fixtures
from srm_checks.engines import plan, terraform
from srm_checks.engines.terraform import modules, nodes
from srm_checks.judge import judge_stack, settle_absences
from srm_checks.model import (
    AllOf,
    AnyOf,
    Choice,
    Encoded,
    EngineOptions,
    Finding,
    Not,
    Options,
    Repeated,
    Stack,
    Test,
    Unit,
    UnitKind,
)
from srm_checks.policy.document import Policy
from tests.plan_twin import PlanTwin, Unset, plan_twin
from tests.test_doors import ROOT, cases

Key: TypeAlias = tuple[str, str]  # scope and address
Result: TypeAlias = tuple[str, str | None]  # outcome and cause

INHERENT: Final[dict[str, str]] = {}


@pytest.fixture(autouse=True)
def in_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


@pytest.mark.parametrize(("policy", "folder"), list(cases()))
def test_a_plan_gives_what_its_configuration_gives(policy: Policy, folder: Path, tmp_path: Path) -> None:
    compared, left_out = 0, []
    for unit in fixtures.units(folder):
        if unit.kind is not UnitKind.TERRAFORM:
            continue
        for side, unset in enumerate(Unset):
            variables = assignment(unit, side)
            var_file = tmp_path / "given.tfvars.json"
            var_file.write_text(json.dumps(variables))
            stack = terraform.load(unit, EngineOptions(var_files=(os.path.relpath(var_file),)))
            if stack.unread_modules:
                continue  # there is no plan before all modules are fetched
            twin = plan_twin(stack, variables=variables, unset=unset)
            written = {key: result for key, result in results(stack, policy, unit).items()}
            planned = results(read(twin, tmp_path), policy, unit)
            for key in sorted({*written, *planned}):
                if written.get(key) != planned.get(key):
                    print(unit.path, unset, key, written.get(key), planned.get(key))
                    left_out.append(key)
            compared += len(written)
    assert left_out == []
    assert compared


def read(twin: PlanTwin, folder: Path) -> Stack:
    path = folder / "plan.json"
    path.write_text(json.dumps(twin.document, indent=1))
    return plan.load(Unit(UnitKind.PLAN, os.path.relpath(path)), EngineOptions())


def results(stack: Stack, policy: Policy, unit: Unit) -> dict[Key, Any]:
    """What the policy says of each resource, and under both scopes of what is absent."""
    assert stack.errors == []
    found: dict[Key, Any] = {}
    for scope in ("stack", "account"):
        judged = judge_stack(stack, [policy], today=fixtures.day_of(unit), scope=scope)
        for finding in (*judged.findings, *settle_absences([judged], [policy], scope)):
            found[scope, finding.address] = (finding.outcome.value, finding.cause.value if finding.cause else None, finding.when)
    return found


# ------------------------------------------------------------------ values for open variables


def assignment(unit: Unit, side: int) -> dict[str, Any]:
    """Values for the root's variables that have none: those that conditions ask for (side 0), or others (side 1)."""
    source = modules.load_module(unit.path)
    asked = {subject: value for subject, value in comparisons(terraform.load(unit, EngineOptions()))}
    given: dict[str, Any] = {}
    for name, block in source.variables.items():
        if "default" in block.body.attributes:
            continue
        constraint = block.body.attributes.get("type")
        value = asked.get(f"|var.{name}")
        if side == 0 and value is not None:
            given[name] = value
        else:
            given[name] = sample(name, constraint.value if constraint else None, side)
    return given


def sample(constraint: nodes.Expression | None, side: int) -> Any:
    """A value of a type."""
    if isinstance(constraint, nodes.Call):
        inner = constraint.arguments[0]
        if constraint.name == "optional":
            return sample(inner, side)
        if constraint.name == "object" and isinstance(inner, nodes.ObjectNode):
            return {item.key.text.strip('"'): sample(item.value, side) for item in inner.items}
        if constraint.name == "map":
            return {"one": sample(inner, side)} if side == 0 else {}
        return [sample(inner, side)] if side == 0 else []
    name = constraint.text if constraint else "any"
    return {"bool": (True, False), "number": (1, 0)}.get(name, ("example", "other"))[side]


def comparisons(stack: Stack) -> Iterator[tuple[str, Any]]:
    """The comparisons that a stack leaves open."""
    waiting: list[Any] = []
    for resource in stack.resources:
        waiting += [resource.exists, resource.attributes]
    while waiting:
        item = waiting.pop()
        if isinstance(item, Test):
            yield item.subject, item.value
        elif isinstance(item, Choice):
            waiting += [item.cond, item.then, item.otherwise]
        elif isinstance(item, Options):
            yield item.subject, item.values[0]
        elif isinstance(item, Not):
            waiting.append(item.of)
        elif isinstance(item, (AllOf, AnyOf)):
            waiting += item.of
        elif isinstance(item, (Encoded, Repeated)):
            waiting.append(item.value)
        elif isinstance(item, Mapping):
            waiting += item.values()
        elif isinstance(item, list):
            waiting += item
