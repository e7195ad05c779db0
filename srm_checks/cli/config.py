"""`srm-checks config`: the settings in force, and their schema."""

from __future__ import annotations

import json

import click

from srm_checks.cli.console import Console, verbosity
from srm_checks.cli.output import echo
from srm_checks.cli.words import Word
from srm_checks.report.inert import inert


@click.group("config")
def group() -> None:
    """Show the configuration, and its schema for editors."""


@group.command("show")
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option("-f", "--format", "form", type=Word("format", ["text", "json"]), default="text", help="text or json.")
@click.option("--config", type=click.Path(), metavar="FILE", help="Configuration file (YAML, or TOML).")
@verbosity
@click.pass_obj
def show(console: Console, *, paths: tuple[str, ...], form: str, config: str | None) -> None:
    """Print each setting for a scan of PATH, and where its value comes from.

    A later one wins: the default, the configuration file, the environment (SRM_CHECKS_FAIL_ON is fail_on), the options
    of the command line.
    """
    from srm_checks import config as configuration

    found = configuration.resolve(paths or (".",), config)
    for note in found.notes:
        console.note(note)
    if form == "json":
        told = {key: {"value": origin.value, "origin": origin.place} for key, origin in found.origins.items()}
        echo(json.dumps({"source": found.source, "settings": told}, indent=2, default=str) + "\n")
        return
    width = max(map(len, found.origins))
    for key, origin in found.origins.items():
        value = "not set" if origin.value is None else json.dumps(origin.value, default=str, ensure_ascii=False)
        echo(inert(f"{key.ljust(width)}  {value}  ({origin.place})") + "\n")


@group.command("schema")
@verbosity
def schema() -> None:
    """Print the JSON Schema of the configuration file, for editors."""
    from srm_checks.config.schema import json_schema

    echo(json.dumps(json_schema(), indent=2) + "\n")
