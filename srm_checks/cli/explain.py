"""`srm-checks explain`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

import click

from srm_checks.cli.console import verbosity
from srm_checks.cli.layout import columns, fields
from srm_checks.cli.output import echo
from srm_checks.errors import UsageError
from srm_checks.model import Domain, Side
from srm_checks.report.words import shortened

if TYPE_CHECKING:
    from srm_checks.catalogue.cases import Case
    from srm_checks.catalogue.checks import CheckEntry
    from srm_checks.catalogue.types import TypeEntry
    from srm_checks.guide.facts import Facts, Parameter
    from srm_checks.policy.document import Policy

_ENGINES: Final = {"checkov": "Checkov", "cfn-lint": "cfn-lint"}
# What ids of the engines look like, for those that the catalogue does not classify.
_ID_SHAPES: Final = {"Checkov": re.compile(r"(CKV\d*|BC)_[A-Z0-9_]+"), "cfn-lint": re.compile(r"[EWI]\d{4}")}


@click.command("explain")
@click.argument("target", metavar="ID|TYPE")
@click.option("--pack", "packs", multiple=True, metavar="NAME|PATH", help="Policy pack to look in. Repeatable.")
@click.option("--config", type=click.Path(), metavar="FILE", help="Configuration file (YAML, or TOML).")
@verbosity
def command(target: str, packs: tuple[str, ...], config: str | None) -> None:
    """Explain a policy, a check of Checkov or cfn-lint, or a resource type.

    ID is a policy id or name, its cfn-lint id, or the id of a check of Checkov (CKV_AWS_16) or cfn-lint (E2531).
    TYPE is aws_db_instance or AWS::RDS::DBInstance.
    """
    from srm_checks.catalogue import checks, types
    from srm_checks.cli.active import active_policies

    policies = active_policies(packs, config).policies
    found = [policy for policy in policies if target in (policy.id, policy.name, policy.cfn_lint_id)]
    check = checks.describe(target)
    entry = types.describe(target)
    equivalent = [policy for policy in policies if target in policy.equivalents]
    if found:
        echo("\n".join(_policy(policy) for policy in found))
    elif check:
        echo(_check(check, policies))
    elif equivalent:
        echo("\n".join(_policy(policy) for policy in equivalent))
    elif entry:
        echo(_type(entry, [policy for policy in policies if target in policy.types()]))
    else:
        raise UsageError(_unknown(target, policies))


# ------------------------------------------------------------------ a policy


def _policy(policy: Policy) -> str:
    from srm_checks.guide.facts import gather
    from srm_checks.guide.wording import LANGUAGES

    facts = gather(policy)
    pairs = [
        ("severity", f"{policy.severity}, mandatory" if policy.mandatory else str(policy.severity)),
        ("side", str(policy.side)),
        ("domain", str(policy.domain)),
        ("why", policy.why),
        ("AWS does", policy.aws_does),
        ("you do", policy.customer_does),
        *_by_model(facts),
        *_by_language("fix", policy.fix),
        *((f"judges ({language})", ", ".join(types)) for language, types in policy.resources.items()),
        *((f"not in {LANGUAGES[language]}", reason) for language, reason in policy.not_expressible.items()),
        *((f"parameter {each.name}", _parameter(each)) for each in facts.parameters),
        *((f"supports {framework}", ", ".join(ids)) for framework, ids in sorted(policy.frameworks.items())),
        *((tool, ", ".join(ids)) for tool, ids in facts.equivalents.items()),
        ("cfn-lint id", policy.cfn_lint_id),
        ("name", policy.name),
        ("pack", policy.pack),
        ("in packs", ", ".join(facts.packs)),
        ("page", policy.url),
    ]
    return f"{policy.id}  {policy.title}\n\n{fields(pairs)}"


def _by_model(facts: Facts) -> list[tuple[str, str]]:
    """Who answers for the whole domain under each service model, where that is not the same for all."""
    shares = [share for share in facts.shares if share.side]
    if len({(share.model, share.side) for share in shares}) < 2:
        return []
    return [(f"as {share.model}", f"{share.side} ({shortened(', '.join(share.types), 200)})") for share in shares]


def _parameter(parameter: Parameter) -> str:
    default = "" if parameter.value == parameter.default else f" (default {parameter.default})"
    return f"{parameter.value}{default}: {parameter.description}"


def _by_language(label: str, texts: Mapping[str, str]) -> list[tuple[str, str]]:
    if len(set(texts.values())) == 1:
        return [(label, next(iter(texts.values())))]
    return [(f"{label} ({language})", text) for language, text in texts.items()]


# ------------------------------------------------------------------ a check of another engine


def _check(check: CheckEntry, policies: Sequence[Policy]) -> str:
    near = [policy for policy in policies if policy.id in check.policies or check.id in policy.equivalents]
    inactive = sorted(set(check.policies) - {policy.id for policy in near})
    pairs = [
        ("engine", _ENGINES[check.source]),
        ("severity", str(check.severity)),
        ("side", str(check.side)),
        ("domain", str(check.domain)),
        ("judges", "all types" if "*" in check.resource_types else ", ".join(check.resource_types)),
        *_parts(check, near),
        ("confidence", f"{check.confidence} (in this classification)"),
        ("policies", "" if near or inactive else "none asks for the same"),
        ("not in active packs", ", ".join(inactive)),
    ]
    text = f"{check.id}  {check.name}\n\n{fields(pairs)}"
    return text + (f"\nPolicies that ask for the same, or nearly\n{_listed(near)}" if near else "")


def _parts(check: CheckEntry, near: Sequence[Policy]) -> list[tuple[str, str]]:
    """Both parties' parts: in the check's domain under each service model of its types, else as a near policy says."""
    from srm_checks.catalogue import types

    entries = [types.describe(name) for name in check.resource_types]
    models = sorted({entry.service_model for entry in entries if entry and entry.service_model})
    if not models:
        return [("AWS does", near[0].aws_does), ("you do", near[0].customer_does)] if near else []
    pairs = []
    for model in models:
        aws_does, customer_does = types.sentence(check.domain, model)
        of_model = f" ({model})" if len(models) > 1 else ""
        pairs += [(f"AWS does{of_model}", aws_does), (f"you do{of_model}", customer_does)]
    return pairs


def _listed(policies: Iterable[Policy]) -> str:
    return columns([("", p.id, str(p.severity), str(p.side), str(p.domain), p.title) for p in policies])


# ------------------------------------------------------------------ a resource type


def _type(entry: TypeEntry, policies: Sequence[Policy]) -> str:
    from srm_checks.catalogue import types

    cases = types.sides_by_case(entry.type_name)
    pairs = [
        ("service", entry.service),
        ("service model", _model(entry, cases)),
        ("role", entry.role),
        ("life cycle", " ".join(filter(None, (entry.lifecycle, entry.lifecycle_date)))),
        ("policies", "" if policies else "none of the active packs judges this type"),
    ]
    parts = [f"{entry.type_name}\n\n{fields(pairs)}"]
    if any(case.reads for case in cases):
        parts.append(f"What decides, tried in this order\n{_cases(cases)}")
    first: _Way | None = None
    for way in _ways(entry, cases):
        parts.append(f"{way.title}\n{_domains(way, first, policies)}")
        first = first or way
    if policies:
        parts.append(f"Policies that judge it\n{_listed(policies)}")
    return "\n".join(parts)


def _model(entry: TypeEntry, cases: Iterable[Case]) -> str:
    from srm_checks.catalogue.types import CONFIGURATION

    if entry.model_source == CONFIGURATION:
        models = list(dict.fromkeys(case.service_model for case in cases))
        if len(models) > 1:
            return f"{' or '.join(models)}: its configuration decides"
    if entry.service_model is None:
        return "undetermined"
    return f"{entry.service_model} ({entry.model_family})"


def _cases(cases: Iterable[Case]) -> str:
    """One line for each case: its test in the catalogue's own words, and the model that it gives."""
    return columns([("", case.service_model, case.name, f"{case.attribute} {case.test}".strip()) for case in cases])


class _Way(NamedTuple):
    """One way in which a type is shared: a service model, who answers for each domain, and a title."""

    title: str
    model: str
    sides: Mapping[Domain, Side | None]

    def row(self, domain: Domain) -> tuple[Side | None, str, str]:
        """The side and both parties' parts; no parts for a domain that does not apply, or whose side is not known."""
        from srm_checks.catalogue import types

        side = self.sides.get(domain)
        return (side, *types.sentence(domain, self.model)) if side else (None, "", "")


def _ways(entry: TypeEntry, cases: Mapping[Case, Mapping[Domain, Side | None]]) -> list[_Way]:
    """The ways in which a type can be shared, the commonest model first; cases that share alike stand together."""
    from srm_checks.catalogue import types

    if not cases:
        model = entry.service_model
        return [_Way("Who answers", model, types.sides(entry.type_name))] if model else []
    grouped: dict[tuple[str, tuple[tuple[Domain, Side | None], ...]], list[str]] = {}
    for case, sides in cases.items():
        grouped.setdefault((case.service_model, tuple(sides.items())), []).append(case.name)
    ways = [
        _Way("Who answers" + (f" as {model} ({', '.join(names)})" if len(grouped) > 1 else ""), model, dict(sides))
        for (model, sides), names in grouped.items()
    ]
    return sorted(ways, key=lambda way: way.model != entry.service_model)


def _domains(way: _Way, first: _Way | None, policies: Sequence[Policy]) -> str:
    """The table of domains: side, policies, both parties' parts; then the domains that no active policy watches.

    Of a further way, only what differs from the first is told.
    """
    pairs: list[tuple[str, str]] = []
    unwatched = []
    for domain in Domain:
        side, aws_does, customer_does = row = way.row(domain)
        watching = [policy.id for policy in policies if policy.domain is domain]
        if side in (Side.CUSTOMER, Side.SHARED) and not watching:
            unwatched.append(str(domain))
        if first and row == first.row(domain):
            continue
        if side is None:
            pairs.append((str(domain), "does not apply" if domain in way.sides else "not known"))
            continue
        pairs.append((str(domain), f"{side}; watched by {', '.join(watching)}" if watching else str(side)))
        pairs += [("  AWS", aws_does), ("  you", customer_does)]
    if first:
        pairs.append(("all else", "as in the first table"))
    pairs.append(("nothing watches", ", ".join(unwatched)))
    return fields(pairs)


# ------------------------------------------------------------------ none of these


def _unknown(target: str, policies: Sequence[Policy]) -> str:
    from srm_checks.catalogue import checks, tables
    from srm_checks.policy.source import suggest

    ids = [word for policy in policies for word in (policy.id, policy.name, policy.cfn_lint_id, *policy.equivalents)]
    hint = suggest(target, [*ids, *checks.ids()]) or suggest(target, tables.index("resource_types"))
    engine = next((name for name, shape in _ID_SHAPES.items() if shape.fullmatch(target)), None)
    if engine:
        return f"{target!r} looks like an id of {engine}, and the catalogue does not classify it{hint}"
    return f"{target!r} is no policy, check or resource type{hint}"
