"""One scan, from paths to findings: the only module that knows the order of the steps."""

from __future__ import annotations

import datetime
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from srm_checks import identity
from srm_checks.absences import settle_absences
from srm_checks.discovery import Inputs, discover
from srm_checks.errors import UsageError
from srm_checks.fleet import Recipe, Running, given_variables, judge_all, known_drafts, recorded_seconds
from srm_checks.model import (
    Domain,
    EngineOptions,
    Finding,
    Outcome,
    ScanError,
    Side,
    Unit,
    UnitKind,
    UnreadModule,
    order,
)
from srm_checks.policy.document import Policy
from srm_checks.policy.packs import DEFAULT_PACK, PackIdentity, PolicySet, load_packs, matching
from srm_checks.policy.source import suggest
from srm_checks.triage import baseline, course, suppressions
from srm_checks.triage.baseline import Baseline
from srm_checks.triage.terms import unknown_policy
from srm_checks.unit_report import OPEN, Kind, Task, UnitReport, inline_of

if TYPE_CHECKING:
    from srm_checks import shards

UNDETERMINED = "undetermined"

_HERE: Final = Running()

Progress: TypeAlias = Callable[[int, int, str], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class ScanRequest:
    """Everything that a scan depends on. Empty filters mean all; `undeclared="gap"` as in a pack.

    `with_builtins` adds the engines' own checks; `select` and `ignore` then name theirs too. `triage` says what is
    excepted and what was known before. `mentioned` are further patterns of policies with the place where each stands;
    one that means no active policy is a mistake.
    """

    paths: tuple[str, ...]
    packs: tuple[str, ...] = (DEFAULT_PACK,)
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    sides: frozenset[Side] = frozenset()
    domains: frozenset[Domain] = frozenset()
    service_models: frozenset[str] = frozenset()
    scope: str = "stack"
    engine_options: EngineOptions = field(default_factory=EngineOptions)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    today: datetime.date
    exclude: tuple[str, ...] = ()
    include_all: bool = False
    undeclared: str | None = None
    with_builtins: bool = False
    triage: course.Rules = course.Rules()  # noqa: RUF009  # frozen
    mentioned: tuple[tuple[str, str], ...] = ()
    shard: tuple[int, int] | None = None


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

    `paths` are the scanned paths as given, `policies` those that were judged, by id. `compared` tells what the findings
    were compared with; `snapshot` is the baseline to write, None where none was asked for.
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
    compared: tuple[course.Compared, ...] = ()
    snapshot: Baseline | None = None
    shard: shards.Shard | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """What the units of a scan say.

    `quiet` counts what is met or not applicable, None where all of that is among the findings. `met` are the policies
    that are met somewhere. `complete` are the roots of the units that could be read to the end.
    """

    findings: list[Finding]
    quiet: Counter[Kind] | None
    met: frozenset[str]
    errors: list[ScanError]
    unread: list[UnreadModule]
    complete: frozenset[str]
    notes: list[str]


@dataclass(frozen=True, slots=True)
class _Plan:
    """What a scan has settled before it looks at any file."""

    policy_set: PolicySet
    policies: tuple[Policy, ...]
    triage: course.Course


def scan(request: ScanRequest, progress: Progress | None = None, running: Running = _HERE) -> ScanResult:
    """Scan. `progress` is told (units done, units in all, the unit at hand); `running` says where the work is done.

    Raises `UsageError` where a path, pack or pattern is wrong. What cannot be read is in the result's errors.
    """
    plan = _planned(request, running)
    before = _at_revision(request, plan, progress, running) if request.shard is None else _Before()
    facts = running.states.facts if running.states else None
    inputs = discover(request.paths, exclude=request.exclude, facts=facts)
    if request.shard is None:
        return _finished(request, plan, before, inputs, _judged(inputs.units, plan, request, progress, running))
    from srm_checks import shards

    index, count = request.shard
    recipe = _recipe(request, plan.policies)
    units = shards.cut(inputs.units, index, count, recorded_seconds(recipe, plan.policies, running))
    reports = judge_all(units, plan.policies, recipe, running, progress)
    judged = _combined(reports, [], plan, request, settled=False)
    # Whether a waiver is of use can be told of the whole only.
    part = replace(inputs, units=tuple(units), folders=() if inputs.file_filter is None else inputs.folders)
    shard = shards.Shard(index=index, count=count, request=_asked(request, plan), inputs=inputs, reports=tuple(reports))
    return replace(_finished(request, plan, before, part, judged), shard=shard)


def merge(whole: shards.Shard, request: ScanRequest, running: Running = _HERE) -> ScanResult:
    """The result of a scan whose units were judged in parts; `request` is what all parts were asked for.

    Raises `UsageError` as `scan` does, and where the packs are not those of the parts.
    """
    plan = _planned(request, running)
    if _asked(request, plan) != dict(whole.request):
        raise UsageError("the packs or options here are not those with which the parts were scanned")
    before = _at_revision(request, plan, None, running)
    return _finished(request, plan, before, whole.inputs, _combined(whole.reports, [], plan, request))


def asked_for(asked: Mapping[str, Any], rules: course.Rules) -> ScanRequest:
    """The request that a part was scanned with; triage is that of the caller."""
    options = asked["options"]
    return ScanRequest(
        paths=tuple(asked["paths"]),
        packs=tuple(asked["packs"]),
        select=tuple(asked["select"]),
        ignore=tuple(asked["ignore"]),
        sides=frozenset(map(Side, asked["sides"])),
        domains=frozenset(map(Domain, asked["domains"])),
        service_models=frozenset(asked["service_models"]),
        scope=asked["scope"],
        engine_options=EngineOptions(
            var_files=tuple(options["var_files"]),
            parameters=options["parameters"],
            strict_parameters=options["strict_parameters"],
            front_end=options["front_end"],
        ),
        parameters=asked["parameters"],
        today=datetime.date.fromisoformat(asked["today"]),
        exclude=tuple(asked["exclude"]),
        include_all=asked["include_all"],
        undeclared=asked["undeclared"],
        triage=replace(rules, suppress_equivalents=asked["suppress_equivalents"]),
    )


def _asked(request: ScanRequest, plan: _Plan) -> dict[str, Any]:
    """What was asked for, as plain data: all that decides what the units say."""
    options = request.engine_options
    return {
        "paths": list(request.paths),
        "packs": list(request.packs),
        "digests": {pack.name: pack.digest for pack in plan.policy_set.packs},
        "select": list(request.select),
        "ignore": list(request.ignore),
        "sides": sorted(map(str, request.sides)),
        "domains": sorted(map(str, request.domains)),
        "service_models": sorted(request.service_models),
        "scope": request.scope,
        "options": {
            "var_files": list(options.var_files),
            "parameters": dict(options.parameters),
            "strict_parameters": options.strict_parameters,
            "front_end": options.front_end,
        },
        "parameters": {policy: dict(values) for policy, values in request.parameters.items()},
        "today": request.today.isoformat(),
        "exclude": list(request.exclude),
        "include_all": request.include_all,
        "undeclared": request.undeclared,
        "suppress_equivalents": request.triage.suppress_equivalents,
    }


def _planned(request: ScanRequest, running: Running) -> _Plan:
    policy_set = load_packs(
        request.packs, parameters=request.parameters, undeclared=request.undeclared, drafts=known_drafts(running)
    )
    policies = chosen(policy_set, request.select, request.ignore, _builtin_ids() if request.with_builtins else ())
    _check_mentioned(request, policy_set)
    triage = course.prepare(
        request.triage,
        [policy.id for policy in policy_set.policies],
        [policy.id for policy in policy_set.policies if policy.mandatory],
        request.today,
    )
    return _Plan(policy_set, policies, triage)


def _finished(request: ScanRequest, plan: _Plan, before: _Before, inputs: Inputs, judged: Judged) -> ScanResult:
    """What follows once the units are judged: triage, filters, counts."""
    looked = _looked_at(inputs, plan.policies, judged, request)
    triaged = plan.triage.run(judged.findings, looked, scope=request.scope, at_revision=before.known)
    kept = [finding for finding in triaged.findings if _wanted(finding, request, inputs)]
    listed = [finding for finding in kept if _listed(finding, request)]
    kinds = Counter(unit.kind for unit in inputs.units)
    errors = dict.fromkeys([*inputs.errors, *judged.errors])
    return ScanResult(
        findings=tuple(sorted(listed, key=order)),
        counts=summary_of(kept, _quiet(judged, request, inputs)),
        errors=tuple(sorted(errors, key=lambda error: (error.path, error.kind, error.message))),
        inputs=InputsReport(
            kinds[UnitKind.TERRAFORM],
            inputs.terraform_files,
            kinds[UnitKind.PLAN],
            kinds[UnitKind.CLOUDFORMATION],
            inputs.skipped_files,
            tuple(sorted(dict.fromkeys(judged.unread), key=lambda call: (call.path, call.start_line, call.address))),
        ),
        packs=plan.policy_set.packs,
        scope=request.scope,
        notes=tuple(dict.fromkeys([*inputs.notes, *judged.notes, *before.notes, *triaged.notes])),
        paths=request.paths,
        policies={policy.id: policy for policy in plan.policies},
        compared=triaged.compared,
        snapshot=triaged.snapshot,
    )


def _recipe(request: ScanRequest, policies: Sequence[Policy]) -> Recipe:
    return Recipe(
        task=Task(
            replace(request.engine_options, parameters=dict(request.engine_options.parameters)),
            request.today,
            request.scope,
            request.triage.suppress_equivalents,
            keep_all=request.include_all or request.with_builtins,
        ),
        packs=request.packs,
        parameters={policy: dict(values) for policy, values in request.parameters.items()},
        undeclared=request.undeclared,
        policy_ids=tuple(policy.id for policy in policies),
        folder=os.getcwd(),
        environment=given_variables(),
    )


def _judged(
    units: Sequence[Unit], plan: _Plan, request: ScanRequest, progress: Progress | None, running: Running
) -> Judged:
    """Judge the units, then what they answer together."""
    recipe = _recipe(request, plan.policies)
    foreign: list[Finding] = []
    if request.with_builtins:
        reports = list(_with_builtins(units, plan.policies, request, recipe.task, progress, foreign))
    else:
        reports = judge_all(units, plan.policies, recipe, running, progress)
    return _combined(reports, foreign, plan, request)


def _combined(
    reports: Sequence[UnitReport], foreign: list[Finding], plan: _Plan, request: ScanRequest, *, settled: bool = True
) -> Judged:
    """What the units say together; without `settled`, what they answer to absences is left for later."""
    findings = [finding for report in reports for finding in report.findings]
    if settled:
        findings += settle_absences(reports, plan.policies, request.scope)
    if foreign:
        from srm_checks.foreign import builtins

        findings = builtins.merge(findings, foreign)
    met = {finding.policy_id for finding in findings if finding.outcome is Outcome.MET}
    quiet: Counter[Kind] | None = None
    if not (request.include_all or request.with_builtins):
        quiet = Counter(Kind.of(finding) for finding in findings if finding.outcome not in OPEN)
        for report in reports:
            met |= report.met
            for kind, count in report.quiet:
                quiet[kind] += count
    notes = [note for report in reports for note in report.notes]
    notes.extend(suppressions.remarks(inline_of(reports), _vocabulary(plan.policy_set, request)))
    return Judged(
        findings=findings,
        quiet=quiet,
        met=frozenset(met),
        errors=[error for report in reports for error in report.errors],
        unread=[module for report in reports for module in report.unread],
        complete=frozenset(report.unit.path for report in reports if report.complete),
        notes=notes,
    )


def _with_builtins(
    units: Sequence[Unit],
    policies: Sequence[Policy],
    request: ScanRequest,
    task: Task,
    progress: Progress | None,
    foreign: list[Finding],
) -> Iterator[UnitReport]:
    """The reports of the units; what the engines' own checks say goes to `foreign`."""
    from srm_checks.foreign.builtins import BuiltinChecks
    from srm_checks.units import judge_loaded, load_unit

    with BuiltinChecks(request.engine_options) as builtins:
        for number, unit in enumerate(units):
            if progress:
                progress(number, len(units), unit.path)
            stack = load_unit(unit, request.engine_options)
            found, problems = builtins.run(stack)
            foreign.extend(finding for finding in found if _is_chosen(finding.policy_id, request))
            stack.errors.extend(problems)
            yield judge_loaded(stack, policies, task)
    if progress:
        progress(len(units), len(units), "")


def _vocabulary(policy_set: PolicySet, request: ScanRequest) -> suppressions.Vocabulary:
    equivalents = {name for policy in policy_set.policies for name in policy.equivalents}
    return suppressions.Vocabulary(
        frozenset(policy.id for policy in policy_set.policies),
        {policy.cfn_lint_id: policy.id for policy in policy_set.policies},
        frozenset(equivalents) if request.triage.suppress_equivalents else frozenset(),
    )


def _looked_at(inputs: Inputs, policies: Sequence[Policy], judged: Judged, request: ScanRequest) -> course.Looked:
    ids = {policy.id for policy in policies}
    if request.with_builtins:
        ids |= {check_id for check_id in _builtin_ids() if _is_chosen(check_id, request)}
    view = baseline.View(
        roots=frozenset(map(identity.RepositoryPaths(), judged.complete)),
        policies=frozenset(ids),
        settled=judged.met,
    )
    return course.Looked(view=view, folders=None if inputs.file_filter is not None else inputs.folders)


@dataclass(frozen=True, slots=True)
class _Before:
    """What another revision knows: the commit with its findings, None where none was asked for."""

    known: tuple[str, Baseline] | None = None
    notes: tuple[str, ...] = ()


def _at_revision(request: ScanRequest, plan: _Plan, progress: Progress | None, running: Running) -> _Before:
    """The findings of the other revision, by a scan of its files in the same places."""
    if request.triage.diff is None:
        return _Before()
    from srm_checks.triage import revision

    top, commit = revision.commit_of(request.triage.diff)
    _check_inside(request.paths, top)
    with revision.laid_out(top, commit) as side:
        there = replace(
            request,
            exclude=tuple(map(side.glob, request.exclude)),
            engine_options=replace(
                request.engine_options,
                var_files=tuple(
                    there if os.path.isfile(there := side.path(path)) else path
                    for path in request.engine_options.var_files
                ),
            ),
        )
        inputs = discover(side.existing(request.paths), exclude=there.exclude)
        judged = _judged(inputs.units, plan, there, progress, replace(running, cache=None))
        known = baseline.snapshot(judged.findings)
        unread = sorted({side.original(error.path) for error in [*inputs.errors, *judged.errors]})
    notes = [f"{path} could not be read at {commit[:12]}, so its findings count as new" for path in unread]
    return _Before((commit, known), (*side.notes, *notes))


def _check_inside(paths: Iterable[str], top: str) -> None:
    for path in paths:
        if os.path.relpath(os.path.realpath(path), os.path.realpath(top)).split(os.sep)[0] == os.pardir:
            raise UsageError(f"--diff: {path} lies outside of the repository of the working directory")


def _check_mentioned(request: ScanRequest, policy_set: PolicySet) -> None:
    ids = [policy.id for policy in policy_set.policies]
    problems = [
        f"{place}: {problem}" for pattern, place in request.mentioned if (problem := unknown_policy(pattern, ids))
    ]
    if problems:
        raise UsageError("\n".join(problems))


def _builtin_ids() -> tuple[str, ...]:
    from srm_checks.catalogue import checks

    return checks.ids()


def _is_chosen(check_id: str, request: ScanRequest) -> bool:
    """Whether `select` and `ignore` leave a check of an engine; also one that the catalogue does not know."""
    selected = not request.select or any(matching(pattern, [check_id]) for pattern in request.select)
    return selected and not any(matching(pattern, [check_id]) for pattern in request.ignore)


def chosen(
    policy_set: PolicySet, select: Iterable[str], ignore: Iterable[str], others: Iterable[str] = ()
) -> tuple[Policy, ...]:
    """The policies that `select` and `ignore` (ids or globs) leave; ignore wins.

    `others` are further ids that a pattern may mean. Raises `UsageError` for a pattern that matches nothing.
    """
    ids = [*(policy.id for policy in policy_set.policies), *others]
    wanted = set(_matched(select, ids)) if select else set(ids)
    wanted -= set(_matched(ignore, ids))
    return tuple(policy for policy in policy_set.policies if policy.id in wanted)


def _matched(patterns: Iterable[str], ids: list[str]) -> Iterator[str]:
    for pattern in patterns:
        hits = matching(pattern, ids)
        if not hits:
            raise UsageError(f"{pattern!r} matches no policy of the active packs{suggest(pattern, ids)}.")
        yield from hits


def _wanted(finding: Finding | Kind, request: ScanRequest, inputs: Inputs) -> bool:
    if request.sides and finding.side not in request.sides:
        return False
    if request.domains and finding.domain not in request.domains:
        return False
    if request.service_models and finding.service_model not in request.service_models:
        return False
    return inputs.file_filter is None or any(inputs.covers(path) for path in finding.touches)


def _quiet(judged: Judged, request: ScanRequest, inputs: Inputs) -> Counter[Kind] | None:
    """The counts of what is met or not applicable, as far as it was asked for."""
    if judged.quiet is None:
        return None
    return Counter({kind: count for kind, count in judged.quiet.items() if _wanted(kind, request, inputs)})


def _listed(finding: Finding, request: ScanRequest) -> bool:
    if request.include_all:
        return True
    if finding.account_wide and finding.outcome is Outcome.UNKNOWN and request.scope == "stack":
        return False
    return finding.outcome in (Outcome.GAP, Outcome.UNKNOWN)


def summary_of(findings: Iterable[Finding], quiet: Mapping[Kind, int] | None = None) -> Summary:
    """The counts of findings; an unclassified one counts under no side and no domain.

    With `quiet`, those that are met or not applicable are taken from there and not from the findings.
    """
    outcomes: Counter[str] = Counter({outcome.value: 0 for outcome in Outcome})
    tables: tuple[dict[str, Counter[str]], ...] = ({}, {}, {})

    def count(entry: Finding | Kind, number: int) -> None:
        outcome = entry.outcome.value
        outcomes[outcome] += number
        keys = (
            entry.side and entry.side.value,
            entry.domain and entry.domain.value,
            entry.service_model or UNDETERMINED,
        )
        for table, key in zip(tables, keys, strict=True):
            if key is not None:
                table.setdefault(key, Counter())[outcome] += number

    for finding in findings:
        if quiet is None or finding.outcome in OPEN:
            count(finding, 1)
    for kind, number in (quiet or {}).items():
        count(kind, number)
    side, domain, model = ({key: dict(table[key]) for key in sorted(table)} for table in tables)
    return Summary(dict(outcomes), side, domain, model)
