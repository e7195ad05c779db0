"""Which service model a declared resource has, where its configuration decides.

A type's cases (cases.py) are tried in order with three values, once for each branch that the code leaves open. The
model is decided where every case that may still hold has the same one. Anything else is undetermined, with words for
what is missing; it is never taken for AWS's. Cases that need other resources (`related:`) are open for now: what
decides them is written in the data, `conditions.Related` is where the look-up goes.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from srm_checks.catalogue.cases import Case, of_type
from srm_checks.catalogue.types import CONFIGURATION, DATA_PREFIX, describe, family
from srm_checks.model import ABSENT, Repeated, Resource, Unknown
from srm_checks.policy.access import Assignment, Context, Environment, StackIndex, Undecided
from srm_checks.policy.truth import FALSE, TRUE

MAX_SCENARIOS: Final = 64
_MAX_SHOWN: Final = 80  # characters of a value in decided_by
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
    """The outcome in one branch: the model or None, the possible cases, what decided, what is missing."""

    assignment: Assignment
    model: str | None
    cases: tuple[Case, ...]
    decided_by: str
    missing: tuple[str, ...] = ()


def decide(resource: Resource, index: StackIndex) -> ModelDecision:
    """The service model of a resource, and in words what decided it (`launch_type = FARGATE, main.tf:12`)."""
    entry = describe(resource.type)
    if entry is None:
        return ModelDecision(None, None, f"{resource.type} is not in the catalogue")
    if entry.model_source != CONFIGURATION:
        words = resource.type if entry.service_model else f"the catalogue has no model for {resource.type}"
        return ModelDecision(entry.service_model, entry.model_family, words)
    if resource.type.startswith(DATA_PREFIX):
        return ModelDecision(None, None, f"{resource.address} is configured elsewhere")
    scenarios = _scenarios(resource, of_type(resource.type), index)
    if not scenarios:
        return ModelDecision(None, None, f"more than {MAX_SCENARIOS} combinations of open conditions", ())
    cases = tuple(dict.fromkeys(case for scenario in scenarios for case in scenario.cases))
    models = {scenario.model for scenario in scenarios}
    if len(models) > 1:
        return ModelDecision(None, None, _branches(scenarios), cases)
    model = models.pop()
    if model is None:
        missing = dict.fromkeys(words for scenario in scenarios for words in scenario.missing)
        return ModelDecision(None, None, "; ".join(missing), cases)
    deciders = {scenario.decided_by for scenario in scenarios}
    return ModelDecision(model, family(model), deciders.pop() if len(deciders) == 1 else resource.type, cases)


def _scenarios(resource: Resource, cases: Sequence[Case], index: StackIndex) -> list[_Scenario]:
    """The outcome in each combination of open conditions that the cases read; none where there are too many."""
    waiting: list[Assignment] = [()]
    found: list[_Scenario] = []
    while waiting:
        assignment = waiting.pop()
        if not index.stack.feasible([(made.subject, made.value, made.holds) for made in assignment]):
            continue
        try:
            found.append(_judge(resource, cases, Context(index, _NO_DAY, assignment)))
        except Undecided as undecided:
            waiting.extend((*assignment, fork) for fork in reversed(undecided.forks))
        if len(waiting) + len(found) > MAX_SCENARIOS:
            return []
    return found


def _judge(resource: Resource, cases: Sequence[Case], context: Context) -> _Scenario:
    possible: list[Case] = []
    missing: dict[str, None] = {}
    read: dict[str, None] = {}
    decided_by = resource.type
    for case in cases:
        truth, readings = case.condition.read(resource.attributes, context)
        for reading in readings:
            if reading.missing:
                if truth != FALSE:
                    missing[f"it depends on {reading.missing}"] = None
                continue
            for value, path in reading.found:
                open_value = _open(value)
                if open_value is not None and truth != FALSE:
                    missing[f"{reading.attribute} is {open_value.text or 'not known'}"] = None
                elif reading.attribute:
                    read[_shown(reading.attribute, value)] = None
                    if truth == TRUE and decided_by == resource.type and value is not ABSENT and value != []:
                        place = resource.place(path)
                        decided_by = f"{_shown(reading.attribute, value)}, {place.path}:{place.start_line}"
        if truth != FALSE:
            possible.append(case)
        if truth == TRUE:
            break
    models = {case.service_model for case in possible}
    if len(models) == 1:
        sure = len(possible) == 1 and not missing
        return _Scenario(context.assignment, models.pop(), tuple(possible), decided_by if sure else resource.type)
    words = tuple(missing) or (f"no known case has {' and '.join(read)}" if read else "no known case fits",)
    return _Scenario(context.assignment, None, tuple(possible), "", words)


def _open(value: Any) -> Unknown | None:
    """What is not known of a value, or of the elements of a list."""
    if isinstance(value, Repeated):
        return _open(value.value) or Unknown("a list of open length")
    if isinstance(value, list):
        return next((found for found in map(_open, value) if found is not None), None)
    return value if isinstance(value, Unknown) else None


def _shown(attribute: str, value: Any) -> str:
    """`launch_type = FARGATE`, `eks_configuration is set`."""
    if value is ABSENT or value == []:
        return f"{attribute} not set"
    if isinstance(value, Unknown):
        return f"{attribute} is {value.text or 'not known'}"
    if isinstance(value, bool):
        return f"{attribute} = {'true' if value else 'false'}"
    if isinstance(value, list) and all(isinstance(element, (str, int)) for element in value):
        value = ", ".join(map(str, value))
    if isinstance(value, (list, dict)):
        return f"{attribute} is set"
    text = str(value)
    return f"{attribute} = {text if len(text) <= _MAX_SHOWN else text[: _MAX_SHOWN - 3] + '...'}"


def _branches(scenarios: Iterable[_Scenario]) -> str:
    """`IaaS when var.kind is EC2; CaaS when var.kind is FARGATE`."""
    by_model: dict[str, list[str]] = {}
    for scenario in scenarios:
        when = " and ".join(made.words() for made in scenario.assignment) or "otherwise"
        by_model.setdefault(scenario.model or "undetermined", []).append(when)
    return "; ".join(f"{model} when {' or when '.join(when)}" for model, when in by_model.items())
