"""Severities by the names that other engines have for them."""

from __future__ import annotations

from srm_checks.model import Severity


def known(word: object) -> Severity | None:
    """The severity, None where the engine gives none or a word that we do not have (`NONE`, `MODERATE`)."""
    name = str(word).lower()
    return Severity(name) if name in {str(severity) for severity in Severity} else None
