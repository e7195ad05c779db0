"""Inline exceptions: which of a resource's suppressions silences a policy.

How far a pattern reaches is the habit of the tool that it was written for (`model.Suppression.kind`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from srm_checks.model import Suppression


def match(
    policy_id: str, cfn_lint_id: str | None, suppressions: Iterable[Suppression], mandatory: bool
) -> Suppression | None:
    """The suppression that silences the policy here; None where there is none or the policy is mandatory."""
    return None if mandatory else attempt(policy_id, cfn_lint_id, suppressions)


def attempt(policy_id: str, cfn_lint_id: str | None, suppressions: Iterable[Suppression]) -> Suppression | None:
    """As `match`, but without regard to mandatory policies: tells whether somebody tried.

    Of several, one that gives a reason is preferred.
    """
    hits = [entry for entry in suppressions if _covers(entry, policy_id, cfn_lint_id)]
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
