"""One scan, from paths to findings: the only module that knows the order of the steps."""

from __future__ import annotations

import contextlib
import datetime
import logging
import os
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from srm_checks.discovery import Inputs, discover
from srm_checks.engines import NAMES, loader
from srm_checks.errors import InputError, SrmError, UsageError
from srm_checks.judge import UnitFindings, judge_stack, order, settle_absences
from srm_checks.model import (
    Domain,
    EngineOptions,
    Finding,
    Outcome,
    ScanError,
    Side,
    Stack,
    Unit,
    UnitKind,
    UnreadModule,
)
from srm_checks.policy.document import Policy
from srm_checks.policy.packs import DEFAULT_PACK, PackIdentity, PolicySet, load_packs, matching
from srm_checks.policy.source import suggest

UNDETERMINED = "undetermined"


@dataclass(frozen=True, kw_only=True, slots=True)
class ScanRequest:
    """Everything that a scan depends on. Empty filters mean all; `undeclared="gap"` as in a pack.

    `with_builtins` adds the engines' own checks; `select` and `ignore` then name theirs too.
    """

    paths: tuple[str, ...]
    packs: tuple[str, ...] = (DEFAULT_PACK,)
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    sides: frozenset[Side] = frozenset()
    domains: frozenset[Domain] = frozenset()
    service_models: frozenset[str] = frozenset()
    scope: str = "stack"
    engine: str = "auto"
    engine_options: EngineOptions = field(default_factory=EngineOptions)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    today: datetime.date
    exclude: tuple[str, ...] = ()
    include_all: bool = False
    undeclared: str | None = None
    with_builtins: bool = False


@dataclass(frozen=True, slots=True)
class Summary:
    """Counts of all four outcomes: in all, and by side, domain and service model."""

    outcomes: Mapping[str, int]
    by_side: Mapping[str, Mapping[str, int]]
    by_domain: Mapping[str, Mapping[str, int]]
    by_service_model: Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class InputsReport:
    """What was scanned, and which modules could not be read."""

    terraform_roots: int
    terraform_files: int
    plans: int
    cloudformation_templates: int
    skipped_files: int
    unread_modules: tuple[UnreadModule, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ScanResult:
    """The outcome of a scan. `findings` are sorted, gaps and unknowns; with `include_all` the others too.

    `paths` are the scanned paths as given, `policies` those that were judged, by id.
    """

    findings: tuple[Finding, ...]
    counts: Summary
    errors: tuple[ScanError, ...]
    inputs: InputsReport
    packs: tuple[PackIdentity, ...]
    scope: str
    notes: tuple[str, ...]
    paths: tuple[str, ...] = (".",)
    policies: Mapping[str, Policy] = field(default_factory=dict)


def scan(request: ScanRequest, progress: Callable[[int, int, str], None] | None = None) -> ScanResult:
    """Scan. `progress` is told (units done, units in all, the unit at hand).

    Raises `UsageError` where a path, pack or pattern is wrong. What cannot be read is in the result's errors.
    """
    policy_set = load_packs(request.packs, parameters=request.parameters, undeclared=request.undeclared)
    policies = chosen(policy_set, request.select, request.ignore)
    inputs = discover(request.paths, exclude=request.exclude)
    errors: list[ScanError] = list(inputs.errors)
    unread: list[UnreadModule] = []
    units: list[UnitFindings] = []
    notes: list[str] = []
    for number, unit in enumerate(inputs.units):
        if progress:
            progress(number, len(inputs.units), unit.path)
        stack = load_unit(unit, request.engine_options)
        errors.extend(stack.errors)
        unread.extend(stack.unread_modules)
        try:
            judged = judge_stack(stack, policies, today=request.today, scope=request.scope)
        except Exception as error:  # noqa: BLE001  # as in load_unit
            errors.append(crash(unit, error))
            continue
        notes.extend(judged.notes)
        units.append(judged)
    if progress:
        progress(len(inputs.units), len(inputs.units), "")
    findings = [finding for unit in units for finding in unit.findings]
    findings += settle_absences(units, policies, request.scope)
    kept = [finding for finding in findings if _wanted(finding, request, inputs)]
    listed = [finding for finding in kept if _listed(finding, request)]
    kinds = Counter(unit.kind for unit in inputs.units)
    return ScanResult(
        findings=tuple(sorted(listed, key=order)),
        counts=_count(kept),
        errors=tuple(sorted(dict.fromkeys(errors), key=lambda error: (error.path, error.kind, error.message))),
        inputs=InputsReport(
            kinds[UnitKind.TERRAFORM],
            inputs.terraform_files,
            kinds[UnitKind.PLAN],
            kinds[UnitKind.CLOUDFORMATION],
            inputs.skipped_files,
            tuple(sorted(dict.fromkeys(unread), key=lambda call: (call.path, call.start_line, call.address))),
        ),
        packs=policy_set.packs,
        scope=request.scope,
        notes=tuple(dict.fromkeys(notes)),
        paths=request.paths,
        policies={policy.id: policy for policy in policies},
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


def chosen(policy_set: PolicySet, select: Iterable[str], ignore: Iterable[str]) -> tuple[Policy, ...]:
    """The policies that `select` and `ignore` (ids or globs) leave; ignore wins.

    Raises `UsageError` for a pattern that matches no policy of the active packs.
    """
    ids = [policy.id for policy in policy_set.policies]
    wanted = set(_matched(select, ids)) if select else set(ids)
    wanted -= set(_matched(ignore, ids))
    return tuple(policy for policy in policy_set.policies if policy.id in wanted)


def _matched(patterns: Iterable[str], ids: list[str]) -> Iterator[str]:
    for pattern in patterns:
        hits = matching(pattern, ids)
        if not hits:
            raise UsageError(f"{pattern!r} matches no policy of the active packs{suggest(pattern, ids)}.")
        yield from hits


def _wanted(finding: Finding, request: ScanRequest, inputs: Inputs) -> bool:
    if request.sides and finding.side not in request.sides:
        return False
    if request.domains and finding.domain not in request.domains:
        return False
    if request.service_models and finding.service_model not in request.service_models:
        return False
    return inputs.file_filter is None or any(inputs.covers(path) for path in finding.touches)


def _listed(finding: Finding, request: ScanRequest) -> bool:
    if request.include_all:
        return True
    if finding.account_wide and finding.outcome is Outcome.UNKNOWN and request.scope == "stack":
        return False
    return finding.outcome in (Outcome.GAP, Outcome.UNKNOWN)


def _count(findings: Iterable[Finding]) -> Summary:
    outcomes: Counter[str] = Counter({outcome.value: 0 for outcome in Outcome})
    tables: tuple[dict[str, Counter[str]], ...] = ({}, {}, {})
    for finding in findings:
        outcome = finding.outcome.value
        outcomes[outcome] += 1
        keys = (finding.side.value, finding.domain.value, finding.service_model or UNDETERMINED)
        for table, key in zip(tables, keys, strict=True):
            table.setdefault(key, Counter())[outcome] += 1
    side, domain, model = ({key: dict(table[key]) for key in sorted(table)} for table in tables)
    return Summary(dict(outcomes), side, domain, model)
