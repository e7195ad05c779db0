"""One scan from the caller's options to the finished report; the command line and `srm_checks.scan` share it."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import srm_checks
from srm_checks import config as configuration
from srm_checks import reads
from srm_checks.config import SERVICE_MODELS, Config
from srm_checks.errors import UsageError
from srm_checks.gate import Gate
from srm_checks.model import Domain, EngineOptions, Outcome, Severity, Side
from srm_checks.report import Report
from srm_checks.versions import engine_versions

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from srm_checks.fleet import Running
    from srm_checks.foreign.code import Code
    from srm_checks.foreign.report import ForeignReport
    from srm_checks.pipeline import ScanRequest
    from srm_checks.triage.course import Rules

ENGINES: Final = ("auto", "fast", "checkov")

Progress: TypeAlias = Callable[[int, int, str], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class ScanOptions:
    """What a caller sets for one scan. None, or an empty collection, leaves the setting to the configuration.

    `fail_on` "never" lets no gap fail the gate. `with_builtins` runs the engines' own checks as well. `parameters` are
    CloudFormation parameter values by name. `today` is the day against which dates are held, by default the current
    one. `config` names a configuration file. `baseline` is a file of findings that were known before, `diff` a git
    revision whose findings are known; `write_baseline` is the file to write the findings to.

    The rest changes no finding: `jobs` is the number of processes (None: what helps), `cache` whether what did not
    change since an earlier scan is taken from the cache in `cache_dir` (None: the user's own), `unit_timeout` the
    seconds that one root or template may take, `executor` what runs the work in place of own processes: any
    `concurrent.futures.Executor`, or `dask://HOST:PORT`. `shard` (part, parts) scans one part of the units.
    """

    packs: tuple[str, ...] = ()
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    sides: frozenset[Side] = frozenset()
    domains: frozenset[Domain] = frozenset()
    service_models: frozenset[str] = frozenset()
    fail_on: Severity | Literal["never"] | None = None
    max_unknown: int | None = None
    include_all: bool = False
    scope: str | None = None
    engine: str = "auto"
    var_files: tuple[str, ...] = ()
    parameters: Mapping[str, str] = dataclasses.field(default_factory=dict)
    today: datetime.date | None = None
    config: str | None = None
    with_builtins: bool = False
    baseline: str | None = None
    write_baseline: str | None = None
    diff: str | None = None
    jobs: int | None = None
    cache: bool = True
    cache_dir: str | None = None
    unit_timeout: float | None = None
    executor: Executor | str | None = None
    shard: tuple[int, int] | None = None


def run(
    paths: Sequence[str], options: ScanOptions, progress: Progress | None = None, *, settings: Config | None = None
) -> Report:
    """Scan `paths` and hold the findings against the gate. `settings` take the place of the configuration found.

    Raises `UsageError` where the caller's input is wrong and `EnvironmentProblem` where the installation is.
    Inputs that cannot be read do not raise; they are in the report's errors.
    """
    from srm_checks import pipeline

    if options.max_unknown is not None and options.max_unknown < 0:
        raise UsageError(f"the number of unknowns that may pass cannot be {options.max_unknown}")
    for path in options.var_files:
        reads.presence(path)
        if not os.path.isfile(path):
            raise UsageError(f"{path}: there is no such variable file")
    _check_shard(options)
    if options.write_baseline or options.with_builtins or options.executor or options.shard or options.diff:
        reads.unsure()  # these write what is no report, or ask what is not in our files
    config = settings or configuration.resolve(paths, options.config)
    with _running(options) as running:
        result = pipeline.scan(_request(paths, options, config), progress, running)
    result = dataclasses.replace(result, notes=(*config.notes, *result.notes, *_cache_notes(options, running)))
    if options.write_baseline is not None and result.snapshot is not None:
        from srm_checks.triage import baseline

        baseline.write(options.write_baseline, result.snapshot)
    decision = _gate(options, config).decide(result.findings, scope=result.scope)
    return Report(result=result, decision=decision, version=srm_checks.__version__, engines=engine_versions())


def merge(reports: Sequence[str], options: ScanOptions) -> Report:
    """JSON reports of scans as one: parts of one scan as its whole, other reports put together as they are.

    Of `options` the gate, the baseline, `diff` and `config` have a meaning. Raises `UsageError` where a report is not
    ours, or the parts do not make a whole.
    """
    from srm_checks import pipeline, shards
    from srm_checks.report import reading

    read = [(path, reading.read(path)) for path in reports]
    parts = [(path, shards.load(data["shard"], path)) for path, data in read if "shard" in data]
    if parts and len(parts) < len(read):
        other = next(path for path, data in read if "shard" not in data)
        raise UsageError(f"{other} is no part of a scan, but {parts[0][0]} is")
    if not parts:
        config = configuration.resolve([os.path.dirname(reports[0]) or "."], options.config)
        if options.baseline or options.diff or options.write_baseline:
            raise UsageError("--baseline, --diff and --write-baseline need the parts of one scan (scan --shard)")
        result = reading.joined([reading.result(data, path) for path, data in read])
    else:
        whole = shards.together(parts)
        config = configuration.resolve(list(whole.request["paths"]), options.config)
        request = pipeline.asked_for(whole.request, _triage(options, config))
        request = dataclasses.replace(request, mentioned=_mentioned(config))
        result = pipeline.merge(whole, request)
        result = dataclasses.replace(result, notes=(*config.notes, *result.notes))
        if options.write_baseline is not None and result.snapshot is not None:
            from srm_checks.triage import baseline

            baseline.write(options.write_baseline, result.snapshot)
    decision = _gate(options, config).decide(result.findings, scope=result.scope)
    return Report(result=result, decision=decision, version=srm_checks.__version__, engines=engine_versions())


def scan(
    paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    *,
    packs: Iterable[str] = (),
    select: Iterable[str] = (),
    ignore: Iterable[str] = (),
    sides: Iterable[str] = (),
    domains: Iterable[str] = (),
    service_models: Iterable[str] = (),
    fail_on: str | None = None,
    max_unknown: int | None = None,
    include_all: bool = False,
    scope: str | None = None,
    engine: str = "auto",
    var_files: Iterable[str] = (),
    parameters: Mapping[str, str] | None = None,
    today: datetime.date | None = None,
    config: str | None = None,
    with_builtins: bool = False,
    baseline: str | None = None,
    write_baseline: str | None = None,
    diff: str | None = None,
    jobs: int | None = None,
    cache: bool = True,
    cache_dir: str | None = None,
    unit_timeout: float | None = None,
    executor: Executor | str | None = None,
) -> dict[str, Any]:
    """Scan files and folders; returns the report object that `srm-checks scan --format json` prints.

    The options mean what they mean on the command line. Raises `srm_checks.errors.UsageError` for wrong input.
    """
    from srm_checks.report.json import document

    if isinstance(paths, (str, os.PathLike)):
        paths = [paths]
    options = ScanOptions(
        packs=tuple(packs),
        select=tuple(select),
        ignore=tuple(ignore),
        sides=frozenset(Side(known("side", word, list(Side))) for word in sides),
        domains=frozenset(Domain(known("domain", word, list(Domain))) for word in domains),
        service_models=frozenset(known("service model", word, SERVICE_MODELS) for word in service_models),
        fail_on=None if fail_on is None else severity_limit(fail_on),
        max_unknown=max_unknown,
        include_all=include_all,
        scope=None if scope is None else known("scope", scope, configuration.SCOPES),
        engine=known("engine", engine, ENGINES),
        var_files=tuple(var_files),
        parameters=dict(parameters or {}),
        today=today,
        config=config,
        with_builtins=with_builtins,
        baseline=baseline,
        write_baseline=write_baseline,
        diff=diff,
        jobs=jobs,
        cache=cache,
        cache_dir=cache_dir,
        unit_timeout=unit_timeout,
        executor=executor,
    )
    return document(run([os.fspath(path) for path in paths], options))


def code_of(foreign: ForeignReport) -> Code:
    """The code that a report of another engine is on, to be read by our engines where it is needed."""
    from srm_checks.discovery import discover
    from srm_checks.foreign.code import Code
    from srm_checks.units import load_unit

    return Code(lambda: [load_unit(unit, EngineOptions()) for unit in discover(foreign.files()).units])


def annotated(foreign: ForeignReport, name: str, code: Code, *, include_all: bool = False) -> Report:
    """A report of Checkov or cfn-lint as one of ours; `name` is what the user calls it, `code` decides service models.

    Gaps and what was skipped are listed, with `include_all` also what passed; all of it is counted. No gate holds.
    """
    from srm_checks.foreign.entry import to_findings
    from srm_checks.model import order
    from srm_checks.pipeline import InputsReport, ScanResult, summary_of

    entries = foreign.entries()
    findings = to_findings(entries, code)
    roots = {entry.root for entry in entries if entry.framework == "terraform"}
    result = ScanResult(
        findings=tuple(sorted((f for f in findings if include_all or f.outcome is Outcome.GAP), key=order)),
        counts=summary_of(findings),
        errors=tuple(foreign.errors()),
        inputs=InputsReport(
            terraform_roots=len(roots),
            terraform_files=len({entry.block.path for entry in entries if entry.framework == "terraform"}),
            plans=len({entry.block.path for entry in entries if entry.framework == "terraform_plan"}),
            cloudformation_templates=len({entry.root for entry in entries if entry.framework == "cloudformation"}),
            skipped_files=0,
            unread_modules=(),
        ),
        packs=(),
        scope="stack",
        notes=(),
        paths=(name,),
    )
    decision = Gate(fail_on=None).decide(result.findings)
    return Report(result=result, decision=decision, version=srm_checks.__version__, engines=engine_versions())


def known(what: str, word: str, words: Sequence[str]) -> str:
    """The word, if it is among `words`; a `UsageError` with a suggestion otherwise."""
    names = [str(name) for name in words]
    if word in names:
        return word
    from srm_checks.policy.source import suggest

    hint = suggest(word, names) or f"; there are {', '.join(names)}"
    raise UsageError(f"unknown {what} {word!r}{hint}")


def severity_limit(word: str) -> Severity | Literal["never"]:
    """A severity, or "never"; a `UsageError` otherwise."""
    if word == "never":
        return "never"
    return Severity(known("severity", word, [*Severity, configuration.NEVER]))


@contextlib.contextmanager
def _running(options: ScanOptions) -> Iterator[Running]:
    """Where the work is done, with the cache open while it is."""
    from srm_checks.fleet import UNIT_LIMIT, Running

    running = Running(jobs=options.jobs, limit=UNIT_LIMIT if options.unit_timeout is None else options.unit_timeout)
    with contextlib.ExitStack() as stack:
        if isinstance(options.executor, str):
            from srm_checks.executors import named

            running = dataclasses.replace(running, executor=stack.enter_context(named(options.executor)))
        elif options.executor is not None:
            running = dataclasses.replace(running, executor=options.executor)
        if options.cache:
            from srm_checks import grammar
            from srm_checks.cache import Cache, default_folder

            cache = stack.enter_context(Cache(options.cache_dir or default_folder()))
            grammar.keep_in(cache.folder)
            states = reads.shared_states() or reads.States(stack.enter_context(cache.facts()))
            running = dataclasses.replace(running, cache=None if options.with_builtins else cache, states=states)
        yield running


def _check_shard(options: ScanOptions) -> None:
    """What is done over all units at once waits for `merge`."""
    if options.shard is None:
        return
    for name, given in (
        ("--with-builtins", options.with_builtins),
        ("--diff", options.diff),
        ("--write-baseline", options.write_baseline),
    ):
        if given:
            raise UsageError(f"--shard and {name} do not go together; give {name} to `merge`, where it takes it")


def _cache_notes(options: ScanOptions, running: Running) -> list[str]:
    """That the cache does not work is worth a word where somebody has named its folder."""
    if options.cache_dir is None or running.cache is None or running.cache.problem is None:
        return []
    return [f"the cache in {options.cache_dir} is not used: {running.cache.problem}"]


def _request(paths: Sequence[str], options: ScanOptions, config: Config) -> ScanRequest:
    from srm_checks.pipeline import ScanRequest

    return ScanRequest(
        paths=tuple(paths),
        packs=options.packs or config.packs,
        select=options.select or config.select,
        ignore=options.ignore or config.ignore,
        sides=options.sides,
        domains=options.domains,
        service_models=options.service_models,
        scope=options.scope or config.scope,
        engine_options=EngineOptions(
            var_files=options.var_files,
            parameters=options.parameters,
            strict_parameters=config.strict_parameters,
            front_end=options.engine,
        ),
        parameters=config.policy_parameters,
        today=options.today or config.today or datetime.date.today(),
        exclude=config.exclude,
        include_all=options.include_all,
        undeclared=config.undeclared,
        with_builtins=options.with_builtins,
        triage=_triage(options, config),
        mentioned=_mentioned(config),
        shard=options.shard,
    )


def _triage(options: ScanOptions, config: Config) -> Rules:
    from srm_checks.triage.course import Rules

    return Rules(
        waivers=config.waivers,
        assume=config.assume,
        expired_is_finding=config.expired_waivers == configuration.FINDING,
        suppress_equivalents=config.suppress_equivalents,
        baseline=options.baseline or config.baseline,
        diff=options.diff,
        write_baseline=options.write_baseline,
    )


def _mentioned(config: Config) -> tuple[tuple[str, str], ...]:
    """The policies that the gate's limits name, with the place of the setting."""
    groups = [limit.group for limit in config.limits] + [budget.group for budget in config.budgets]
    place = config.origins["fail_on"].place if config.origins else "fail_on"
    return tuple((group.word, f"{place}: fail_on") for group in groups if group.kind == "policy")


def _gate(options: ScanOptions, config: Config) -> Gate:
    """The configured limits; one that the caller gives replaces those by group too."""
    fail_on = options.fail_on or config.fail_on
    return Gate(
        fail_on=fail_on if isinstance(fail_on, Severity) else None,
        limits=config.limits if options.fail_on is None else (),
        max_unknown=config.max_unknown if options.max_unknown is None else options.max_unknown,
        budgets=config.budgets if options.max_unknown is None else (),
    )
