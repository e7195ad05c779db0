"""Waivers: reviewed exceptions with a reason, an owner and an end, in a file of their own.

waivers:
  - policy: SRM-DAR-005            # id or glob
    scope: {root: envs/legacy, path: "**/db.tf", address: "aws_db_instance.*"}
    reason: The vendor's image cannot start from an encrypted volume.
    owner: team-payments
    ticket: PAY-431
    created: 2026-01-12
    expires: 2026-12-31            # the last day on which it holds
"""

from __future__ import annotations

import datetime
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from srm_checks.errors import PackError, UsageError
from srm_checks.model import Disposition, Finding, Outcome, SourceRange
from srm_checks.triage import terms
from srm_checks.triage.terms import EVERYWHERE, Mistake, Scope

if TYPE_CHECKING:
    from srm_checks.policy.source import Source

FILE_NAME: Final = "srm-waivers.yaml"
REQUIRED: Final = ("policy", "reason", "owner", "expires")
OPTIONAL: Final = ("scope", "ticket", "created")
_READERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "policy": terms.read_text,
    "reason": terms.read_text,
    "owner": terms.read_text,
    "expires": terms.read_date,
    "ticket": terms.read_text,
    "created": terms.read_date,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """One exception. `place` is its first line, `at` the same with the column; it holds until the end of `expires`."""

    policy: str
    reason: str
    owner: str
    expires: datetime.date
    scope: Scope = EVERYWHERE
    ticket: str | None = None
    created: datetime.date | None = None
    place: SourceRange
    at: str

    def holds(self, today: datetime.date) -> bool:
        return today <= self.expires


def read(path: str) -> tuple[Waiver, ...]:
    """The waivers of a file. Raises `UsageError` with every mistake, each with file:line:column."""
    from srm_checks.policy import source

    try:
        document = source.read(path)
    except PackError as error:
        raise UsageError(str(error)) from error
    return _waivers(document)


def parse(path: str, text: str) -> tuple[Waiver, ...]:
    """As `read`, for a text at hand."""
    from srm_checks.policy import source

    try:
        return _waivers(source.parse(path, text))
    except PackError as error:
        raise UsageError(str(error)) from error


def _waivers(document: Source) -> tuple[Waiver, ...]:
    for key in document.data:
        if key != "waivers":
            document.unknown_word((key,), "key", key, ["waivers"])
    entries = document.data.get("waivers")
    if entries is not None and not isinstance(entries, list):
        document.problem(("waivers",), "`waivers` takes a list")
    found = [
        _waiver(document, index, entry) for index, entry in enumerate(entries if isinstance(entries, list) else ())
    ]
    if document.problems:
        raise UsageError("\n".join(document.problems))
    return tuple(waiver for waiver in found if waiver is not None)


def _waiver(document: Source, index: int, entry: Any) -> Waiver | None:
    place = ("waivers", index)
    before = len(document.problems)
    try:
        fields = terms.check_keys(entry, REQUIRED, OPTIONAL)
    except Mistake as error:
        document.problem((*place, *error.place), f"a waiver {error}" if not error.place else str(error))
        return None
    found: dict[str, Any] = {}
    for key, reader in _READERS.items():
        if fields.get(key) is not None:
            try:
                found[key] = reader(fields[key])
            except Mistake as error:
                document.problem((*place, key), f"`{key}` {error}")
    if fields.get("scope") is not None:
        try:
            found["scope"] = terms.read_scope(fields["scope"], os.path.dirname(document.path))
        except Mistake as error:
            document.problem((*place, "scope", *error.place), f"`scope` {error}" if not error.place else str(error))
    if len(document.problems) > before:
        return None
    line, _column = document.marks[place]
    waiver = Waiver(**found, place=SourceRange(document.path, line, line), at=document.at(place))
    if waiver.created is not None and waiver.created > waiver.expires:
        document.problem((*place, "expires"), "it expires before it was created")
    if not waiver.policy.strip("*?") and waiver.scope.is_everywhere:
        document.problem((*place, "policy"), "a waiver of every policy needs a `scope`")
    return waiver


def unknown(waivers: Iterable[Waiver], policy_ids: Iterable[str]) -> list[str]:
    """A sentence for each waiver that concerns no policy of the active packs."""
    ids = list(policy_ids)
    problems = ((waiver, terms.unknown_policy(waiver.policy, ids)) for waiver in waivers)
    return [f"{waiver.at}: {problem}" for waiver, problem in problems if problem]


def expired(waivers: Iterable[Waiver], today: datetime.date) -> list[str]:
    """A sentence for each waiver that no longer holds."""
    return [
        f"{waiver.at}: the waiver of {waiver.policy} by {waiver.owner} expired on {waiver.expires}"
        for waiver in waivers
        if not waiver.holds(today)
    ]


@dataclass(frozen=True, slots=True)
class Waived:
    """The findings, in the same order, and the waivers that found something; `notes` are sentences for the user."""

    findings: list[Finding]
    used: frozenset[Waiver]
    notes: tuple[str, ...]


def apply(
    findings: Iterable[Finding], waivers: Sequence[Waiver], *, mandatory: frozenset[str], today: datetime.date
) -> Waived:
    """Mark the new gaps and unknowns that a waiver covers; for a mandatory policy none holds.

    A waiver also counts as used where something else silences the finding already.
    """
    used: set[Waiver] = set()
    notes: dict[str, None] = {}
    done: list[Finding] = []
    for finding in findings:
        hits = _covering(finding, waivers, today)
        used.update(hits)
        if hits and finding.policy_id in mandatory:
            notes.update(
                {f"{hit.at}: {finding.policy_id} is mandatory, so this waiver does not hold": None for hit in hits}
            )
        elif hits and finding.disposition is Disposition.NEW:
            finding = replace(finding, disposition=Disposition.WAIVED, waiver=record(hits[0]))
        done.append(finding)
    return Waived(done, frozenset(used), tuple(notes))


def unused(
    waivers: Iterable[Waiver], used: frozenset[Waiver], policy_ids: Iterable[str], today: datetime.date
) -> list[Waiver]:
    """The waivers that would hold and concern one of the judged policies, and found nothing."""
    ids = list(policy_ids)
    return [
        waiver
        for waiver in waivers
        if waiver.holds(today) and waiver not in used and any(terms.means(waiver.policy, name) for name in ids)
    ]


def record(waiver: Waiver) -> dict[str, Any]:
    """JSON-ready data for `model.Finding.waiver`."""
    return {
        "policy": waiver.policy,
        "reason": waiver.reason,
        "owner": waiver.owner,
        "expiry": waiver.expires.isoformat(),
        "ticket": waiver.ticket,
        "created": waiver.created and waiver.created.isoformat(),
        "path": waiver.place.path,
        "start_line": waiver.place.start_line,
    }


def _covering(finding: Finding, waivers: Sequence[Waiver], today: datetime.date) -> list[Waiver]:
    if finding.outcome not in (Outcome.GAP, Outcome.UNKNOWN):
        return []
    return [
        waiver
        for waiver in waivers
        if waiver.holds(today) and terms.means(waiver.policy, finding.policy_id) and waiver.scope.covers(finding)
    ]
