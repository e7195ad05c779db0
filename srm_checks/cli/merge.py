"""`srm-checks merge`."""

from __future__ import annotations

import click

from srm_checks import api
from srm_checks.cli.console import Console, verbosity
from srm_checks.cli.output import Destination, FormatOption, prepare, write
from srm_checks.cli.scan import exit_code, say_notes
from srm_checks.cli.words import Word
from srm_checks.config import NEVER
from srm_checks.model import Severity
from srm_checks.report import FORMATS


@click.command("merge")
@click.argument("reports", nargs=-1, required=True, metavar="REPORT...", type=click.Path(dir_okay=False))
@click.option(
    "-f",
    "--format",
    "destinations",
    type=FormatOption(),
    multiple=True,
    help=f"One of {', '.join(sorted(FORMATS))}; text is the default. To standard output, or to FILE. Repeatable.",
)
@click.option("--fail-on", type=Word("severity", [*Severity, NEVER]), help="Mildest severity that fails the gate.")
@click.option("--fail-on-unknown", is_flag=True, help="Any unknown fails the gate: --max-unknown 0.")
@click.option("--max-unknown", type=click.IntRange(min=0), metavar="N", help="More than N unknowns fail the gate.")
@click.option("--baseline", type=click.Path(), metavar="FILE", help="Findings in this file were known before.")
@click.option("--write-baseline", type=click.Path(), metavar="FILE", help="Write what was found to this file.")
@click.option("--diff", metavar="REV", help="Only what was not there at this git revision is new.")
@click.option("--exit-zero", is_flag=True, help="Exit 0 though the gate fails.")
@click.option("--config", type=click.Path(), metavar="FILE", help="Configuration file (YAML, or TOML).")
@verbosity
@click.pass_obj
def command(
    console: Console,
    *,
    reports: tuple[str, ...],
    destinations: tuple[Destination, ...],
    fail_on: str | None,
    fail_on_unknown: bool,
    max_unknown: int | None,
    baseline: str | None,
    write_baseline: str | None,
    diff: str | None,
    exit_zero: bool,
    config: str | None,
) -> int:
    """Join JSON reports of `scan` into one report in any format, and hold it against the gate.

    Parts of one scan (scan --shard) give the very report of the whole scan; run this where the files, packs and
    configuration of the parts are. Reports of several scans are put together as they are.

    Exit codes: as scan.
    """
    destinations = destinations or (Destination("text", None),)
    prepare(destinations)
    options = api.ScanOptions(
        fail_on=None if fail_on is None else api.severity_limit(fail_on),
        max_unknown=0 if fail_on_unknown else max_unknown,
        baseline=baseline,
        write_baseline=write_baseline,
        diff=diff,
        config=config,
    )
    report = api.merge(reports, options)
    write(report, destinations)
    say_notes(console, report, reports)
    return exit_code(report, exit_zero)
