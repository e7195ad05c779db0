"""`srm-checks explain`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click

from srm_checks.cli.console import verbosity
from srm_checks.cli.layout import columns, fields
from srm_checks.cli.output import echo
from srm_checks.errors import UsageError

if TYPE_CHECKING:
    from srm_checks.policy.document import Policy


@click.command("explain")
@click.argument("target", metavar="ID|TYPE")
@click.option("--pack", "packs", multiple=True, metavar="NAME|PATH", help="Policy pack to look in. Repeatable.")
@click.option("--config", type=click.Path(), metavar="FILE", help="Configuration file (YAML, or TOML).")
@verbosity
def command(target: str, packs: tuple[str, ...], config: str | None) -> None:
    """Explain a policy, an equivalent Checkov or cfn-lint check, or a resource type.

    ID is a policy id or name, its cfn-lint id, or the id of an equivalent check; TYPE is aws_db_instance or
    AWS::RDS::DBInstance.
    """
    from srm_checks.cli.active import active_policies

    policies = active_policies(packs, config).policies
    found = [policy for policy in policies if target in (policy.id, policy.name, policy.cfn_lint_id)]
    if not found:
        found = [policy for policy in policies if target in policy.equivalents]
    if found:
        echo("\n".join(_policy(policy) for policy in found))
        return
    row = _type_row(target)
    if row is None:
        raise UsageError(_unknown(target, policies))
    echo(_type(row, [policy for policy in policies if target in policy.types()]))


def _policy(policy: Policy) -> str:
    pairs = [
        ("severity", f"{policy.severity}, mandatory" if policy.mandatory else str(policy.severity)),
        ("side", str(policy.side)),
        ("domain", str(policy.domain)),
        ("why", policy.why),
        ("AWS does", policy.aws_does),
        ("you do", policy.customer_does),
        *_by_language("fix", policy.fix),
        *((f"judges ({language})", ", ".join(types)) for language, types in policy.resources.items()),
        *((f"not in {language}", reason) for language, reason in policy.not_expressible.items()),
        ("parameters", ", ".join(f"{name} = {value}" for name, value in sorted(policy.parameters.items()))),
        *((framework, ", ".join(ids)) for framework, ids in sorted(policy.frameworks.items())),
        ("equivalents", ", ".join(policy.equivalents)),
        ("cfn-lint id", policy.cfn_lint_id),
        ("name", policy.name),
        ("pack", policy.pack),
        ("page", policy.url),
    ]
    return f"{policy.id}  {policy.title}\n\n{fields(pairs)}"


def _by_language(label: str, texts: Mapping[str, str]) -> list[tuple[str, str]]:
    if len(set(texts.values())) == 1:
        return [(label, next(iter(texts.values())))]
    return [(f"{label} ({language})", text) for language, text in texts.items()]


def _type_row(name: str) -> Mapping[str, str] | None:
    from srm_checks.catalogue import tables

    line = tables.index("resource_types").get(name)
    return None if line is None else tables.load("resource_types").row(line)


def _type(row: Mapping[str, str], policies: Sequence[Policy]) -> str:
    from srm_checks.catalogue import tables

    service = tables.load("services").row(tables.index("services")[row["service_key"]])
    model = (
        f"{row['service_model']} ({row['model_family']})" if row["service_model"] else "depends on its configuration"
    )
    if row["model_source"] == "configuration" and row["service_model"]:
        model += ", unless its configuration says otherwise"
    pairs = [
        ("service", service["service_name"]),
        ("service model", model),
        ("life cycle", " ".join(filter(None, (row["lifecycle"], row["lifecycle_date"])))),
        ("policies", "" if policies else "none of the active packs judges this type"),
    ]
    listed = columns([("", p.id, str(p.severity), str(p.side), str(p.domain), p.title) for p in policies])
    return f"{row['resource_type']}\n\n{fields(pairs)}" + (f"\n{listed}" if listed else "")


def _unknown(target: str, policies: Sequence[Policy]) -> str:
    from srm_checks.catalogue import tables
    from srm_checks.policy.source import suggest

    ids = [word for policy in policies for word in (policy.id, policy.name, policy.cfn_lint_id, *policy.equivalents)]
    hint = suggest(target, ids) or suggest(target, tables.index("resource_types"))
    return f"{target!r} is no policy, equivalent check or resource type{hint}"
