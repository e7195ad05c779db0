"""`srm-checks pack`: the work of those who write policies."""

from __future__ import annotations

import json

import click

from srm_checks import config as configuration
from srm_checks.cli.console import Console, verbosity
from srm_checks.cli.output import echo
from srm_checks.errors import EXIT_GATE, EXIT_OK
from srm_checks.report.inert import inert


@click.group("pack")
def group() -> None:
    """Check and test policy packs."""


@group.command("check")
@click.argument("packs", nargs=-1, metavar="[NAME|PATH]...")
@click.option("--config", type=click.Path(), metavar="FILE", help="Configuration file (YAML, or TOML).")
@verbosity
def check(packs: tuple[str, ...], config: str | None) -> None:
    """Load packs and tell every mistake with its file, line and column (exit 2)."""
    from srm_checks.cli.active import active_policies

    found = active_policies(packs, config)
    for pack in found.packs:
        number = sum(policy.pack == pack.name for policy in found.policies)
        echo(inert(f"{pack.name} {pack.version}: policies in force: {number}, {pack.digest}") + "\n")


@group.command("test")
@click.argument("packs", nargs=-1, metavar="[NAME|PATH]...")
@click.option("--config", type=click.Path(), metavar="FILE", help="Configuration file (YAML, or TOML).")
@verbosity
@click.pass_obj
def test(console: Console, packs: tuple[str, ...], config: str | None) -> int:
    """Run the fixtures of packs and hold the outcomes against the expectations written in them.

    Exit codes: 0 all agree, 1 some do not, 2 a pack has a mistake.
    """
    from srm_checks import fixtures

    names = packs or configuration.resolve(["."], config).packs
    reports = [report for name in names for report in fixtures.test_pack(name)]
    for report in reports:
        console.detail(f"{report.policy.id}: {report.compared} outcomes compared")
        for problem in report.problems:
            echo(inert(problem) + "\n")
    failed = sum(bool(report.problems) for report in reports)
    compared = sum(report.compared for report in reports)
    echo(f"policies: {len(reports)}, outcomes compared: {compared}, policies that do not agree: {failed}\n")
    return EXIT_GATE if failed else EXIT_OK


@group.command("schema")
@verbosity
def schema() -> None:
    """Print the JSON Schema of a policy file, for editors."""
    from srm_checks.policy.schema import json_schema

    echo(json.dumps(json_schema(), indent=2) + "\n")
