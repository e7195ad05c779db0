"""The gate: do the findings of a scan fail it, and why.

Only new gaps count against the severity limit; unknowns count only where the user set a limit for them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from srm_checks.model import Disposition, Finding, Outcome, Severity


@dataclass(frozen=True, slots=True)
class Decision:
    """The gate's word on a scan; `because` is a sentence in either case."""

    failed: bool
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """The limits. `fail_on` None: no gap fails; `max_unknown` None: any number of unknowns passes."""

    fail_on: Severity | None = Severity.MEDIUM
    max_unknown: int | None = None

    def decide(self, findings: Iterable[Finding], *, scope: str = "stack") -> Decision:
        """Hold the findings against the limits.

        Account-wide absences cannot be decided from one stack, so under `scope` "stack" they are outside the limit
        for unknowns.
        """
        live = [finding for finding in findings if finding.disposition is Disposition.NEW]
        gaps = [finding.severity for finding in live if finding.outcome is Outcome.GAP]
        unknown = sum(
            finding.outcome is Outcome.UNKNOWN and not (finding.account_wide and scope == "stack") for finding in live
        )
        failures = [text for text in (self._failing_gaps(gaps), self._failing_unknowns(unknown)) if text]
        if failures:
            return Decision(True, _sentence(" and ".join(failures)))
        return Decision(False, _sentence(self._passing(gaps)))

    def _failing_gaps(self, gaps: list[Severity]) -> str:
        if self.fail_on is None:
            return ""
        counts = Counter(severity for severity in gaps if severity.rank <= self.fail_on.rank)
        if not counts:
            return ""
        total = sum(counts.values())
        parts = ", ".join(f"{counts[severity]} {severity}" for severity in Severity if counts[severity])
        return f"{_counted(total, 'gap')} at or above {self.fail_on} ({parts})"

    def _failing_unknowns(self, unknown: int) -> str:
        if self.max_unknown is None or unknown <= self.max_unknown:
            return ""
        allowed = "none is" if self.max_unknown == 0 else f"{self.max_unknown} {_verb(self.max_unknown)}"
        return f"{_counted(unknown, 'unknown')} where {allowed} allowed"

    def _passing(self, gaps: list[Severity]) -> str:
        if self.fail_on is None:
            return "gaps do not fail the gate, as asked"
        below = f"; {_counted(len(gaps), 'gap')} below it" if gaps else ""
        return f"no new gap at or above {self.fail_on}{below}"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _verb(number: int) -> str:
    return "is" if number == 1 else "are"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "."
