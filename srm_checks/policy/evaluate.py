"""Judging: policies on a stack, three-valued, branch by branch.

For each resource a policy is judged in one scenario after another. Where a condition that the code leaves open has a
say, the scenario forks (access.Undecided); the outcomes of all reachable scenarios then make the verdict: a gap in
any of them is a gap that names its branch, else an unknown is unknown, else it is met.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from srm_checks import model
from srm_checks.model import Cause, Evidence, Outcome, Resource, Verdict
from srm_checks.policy.access import Assignment, Context, Decision, Environment, StackIndex, Undecided, plain
from srm_checks.policy.document import Absence, Compiled, Policy
from srm_checks.policy.leaves import HIDDEN
from srm_checks.policy.truth import FALSE, NA, TRUE, UNKNOWN, Fact, Result

MAX_SCENARIOS: Final = 64
BUDGET: Final = 2_000  # scenarios for one policy on one stack, beyond the first of each resource
FEW_SCENARIOS: Final = 4  # for each resource, where the budget is spent

_Outcome: TypeAlias = Callable[[Context], Result]


@dataclass(frozen=True, slots=True)
class Scenario:
    """One set of decisions, and what came out under it; no result where the resource is not created then."""

    assignment: Assignment
    result: Result | None
    context: Context

    @property
    def truth(self) -> int | None:
        return self.result.truth if self.result is not None else None


@dataclass(frozen=True, slots=True)
class Scenarios:
    """The scenarios that were judged; `complete` says whether there are no others."""

    done: list[Scenario]
    complete: bool

    @property
    def has_gap(self) -> bool:
        return any(scenario.truth == FALSE for scenario in self.done)


class Limit:
    """How many scenarios a policy may have on each resource of a stack.

    Where conditions are so many that the budget is spent, later resources have few: what cannot be told then is
    unknown, and the scan comes to its end. It is counted and not timed, so that each scan says the same.
    """

    def __init__(self) -> None:
        self._left = BUDGET

    def __call__(self) -> int:
        return MAX_SCENARIOS if self._left > 0 else FEW_SCENARIOS

    def spend(self, number: int) -> None:
        self._left -= number - 1


@dataclass(frozen=True, slots=True)
class AbsenceFacts:
    """What one stack has to say to a duty of the whole stack or account.

    `verdicts` are those on the declared resources that could fulfil it. `because` is the first resource that makes
    the duty matter. `unread` tells that a part of the stack was not seen.
    """

    policy_id: str
    verdicts: tuple[Verdict, ...]
    because: Resource | None
    unread: bool


@dataclass(slots=True)
class Judgement:
    """The outcome of all policies on one stack."""

    verdicts: list[Verdict] = field(default_factory=list)
    absences: list[AbsenceFacts] = field(default_factory=list)


def judge(index: StackIndex, policies: Iterable[Policy], environment: Environment) -> Judgement:
    """Judge every policy on every resource that it concerns."""
    judgement = Judgement()
    for policy in policies:
        if policy.absence is not None:
            judgement.absences.append(_absence(index, policy, policy.absence, environment))
            continue
        limit = Limit()
        for type_name in policy.compiled:
            for resource in index.by_type.get(type_name, ()):
                verdict = judge_resource(index, policy, policy.compiled[type_name], resource, environment, limit)
                if verdict is not None:
                    judgement.verdicts.append(verdict)
    return judgement


def judge_resource(
    index: StackIndex, policy: Policy, compiled: Compiled, resource: Resource, environment: Environment, limit: Limit
) -> Verdict | None:
    """The verdict of a policy on a resource; None where no deployment creates the resource."""

    def outcome(context: Context) -> Result:
        return _require(compiled, context, resource)

    most = limit()
    found = scenarios(index, resource, outcome, environment, most)
    limit.spend(len(found.done) if found.complete else most)
    return _verdict(policy, resource, found, most)


def scenarios(
    index: StackIndex, resource: Resource, outcome: _Outcome, environment: Environment, most: int
) -> Scenarios:
    """The reachable scenarios in which the resource exists, judged; it ends where there are more than `most`.

    Where they are too many, those are taken together between which no condition of the policy tells a difference.
    """
    first = _explored(index, resource, outcome, environment, most, patient=False)
    if first.complete:
        return first
    again = _explored(index, resource, outcome, environment, most, patient=True)
    return first if not again.complete and first.has_gap else again


def _explored(
    index: StackIndex, resource: Resource, outcome: _Outcome, environment: Environment, most: int, *, patient: bool
) -> Scenarios:
    done: list[Scenario] = []
    pending: list[Assignment] = [()]
    feasible = index.stack.feasible
    while pending:
        assignment = pending.pop()
        context = Context(index, environment, assignment, patient=patient)
        try:
            created = context.holds(resource.exists)
            done.append(Scenario(assignment, outcome(context) if created else None, context))
        except Undecided as undecided:
            for fork in reversed(undecided.forks):
                forked = (*assignment, fork)
                if feasible((decision.subject, decision.value, decision.holds) for decision in forked):
                    pending.append(forked)
        if len(done) + len(pending) > most:
            return Scenarios(done, complete=False)
    return Scenarios(done, complete=True)


def _require(compiled: Compiled, context: Context, resource: Resource) -> Result:
    attributes = resource.attributes
    doubt: Result | None = None
    if compiled.applies is not None:
        applies = compiled.applies(context, resource, attributes, ())
        if applies.truth in (FALSE, NA):
            return applies._replace(truth=NA)
        if applies.truth == UNKNOWN:
            doubt = applies
    result = compiled.require(context, resource, attributes, ())
    if result.truth != FALSE:
        return result
    if doubt is not None:
        return Result(UNKNOWN, doubt.facts + result.facts, doubt.cause, doubt.detail)
    for condition, cause in compiled.doubts:
        known = condition(context, resource, attributes, ())
        if known.truth == TRUE:
            return Result(UNKNOWN, result.facts + known.facts, cause, _shown(known.facts))
        if known.truth == UNKNOWN:
            return Result(UNKNOWN, result.facts + known.facts, known.cause, known.detail)
    return result


def _shown(facts: Sequence[Fact]) -> str:
    return ", ".join(sorted({".".join(str(step) for step in fact.path) for fact in facts if fact.path}))


# ------------------------------------------------------------------ from scenarios to a verdict

_OUTCOMES: Final = {FALSE: Outcome.GAP, TRUE: Outcome.MET, UNKNOWN: Outcome.UNKNOWN, NA: Outcome.NOT_APPLICABLE}


def _verdict(policy: Policy, resource: Resource, found: Scenarios, most: int) -> Verdict | None:
    # A gap in one scenario is a gap, whatever the others say.
    if not found.complete and not found.has_gap:
        return Verdict(
            policy_id=policy.id,
            resource=resource,
            outcome=Outcome.UNKNOWN,
            cause=Cause.UNRESOLVED_VALUE,
            detail=f"more than {most} branches",
        )
    reached = [(scenario, scenario.result) for scenario in found.done if scenario.result is not None]
    if not reached:
        return None
    truth = next(word for word in (FALSE, UNKNOWN, TRUE, NA) if any(result.truth == word for _, result in reached))
    hits = [(scenario, result) for scenario, result in reached if result.truth == truth]
    facts = [(fact, scenario.context) for scenario, result in hits for fact in result.facts]
    first, first_result = hits[0]
    paths: list[tuple[str | int, ...]] = []
    for fact, _context in facts:
        if fact.resource is resource and fact.focus not in paths:
            paths.append(fact.focus)
    when = branch_words(first, found) if truth in (FALSE, UNKNOWN) else None
    return Verdict(
        policy_id=policy.id,
        resource=resource,
        outcome=_OUTCOMES[truth],
        cause=(first_result.cause or Cause.UNRESOLVED_VALUE) if truth == UNKNOWN else None,
        paths=tuple(paths),
        evidence=_evidence(facts, resource) if truth != NA else (),
        when=when,
        detail=first_result.detail,
        others=tuple({id(fact.resource): fact.resource for fact, _ in facts if fact.resource is not resource}.values()),
    )


def branch_words(hit: Scenario, found: Scenarios) -> str | None:
    """The branch in words, with the decisions left out that do not matter; None if every branch comes out alike.

    Where not all scenarios are known, none can be left out.
    """
    kept = list(hit.assignment)
    for decision in hit.assignment if found.complete else ():
        rest = [other for other in kept if other != decision]
        if all(scenario.truth == hit.truth for scenario in found.done if _agrees(scenario.assignment, rest)):
            kept = rest
    return " and ".join(decision.words() for decision in kept) or None


def _agrees(assignment: Assignment, wanted: Iterable[Decision]) -> bool:
    """Whether a scenario is not ruled out by the wanted decisions."""
    for decision in wanted:
        for other in assignment:
            if other.subject != decision.subject:
                continue
            if other.value == decision.value and other.holds != decision.holds:
                return False
            if other.value != decision.value and other.holds and decision.holds:
                return False
    return True


def _evidence(facts: Iterable[tuple[Fact, Context]], judged: Resource) -> tuple[Evidence, ...]:
    found: dict[str, Evidence] = {}
    for fact, context in facts:
        path = ".".join(str(step) for step in fact.path)
        if not path:
            continue
        if fact.resource is not judged:
            path = f"{fact.resource.address}.{path}"
        value = model.HIDDEN if fact.value is HIDDEN else _shown_value(plain(context, fact.value))
        found.setdefault(f"{path}={value!r}", Evidence(path, value))
    return tuple(found.values())


_IN_ADDRESS: Final = re.compile(r"://[^/\s@]+@")


def _shown_value(value: object) -> object:
    """A value as evidence may show it: an address with credentials in it is hidden, whoever asked for it."""
    if isinstance(value, str):
        return model.HIDDEN if _IN_ADDRESS.search(value) else value
    if isinstance(value, list):
        return [_shown_value(item) for item in value]
    if isinstance(value, dict):
        return {key: _shown_value(item) for key, item in value.items()}
    return value


# ------------------------------------------------------------------ absences


def _absence(index: StackIndex, policy: Policy, absence: Absence, environment: Environment) -> AbsenceFacts:
    verdicts: list[Verdict] = []
    limit = Limit()
    for type_name in absence.of:
        for resource in index.by_type.get(type_name, ()):
            verdict = judge_resource(index, policy, absence.of[type_name], resource, environment, limit)
            if verdict is not None and verdict.outcome is not Outcome.NOT_APPLICABLE:
                verdicts.append(_if_created(verdict))
    reasons = [
        resource
        for resource in index.stack.resources
        if (resource.type in absence.because_of if absence.because_of else resource.type.startswith(_AWS_TYPES))
    ]
    because = min(reasons, key=_order, default=None)
    return AbsenceFacts(policy.id, tuple(verdicts), because, bool(index.stack.unread_modules or index.stack.errors))


_AWS_TYPES: Final = ("aws_", "AWS::")


def _order(resource: Resource) -> tuple[str, int, str]:
    return resource.block.path, resource.block.start_line, resource.address


def _if_created(verdict: Verdict) -> Verdict:
    """A resource that is created under an open condition only may leave its duty undone."""
    if verdict.outcome is not Outcome.MET or verdict.resource.exists is True:
        return verdict
    return dataclasses.replace(
        verdict, outcome=Outcome.UNKNOWN, cause=Cause.UNRESOLVED_VALUE, detail="it is created under a condition only"
    )
