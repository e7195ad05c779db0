"""Inline exceptions: which of a resource's suppressions silences a policy, and which are not as they should be.

How far a pattern reaches is the habit of the tool that it was written for (`model.Suppression.kind`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from srm_checks.model import DOMAIN_CODES, Suppression

# What cannot be meant for a check of another tool, though no active policy has it.
_POLICY_ID: Final = re.compile(rf"[A-Z]{{2,8}}-(?:{'|'.join(DOMAIN_CODES.values())})-\d+")
_CFN_LINT_ID: Final = re.compile(r"E9(?:[A-Z]{2,8})?\d{5}")


def match(
    policy_id: str, cfn_lint_id: str | None, suppressions: Iterable[Suppression], mandatory: bool
) -> Suppression | None:
    """The suppression that silences the policy here; None where there is none or the policy is mandatory."""
    return None if mandatory else attempt(policy_id, cfn_lint_id, suppressions)


def attempt(
    policy_id: str, cfn_lint_id: str | None, suppressions: Iterable[Suppression], equivalents: Collection[str] = ()
) -> Suppression | None:
    """As `match`, but without regard to mandatory policies: tells whether somebody tried.

    `equivalents` are ids of other tools' checks whose suppression counts for the policy too. Of several, one that
    gives a reason is preferred.
    """
    hits = [
        entry
        for entry in suppressions
        if _covers(entry, policy_id, cfn_lint_id) or entry.pattern.strip() in equivalents
    ]
    return next((entry for entry in hits if entry.reason), hits[0] if hits else None)


def refusal(policy_id: str, suppression: Suppression) -> str:
    """The note for a suppression that a mandatory policy ignores."""
    place = f"{suppression.location.path}:{suppression.location.start_line}"
    return f"{place}: {policy_id} is mandatory, so the suppression {suppression.pattern!r} does not hold"


def record(suppression: Suppression) -> dict[str, Any]:
    """JSON-ready data for `model.Finding.suppression`."""
    return {
        "kind": suppression.kind,
        "pattern": suppression.pattern,
        "reason": suppression.reason,
        "path": suppression.location.path,
        "start_line": suppression.location.start_line,
    }


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The ids that a suppression may name.

    `cfn_lint_ids` gives the policy id by cfn-lint id. `equivalents` are other tools' ids, where they count.
    """

    policy_ids: frozenset[str]
    cfn_lint_ids: Mapping[str, str] = field(default_factory=dict)
    equivalents: frozenset[str] = frozenset()


def remarks(suppressions: Iterable[Suppression], vocabulary: Vocabulary) -> Iterator[str]:
    """A sentence for each suppression of ours that gives no reason, or names an id that no active pack has."""
    for entry in dict.fromkeys(suppressions):
        for pattern in entry.pattern.split(",") if entry.kind == "checkov" else [entry.pattern]:
            remark = _remark(pattern.strip(), entry, vocabulary)
            if remark:
                yield f"{entry.location.path}:{entry.location.start_line}: {remark}"


def _remark(pattern: str, entry: Suppression, vocabulary: Vocabulary) -> str:
    from srm_checks.policy.source import suggest

    if entry.kind == "checkov":
        known: Collection[str] = vocabulary.policy_ids
        named = pattern in known or pattern in vocabulary.equivalents
        ours = _POLICY_ID.fullmatch(pattern)
    else:
        known = vocabulary.cfn_lint_ids
        named = pattern in known or pattern in vocabulary.equivalents
        ours = _CFN_LINT_ID.fullmatch(pattern)
        if entry.kind == "cfn-lint-template" and pattern.startswith("E9") and not named:
            named = any(name.startswith(pattern) for name in known)
    if named:
        return "" if entry.reason else f"the suppression of {pattern} gives no reason"
    return f"the suppression names {pattern}, which no active pack has{suggest(pattern, known)}" if ours else ""


def _covers(suppression: Suppression, policy_id: str, cfn_lint_id: str | None) -> bool:
    pattern = suppression.pattern.strip()
    if suppression.kind == "checkov":
        return policy_id in (part.strip() for part in pattern.split(","))
    if not cfn_lint_id or not pattern:
        return False
    if suppression.kind == "cfn-lint":
        return cfn_lint_id == pattern
    if suppression.kind == "cfn-lint-template":
        return cfn_lint_id.startswith(pattern)
    raise ValueError(f"unknown kind of suppression: {suppression.kind!r}")
