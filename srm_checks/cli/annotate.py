"""`srm-checks annotate`."""

from __future__ import annotations

import os
import sys
from typing import Final

import click

from srm_checks.cli.console import verbosity
from srm_checks.cli.output import Destination, FormatOption, prepare, write
from srm_checks.errors import EXIT_OK, UsageError

STANDARD_INPUT: Final = "-"


@click.command("annotate")
@click.argument("report", metavar="REPORT", type=click.Path())
@click.option(
    "-o",
    "--output",
    type=click.Path(),
    metavar="FILE",
    help="Where the annotated report goes, instead of standard output; may be REPORT itself.",
)
@click.option(
    "-f",
    "--format",
    "destinations",
    type=FormatOption(),
    multiple=True,
    help="One of the formats of `scan` instead; to standard output, or to FILE. Repeatable.",
)
@click.option("--all", "include_all", is_flag=True, help="With --format: list what passed too.")
@click.option(
    "--code/--no-code",
    "read_code",
    default=True,
    help="Whether to read the code that REPORT names, where the configuration decides the service model.",
)
@verbosity
def command(
    report: str, output: str | None, destinations: tuple[Destination, ...], include_all: bool, read_code: bool
) -> int:
    """Add side, service model and domain to a report of Checkov or cfn-lint.

    REPORT is JSON or SARIF, a file or - for standard input. The result is the same report in the same format, with the
    annotation in properties, in tags, and behind each name or message.

    Exit codes: 0 done, 2 REPORT cannot be read or neither engine wrote it.
    """
    from srm_checks import api
    from srm_checks.foreign.code import Code
    from srm_checks.foreign.report import read

    prepare(destinations)
    name = "standard input" if report == STANDARD_INPUT else report
    foreign = read(_bytes(report), name)
    code = api.code_of(foreign) if read_code else Code()
    if output is not None:
        _write(output, foreign.render(code))
    elif not destinations:
        sys.stdout.write(foreign.render(code))
        sys.stdout.flush()
    if destinations:
        write(api.annotated(foreign, name, code, include_all=include_all), destinations)
    return EXIT_OK


def _bytes(report: str) -> bytes:
    if report == STANDARD_INPUT:
        return sys.stdin.buffer.read()
    try:
        with open(report, "rb") as stream:
            return stream.read()
    except OSError as error:
        raise UsageError(f"{report}: the report cannot be read: {error.strerror}") from error


def _write(path: str, text: str) -> None:
    try:
        os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
        with open(path, "w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}") from error
