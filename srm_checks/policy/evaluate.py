"""Judging: policies on a stack, three-valued, branch by branch.

For each resource a policy is judged in one scenario after another. Where a condition that the code leaves open has a
say, the scenario forks (access.Undecided); the outcomes of all reachable scenarios then make the verdict: a gap in
any of them is a gap that names its branch, else an unknown is unknown, else it is met.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Generic, Protocol, TypeAlias, TypeVar

from srm_checks import model
from srm_checks.model import Cause, Evidence, Outcome, Resource, SourceRange, Verdict
from srm_checks.policy.access import Assignment, Context, Decision, Environment, StackIndex, Undecided, plain
from srm_checks.policy.document import Absence, Compiled, Policy
from srm_checks.policy.leaves import HIDDEN
from srm_checks.policy.naming import language_of
from srm_checks.policy.truth import FALSE, NA, TRUE, UNKNOWN, Fact, Result

MAX_SCENARIOS: Final = 64

_Outcome: TypeAlias = Callable[[Context], Result]


class _HasOutcome(Protocol):
    @property
    def outcome(self) -> Outcome: ...


Declared = TypeVar("Declared", bound=_HasOutcome)


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
class Reason:
    """A resource that makes a duty of the whole matter: all that outlives its unit."""

    type: str
    address: str
    block: SourceRange


@dataclass(frozen=True, slots=True)
class AbsenceFacts(Generic[Declared]):
    """What one unit has to say to a duty of the whole stack or account.

    `declared` are the verdicts (later, the findings) on the declared resources that could fulfil it. `because` is the
    first resource that makes the duty matter. `unread` tells that a part of the unit was not seen.
    """

    policy_id: str
    declared: tuple[Declared, ...]
    because: Reason | None
    unread: bool


@dataclass(frozen=True, slots=True)
class Missing:
    """The answer to a duty that no declared resource fulfils; `because` is None where nothing makes it matter."""

    type: str
    because: Reason | None
    outcome: Outcome
    cause: Cause | None = None
    detail: str = ""


@dataclass(slots=True)
class Judgement:
    """The outcome of all policies on one stack."""

    verdicts: list[Verdict] = field(default_factory=list)
    absences: list[AbsenceFacts[Verdict]] = field(default_factory=list)


def judge(index: StackIndex, policies: Iterable[Policy], environment: Environment) -> Judgement:
    """Judge every policy on every resource that it concerns."""
    judgement = Judgement()
    for policy in policies:
        if policy.absence is not None:
            judgement.absences.append(_absence(index, policy, policy.absence, environment))
            continue
        for type_name, compiled in policy.compiled.items():
            for resource in index.by_type.get(type_name, ()):
                verdict = judge_resource(index, policy, compiled, resource, environment)
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
    """All reachable scenarios in which the resource exists, judged; None if there are more than `MAX_SCENARIOS`."""
    done: list[Scenario] = []
    pending: list[Assignment] = [()]
    feasible = index.stack.feasible
    while pending:
        assignment = pending.pop()
        context = Context(index, environment, assignment)
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
        value = model.HIDDEN if fact.value is HIDDEN else plain(context, fact.value)
        found.setdefault(f"{path}={value!r}", Evidence(path, value))
    return tuple(found.values())


# ------------------------------------------------------------------ absences


def _absence(index: StackIndex, policy: Policy, absence: Absence, environment: Environment) -> AbsenceFacts[Verdict]:
    verdicts: list[Verdict] = []
    for type_name, compiled in absence.of.items():
        for resource in index.by_type.get(type_name, ()):
            verdict = judge_resource(index, policy, compiled, resource, environment)
            if verdict is not None and verdict.outcome is not Outcome.NOT_APPLICABLE:
                verdicts.append(_if_created(verdict))
    reasons = [
        resource
        for resource in index.stack.resources
        if (resource.type in absence.because_of if absence.because_of else resource.type.startswith(_AWS_TYPES))
    ]
    first = min(reasons, key=_order, default=None)
    because = Reason(first.type, first.address, first.block) if first else None
    return AbsenceFacts(policy.id, tuple(verdicts), because, bool(index.stack.unread_modules or index.stack.errors))


_AWS_TYPES: Final = ("aws_", "AWS::")


def _order(reason: Resource | Reason) -> tuple[str, int, str]:
    return reason.block.path, reason.block.start_line, reason.address


def settle(policy: Policy, facts: Sequence[AbsenceFacts[Declared]], scope: str) -> Iterator[Declared | Missing]:
    """The answers to a duty of the whole, from what the units said.

    One declared resource that fulfils it is enough, if it is surely created. Declared ones that all fall short are
    gaps, each. Where none is declared, and something makes the duty matter, it is a gap if the scan covers the account
    and all of it was read, else unknown: it may stand in another stack.
    """
    declared = [verdict for fact in facts for verdict in fact.declared]
    for outcome in (Outcome.MET, Outcome.UNKNOWN):
        hits = [verdict for verdict in declared if verdict.outcome is outcome]
        if hits:
            yield hits[0]
            return
    gaps = [verdict for verdict in declared if verdict.outcome is Outcome.GAP]
    if gaps:
        yield from gaps
        return
    reasons = [fact.because for fact in facts if fact.because is not None]
    if not reasons:
        yield Missing(_missing_type(policy, None), None, Outcome.NOT_APPLICABLE)
        return
    because = min(reasons, key=_order)
    missing, language = _missing_type(policy, because), language_of(because.type)
    if language not in policy.resources:
        yield Missing(
            missing, because, Outcome.UNKNOWN, Cause.NOT_EXPRESSIBLE, policy.not_expressible.get(language, "")
        )
    elif scope == "account" and not any(fact.unread for fact in facts):
        yield Missing(missing, because, Outcome.GAP)
    else:
        detail = "it may be declared in another stack"
        yield Missing(missing, because, Outcome.UNKNOWN, Cause.OTHER_STACK, detail)


def _if_created(verdict: Verdict) -> Verdict:
    """A resource that is created under an open condition only may leave its duty undone."""
    created = verdict.resource is None or verdict.resource.exists is True
    if verdict.outcome is not Outcome.MET or created:
        return verdict
    return dataclasses.replace(
        verdict, outcome=Outcome.UNKNOWN, cause=Cause.UNRESOLVED_VALUE, detail="it is created under a condition only"
    )


def _missing_type(policy: Policy, because: Reason | None) -> str:
    """The type that is not there, in the language of the resource that makes it matter."""
    assert policy.absence is not None
    spoken = [name for name in policy.absence.of if because and language_of(name) == language_of(because.type)]
    return (spoken or list(policy.absence.of))[0]
