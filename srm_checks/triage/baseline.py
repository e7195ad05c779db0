"""The baseline: findings that were there before, known again by their evidence.

A finding is known when all its evidence is: one more open port is new, one fewer is not. Roots are relative to the
repository's top, and no line numbers are kept, so an entry survives moved lines, another working directory, `moved`
blocks, and the renaming of a root or template.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

from srm_checks import identity, reads
from srm_checks.errors import UsageError
from srm_checks.model import ABSENT_ADDRESS, Disposition, Finding, Outcome

SCHEMA: Final = "srm-checks/baseline/1"
WHOLE_ACCOUNT: Final = ""
"""The root of an account-wide absence, which belongs to no root in particular."""

_WHOLE: Final = ""  # the attribute path of a finding without evidence
_KEYS: Final = ("root", "policy", "address", "framework", "outcome", "evidence")


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """What an entry and a finding share when they are about the same thing."""

    root: str
    policy_id: str
    address: str
    framework: str
    outcome: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One known finding. `evidence` gives the fingerprints by attribute path (without positions in lists)."""

    key: Key
    evidence: Mapping[str, frozenset[str]]

    @property
    def marks(self) -> frozenset[str]:
        return frozenset(mark for marks in self.evidence.values() for mark in marks)


@dataclass(frozen=True, slots=True)
class Baseline:
    """Entries by key. One key has one entry: of findings that share it the evidence is joined."""

    entries: Mapping[Key, Entry]

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> Baseline:
        joined: dict[Key, Entry] = {}
        for entry in entries:
            present = joined.get(entry.key)
            if present is not None:
                paths = {*present.evidence, *entry.evidence}
                nothing: frozenset[str] = frozenset()
                both = {path: present.evidence.get(path, nothing) | entry.evidence.get(path, nothing) for path in paths}
                entry = Entry(entry.key, both)
            joined[entry.key] = entry
        return cls(joined)


@dataclass(frozen=True, slots=True)
class View:
    """What a scan looked at in full.

    `roots` (relative to the repository's top) and `policies`; `settled` are the policies that something met, which
    answers an absence also where the scan saw a part of the account only.
    """

    roots: frozenset[str]
    policies: frozenset[str]
    settled: frozenset[str] = frozenset()

    def covers(self, key: Key) -> bool:
        if key.root == WHOLE_ACCOUNT:
            return key.policy_id in self.settled
        return key.policy_id in self.policies and key.root in self.roots


class RootHistory(Protocol):
    """What became of the roots since the entries were made."""

    def is_gone(self, key: Key) -> bool:
        """Whether the root of an entry is no longer there."""

    def renamed(self, root: str) -> str | None:
        """The root that took the place of one that is gone, None where that is not known."""

    def may_have_been_renamed_to(self, root: str) -> bool:
        """Whether a root may have another name than before without anybody knowing of it."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The findings, in the same order, the known ones marked; and the entries whose finding is gone."""

    findings: list[Finding]
    fixed: tuple[Key, ...]


# ------------------------------------------------------------------ findings as entries


def snapshot(findings: Iterable[Finding]) -> Baseline:
    """The gaps and unknowns that nobody has excepted, as entries."""
    return Baseline.of(
        entry_of(finding)
        for finding in findings
        if _is_open(finding) and finding.disposition in (Disposition.NEW, Disposition.BASELINED)
    )


def entry_of(finding: Finding) -> Entry:
    """The entry under which a finding would be known."""
    evidence: dict[str, set[str]] = {}
    for item in finding.evidence:
        evidence.setdefault(identity.without_positions(item.path), set()).add(item.fingerprint)
    if not evidence:
        evidence[_WHOLE] = {finding.fingerprint}
    return Entry(_key(finding), {path: frozenset(marks) for path, marks in evidence.items()})


def _key(finding: Finding) -> Key:
    home = WHOLE_ACCOUNT if finding.account_wide else identity.repository_path(finding.root)
    return Key(home, finding.policy_id, finding.address, finding.framework, str(finding.outcome))


def _is_open(finding: Finding) -> bool:
    return finding.outcome in (Outcome.GAP, Outcome.UNKNOWN)


# ------------------------------------------------------------------ comparison


def compare(
    known: Baseline,
    findings: Sequence[Finding],
    view: View,
    *,
    roots: RootHistory,
) -> Comparison:
    """Mark the new findings that are known.

    Where the root of an entry is gone, it stands for the equal finding in the root that took its place; where nobody
    can tell which one that is, for the single finding that is equal in all else.
    """
    candidates = [(number, finding) for number, finding in enumerate(findings) if _is_open(finding)]
    keys = {number: _key(finding) for number, finding in candidates}
    met: set[Key] = set()
    baselined: set[int] = set()
    for number, finding in candidates:
        for key in _former_keys(finding, keys[number]):
            met.update(replace(key, outcome=str(outcome)) for outcome in (Outcome.GAP, Outcome.UNKNOWN))
            entry = known.entries.get(key)
            if entry is not None and _is_known(finding, entry):
                baselined.add(number)
                break
    left = [entry for key, entry in known.entries.items() if key not in met and _may_move(key, roots)]
    if left:
        strangers = [(number, finding) for number, finding in candidates if number not in baselined]
        for number, entry in _moved(left, strangers, keys, roots):
            met.add(entry.key)
            baselined.add(number)
    return Comparison(
        [
            replace(finding, disposition=Disposition.BASELINED)
            if number in baselined and finding.disposition is Disposition.NEW
            else finding
            for number, finding in enumerate(findings)
        ],
        tuple(sorted(key for key in known.entries if key not in met and (view.covers(key) or roots.is_gone(key)))),
    )


def _may_move(key: Key, roots: RootHistory) -> bool:
    # An absence stands at the first root that makes it matter, and which one that is may change.
    return key.address == ABSENT_ADDRESS or roots.is_gone(key)


def _moved(
    entries: Sequence[Entry],
    findings: Sequence[tuple[int, Finding]],
    keys: Mapping[int, Key],
    roots: RootHistory,
) -> Iterator[tuple[int, Entry]]:
    """Pairs of a finding and the entry that it had in a root that is gone."""
    rivals: dict[tuple[str, ...], int] = {}
    for entry in entries:
        rivals[_rest(entry.key)] = rivals.get(_rest(entry.key), 0) + 1
    by_rest: dict[tuple[str, ...], list[tuple[int, Finding]]] = {}
    for number, finding in findings:
        for key in _former_keys(finding, keys[number]):
            by_rest.setdefault(_rest(key), []).append((number, finding))
    for entry in entries:
        equal = [
            (number, finding) for number, finding in by_rest.get(_rest(entry.key), ()) if _is_known(finding, entry)
        ]
        heir = roots.renamed(entry.key.root)
        there = [number for number, _finding in equal if keys[number].root == heir]
        if there:
            yield from ((number, entry) for number in there)
        elif len(equal) == 1 and rivals[_rest(entry.key)] == 1:
            number = equal[0][0]
            if entry.key.address == ABSENT_ADDRESS or roots.may_have_been_renamed_to(keys[number].root):
                yield number, entry


def _rest(key: Key) -> tuple[str, ...]:
    """A key without its root."""
    return key.policy_id, key.address, key.framework, key.outcome


def _former_keys(finding: Finding, key: Key) -> Iterator[Key]:
    """The key of a finding, and those that it had before its resource was moved."""
    for address in _addresses(finding.address, finding.former):
        yield replace(key, address=address)


def _addresses(address: str, former: Mapping[str, tuple[str, ...]]) -> list[str]:
    """An address and the earlier ones.

    A resource that gets `count` becomes its own instance 0, and the other way round, without a `moved` block.
    """
    known = [address, *former.get(address, ())]
    twins = [one.removesuffix("[0]") if one.endswith("[0]") else f"{one}[0]" for one in known]
    return list(dict.fromkeys([*known, *twins]))


def _is_known(finding: Finding, entry: Entry) -> bool:
    """Whether the entry holds every piece of the finding's evidence, under any address that it had."""
    known = entry.marks
    if not finding.evidence:
        return bool(known & {finding.fingerprint, _mark_before(finding, entry.key)})
    return all(
        item.fingerprint in known or not known.isdisjoint(_marks_before(finding, entry.key, item.path, item.value))
        for item in finding.evidence
    )


def _mark_before(finding: Finding, key: Key) -> str:
    return identity.fingerprint(finding.policy_id, finding.framework, key.root, key.address)


def _marks_before(finding: Finding, key: Key, path: str, value: Any) -> Iterator[str]:
    """The marks that a piece of evidence had when the finding had this key."""
    for before in _paths_before(path, finding.former):
        yield identity.evidence_fingerprint(finding.policy_id, finding.framework, key.root, key.address, before, value)


def _paths_before(path: str, former: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    """An evidence path, and what it was before the related resource that it begins with was moved."""
    yield path
    for address, earlier in former.items():
        if path == address or path.startswith(f"{address}."):
            for before in earlier:
                yield before + path[len(address) :]


# ------------------------------------------------------------------ the file


def read(path: str) -> Baseline:
    """The baseline of a file. Raises `UsageError` where it is none."""
    reads.file(path)
    try:
        with open(path, encoding="utf-8") as stream:
            data = json.load(stream)
    except FileNotFoundError as error:
        raise UsageError(f"{path}: the baseline does not exist; write it with --write-baseline {path}") from error
    except OSError as error:
        raise UsageError(f"{path}: the baseline cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: not a baseline of srm-checks: {error}") from error
    if not isinstance(data, dict) or not isinstance(data.get("findings"), list):
        raise UsageError(f"{path}: not a baseline of srm-checks: it has no list of findings")
    if data.get("schema") != SCHEMA:
        raise UsageError(f"{path}: its schema is {data.get('schema')!r}, where {SCHEMA!r} is read")
    return Baseline.of(_entry(path, number, item) for number, item in enumerate(data["findings"], start=1))


def _entry(path: str, number: int, item: Any) -> Entry:
    if not isinstance(item, dict) or set(item) != set(_KEYS):
        raise UsageError(f"{path}: finding {number} must have {', '.join(_KEYS)}")
    evidence = item["evidence"]
    if not all(isinstance(item[key], str) for key in _KEYS[:-1]) or not isinstance(evidence, dict):
        raise UsageError(f"{path}: finding {number} is not as it was written")
    marks: dict[str, frozenset[str]] = {}
    for attribute, values in evidence.items():
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise UsageError(f"{path}: finding {number}: {attribute!r} must have a list of fingerprints")
        marks[attribute] = frozenset(values)
    return Entry(Key(item["root"], item["policy"], item["address"], item["framework"], item["outcome"]), marks)


def text(baseline: Baseline) -> str:
    """The file: one line for each finding, sorted, so that a change of it can be reviewed."""
    lines = [json.dumps(_plain(baseline.entries[key])) for key in sorted(baseline.entries)]
    body = "".join(f"\n    {line}," for line in lines).removesuffix(",")
    return f'{{\n  "schema": "{SCHEMA}",\n  "findings": [{body}\n  ]\n}}\n'


def _plain(entry: Entry) -> dict[str, Any]:
    key = entry.key
    values = (key.root, key.policy_id, key.address, key.framework, key.outcome)
    evidence = {path: sorted(entry.evidence[path]) for path in sorted(entry.evidence)}
    return {**dict(zip(_KEYS, values, strict=False)), "evidence": evidence}


def rewritten(previous: Baseline | None, current: Baseline, view: View, is_gone: Callable[[Key], bool]) -> Baseline:
    """The baseline after a scan: what it saw, and of the previous one only what it did not look at."""
    kept = [
        entry
        for key, entry in (previous.entries.items() if previous else ())
        if not view.covers(key) and not is_gone(key)
    ]
    return Baseline.of([*kept, *current.entries.values()])


def write(path: str, baseline: Baseline) -> None:
    """Write the file; it is replaced at once, so that a reader never sees half of it. Raises `UsageError`."""
    beside = f"{path}.{os.getpid()}.tmp"
    try:
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        try:
            with open(beside, "w", encoding="utf-8", newline="\n") as stream:
                stream.write(text(baseline))
            os.replace(beside, path)
        finally:
            if os.path.exists(beside):
                os.remove(beside)
    except OSError as error:
        raise UsageError(f"{path}: the baseline cannot be written: {error.strerror}") from error
