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
        for type_name in policy.compiled:
            for resource in index.by_type.get(type_name, ()):
                verdict = judge_resource(index, policy, policy.compiled[type_name], resource, environment)
                if verdict is not None:
                    judgement.verdicts.append(verdict)
    return judgement


def judge_resource(
    index: StackIndex, policy: Policy, compiled: Compiled, resource: Resource, environment: Environment
) -> Verdict | None:
    """The verdict of a policy on a resource; None where no deployment creates the resource."""

    def outcome(context: Context) -> Result:
        return _require(compiled, context, resource)

    return _verdict(policy, resource, scenarios(index, resource, outcome, environment))


def scenarios(
    index: StackIndex, resource: Resource, outcome: _Outcome, environment: Environment
) -> list[Scenario] | None:
    """All reachable scenarios in which the resource exists, judged; None if there are more than `MAX_SCENARIOS`.

    Where they are too many, those are taken together between which no condition of the policy tells a difference.
    """
    done = _explored(index, resource, outcome, environment, patient=False)
    return _explored(index, resource, outcome, environment, patient=True) if done is None else done


def _explored(
    index: StackIndex, resource: Resource, outcome: _Outcome, environment: Environment, *, patient: bool
) -> list[Scenario] | None:
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
        if len(done) + len(pending) > MAX_SCENARIOS:
            return None
    return done


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


def _verdict(policy: Policy, resource: Resource, done: list[Scenario] | None) -> Verdict | None:
    if done is None:
        return Verdict(
            policy_id=policy.id,
            resource=resource,
            outcome=Outcome.UNKNOWN,
            cause=Cause.UNRESOLVED_VALUE,
            detail=f"more than {MAX_SCENARIOS} branches",
        )
    reached = [(scenario, scenario.result) for scenario in done if scenario.result is not None]
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
    when = branch_words(first, done) if truth in (FALSE, UNKNOWN) else None
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


def branch_words(hit: Scenario, done: Sequence[Scenario]) -> str | None:
    """The branch in words, with the decisions left out that do not matter; None if every branch comes out alike."""
    kept = list(hit.assignment)
    for decision in hit.assignment:
        rest = [other for other in kept if other != decision]
        if all(scenario.truth == hit.truth for scenario in done if _agrees(scenario.assignment, rest)):
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
    for type_name in absence.of:
        for resource in index.by_type.get(type_name, ()):
            verdict = judge_resource(index, policy, absence.of[type_name], resource, environment)
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
