"""Which service model a declared resource has, where its configuration decides.

A type's cases (cases.py) are tried in order with three values, once for each branch that the code leaves open. The
model is decided where every case that may still hold has the same one. Anything else is undetermined, with words for
what is missing; it is never taken for AWS's. Other resources have a say in some cases (package related). Where the type
alone decides the model, its cases only move sides.
"""

from __future__ import annotations

import datetime
import enum
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from srm_checks.catalogue import types
from srm_checks.catalogue.cases import Case, of_type
from srm_checks.catalogue.conditions import shown
from srm_checks.catalogue.scene import Judged, Reading, Scene
from srm_checks.catalogue.types import CONFIGURATION, DATA_PREFIX, describe, family
from srm_checks.model import ABSENT, Domain, Repeated, Resource, Side, Unknown
from srm_checks.policy.access import Assignment, Context, Environment, StackIndex, Undecided
from srm_checks.policy.truth import FALSE, TRUE

MAX_SCENARIOS: Final = 64
_NO_DAY: Final = Environment(datetime.date.min)  # no condition asks for the day


class ModelDecision(NamedTuple):
    """A resource's service model and family, None where undetermined, and what decided it or what is missing.

    `cases` are the configurations that may hold: one where all is known, none for a type without such cases.
    """

    service_model: str | None
    model_family: str | None
    decided_by: str
    cases: tuple[Case, ...] = ()


class _Scenario(NamedTuple):
    """The cases in one branch, and their common model, None where they differ."""

    assignment: Assignment
    judged: Judged
    model: str | None


def decide(resource: Resource, index: StackIndex) -> ModelDecision:
    """The service model of a resource, and in words what decided it (`launch_type = FARGATE, main.tf:12`)."""
    entry = describe(resource.type)
    if entry is None:
        return ModelDecision(None, None, f"{resource.type} is not in the catalogue")
    if entry.model_source != CONFIGURATION:
        words = resource.type if entry.service_model else f"the catalogue has no model for {resource.type}"
        cases = () if resource.type.startswith(DATA_PREFIX) else _possible(resource, index)
        return ModelDecision(entry.service_model, entry.model_family, words, cases)
    if resource.type.startswith(DATA_PREFIX):
        return ModelDecision(None, None, f"{resource.address} is configured elsewhere")
    scenarios = _scenarios(resource, of_type(resource.type), index)
    if not scenarios:
        return ModelDecision(None, None, f"more than {MAX_SCENARIOS} combinations of open conditions", ())
    cases = tuple(dict.fromkeys(case for scenario in scenarios for case in scenario.judged.cases))
    models = {scenario.model for scenario in scenarios}
    if len(models) > 1:
        return ModelDecision(None, None, _branches(scenarios), cases)
    model = models.pop()
    if model is None:
        missing = dict.fromkeys(words for scenario in scenarios for words in scenario.judged.missing)
        return ModelDecision(None, None, "; ".join(missing), cases)
    deciders = {scenario.judged.decided_by for scenario in scenarios}
    decided_by = deciders.pop() if len(deciders) == 1 else ""
    return ModelDecision(model, family(model), decided_by or resource.type, cases)


def _possible(resource: Resource, index: StackIndex) -> tuple[Case, ...]:
    """The cases that may hold where the type alone decides the model; all of them where there are too many branches."""
    cases = types.cases_with_default(resource.type)
    if not any(case.reads for case in cases):
        return cases[:1]
    scenarios = _scenarios(resource, cases, index)
    return tuple(dict.fromkeys(case for scenario in scenarios for case in scenario.judged.cases)) or cases


def _scenarios(resource: Resource, cases: Sequence[Case], index: StackIndex) -> list[_Scenario]:
    """The outcome in each combination of open conditions that the cases read; none where there are too many.

    Combinations under which the resource is not created do not count.
    """
    waiting: list[Assignment] = [()]
    found: list[_Scenario] = []

    while waiting:
        assignment = waiting.pop()
        if not index.stack.feasible([(made.subject, made.value, made.holds) for made in assignment]):
            continue
        context = Context(index, _NO_DAY, assignment)
        if assignment and not _may_exist(resource, context):
            continue
        try:
            judged = _judge(resource, cases, context)
        except Undecided as undecided:
            waiting.extend((*assignment, fork) for fork in reversed(undecided.forks))
        else:
            models = {case.service_model for case in judged.cases}
            found.append(_Scenario(assignment, judged, models.pop() if len(models) == 1 else None))
        if len(waiting) + len(found) > MAX_SCENARIOS:
            return []
    return found


def _may_exist(resource: Resource, context: Context) -> bool:
    try:
        return context.holds(resource.exists)
    except Undecided:
        return True


def _judge_other(resource: Resource, context: Context) -> Judged:
    return _judge(resource, of_type(resource.type), context)


def _judge(resource: Resource, cases: Sequence[Case], context: Context) -> Judged:
    """The cases that may hold in a scenario; raises `Undecided`."""
    scene = Scene(resource, context, _judge_other)
    possible: dict[Case, list[str]] = {}  # with what speaks for it
    missing: dict[str, None] = {}
    read: dict[str, None] = {}
    truth = FALSE
    for case in cases:
        truth, readings = case.condition.read(scene)
        for reading in readings:
            read.update((shown(reading.attribute, value), None) for value, _path in reading.found)
        if truth == FALSE:
            continue
        last_first = reversed(readings)  # what another resource says comes last, and tells more
        possible[case] = [words for reading in last_first for words in _for(resource, reading)]
        missing.update((words, None) for reading in readings for words in _against(reading))
        if truth == TRUE:
            break
    first, *others = possible.values() or ([],)
    decided_by = next((words for words in first if all(words in other for other in others)), "")
    if len(possible) == 1 and truth == TRUE:
        return Judged(tuple(possible), decided_by)
    words = tuple(missing) or (f"no known case has {' and '.join(read)}" if read else "no known case fits",)
    return Judged(tuple(possible), decided_by, words)


def _for(resource: Resource, reading: Reading) -> Iterator[str]:
    """What a clause read that speaks for its case, and where that is written; nothing for an absence."""
    if reading.truth != TRUE:
        return
    if reading.decided_by:
        yield reading.decided_by
    for value, path in reading.found:
        if _open(value) is None and value is not ABSENT and value != []:
            place = resource.place(path)
            yield f"{shown(reading.attribute, value)}, {place.path}:{place.start_line}"


def _against(reading: Reading) -> Iterator[str]:
    """What keeps a clause open."""
    yield from reading.missing
    for value, _path in reading.found:
        unknown = _open(value)
        if unknown is not None:
            yield f"{reading.attribute} is {unknown.text or 'not known'}"


def _open(value: Any) -> Unknown | None:
    """What is not known of a value, or of the elements of a list."""
    if isinstance(value, Repeated):
        return _open(value.value) or Unknown("a list of open length")
    if isinstance(value, list):
        return next((found for found in map(_open, value) if found is not None), None)
    return value if isinstance(value, Unknown) else None


def _branches(scenarios: Iterable[_Scenario]) -> str:
    """`IaaS when var.kind is EC2; CaaS when var.kind is FARGATE`."""
    by_model: dict[str, list[str]] = {}
    for scenario in scenarios:
        when = " and ".join(made.words() for made in scenario.assignment) or "otherwise"
        by_model.setdefault(scenario.model or "undetermined", []).append(when)
    return "; ".join(f"{model} when {' or when '.join(when)}" for model, when in by_model.items())


# ------------------------------------------------------------------ duties


class Duty(enum.Enum):
    """Whether the customer has a part in a domain of a resource, as far as its configuration decides that."""

    STANDS = "stands"  # in each case that may hold, or no case of the type touches the domain
    GONE = "gone"  # the configuration has moved it to AWS, other cases of the type leave it with the customer
    OPEN = "open"  # the customer's in some of the cases that may hold, AWS's in others


def depends(domain: Domain, type_name: str) -> bool:
    """Whether a type has a duty of a domain only in some of its configurations."""
    return len({_with_customer(sides, domain) for sides in types.sides_by_case(type_name).values()}) > 1


def duty(domain: Domain, type_name: str, decision: ModelDecision) -> Duty:
    """Whether a duty of a domain exists for a resource of a type, by the decision on its model.

    Where it is open, a would-be gap or met of a policy on that domain is unknown (undetermined-model).
    """
    if not depends(domain, type_name):
        return Duty.STANDS
    by_case = types.sides_by_case(type_name)
    with_customer = {_with_customer(by_case[case], domain) for case in decision.cases or by_case}
    if len(with_customer) > 1:
        return Duty.OPEN
    return Duty.STANDS if with_customer.pop() else Duty.GONE


def _with_customer(sides: types.Sides, domain: Domain) -> bool:
    return sides[domain] in (Side.CUSTOMER, Side.SHARED)
