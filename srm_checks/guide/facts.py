"""All that can be said of a policy beside its own text, gathered once for `explain` and for its page."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from srm_checks.catalogue import types
from srm_checks.catalogue.equivalents import equivalents
from srm_checks.model import Side
from srm_checks.policy.document import Policy
from srm_checks.policy.source import read

# From the most that the customer runs to the least; last what is itself a control.
MODELS: Final = ("IaaS", "CaaS", "PaaS", "FaaS", "Abstracted", "SaaS", "Control")


class Parameter(NamedTuple):
    """A value that users may set. `value` is the one in force, `default` the policy's own."""

    name: str
    kind: str
    description: str
    default: Any
    value: Any


class Share(NamedTuple):
    """Who answers in the policy's domain under one service model, as the catalogue has it.

    `side` is None where the domain does not apply to these types. `types` may carry the configuration that makes
    them so: `aws_ecs_service (fargate-launch-type)`.
    """

    model: str
    side: Side | None
    types: tuple[str, ...]
    aws_does: str
    customer_does: str


class Facts(NamedTuple):
    """A policy with the packs that hold it, its parameters, who answers by service model, and its names elsewhere.

    `services` are those of the types that it concerns, by name. `equivalents` are ids by tool.
    """

    policy: Policy
    packs: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    shares: tuple[Share, ...]
    services: tuple[str, ...]
    equivalents: Mapping[str, tuple[str, ...]]


def gather(policy: Policy) -> Facts:
    """The facts of a policy."""
    concerned = _concerned(policy)
    entries = filter(None, map(types.describe, concerned))
    return Facts(
        policy=policy,
        packs=_packs().get(policy.id, (policy.pack,)),
        parameters=tuple(_parameters(policy)),
        shares=tuple(_shares(policy, concerned)),
        services=tuple(sorted({entry.service for entry in entries})),
        equivalents=equivalents(policy.id, policy.equivalents),
    )


def _concerned(policy: Policy) -> list[str]:
    """The types that the duty is about: those judged, or for an absence those that make it matter."""
    if policy.absence and policy.absence.because_of:
        return sorted(policy.absence.because_of)
    return [name for names in policy.resources.values() for name in names]


@functools.cache
def _packs() -> Mapping[str, tuple[str, ...]]:
    """The packs of this package by the ids of their policies: the general ones by size, then those of frameworks."""
    from srm_checks.policy.drafts import Drafts, beside
    from srm_checks.policy.packs import library, members
    from srm_checks.versions import code_mark

    by_pack = members(Drafts(shipped=beside(library()), stamp=code_mark()))
    found: dict[str, list[str]] = {}
    general = sorted((name for name in by_pack if name.startswith("aws-")), key=lambda name: len(by_pack[name]))
    for pack in (*general, *(name for name in by_pack if name not in general)):
        for policy_id in by_pack[pack]:
            found.setdefault(policy_id, []).append(pack)
    return {policy_id: tuple(packs) for policy_id, packs in found.items()}


def _parameters(policy: Policy) -> Iterable[Parameter]:
    if not policy.parameters:
        return
    declared = read(policy.path).data["parameters"]
    for name, value in policy.parameters.items():
        entry = declared[name]
        description = " ".join(str(entry.get("description", "")).split())
        yield Parameter(name, entry["type"], description, entry["default"], value)


def _shares(policy: Policy, concerned: Iterable[str]) -> Iterable[Share]:
    grouped: dict[tuple[str, Side | None], list[str]] = {}
    for type_name in concerned:
        for model, side, shown in _ways(policy, type_name):
            grouped.setdefault((model, side), []).append(shown)
    for model, side in sorted(grouped, key=lambda way: (MODELS.index(way[0]), str(way[1]))):
        aws_does, customer_does = types.sentence(policy.domain, model) if side else ("", "")
        yield Share(model, side, tuple(grouped[model, side]), aws_does, customer_does)


def _ways(policy: Policy, type_name: str) -> Iterable[tuple[str, Side | None, str]]:
    """(service model, side, the type as shown) for each way in which a type is shared; nothing for an unknown type."""
    entry = types.describe(type_name)
    if entry is None:
        return
    by_case = types.sides_by_case(type_name)
    ways: dict[tuple[str, Side | None], list[str]] = {}
    for case, sides in by_case.items():
        ways.setdefault((case.service_model, sides.get(policy.domain)), []).append(case.name)
    if not ways and entry.service_model:
        ways[entry.service_model, types.sides(type_name).get(policy.domain)] = []
    for (model, side), cases in ways.items():
        yield model, side, f"{type_name} ({', '.join(cases)})" if len(ways) > 1 else type_name
