"""Which findings a format shows, in which order, and under which mark."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from srm_checks.model import Disposition, Finding, Outcome

_ORDER = {Outcome.GAP: 0, Outcome.UNKNOWN: 1, Outcome.MET: 2, Outcome.NOT_APPLICABLE: 3}


def is_new_gap(finding: Finding) -> bool:
    """A gap that nobody has excepted or known before."""
    return finding.outcome is Outcome.GAP and finding.disposition is Disposition.NEW


def is_new_unknown(finding: Finding) -> bool:
    return finding.outcome is Outcome.UNKNOWN and finding.disposition is Disposition.NEW


def is_new(finding: Finding) -> bool:
    """A gap or an unknown that nobody has excepted or known before: what trackers are told."""
    return is_new_gap(finding) or is_new_unknown(finding)


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    """Gaps before unknowns, the worst severity first, else in the order given."""
    return sorted(findings, key=lambda finding: (_ORDER[finding.outcome], finding.severity.rank))


def distinct_marks(findings: Sequence[Finding]) -> list[str]:
    """The fingerprint of each finding; where several share one, the later ones carry their place among them.

    Readers that take two entries with one mark for the same thing would lose the second.
    """
    seen: Counter[str] = Counter()
    marks = []
    for finding in findings:
        seen[finding.fingerprint] += 1
        number = seen[finding.fingerprint]
        marks.append(finding.fingerprint if number == 1 else f"{finding.fingerprint}-{number}")
    return marks


@dataclass(frozen=True, slots=True)
class Changes:
    """How the findings stand against a baseline. `fixed`: entries of the baseline that are gone, None if not told."""

    new: int
    baselined: int
    fixed: int | None = None


def changes(findings: Iterable[Finding], fixed: int | None = None) -> Changes | None:
    """The change against the baseline in gaps and unknowns; None where no baseline had a say."""
    judged = [finding for finding in findings if finding.outcome in (Outcome.GAP, Outcome.UNKNOWN)]
    counts = Counter(finding.disposition for finding in judged)
    if not counts[Disposition.BASELINED] and fixed is None:
        return None
    return Changes(counts[Disposition.NEW], counts[Disposition.BASELINED], fixed)
