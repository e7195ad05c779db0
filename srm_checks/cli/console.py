"""What is said to the user beside the report: on standard error, and never anything that a terminal acts on."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import click

_Command = TypeVar("_Command", bound=Callable[..., object])


@dataclass(slots=True)
class Console:
    """Standard error. `quiet` drops notes, not errors; `verbose` asks for details and tracebacks."""

    quiet: bool = False
    verbose: bool = False

    def note(self, text: str) -> None:
        """Something worth knowing that does not change the result."""
        if not self.quiet:
            self._print(f"note: {text}")

    def detail(self, text: str) -> None:
        """Something for those who asked with `-v`."""
        if self.verbose and not self.quiet:
            self._print(text)

    def error(self, text: str) -> None:
        """Why the command ends; one line for each mistake."""
        for line in text.splitlines() or [""]:
            self._print(f"srm-checks: error: {line}")

    @staticmethod
    def _print(text: str) -> None:
        from srm_checks.report.inert import inert

        encoding = sys.stderr.encoding or "utf-8"
        click.echo(inert(text).encode(encoding, "backslashreplace").decode(encoding), err=True)


def _set_verbose(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
    ctx.ensure_object(Console).verbose |= value


def _set_quiet(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
    ctx.ensure_object(Console).quiet |= value


def verbosity(command: _Command) -> _Command:
    """The options `-v` and `-q`; they act on the `Console` that is the context's object."""
    verbose = click.option(
        "-v", "--verbose", is_flag=True, expose_value=False, callback=_set_verbose, help="Say more, with tracebacks."
    )
    quiet = click.option(
        "-q", "--quiet", is_flag=True, expose_value=False, callback=_set_quiet, help="Only errors on standard error."
    )
    return verbose(quiet(command))
