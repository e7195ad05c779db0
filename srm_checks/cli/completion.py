"""`srm-checks completion`: the script that completes commands, options and their values in a shell."""

from __future__ import annotations

from typing import Final

import click
from click.shell_completion import get_completion_class

from srm_checks.cli.console import verbosity
from srm_checks.cli.output import echo
from srm_checks.errors import UsageError

SHELLS: Final = ("bash", "zsh", "fish")
PROGRAM: Final = "srm-checks"
VARIABLE: Final = "_SRM_CHECKS_COMPLETE"


@click.command("completion")
@click.argument("shell", type=click.Choice(SHELLS))
@verbosity
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print the completion script of a shell.

    bash: eval "$(srm-checks completion bash)" in ~/.bashrc; zsh: the same in ~/.zshrc; fish: srm-checks completion
    fish > ~/.config/fish/completions/srm-checks.fish
    """
    found = get_completion_class(shell)
    if found is None:
        raise UsageError(f"click has no completion for {shell}")
    root = ctx.find_root().command
    try:
        script = found(root, {}, PROGRAM, VARIABLE).source()
    except RuntimeError as error:  # bash is too old, or is not there to be asked for its version
        raise UsageError(str(error)) from error
    echo(script)
