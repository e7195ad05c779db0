"""`srm-checks scan`."""

from __future__ import annotations

from datetime import datetime

import click

from srm_checks import api
from srm_checks.cli.console import Console, verbosity
from srm_checks.cli.output import Destination, FormatOption, prepare, write
from srm_checks.cli.words import Word
from srm_checks.config import NEVER, SCOPES, SERVICE_MODELS
from srm_checks.errors import EXIT_GATE, EXIT_INCOMPLETE, EXIT_OK, UsageError
from srm_checks.model import Domain, Severity, Side
from srm_checks.report import FORMATS, Report


@click.command("scan")
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option(
    "-f",
    "--format",
    "destinations",
    type=FormatOption(),
    multiple=True,
    help=f"One of {', '.join(sorted(FORMATS))}; text is the default. To standard output, or to FILE. Repeatable.",
)
@click.option("--pack", "packs", multiple=True, metavar="NAME|PATH", help="Policy pack to use. Repeatable.")
@click.option("--select", multiple=True, metavar="ID_OR_GLOB", help="Only these policies. Repeatable.")
@click.option("--ignore", multiple=True, metavar="ID_OR_GLOB", help="Not these policies. Repeatable.")
@click.option("--side", "sides", type=Word("side", Side), multiple=True, help="Only this side. Repeatable.")
@click.option("--domain", "domains", type=Word("domain", Domain), multiple=True, help="Only this domain. Repeatable.")
@click.option(
    "--service-model",
    "service_models",
    type=Word("service model", SERVICE_MODELS),
    multiple=True,
    help="Only this service model. Repeatable.",
)
@click.option(
    "--fail-on",
    type=Word("severity", [*Severity, NEVER]),
    help="Mildest severity of a gap that fails the gate (exit 1); medium by default.",
)
@click.option("--fail-on-unknown", is_flag=True, help="Any unknown fails the gate: --max-unknown 0.")
@click.option("--max-unknown", type=click.IntRange(min=0), metavar="N", help="More than N unknowns fail the gate.")
@click.option("--all", "include_all", is_flag=True, help="List met and not-applicable outcomes too.")
@click.option("--scope", type=Word("scope", SCOPES), help="Whether the inputs are one stack or the whole account.")
@click.option(
    "--engine",
    type=Word("engine", api.ENGINES),
    default="auto",
    help="Who parses Terraform: fast, checkov (its grammar), or auto (fast).",
)
@click.option(
    "--var-file", "var_files", type=click.Path(), multiple=True, help="Terraform variable file. Repeatable, later wins."
)
@click.option(
    "--parameters",
    "parameter_files",
    type=click.Path(),
    multiple=True,
    help="CloudFormation parameter file, JSON or YAML. Repeatable, later wins.",
)
@click.option(
    "--today",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="YYYY-MM-DD",
    help="Day against which end-of-support dates are held; the current one by default.",
)
@click.option(
    "--with-builtins", is_flag=True, help="Run the AWS checks of Checkov and the security rules of cfn-lint as well."
)
@click.option("--baseline", type=click.Path(), metavar="FILE", help="Findings in this file were known before.")
@click.option(
    "--write-baseline", type=click.Path(), metavar="FILE", help="Write what is found to this file, for --baseline."
)
@click.option("--diff", metavar="REV", help="Only what was not there at this git revision is new.")
@click.option(
    "-j", "--jobs", type=click.IntRange(min=1), metavar="N", help="Processes to scan with; by default what helps."
)
@click.option("--no-cache", is_flag=True, help="Neither read nor write results of earlier scans.")
@click.option(
    "--cache-dir", type=click.Path(file_okay=False), metavar="DIR", help="Where results of earlier scans are kept."
)
@click.option(
    "--unit-timeout",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="Give up a root, plan or template that takes longer; 300 by default.",
)
@click.option("--shard", metavar="I/N", help="Scan part I of N; `merge` puts the JSON reports of the parts together.")
@click.option("--executor", metavar="dask://HOST:PORT", help="Scan on the workers of a Dask scheduler.")
@click.option("--exit-zero", is_flag=True, help="Exit 0 though the gate fails.")
@click.option("--config", type=click.Path(), metavar="FILE", help="Configuration file (YAML, or TOML).")
@verbosity
@click.pass_obj
def command(
    console: Console,
    *,
    paths: tuple[str, ...],
    destinations: tuple[Destination, ...],
    packs: tuple[str, ...],
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    sides: tuple[str, ...],
    domains: tuple[str, ...],
    service_models: tuple[str, ...],
    fail_on: str | None,
    fail_on_unknown: bool,
    max_unknown: int | None,
    include_all: bool,
    scope: str | None,
    engine: str,
    var_files: tuple[str, ...],
    parameter_files: tuple[str, ...],
    today: datetime | None,
    with_builtins: bool,
    baseline: str | None,
    write_baseline: str | None,
    diff: str | None,
    jobs: int | None,
    no_cache: bool,
    cache_dir: str | None,
    unit_timeout: float | None,
    shard: str | None,
    executor: str | None,
    exit_zero: bool,
    config: str | None,
) -> int:
    """Scan Terraform, Terraform plan JSON and CloudFormation.

    PATH is a folder (everything under it; the working directory by default) or a file (the findings that lie in it
    or are decided by it).

    Exit codes: 0 the gate passed, 1 it failed, 2 wrong input to this command, 3 an input could not be read.
    """
    from srm_checks.cli.progress import progress_bar

    if fail_on_unknown and max_unknown:
        raise UsageError("--fail-on-unknown and --max-unknown contradict each other; give one of them")
    destinations = destinations or (Destination("text", None),)
    prepare(destinations)
    options = api.ScanOptions(
        packs=packs,
        select=select,
        ignore=ignore,
        sides=frozenset(Side(side) for side in sides),
        domains=frozenset(Domain(domain) for domain in domains),
        service_models=frozenset(service_models),
        fail_on=None if fail_on is None else api.severity_limit(fail_on),
        max_unknown=0 if fail_on_unknown else max_unknown,
        include_all=include_all,
        scope=scope,
        engine=engine,
        var_files=var_files,
        parameters=_parameters(parameter_files),
        today=today.date() if today else None,
        config=config,
        with_builtins=with_builtins,
        baseline=baseline,
        write_baseline=write_baseline,
        diff=diff,
        jobs=jobs,
        cache=not no_cache,
        cache_dir=cache_dir,
        unit_timeout=unit_timeout,
        shard=_shard(shard),
        executor=executor,
    )
    with progress_bar(console) as progress:
        report = api.run(paths or (".",), options, progress)
    write(report, destinations)
    say_notes(console, report, paths or (".",))
    return exit_code(report, exit_zero)


def _shard(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    from srm_checks.shards import parse

    return parse(text)


def _parameters(paths: tuple[str, ...]) -> dict[str, str]:
    from srm_checks.cli.parameters import read_parameters

    return {name: value for path in paths for name, value in read_parameters(path).items()}


def say_notes(console: Console, report: Report, paths: tuple[str, ...]) -> None:
    result = report.result
    inputs = result.inputs
    if not (inputs.terraform_roots or inputs.plans or inputs.cloudformation_templates or result.errors):
        console.note(f"nothing to scan: no Terraform, plan or CloudFormation files in {', '.join(paths)}")
    if result.snapshot is not None:
        count = len(result.snapshot.entries)
        console.note(f"wrote the baseline with {count} finding{'' if count == 1 else 's'}")
    for note in result.notes:
        console.note(note)
    for error in result.errors:
        console.detail(f"{error.path}: {error.message} ({error.engine}, {error.kind})")


def exit_code(report: Report, exit_zero: bool) -> int:
    if report.decision.failed and not exit_zero:
        return EXIT_GATE
    return EXIT_INCOMPLETE if report.result.errors else EXIT_OK
