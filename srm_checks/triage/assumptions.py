"""Assumptions: controls that, by the word of the configuration, another stack or team provides.

An assumption never makes anything met. The outcome stays what the code shows; the disposition says that it is assumed.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from srm_checks.model import ABSENT_ADDRESS, Cause, Disposition, Finding, Outcome
from srm_checks.triage.terms import EVERYWHERE, Mistake, Scope, check_keys, means, read_date, read_scope, read_text

REQUIRED: Final = ("control", "by", "evidence", "expires")
OPTIONAL: Final = ("scope",)

# What the scanned code cannot answer by itself. A value that the code leaves open is not among it.
_ELSEWHERE: Final = frozenset(
    {Cause.OTHER_STACK, Cause.MISSING_REFERENCE, Cause.PROVIDER_DEFAULT, Cause.NOT_EXPRESSIBLE}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumption:
    """`control` is a policy id or glob; it holds up to and including the day `expires`. `at` is where it is written."""

    control: str
    by: str
    evidence: str
    expires: datetime.date
    scope: Scope = EVERYWHERE
    at: str = ""


def read(value: Any, folder: str) -> Assumption:
    """One entry of `assume:`; where it is written is for the caller to add. Raises `Mistake`."""
    fields = check_keys(value, REQUIRED, OPTIONAL)
    found: dict[str, Any] = {}
    for key, convert in (("control", read_text), ("by", read_text), ("evidence", read_text), ("expires", read_date)):
        try:
            found[key] = convert(fields[key])
        except Mistake as error:
            raise Mistake(str(error), (key, *error.place)) from error
    try:
        scope = EVERYWHERE if fields.get("scope") is None else read_scope(fields["scope"], folder)
    except Mistake as error:
        raise Mistake(str(error), ("scope", *error.place)) from error
    return Assumption(**found, scope=scope)


def expired(assumptions: Iterable[Assumption], today: datetime.date) -> list[str]:
    """A sentence for each assumption that no longer holds."""
    return [
        f"{entry.at}: the assumption that {entry.by} provides {entry.control} expired on {entry.expires}"
        for entry in assumptions
        if entry.expires < today
    ]


@dataclass(frozen=True, slots=True)
class Assumed:
    """The findings, in the same order; `notes` are sentences for the user."""

    findings: list[Finding]
    notes: tuple[str, ...]


def apply(
    findings: Iterable[Finding], assumptions: Sequence[Assumption], *, mandatory: frozenset[str], today: datetime.date
) -> Assumed:
    """Mark the findings that an assumption answers.

    It answers an unknown that the scanned code cannot decide by itself, the absence of a resource, and a setting that
    is not declared; never a setting that is declared wrongly. For a setting of a mandatory policy it does not hold.
    """
    holding = [entry for entry in assumptions if entry.expires >= today]
    notes: dict[str, None] = {}
    done: list[Finding] = []
    for finding in findings:
        entry = next((entry for entry in holding if _answers(entry, finding)), None)
        if entry is None:
            done.append(finding)
        elif finding.policy_id in mandatory and not _is_absence(finding):
            place = f"{finding.location.path}:{finding.location.start_line}"
            notes[f"{entry.at}: {finding.policy_id} is mandatory, so it is not assumed for {place}"] = None
            done.append(finding)
        else:
            done.append(replace(finding, disposition=Disposition.ASSUMED, assumption=record(entry)))
    return Assumed(done, tuple(notes))


def record(entry: Assumption) -> Mapping[str, Any]:
    """JSON-ready data for `model.Finding.assumption`."""
    return {
        "control": entry.control,
        "by": entry.by,
        "evidence": entry.evidence,
        "expiry": entry.expires.isoformat(),
    }


def _answers(entry: Assumption, finding: Finding) -> bool:
    if finding.disposition is not Disposition.NEW or not means(entry.control, finding.policy_id):
        return False
    return _is_open_here(finding) and entry.scope.covers(finding)


def _is_absence(finding: Finding) -> bool:
    return finding.address == ABSENT_ADDRESS or finding.outcome is Outcome.UNKNOWN


def _is_open_here(finding: Finding) -> bool:
    if finding.outcome is Outcome.UNKNOWN:
        return finding.cause in _ELSEWHERE
    if finding.outcome is not Outcome.GAP:
        return False
    undeclared = bool(finding.evidence) and all(item.value is None for item in finding.evidence)
    return finding.address == ABSENT_ADDRESS or undeclared
