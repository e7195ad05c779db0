"""The gate: do the findings of a scan fail it, and why.

Only new gaps count against the severity limits; unknowns count only where the user set a limit for them.
"""

from __future__ import annotations

import fnmatch
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from srm_checks.model import Disposition, Finding, Outcome, Severity

UNDETERMINED: Final = "undetermined"

GroupKind: TypeAlias = Literal["policy", "domain", "model", "side"]
# The more a group says about a finding, the more its limit weighs.
GROUP_KINDS: Final[tuple[GroupKind, ...]] = ("policy", "domain", "model", "side")


@dataclass(frozen=True, slots=True)
class Decision:
    """The gate's word on a scan; `because` is a sentence in either case."""

    failed: bool
    because: str


@dataclass(frozen=True, slots=True)
class Group:
    """Findings that share something: `word` is a policy id or glob, a domain, a service model or family, a side."""

    kind: GroupKind
    word: str

    def holds(self, finding: Finding) -> bool:
        match self.kind:
            case "policy":
                return fnmatch.fnmatchcase(finding.policy_id, self.word)
            case "domain":
                return str(finding.domain) == self.word
            case "model":
                return self.word in (finding.service_model or UNDETERMINED, finding.model_family)
            case "side":
                return str(finding.side) == self.word


@dataclass(frozen=True, slots=True)
class Limit:
    """The mildest severity of a gap of the group that fails the gate; None: none does."""

    group: Group
    severity: Severity | None


@dataclass(frozen=True, slots=True)
class Budget:
    """How many unknowns of the group may pass."""

    group: Group
    unknown: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """The limits.

    `fail_on` is for gaps that no limit of a group concerns; None: none of them fails. `max_unknown` None: any number
    of unknowns passes. Every budget is held by itself.
    """

    fail_on: Severity | None = Severity.MEDIUM
    max_unknown: int | None = None
    limits: Sequence[Limit] = ()
    budgets: Sequence[Budget] = ()

    def decide(self, findings: Iterable[Finding], *, scope: str = "stack") -> Decision:
        """Hold the findings against the limits.

        Account-wide absences cannot be decided from one stack, so under `scope` "stack" they are outside the limit
        for unknowns.
        """
        live = [finding for finding in findings if finding.disposition is Disposition.NEW]
        gaps = [finding for finding in live if finding.outcome is Outcome.GAP]
        unknown = [
            finding
            for finding in live
            if finding.outcome is Outcome.UNKNOWN and not (finding.account_wide and scope == "stack")
        ]
        failures = [text for text in (self._failing_gaps(gaps), *self._failing_unknowns(unknown)) if text]
        if failures:
            return Decision(True, _sentence(_listed(failures)))
        return Decision(False, _sentence(self._passing(gaps)))

    def limit_for(self, finding: Finding) -> Severity | None:
        """The limit that concerns a finding: of its policy, else its domain, else its service model, else its side.

        An exact policy id goes before a glob; where several globs match, the strictest holds.
        """
        for kind in GROUP_KINDS:
            hits = [limit for limit in self.limits if limit.group.kind == kind and limit.group.holds(finding)]
            hits = [limit for limit in hits if _names(limit.group, finding)] or hits
            if hits:
                return max((limit.severity for limit in hits), key=lambda word: -1 if word is None else word.rank)
        return self.fail_on

    def _failing_gaps(self, gaps: Sequence[Finding]) -> str:
        counts: Counter[Severity] = Counter()
        for finding in gaps:
            limit = self.limit_for(finding)
            if limit is not None and finding.severity.rank <= limit.rank:
                counts[finding.severity] += 1
        if not counts:
            return ""
        parts = ", ".join(f"{counts[severity]} {severity}" for severity in Severity if counts[severity])
        return f"{_counted(sum(counts.values()), 'gap')} at or above {self._limit_words(plural=True)} ({parts})"

    def _failing_unknowns(self, unknown: Sequence[Finding]) -> Iterable[str]:
        if self.max_unknown is not None:
            yield _over(len(unknown), self.max_unknown, "")
        for budget in self.budgets:
            count = sum(budget.group.holds(finding) for finding in unknown)
            yield _over(count, budget.unknown, f" of {budget.group.kind} {budget.group.word}")

    def _passing(self, gaps: Sequence[Finding]) -> str:
        if self.fail_on is None and not self.limits:
            return "gaps do not fail the gate, as asked"
        below = f"; {_counted(len(gaps), 'gap')} below it" if gaps else ""
        return f"no new gap at or above {self._limit_words(plural=False)}{below}"

    def _limit_words(self, *, plural: bool) -> str:
        if self.limits:
            return "their limits" if plural else "its limit"
        return str(self.fail_on)


def _names(group: Group, finding: Finding) -> bool:
    """Whether a group names the finding's policy or service model itself, not by a glob or the family."""
    return group.word in (finding.policy_id, finding.service_model or UNDETERMINED)


def _over(count: int, allowed: int, of: str) -> str:
    """The words for a limit of unknowns that is passed; "" where it is not."""
    if count <= allowed:
        return ""
    words = "none is" if allowed == 0 else f"{allowed} {_verb(allowed)}"
    return f"{_counted(count, 'unknown')}{of} where {words} allowed"


def _listed(texts: Sequence[str]) -> str:
    return " and ".join(texts) if len(texts) < 3 else f"{', '.join(texts[:-1])}, and {texts[-1]}"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _verb(number: int) -> str:
    return "is" if number == 1 else "are"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "."
