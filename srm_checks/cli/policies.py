"""`srm-checks policies`."""

from __future__ import annotations

from dataclasses import replace

import click

from srm_checks.cli.console import verbosity
from srm_checks.cli.output import Destination, FormatOption, deliver, prepare
from srm_checks.cli.words import Word
from srm_checks.model import Domain, Side

FORMATS = ("text", "json", "csv", "markdown")


@click.command("policies")
@click.option("--matrix", "as_matrix", is_flag=True, help="By domain, with what each language can express or not.")
@click.option(
    "-f",
    "--format",
    "destinations",
    type=FormatOption(FORMATS),
    multiple=True,
    help=f"One of {', '.join(sorted(FORMATS))}; text is the default. To standard output, or to FILE. Repeatable.",
)
@click.option("--pack", "packs", multiple=True, metavar="NAME|PATH", help="Policy pack to list. Repeatable.")
@click.option("--side", "sides", type=Word("side", Side), multiple=True, help="Only this side. Repeatable.")
@click.option("--domain", "domains", type=Word("domain", Domain), multiple=True, help="Only this domain. Repeatable.")
@click.option("--config", type=click.Path(), metavar="FILE", help="Configuration file (YAML, or TOML).")
@verbosity
def command(
    as_matrix: bool,
    destinations: tuple[Destination, ...],
    packs: tuple[str, ...],
    sides: tuple[str, ...],
    domains: tuple[str, ...],
    config: str | None,
) -> None:
    """List the policies of the active packs."""
    from srm_checks.cli import policy_table
    from srm_checks.cli.active import active_policies

    destinations = destinations or (Destination("text", None),)
    prepare(destinations)
    active = active_policies(packs, config)
    shown = [
        policy
        for policy in active.policies
        if (not sides or policy.side in sides) and (not domains or policy.domain in domains)
    ]
    chosen = replace(active, policies=tuple(shown))
    table = policy_table.matrix if as_matrix else policy_table.listing
    deliver(lambda name, page: table(chosen, name), destinations)
