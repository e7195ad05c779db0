"""What the formats say alike about a finding; plain text, which each format makes inert in its own way."""

from __future__ import annotations

import json
from typing import Final

from srm_checks.model import Disposition, Evidence, Finding, Outcome

_VALUE_SHOWN: Final = 120


def counted(number: int, noun: str) -> str:
    """`1 gap`, `2 gaps`, `1,200 gaps`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def spoken(word: str) -> str:
    """A word of the contract as people read it: `data at rest`."""
    return str(word).replace("-", " ")


def responsibility(finding: Finding) -> str:
    """Who answers, under which service model, for what: `customer | PaaS | data at rest`."""
    model = finding.service_model or f"model undetermined: {finding.model_decided_by}"
    return f"{spoken(finding.side_word)} | {model} | {spoken(finding.domain_word)}"


def headline(finding: Finding) -> str:
    """The title, marked where it is a question still."""
    return f"Undecided: {finding.title}" if finding.outcome is Outcome.UNKNOWN else finding.title


def why_undecided(finding: Finding) -> str:
    """The cause of an unknown in words; "" for every other outcome."""
    return spoken(finding.cause) if finding.cause else ""


def exception(finding: Finding) -> str:
    """On whose word a finding is silenced: `waived: reason, by owner, until 2030-01-01`; "" for a new one."""
    if finding.disposition is Disposition.NEW:
        return ""
    return f"{standing(finding)}: {on_whose_word(finding)}"


def standing(finding: Finding) -> str:
    """The disposition in words. What is assumed is never called met without saying so."""
    return "met (assumed)" if finding.disposition is Disposition.ASSUMED else str(finding.disposition)


def on_whose_word(finding: Finding) -> str:
    """Why a finding does not count: `reason, by owner, until 2030-01-01`; "" for a new one."""
    if finding.disposition is Disposition.NEW:
        return ""
    if finding.disposition is Disposition.BASELINED:
        return "known before"
    if finding.disposition is Disposition.ASSUMED:
        given = finding.assumption or {}
        return f"provided by {given.get('by')}, evidence {given.get('evidence')}, until {given.get('expiry')}"
    given = finding.waiver or finding.suppression or {}
    parts = [str(given.get("reason") or "no reason given")]
    if given.get("owner"):
        parts.append(f"by {given['owner']}")
    if given.get("expiry"):
        parts.append(f"until {given['expiry']}")
    return ", ".join(parts)


def declared(evidence: Evidence) -> str:
    """One attribute that decided, with its value: `storage_encrypted = false`."""
    if evidence.value is None:
        return f"{evidence.path} is not set"
    value = evidence.value if isinstance(evidence.value, str) else json.dumps(evidence.value, ensure_ascii=False)
    return f"{evidence.path} = {shortened(value, _VALUE_SHOWN)}"


def shortened(text: str, length: int) -> str:
    """The text in at most `length` characters, with an ellipsis where it was cut."""
    return text if len(text) <= length else text[: length - 3] + "..."
