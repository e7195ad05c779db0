"""`srm-checks policies`."""

from __future__ import annotations

import click

from srm_checks.cli.console import verbosity
from srm_checks.cli.layout import columns
from srm_checks.cli.output import echo
from srm_checks.cli.words import Word
from srm_checks.model import Domain, Side


@click.command("policies")
@click.option("--pack", "packs", multiple=True, metavar="NAME|PATH", help="Policy pack to list. Repeatable.")
@click.option("--side", "sides", type=Word("side", Side), multiple=True, help="Only this side. Repeatable.")
@click.option("--domain", "domains", type=Word("domain", Domain), multiple=True, help="Only this domain. Repeatable.")
@click.option("--config", type=click.Path(), metavar="FILE", help="Configuration file (YAML, or TOML).")
@verbosity
def command(packs: tuple[str, ...], sides: tuple[str, ...], domains: tuple[str, ...], config: str | None) -> None:
    """List the policies of the active packs."""
    from srm_checks.cli.active import active_policies

    shown = [
        policy
        for policy in active_policies(packs, config).policies
        if (not sides or policy.side in sides) and (not domains or policy.domain in domains)
    ]
    echo(columns([(p.id, str(p.severity), str(p.side), str(p.domain), p.name, p.title) for p in shown]))
