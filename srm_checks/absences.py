"""Duties that some resource must fulfil: what one unit has to say to them, and the answer of all units together.

This module knows no policy condition and no catalogue, so that a scan that finds every unit in its cache needs
neither.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from srm_checks import identity
from srm_checks.model import ABSENT_ADDRESS, FRAMEWORKS, Cause, Disposition, Finding, Outcome, SourceRange, Unit
from srm_checks.policy.document import Policy
from srm_checks.policy.naming import language_of


@dataclass(frozen=True, slots=True)
class MissingType:
    """The type that could fulfil a duty and is not there, with what the catalogue says of it."""

    name: str
    service: str
    service_model: str | None
    model_family: str | None
    decided_by: str


@dataclass(frozen=True, slots=True)
class Reason:
    """A resource that makes a duty matter."""

    type: str
    address: str
    block: SourceRange


@dataclass(frozen=True, slots=True)
class Answer:
    """What one unit has to say to a duty of the whole stack or account.

    `declared` are the findings on the declared resources that could fulfil it, `missing` is the type to name where
    none does. `because` is the first resource that makes the duty matter. `unread` tells that a part of the unit was
    not seen.
    """

    policy_id: str
    declared: tuple[Finding, ...]
    missing: MissingType
    because: Reason | None
    unread: bool


class Says(Protocol):
    """A unit with its answers."""

    @property
    def unit(self) -> Unit: ...

    @property
    def absences(self) -> tuple[Answer, ...]: ...


def settle_absences(units: Iterable[Says], policies: Sequence[Policy], scope: str) -> list[Finding]:
    """The findings on duties that all units answer together, one answer for each policy."""
    by_policy: dict[str, list[tuple[Unit, Answer]]] = {}
    for unit in units:
        for answer in unit.absences:
            by_policy.setdefault(answer.policy_id, []).append((unit.unit, answer))
    return [
        replace(finding, account_wide=policy.absence.account_wide and finding.address == ABSENT_ADDRESS)
        for policy in policies
        if policy.absence is not None and policy.id in by_policy
        for finding in settle(policy, by_policy[policy.id], scope)
    ]


def settle(policy: Policy, answers: Sequence[tuple[Unit, Answer]], scope: str) -> Iterator[Finding]:
    """The findings on a duty of the whole, from what the units said.

    One declared resource that fulfils it is enough, if it is surely created. Declared ones that all fall short are
    gaps, each. Where none is declared, and something makes the duty matter, it is a gap if the scan covers the account
    and all of it was read, else unknown: it may stand in another stack.
    """
    declared = [finding for _unit, answer in answers for finding in answer.declared]
    for outcome in (Outcome.MET, Outcome.UNKNOWN):
        hits = [finding for finding in declared if finding.outcome is outcome]
        if hits:
            yield hits[0]
            return
    gaps = [finding for finding in declared if finding.outcome is Outcome.GAP]
    if gaps:
        yield from gaps
        return
    reasons = [(answer.because, unit, answer.missing) for unit, answer in answers if answer.because is not None]
    if not reasons:
        unit, answer = answers[0]
        yield _on_missing(policy, unit, answer.missing, None, Outcome.NOT_APPLICABLE)
        return
    because, unit, missing = min(reasons, key=lambda entry: first(entry[0]))
    language = language_of(because.type)
    if language not in policy.resources:
        detail = policy.not_expressible.get(language, "")
        yield _on_missing(policy, unit, missing, because, Outcome.UNKNOWN, Cause.NOT_EXPRESSIBLE, detail)
    elif scope == "account" and not any(answer.unread for _unit, answer in answers):
        yield _on_missing(policy, unit, missing, because, Outcome.GAP)
    else:
        detail = "it may be declared in another stack"
        yield _on_missing(policy, unit, missing, because, Outcome.UNKNOWN, Cause.OTHER_STACK, detail)


class _HasPlace(Protocol):
    @property
    def block(self) -> SourceRange: ...

    @property
    def address(self) -> str: ...


def first(reason: _HasPlace) -> tuple[str, int, str]:
    """The order of reasons: place first."""
    return reason.block.path, reason.block.start_line, reason.address


def missing_type(policy: Policy, because: Reason | None) -> str:
    """The type to name where none is declared, in the language of the resource that makes the duty matter."""
    assert policy.absence is not None
    types = list(policy.absence.of)
    spoken = [name for name in types if because and language_of(name) == language_of(because.type)]
    return (spoken or types)[0]


def _on_missing(
    policy: Policy,
    unit: Unit,
    missing: MissingType,
    because: Reason | None,
    outcome: Outcome,
    cause: Cause | None = None,
    detail: str = "",
) -> Finding:
    """The finding on a resource that is not there; it stands where it is first missed."""
    block = because.block if because else SourceRange(unit.path, 1, 1)
    place = SourceRange(block.path, block.start_line, block.start_line)
    framework = FRAMEWORKS[unit.kind]
    home = identity.repository_path(unit.path)
    return Finding(
        policy_id=policy.id,
        name=policy.name,
        title=policy.title,
        outcome=outcome,
        cause=cause,
        severity=policy.severity,
        side=policy.side,
        service_model=missing.service_model,
        model_family=missing.model_family,
        model_decided_by=missing.decided_by,
        domain=policy.domain,
        service=missing.service,
        aws_does=policy.aws_does,
        customer_does=policy.customer_does,
        message=_message(policy, missing.name, outcome, detail),
        fix=policy.fix[language_of(missing.name)],
        framework=framework,
        resource_type=missing.name,
        address=ABSENT_ADDRESS,
        root=unit.path,
        location=place,
        block=block,
        attribute=None,
        when=None,
        evidence=(),
        origin=None,
        call_chain=(),
        frameworks=policy.frameworks,
        equivalents=policy.equivalents,
        source="srm",
        disposition=Disposition.NEW,
        waiver=None,
        fingerprint=identity.fingerprint(policy.id, framework, home, ABSENT_ADDRESS),
        touches=frozenset([block.path]),
    )


def _message(policy: Policy, type_name: str, outcome: Outcome, detail: str) -> str:
    if outcome is Outcome.GAP:
        return f"{policy.title}: no {type_name} is declared ({policy.id})."
    if outcome is Outcome.UNKNOWN:
        return f"{policy.title}? No {type_name} is declared in view; {detail} ({policy.id})."
    return f"{policy.title}: nothing in view makes it matter ({policy.id})."
