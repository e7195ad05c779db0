"""The course of triage: in which order assumptions, waivers and what was known before are held against findings.

Inline suppressions come first (a finding brings them along), then assumptions, then waivers, then the baseline and the
other revision: what somebody answers for by name is told so, and not as yesterday's debt.
"""

from __future__ import annotations

import datetime
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from srm_checks import identity
from srm_checks.errors import UsageError
from srm_checks.model import Finding, Outcome
from srm_checks.triage import assumptions, baseline, terms, waivers
from srm_checks.triage.assumptions import Assumption
from srm_checks.triage.baseline import Baseline, Key, View
from srm_checks.triage.roots import Roots, last_change_of
from srm_checks.triage.waivers import Waiver

_SHOWN = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Rules:
    """What the user excepts, and what was known before.

    `waivers` and `baseline` are files, `diff` a git revision to compare with. `expired_is_finding`: an expired waiver
    or assumption does not end the scan, and what it covered counts again. `write_baseline` is the file to write.
    """

    waivers: str | None = None
    assume: tuple[Assumption, ...] = ()
    expired_is_finding: bool = False
    suppress_equivalents: bool = False
    baseline: str | None = None
    diff: str | None = None
    write_baseline: str | None = None


@dataclass(frozen=True, slots=True)
class Compared:
    """What the findings were compared with, a baseline or a revision by `name`, and which of its findings are gone."""

    kind: str
    name: str
    fixed: tuple[Key, ...]

    @property
    def words(self) -> str:
        """`the baseline`, or the revision in short; the name of a file stays out of prose."""
        return "the baseline" if self.kind == "baseline" else f"revision {self.name[:12]}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Looked:
    """What a scan looked at: `view` for the baseline, and the folders given as PATHs, None where files were given."""

    view: View
    folders: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Triaged:
    """The findings, in the same order. `snapshot` is the baseline to write, None where none was asked for."""

    findings: list[Finding]
    compared: tuple[Compared, ...]
    notes: tuple[str, ...]
    snapshot: Baseline | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Course:
    """The rules, read and found right."""

    rules: Rules
    waivers: tuple[Waiver, ...]
    known: Baseline | None
    previous: Baseline | None
    mandatory: frozenset[str]
    today: datetime.date
    notes: tuple[str, ...]

    def run(
        self, findings: Sequence[Finding], looked: Looked, *, scope: str, at_revision: tuple[str, Baseline] | None
    ) -> Triaged:
        """Triage. `at_revision` is the commit that `Rules.diff` means, with what was known there."""
        notes = list(self.notes)
        assumed = assumptions.apply(findings, self.rules.assume, mandatory=self.mandatory, today=self.today)
        waived = waivers.apply(assumed.findings, self.waivers, mandatory=self.mandatory, today=self.today)
        notes += [*assumed.notes, *waived.notes, *self._unused(waived.used, looked)]
        done = waived.findings
        compared: list[Compared] = []
        top = identity.top_of(os.curdir)
        roots = Roots(top, lambda: None)
        if self.known is not None and self.rules.baseline is not None:
            roots = Roots(top, last_change_of(self.rules.baseline))
            done, fixed = _compare(self.known, done, looked.view, roots)
            compared.append(Compared("baseline", self.rules.baseline, fixed))
            notes += _fixed_notes(self.rules.baseline, fixed)
        if at_revision is not None:
            commit, known = at_revision
            done, fixed = _compare(known, done, looked.view, Roots(top, lambda: commit))
            compared.append(Compared("revision", commit, fixed))
        return Triaged(done, tuple(compared), tuple(notes), self._snapshot(done, looked.view, roots, scope))

    def _snapshot(self, findings: Iterable[Finding], view: View, roots: Roots, scope: str) -> Baseline | None:
        if self.rules.write_baseline is None:
            return None
        # An account-wide absence cannot be decided from one stack; it is not listed, so it is nothing to get used to.
        decidable = (
            finding
            for finding in findings
            if not (finding.account_wide and finding.outcome is Outcome.UNKNOWN and scope == "stack")
        )
        return baseline.rewritten(self.previous, baseline.snapshot(decidable), view, roots.is_gone)

    def _unused(self, used: frozenset[Waiver], looked: Looked) -> list[str]:
        """Waivers that found nothing though all that they could concern was looked at."""
        if self.rules.waivers is None or looked.folders is None:
            return []
        if not covers_home(self.rules.waivers, looked.folders):
            return []
        return [
            f"{waiver.at}: the waiver of {waiver.policy} by {waiver.owner} is not used"
            for waiver in waivers.unused(self.waivers, used, looked.view.policies, self.today)
        ]


def prepare(rules: Rules, policy_ids: Iterable[str], mandatory: Iterable[str], today: datetime.date) -> Course:
    """Read the waivers and the baseline.

    Raises `UsageError` where a file is wrong, an exception names no active policy or has expired.
    """
    ids = list(policy_ids)
    given = waivers.read(rules.waivers) if rules.waivers else ()
    problems = waivers.unknown(given, ids)
    for entry in rules.assume:
        if problem := terms.unknown_policy(entry.control, ids):
            problems.append(f"{entry.at}: assume: {problem}")
    expired = [*waivers.expired(given, today), *assumptions.expired(rules.assume, today)]
    if not rules.expired_is_finding:
        problems += [f"{text}; renew it, or remove it" for text in expired]
    if problems:
        raise UsageError("\n".join(problems))
    known = None
    if rules.baseline is not None and not _is_first_writing(rules):
        known = baseline.read(rules.baseline)
    previous = None
    if rules.write_baseline is not None and os.path.exists(rules.write_baseline):
        previous = baseline.read(rules.write_baseline)
    return Course(
        rules=rules,
        waivers=given,
        known=known,
        previous=previous,
        mandatory=frozenset(mandatory),
        today=today,
        notes=tuple(f"{text}; what it covered counts again" for text in expired),
    )


def _is_first_writing(rules: Rules) -> bool:
    """Whether the baseline that is to be read is the one that this scan writes for the first time."""
    if rules.write_baseline is None or rules.baseline is None or os.path.exists(rules.baseline):
        return False
    return os.path.abspath(rules.baseline) == os.path.abspath(rules.write_baseline)


def _compare(
    known: Baseline, findings: Sequence[Finding], view: View, roots: Roots
) -> tuple[list[Finding], tuple[Key, ...]]:
    result = baseline.compare(known, findings, view, roots=roots)
    return result.findings, result.fixed


def _fixed_notes(path: str, fixed: Sequence[Key]) -> list[str]:
    if not fixed:
        return []
    shown = ", ".join(f"{key.policy_id} {key.address} in {key.root or 'the account'}" for key in fixed[:_SHOWN])
    rest = f", and {len(fixed) - _SHOWN} more" if len(fixed) > _SHOWN else ""
    count = f"{len(fixed)} finding{'s' if len(fixed) > 1 else ''}"
    return [f"{count} of {path} no longer there: {shown}{rest}; --write-baseline {path} prunes them"]


def covers_home(path: str, folders: Iterable[str]) -> bool:
    """Whether one of the folders holds the folder of a file: what the file speaks of lies in them then."""
    home = os.path.dirname(os.path.realpath(path))
    return any(_lies_in(home, os.path.realpath(folder)) for folder in folders)


def _lies_in(path: str, folder: str) -> bool:
    inside = os.path.relpath(path, folder)
    return inside != os.pardir and not inside.startswith(os.pardir + os.sep)
