"""One unit judged, alone: the step that is remembered by the cache and spread over workers."""

from __future__ import annotations

import logging
import os
import traceback
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from srm_checks.engines import NAMES, loader
from srm_checks.errors import InputError, SrmError
from srm_checks.judge import UnitFindings, judge_stack
from srm_checks.model import EngineOptions, Outcome, ScanError, Stack, Unit
from srm_checks.policy.document import Policy
from srm_checks.unit_report import OPEN, Kind, Task, UnitReport


def judge_unit(unit: Unit, policies: Sequence[Policy], task: Task) -> UnitReport:
    """Read a unit and judge it. What goes wrong is in the report's errors."""
    return judge_loaded(load_unit(unit, task.options), policies, task)


def judge_loaded(stack: Stack, policies: Sequence[Policy], task: Task) -> UnitReport:
    """As `judge_unit`, for a stack at hand."""
    report = UnitReport(
        stack.unit,
        errors=tuple(stack.errors),
        unread=tuple(stack.unread_modules),
        inline=tuple(dict.fromkeys(entry for resource in stack.resources for entry in resource.suppressions)),
    )
    try:
        judged = judge_stack(
            stack,
            policies,
            today=task.today,
            scope=task.scope,
            suppress_equivalents=task.suppress_equivalents,
        )
    except Exception as error:  # noqa: BLE001  # as in load_unit
        return replace(report, errors=(*report.errors, crash(stack.unit, error)))
    return _with_findings(report, judged, task)


def _with_findings(report: UnitReport, judged: UnitFindings, task: Task) -> UnitReport:
    quiet = [finding for finding in judged.findings if finding.outcome not in OPEN]
    kept = judged.findings if task.keep_all else (f for f in judged.findings if f.outcome in OPEN)
    return replace(
        report,
        findings=tuple(kept),
        quiet=tuple(sorted(Counter(map(Kind.of, quiet)).items())),
        met=frozenset(finding.policy_id for finding in quiet if finding.outcome is Outcome.MET),
        absences=judged.absences,
        notes=judged.notes,
        dated=judged.dated,
    )


def load_unit(unit: Unit, options: EngineOptions) -> Stack:
    """A unit's stack; where it cannot be read at all, an empty stack with the error."""
    try:
        return loader(unit.kind)(unit, options)
    except InputError as error:
        place = f" (line {error.line})" if error.line else ""
        problem = ScanError(error.path, NAMES[unit.kind], error.kind, f"{error}{place}")
    except RecursionError:
        problem = ScanError(unit.path, NAMES[unit.kind], "unsupported", "It is nested too deeply to be read.")
    except SrmError:
        raise
    except Exception as error:  # noqa: BLE001  # a fault costs this unit, never the findings of the others
        problem = crash(unit, error)
    return Stack(unit=unit, resources=[], errors=[problem])


def crash(unit: Unit, error: Exception) -> ScanError:
    """A fault in reading or judging a unit, as a sentence; the traceback goes to the log (shown with -v)."""
    logging.getLogger(__name__).debug("%s", unit.path, exc_info=error)
    place = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{os.path.basename(place.filename)}:{place.lineno}"
    return ScanError(
        unit.path,
        NAMES[unit.kind],
        "crash",
        (
            f"It could not be scanned: {type(error).__name__}: {error} (at {where}). Please report this; "
            f"run with -v for more."
        ),
    )
