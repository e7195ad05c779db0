"""One scan from the caller's options to the finished report; the command line and `srm_checks.scan` share it."""

from __future__ import annotations

import dataclasses
import datetime
import importlib.metadata
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import srm_checks
from srm_checks import config as configuration
from srm_checks.config import Config
from srm_checks.errors import UsageError
from srm_checks.gate import Gate
from srm_checks.model import Domain, EngineOptions, Severity, Side
from srm_checks.report import Report

if TYPE_CHECKING:
    from srm_checks.pipeline import ScanRequest

SERVICE_MODELS: Final = ("IaaS", "CaaS", "PaaS", "FaaS", "Abstracted", "SaaS", "Control")
ENGINES: Final = ("auto", "checkov")
ENGINE_PACKAGES: Final = ("cfn-lint", "checkov")

Progress: TypeAlias = Callable[[int, int, str], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class ScanOptions:
    """What a caller sets for one scan. None, or an empty collection, leaves the setting to the configuration.

    `fail_on` "never" lets no gap fail the gate. `parameters` are CloudFormation parameter values by name. `today`
    is the day against which dates are held, by default the current one. `config` names a configuration file.
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


def run(paths: Sequence[str], options: ScanOptions, progress: Progress | None = None) -> Report:
    """Scan `paths` and hold the findings against the gate.

    Raises `UsageError` where the caller's input is wrong and `EnvironmentProblem` where the installation is.
    Inputs that cannot be read do not raise; they are in the report's errors.
    """
    from srm_checks import pipeline

    if options.max_unknown is not None and options.max_unknown < 0:
        raise UsageError(f"the number of unknowns that may pass cannot be {options.max_unknown}")
    for path in options.var_files:
        if not os.path.isfile(path):
            raise UsageError(f"{path}: there is no such variable file")
    config = configuration.resolve(paths, options.config)
    result = pipeline.scan(_request(paths, options, config), progress)
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
    )
    return document(run([os.fspath(path) for path in paths], options))


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


def engine_versions() -> dict[str, str | None]:
    """The installed version of each engine, without importing it; None where it is not installed."""
    return {package: _version(package) for package in ENGINE_PACKAGES}


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


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
        engine=options.engine,
        engine_options=EngineOptions(
            var_files=options.var_files,
            parameters=options.parameters,
            strict_parameters=config.strict_parameters,
        ),
        parameters=config.policy_parameters,
        today=options.today or datetime.date.today(),
        exclude=config.exclude,
        include_all=options.include_all,
        undeclared=config.undeclared,
    )


def _gate(options: ScanOptions, config: Config) -> Gate:
    fail_on = options.fail_on or config.fail_on
    return Gate(
        fail_on=fail_on if isinstance(fail_on, Severity) else None,
        max_unknown=config.max_unknown if options.max_unknown is None else options.max_unknown,
    )
