"""Plans give what their configurations give: every Terraform fixture against its plan twin.

A plan has a value for every variable, so the fixtures' open variables are given values here, two of each: the one
that a condition of the fixture asks for, and another.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import pytest

from srm_checks import fixtures
from srm_checks.absences import settle_absences
from srm_checks.engines import plan, terraform
from srm_checks.engines.terraform import modules, nodes
from srm_checks.judge import judge_stack
from srm_checks.model import (
    AllOf,
    AnyOf,
    Cause,
    Choice,
    Encoded,
    EngineOptions,
    Not,
    Options,
    Outcome,
    Repeated,
    Stack,
    Test,
    Unit,
    UnitKind,
)
from srm_checks.policy.document import Policy
from tests.plan_twin import PlanTwin, Unset, plan_twin
from tests.test_doors import PACKS, ROOT, cases, own_policies

Key: TypeAlias = tuple[str, str]  # scope and address

PARTLY_UNKNOWN_TEXT: Final = "a text with one unknown part, JSON among them, is wholly unknown in a plan"
NOT_WHAT_IS_MADE: Final = "a plan shows what an expression reads, but not what it makes of that"
BRANCH: Final = "a plan does not show the branch of a condition that an unknown value comes from"
IN_DYNAMIC: Final = "a plan does not show the expressions inside dynamic blocks"
NO_DEFAULTS: Final = "the twin brings no defaults of the provider, which a real plan shows as values"
THROUGH_LOCAL: Final = "a plan does not show what local values read, so a reference through one leads nowhere"
TERRAFORM_BLOCK: Final = "a plan does not hold the terraform block"
PROVIDER_ARGUMENTS: Final = "a plan holds no values of provider arguments, unless they are constants"

# What a plan cannot tell though the code can. It must then say unknown, or nothing where the resource is not in it.
LESS_IN_A_PLAN: Final[dict[str, str]] = {
    "SRM-APP-006": PARTLY_UNKNOWN_TEXT,
    "SRM-APP-008": PARTLY_UNKNOWN_TEXT,
    "SRM-CFG-003": TERRAFORM_BLOCK,
    "SRM-DAR-004": BRANCH,
    "SRM-DAR-008": BRANCH,
    "SRM-DAR-015": IN_DYNAMIC,
    "SRM-DAR-018": BRANCH,
    "SRM-DAR-019": BRANCH,
    "SRM-DAR-021": BRANCH,
    "SRM-DAR-025": BRANCH,
    "SRM-DIT-007": NOT_WHAT_IS_MADE,
    "SRM-DIT-008": PARTLY_UNKNOWN_TEXT,
    "SRM-GOV-001": PROVIDER_ARGUMENTS,
    "SRM-IAM-001": PARTLY_UNKNOWN_TEXT,
    "SRM-IAM-002": NOT_WHAT_IS_MADE,
    "SRM-IAM-005": PARTLY_UNKNOWN_TEXT,
    "SRM-IAM-007": PARTLY_UNKNOWN_TEXT,
    "SRM-IAM-008": PARTLY_UNKNOWN_TEXT,
    "SRM-IAM-009": PARTLY_UNKNOWN_TEXT,
    "SRM-IAM-014": PARTLY_UNKNOWN_TEXT,
    "SRM-IAM-021": NOT_WHAT_IS_MADE,
    "SRM-IAM-025": BRANCH,
    "SRM-IAM-033": PARTLY_UNKNOWN_TEXT,
    "SRM-IAM-035": PARTLY_UNKNOWN_TEXT,
    "SRM-IAM-038": PARTLY_UNKNOWN_TEXT,
    "SRM-IAM-039": BRANCH,
    "SRM-IAM-047": PROVIDER_ARGUMENTS,
    "SRM-IAM-050": THROUGH_LOCAL,
    "SRM-MON-003": NOT_WHAT_IS_MADE,
    "SRM-MON-011": THROUGH_LOCAL,
    "SRM-MON-015": IN_DYNAMIC,
    "SRM-NET-005": THROUGH_LOCAL,
    "SRM-NET-011": NO_DEFAULTS,
}


@dataclass(frozen=True, slots=True)
class Result:
    """What a policy says of a resource; `when` is the branch where the code still leaves one open."""

    outcome: Outcome
    cause: Cause | None
    when: str | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """The results on one fixture root, by scope and address; None where the plan has none.

    `left_out` counts those whose resource or branch stays open with all variables given, so that no plan has them.
    """

    equal: dict[str, Result]
    different: dict[str, tuple[Result, Result | None]]
    left_out: int


@pytest.fixture(autouse=True)
def in_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


@pytest.mark.parametrize(("policy", "folder"), list(cases()))
def test_a_plan_gives_what_its_configuration_gives(policy: Policy, folder: Path, tmp_path: Path) -> None:
    equal: dict[str, Result] = {}
    different: dict[str, tuple[Result, Result | None]] = {}
    left_out = 0
    for unit in fixtures.units(folder):
        if unit.kind is UnitKind.TERRAFORM:
            judged = fixtures.for_unit(policy, folder, unit)
            for side, unset in enumerate(Unset):
                found = compare(unit, judged, side, unset, tmp_path)
                equal |= found.equal
                different |= found.different
                left_out += found.left_out
    if policy.id not in LESS_IN_A_PLAN:
        assert different == {}
        assert len(equal) > left_out
        return
    assert different, "nothing is less in a plan: the policy can leave the table"
    assert {key: pair for key, pair in different.items() if not is_honest(pair[1])} == {}
    assert equal or LESS_IN_A_PLAN[policy.id] is TERRAFORM_BLOCK


def is_honest(planned: Result | None) -> bool:
    return planned is None or planned.outcome is Outcome.UNKNOWN


def test_the_table_names_policies() -> None:
    assert LESS_IN_A_PLAN.keys() <= {policy.id for pack in PACKS for policy, _ in own_policies(pack)}


def compare(unit: Unit, policy: Policy, side: int, unset: Unset, folder: Path) -> Comparison:
    """A policy's results on a root with one set of values for its variables, and on the plan of the same."""
    variables = assignment(unit, side)
    var_file = folder / "given.tfvars.json"
    var_file.write_text(json.dumps(variables))
    stack = terraform.load(unit, EngineOptions(var_files=(os.path.relpath(var_file),)))
    written = results(stack, policy, unit)
    if stack.unread_modules:
        return Comparison({}, {}, len(written))  # there is no plan before all modules are fetched
    twin = plan_twin(stack, variables=variables, unset=unset)
    planned = results(read(twin, folder), policy, unit)
    assert planned.keys() <= written.keys()
    open_keys = {key for key in written if written[key].when or key[1] in twin.left_out}
    compared = {f"{unit.path} ({unset.value}, {' '.join(key)})": key for key in written.keys() - open_keys}
    equal = {name: written[key] for name, key in compared.items() if written[key] == planned.get(key)}
    different = {name: (written[key], planned.get(key)) for name, key in compared.items() if name not in equal}
    return Comparison(equal, different, len(open_keys))


def read(twin: PlanTwin, folder: Path) -> Stack:
    path = folder / "plan.json"
    path.write_text(json.dumps(twin.document))
    return plan.load(Unit(UnitKind.PLAN, os.path.relpath(path)), EngineOptions())


def results(stack: Stack, policy: Policy, unit: Unit) -> dict[Key, Result]:
    """What the policy says of each resource, and under both scopes of what is absent."""
    assert stack.errors == []
    found: dict[Key, Result] = {}
    for scope in ("stack", "account"):
        judged = judge_stack(stack, [policy], today=fixtures.day_of(unit), scope=scope)
        for finding in (*judged.findings, *settle_absences([judged], [policy], scope)):
            found[scope, finding.address] = Result(finding.outcome, finding.cause, finding.when)
    return found


# ------------------------------------------------------------------ values for open variables


def assignment(unit: Unit, side: int) -> dict[str, Any]:
    """Values for the root's variables that have none: those that conditions ask for (side 0), or others (side 1)."""
    source = modules.load_module(unit.path)
    asked = dict(comparisons(terraform.load(unit, EngineOptions())))
    given: dict[str, Any] = {}
    for name, block in source.variables.items():
        if "default" in block.body.attributes:
            continue
        wanted = asked.get(f"|var.{name}")
        constraint = block.body.attributes.get("type")
        is_wanted = side == 0 and wanted is not None
        given[name] = wanted if is_wanted else sample(name, constraint.value if constraint else None, side)
    return given


def sample(name: str, constraint: nodes.Expression | None, side: int) -> Any:
    """A value of a type, for a variable or member of a name."""
    if isinstance(constraint, nodes.Call):
        inner = constraint.arguments[0]
        if constraint.name == "optional":
            return sample(name, inner, side)
        if constraint.name == "object" and isinstance(inner, nodes.ObjectNode):
            members = ((item.key.text.strip('"'), item.value) for item in inner.items)
            return {key: sample(key, value, side) for key, value in members}
        if constraint.name == "map":
            return {"one": sample(name, inner, side)} if side == 0 else {}
        return [sample(name, inner, side)] if side == 0 else []
    if "region" in name:
        return ("eu-west-1", "us-east-1")[side]
    type_ = constraint.text if constraint else "any"
    return {"bool": (True, False), "number": (1, 0)}.get(type_, ("example", "other"))[side]


def comparisons(stack: Stack) -> Iterator[tuple[str, Any]]:
    """The tests and options that a stack leaves open: subject and value."""
    waiting: list[Any] = [part for resource in stack.resources for part in (resource.exists, resource.attributes)]
    while waiting:
        item = waiting.pop()
        if isinstance(item, Test):
            yield item.subject, item.value
        elif isinstance(item, Options):
            yield item.subject, item.values[0]
        elif isinstance(item, Choice):
            waiting += [item.cond, item.then, item.otherwise]
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
