"""`srm-checks path`: folders of this installation that other tools are told about."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import click

import srm_checks
from srm_checks.cli.console import verbosity
from srm_checks.cli.words import Word
from srm_checks.errors import EnvironmentProblem

FOLDERS: Final[Mapping[str, str]] = {"checkov": "plugins/checkov"}


@click.command("path")
@click.argument("tool", type=Word("tool", FOLDERS))
@verbosity
def command(tool: str) -> None:
    """Print the folder to hand to another tool.

    checkov: the folder for --external-checks-dir.
    """
    folder = Path(srm_checks.__file__).parent / FOLDERS[tool]
    if not folder.is_dir():
        raise EnvironmentProblem(f"{folder} is missing: the installation is incomplete; install srm-checks again")
    click.echo(str(folder))
