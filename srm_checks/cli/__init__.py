"""The command line. Importing it imports click and nothing else of weight; a command's module is imported on use.

Errors become exit codes here and nowhere below (contract: 0 passed, 1 gate, 2 usage, 3 incomplete, 130 interrupted).
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

import click

from srm_checks import __version__
from srm_checks.cli.console import Console
from srm_checks.errors import (
    EXIT_INCOMPLETE,
    EXIT_INTERRUPTED,
    EXIT_OK,
    EXIT_USAGE,
    SrmError,
    UsageError,
)
from srm_checks.nearest import nearest

COMMANDS: Final[Mapping[str, str]] = {
    "scan": "srm_checks.cli.scan:command",
    "merge": "srm_checks.cli.merge:command",
    "explain": "srm_checks.cli.explain:command",
    "annotate": "srm_checks.cli.annotate:command",
    "policies": "srm_checks.cli.policies:command",
    "pack": "srm_checks.cli.pack:group",
    "waivers": "srm_checks.cli.waivers:group",
    "config": "srm_checks.cli.config:group",
    "path": "srm_checks.cli.path:command",
    "doctor": "srm_checks.cli.doctor:command",
    "completion": "srm_checks.cli.completion:command",
}


class LazyGroup(click.Group):
    """A group whose commands are named in `COMMANDS` and imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        target = COMMANDS.get(cmd_name)
        if target is None:
            return None
        module, _, attribute = target.partition(":")
        return cast(click.Command, getattr(importlib.import_module(module), attribute))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            near = nearest(name, COMMANDS)
            hint = f" Did you mean {near!r}?" if near else f" Commands: {', '.join(COMMANDS)}."
            ctx.fail(f"there is no command {name!r}.{hint}")
        return super().resolve_command(ctx, args)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="srm-checks", message="%(prog)s %(version)s")
def group() -> None:
    """Find what Terraform and CloudFormation leave open on your side of the AWS shared responsibility model."""


def run(arguments: Sequence[str]) -> int:
    """Run one command; returns the exit code and never raises."""
    console = Console()
    try:
        result: Any = group.main(list(arguments), prog_name="srm-checks", standalone_mode=False, obj=console)
        sys.stdout.flush()
        return result if isinstance(result, int) else EXIT_OK
    except (KeyboardInterrupt, click.Abort):
        return EXIT_INTERRUPTED
    except (BrokenPipeError, SystemExit):
        # The reader (head, less) has seen enough; click turns that into SystemExit. Standard output leads nowhere
        # from here, because Python would complain again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_OK
    except click.ClickException as error:
        error.show()
        return EXIT_USAGE
    except UsageError as error:
        console.error(str(error))
        return EXIT_USAGE
    except SrmError as error:
        console.error(str(error))
        return EXIT_INCOMPLETE
    except Exception as error:  # noqa: BLE001 - the last resort: a sentence and an exit code instead of a traceback
        if isinstance(error.__cause__, KeyboardInterrupt):  # Python 3.11 wraps one that falls into a class's making
            return EXIT_INTERRUPTED
        if console.verbose:
            import traceback

            traceback.print_exc()
        hint = "" if console.verbose else "; run again with -v for the details and report them"
        console.error(f"this is a mistake in srm-checks: {type(error).__name__}: {error}{hint}")
        return EXIT_INCOMPLETE
