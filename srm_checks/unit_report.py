"""What a scan keeps of a unit once it has been judged.

A report holds no resource. It can be pickled, and written as JSON (unit_json.py).
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass

from srm_checks.absences import Answer
from srm_checks.model import (
    Domain,
    EngineOptions,
    Finding,
    Outcome,
    ScanError,
    Side,
    Suppression,
    Unit,
    UnreadModule,
)

OPEN = frozenset({Outcome.GAP, Outcome.UNKNOWN})


@dataclass(frozen=True, slots=True)
class Task:
    """How units are judged; the same for all units of a scan.

    `keep_all` keeps the findings that are met or not applicable too; otherwise they are only counted.
    """

    options: EngineOptions
    today: datetime.date
    scope: str = "stack"
    suppress_equivalents: bool = False
    keep_all: bool = False


@dataclass(frozen=True, slots=True, order=True)
class Kind:
    """What quiet findings are counted by: all that a filter of a scan asks for."""

    outcome: Outcome
    side: Side
    domain: Domain
    service_model: str
    touches: tuple[str, ...]

    @classmethod
    def of(cls, finding: Finding) -> Kind:
        assert finding.side is not None and finding.domain is not None  # noqa: PT018  # it is one of our own
        model = finding.service_model or ""
        return cls(finding.outcome, finding.side, finding.domain, model, tuple(sorted(finding.touches)))


@dataclass(frozen=True, slots=True)
class UnitReport:
    """What a scan keeps of a unit.

    `findings` are the gaps and unknowns, with `Task.keep_all` the others too. `quiet` counts those that are met or not
    applicable, `met` are the policies met by some resource. `inline` are the suppressions in the source, `dated` tells
    that the day had a say. `absences` are settled by all units together.
    """

    unit: Unit
    findings: tuple[Finding, ...] = ()
    quiet: tuple[tuple[Kind, int], ...] = ()
    met: frozenset[str] = frozenset()
    absences: tuple[Answer, ...] = ()
    errors: tuple[ScanError, ...] = ()
    unread: tuple[UnreadModule, ...] = ()
    inline: tuple[Suppression, ...] = ()
    notes: tuple[str, ...] = ()
    dated: bool = False

    @property
    def complete(self) -> bool:
        """Whether the unit could be read and judged to the end."""
        return not self.errors


def inline_of(reports: Iterable[UnitReport]) -> list[Suppression]:
    """The suppressions in the source, each once."""
    return list(dict.fromkeys(entry for report in reports for entry in report.inline))
