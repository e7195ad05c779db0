"""Checkov's AWS checks and cfn-lint's security-related rules: domain, side, severity and the policies near to each."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from srm_checks.catalogue import tables
from srm_checks.model import Domain, Severity, Side

CHECKOV: Final = "checkov"
CFN_LINT: Final = "cfn-lint"

_TABLES: Final = {CHECKOV: "checkov_checks", CFN_LINT: "cfn_lint_rules"}


class CheckEntry(NamedTuple):
    """What the catalogue says of a check of another engine.

    `source` is checkov or cfn-lint, `name` the engine's own title. `policies` are our policies that ask for the same or
    nearly the same. `resource_types` are those that a Checkov check judges, `*` for all; empty for a cfn-lint rule,
    whose engine does not tell. `confidence` (high, medium, low) is in the classification.
    """

    id: str
    source: str
    name: str
    domain: Domain
    side: Side
    severity: Severity
    policies: tuple[str, ...]
    confidence: str
    resource_types: tuple[str, ...] = ()


@functools.lru_cache(maxsize=1024)
def describe(check_id: str) -> CheckEntry | None:
    """The entry of a check; None where the catalogue does not classify it.

    A Checkov check has a row for each framework; they agree in all but the name and the resource types.
    """
    for source, table in _TABLES.items():
        lines = _lines(source).get(check_id)
        if lines:
            return _entry(source, [tables.load(table).row(line) for line in lines])
    return None


def ids(source: str | None = None) -> tuple[str, ...]:
    """The ids of all classified checks, or of those of one engine."""
    sources = _TABLES if source is None else (source,)
    return tuple(check_id for name in sources for check_id in _lines(name))


@functools.cache
def _lines(source: str) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in tables.load(_TABLES[source]).lines:
        found.setdefault(line.partition("\t")[0], []).append(line)
    return found


def _entry(source: str, rows: list[dict[str, str]]) -> CheckEntry:
    first = rows[0]
    return CheckEntry(
        id=first["check_id"] if source == CHECKOV else first["rule_id"],
        source=source,
        name=first["name"] if source == CHECKOV else first["title"],
        domain=Domain(first["domain"]),
        side=Side(first["side"]),
        severity=Severity(first["severity"]),
        policies=_listed(row["srm_policies"] for row in rows),
        confidence=first["confidence"],
        resource_types=_listed(row.get("resource_types", "") for row in rows),
    )


def _listed(cells: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({item for cell in cells for item in cell.split(";") if item}))
