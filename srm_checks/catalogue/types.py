"""Resource types: the service, model and role of each, the side of each domain, and the sentences for both parties."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from srm_checks.catalogue import tables
from srm_checks.catalogue.cases import Case, of_type, parse_sides, side
from srm_checks.model import Domain, Side

if TYPE_CHECKING:
    from srm_checks.catalogue.models import ModelDecision

DATA_PREFIX: Final = "data."
CONFIGURATION: Final = "configuration"


class TypeEntry(NamedTuple):
    """What the catalogue says of a resource type.

    `model_source` says where the model comes from: `type` (this type), `service` (the type itself is not listed, all
    types of its service have that model), `configuration` (the resource's settings decide; `service_model` is then only
    the commonest case) or `undetermined`. `service_model` and `model_family` are None where they are undetermined.
    `role`: workload, control, or part (belongs to another resource). `lifecycle` with `lifecycle_date` (ISO, may be
    "") as AWS announced it, "" for a living type. `os_host_side` is set where the type differs from its model.
    """

    type_name: str
    service_key: str
    service: str
    service_model: str | None
    model_family: str | None
    model_source: str
    role: str
    alternative_model: str | None = None
    os_host_side: Side | None = None
    lifecycle: str = ""
    lifecycle_date: str = ""


@functools.lru_cache(maxsize=4096)
def describe(type_name: str) -> TypeEntry | None:
    """The entry of a Terraform or CloudFormation type; None where the catalogue does not know it.

    A Terraform data source (`data.aws_lb`) has the entry of the resource that it reads, else of the service that its
    name shows.
    """
    line = tables.index("resource_types").get(type_name.removeprefix(DATA_PREFIX))
    if line is not None:
        entry = _entry(tables.load("resource_types").row(line))
        return entry if entry.type_name == type_name else entry._replace(type_name=type_name)
    return _data_source(type_name) if type_name.startswith(DATA_PREFIX) else None


def _entry(row: Mapping[str, str]) -> TypeEntry:
    return TypeEntry(
        type_name=row["resource_type"],
        service_key=row["service_key"],
        service=_service(row["service_key"])["service_name"],
        service_model=row["service_model"] or None,
        model_family=row["model_family"] or None,
        model_source=row["model_source"],
        role=row["role"],
        alternative_model=row["alternative_model"] or None,
        os_host_side=Side(row["os_host_side"]) if row["os_host_side"] else None,
        lifecycle=row["lifecycle"],
        lifecycle_date=row["lifecycle_date"],
    )


def _data_source(type_name: str) -> TypeEntry | None:
    """The entry of a data source that has no resource of its name.

    `aws_subnets` reads several `aws_subnet`. `aws_iam_policy_document` belongs to the service of `aws_iam_policy`,
    `aws_ssoadmin_instances` to the one of the other `aws_ssoadmin_` types, as long as these are all of one service.
    """
    name = type_name.removeprefix(DATA_PREFIX)
    types = tables.index("resource_types")
    if name.removesuffix("s") in types:
        return _entry(tables.load("resource_types").row(types[name.removesuffix("s")]))._replace(type_name=type_name)
    words = name.split("_")
    for end in range(len(words) - 1, 1, -1):
        stem = "_".join(words[:end])
        if end == 2 and stem not in types and words[1] not in _packages():
            return None  # one word that names no service (`aws_default_tags`) says nothing
        lines = [types[stem]] if stem in types else _beginning_with(f"{stem}_")
        services = {_cell(line, 1) for line in lines}
        if services:
            return _of_service(type_name, services.pop()) if len(services) == 1 else None
    return None


@functools.cache
def _packages() -> frozenset[str]:
    """The words that begin the names of a service's Terraform types."""
    return frozenset(
        word
        for row in tables.load("services").rows()
        for word in (row["service_key"], *row["terraform_packages"].split(";"))
    )


def _beginning_with(prefix: str) -> Iterable[str]:
    return (line for type_name, line in tables.index("resource_types").items() if type_name.startswith(prefix))


def _cell(line: str, number: int) -> str:
    return line.split("\t", number + 1)[number]


def _of_service(type_name: str, service_key: str) -> TypeEntry:
    service = _service(service_key)
    whole = service["model_source"] == "service"
    return TypeEntry(
        type_name=type_name,
        service_key=service_key,
        service=service["service_name"],
        service_model=service["service_model"] if whole else None,
        model_family=service["model_family"] if whole else None,
        model_source="service" if whole else "undetermined",
        role="part",
    )


def _service(service_key: str) -> Mapping[str, str]:
    return tables.load("services").row(tables.index("services")[service_key])


# ------------------------------------------------------------------ models


@functools.cache
def _model_rows() -> Mapping[str, Mapping[str, str]]:
    return {row["service_model"]: row for row in tables.load("model_defaults").rows()}


def service_models() -> frozenset[str]:
    """The service models that the contract names: IaaS, CaaS, PaaS ..."""
    return frozenset(_model_rows())


def family(service_model: str) -> str:
    """The family that a service model belongs to unless a type says otherwise; KeyError for an unknown word."""
    return _model_rows()[service_model]["model_family"]


# ------------------------------------------------------------------ sides and sentences


Sides: TypeAlias = dict[Domain, Side | None]


def sides(type_name: str, decision: ModelDecision | None = None) -> Sides:
    """Who answers for each domain of a type; None where the domain does not apply.

    `decision` (models.decide) narrows a type whose configuration has a say to the cases that are possible. Where the
    possible cases differ, and where nothing is known, the domain is missing from the answer: such a side is not known,
    and must not be taken for AWS's.
    """
    entry = describe(type_name)
    if entry is None:
        return {}
    by_case = sides_by_case(type_name)
    if not by_case:
        return {} if entry.model_source == CONFIGURATION else _base_sides(entry, entry.service_model)
    if decision is None:
        return _common(list(by_case.values()))
    if not decision.cases and entry.model_source == CONFIGURATION:
        return {}
    return _common([by_case[case] for case in decision.cases or by_case])


@functools.lru_cache(maxsize=1024)
def cases_with_default(type_name: str) -> tuple[Case, ...]:
    """The cases of a type in the order in which they are tried.

    Where the type alone decides the model, what no case fits has the sides of the type, as a last case `default`.
    """
    cases = of_type(type_name)
    entry = describe(type_name)
    if not cases or entry is None or entry.model_source == CONFIGURATION or entry.service_model is None:
        return cases
    if not all(case.reads for case in cases):
        return cases
    base = _base_sides(entry, entry.service_model)
    return (*cases, Case("default", "", "otherwise", entry.service_model, base, "medium"))


@functools.lru_cache(maxsize=1024)
def sides_by_case(type_name: str) -> Mapping[Case, Sides]:
    """The sides of a type in each of its cases; empty for a type without cases."""
    entry = describe(type_name)
    if entry is None or type_name.startswith(DATA_PREFIX):
        return {}
    return {case: _case_sides(entry, case) for case in cases_with_default(type_name)}


def _case_sides(entry: TypeEntry, case: Case) -> Sides:
    return {**_base_sides(entry._replace(os_host_side=None), case.service_model), **case.sides}


def _base_sides(entry: TypeEntry, service_model: str | None) -> Sides:
    if service_model is None:
        return {}
    row = _model_rows()[service_model]
    found = {domain: side(row[domain.value]) for domain in Domain}
    service = _service(entry.service_key)
    same_model = service_model == service["service_model"]
    for domain, moved in parse_sides(service["side_overrides"]).items():
        # What is said of a whole service reaches its types of another model only in the domains that these have.
        if same_model or found[domain] is not None:
            found[domain] = moved
    if entry.os_host_side is not None:
        found[Domain.OS_HOST] = entry.os_host_side
    return found


def _common(candidates: list[Sides]) -> Sides:
    """The sides on which all candidates agree."""
    if not candidates:
        return {}
    first, *others = candidates
    return {
        domain: found
        for domain, found in first.items()
        if all(domain in other and other[domain] is found for other in others)
    }


def sentence(domain: Domain, service_model: str) -> tuple[str, str]:
    """What AWS does and what the customer does in a domain, one sentence each; KeyError for an unknown model."""
    return _sentences()[domain.value, service_model]


@functools.cache
def _sentences() -> Mapping[tuple[str, str], tuple[str, str]]:
    return {
        (row["domain"], row["service_model"]): (row["aws_does"], row["customer_does"])
        for row in tables.load("domain_sentences").rows()
    }
