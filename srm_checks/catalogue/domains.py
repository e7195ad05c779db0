"""What a resource type asks of both parties, domain by domain: the data of `explain TYPE`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from srm_checks.catalogue.cases import Case
from srm_checks.catalogue.types import CONFIGURATION, cases_with_default, describe, sentence, sides, sides_by_case
from srm_checks.model import Domain, Side


class DomainRow(NamedTuple):
    """A domain of a resource type.

    `side` is None where the domain does not apply and where the configuration decides; `by_case` then has the side in
    each configuration (None: does not apply), and is empty otherwise. `aws_does` and `customer_does` are one sentence
    each, "" where the domain does not apply or the service model is open. `policies` are the ids that watch the domain
    for this type.
    """

    domain: Domain
    side: Side | None
    by_case: Mapping[str, Side | None]
    aws_does: str
    customer_does: str
    policies: tuple[str, ...]

    @property
    def applies(self) -> bool:
        """Whether either party has a part in it, at least in one configuration."""
        return self.side is not None or any(self.by_case.values())

    @property
    def unwatched(self) -> bool:
        """Whether the customer may have a part in it that no policy watches."""
        mine = self.by_case.values() if self.by_case else (self.side,)
        return not self.policies and any(side in (Side.CUSTOMER, Side.SHARED) for side in mine)


class CaseRow(NamedTuple):
    """A configuration of a type: the service model that it gives, and what is asked (`launch_type == FARGATE`)."""

    name: str
    service_model: str
    test: str
    confidence: str


class TypeDuties(NamedTuple):
    """A resource type with what decides its service model and a row for each domain."""

    type_name: str
    service: str
    service_model: str | None
    model_family: str | None
    decided_by_configuration: bool
    cases: tuple[CaseRow, ...]
    domains: tuple[DomainRow, ...]
    unwatched: tuple[Domain, ...]


def duties(type_name: str, watching: Callable[[Domain], Iterable[str]] = lambda domain: ()) -> TypeDuties | None:
    """The duties of a resource type; None for a type that the catalogue does not know.

    `watching` gives the ids of the policies of a domain that judge the type. The service model is None where the
    configuration decides it.
    """
    entry = describe(type_name)
    if entry is None:
        return None
    cases = cases_with_default(type_name)
    configured = entry.model_source == CONFIGURATION
    models = {case.service_model for case in cases} if configured else {entry.service_model}
    model = models.pop() if len(models) == 1 else None
    common, by_case = sides(type_name), sides_by_case(type_name)
    rows: list[DomainRow] = []
    for domain in Domain:
        policies = tuple(watching(domain))
        open_sides = {} if domain in common else {case.name: found[domain] for case, found in by_case.items()}
        applies = common.get(domain) is not None or any(open_sides.values())
        aws_does, customer_does = sentence(domain, model) if model and applies else ("", "")
        rows.append(DomainRow(domain, common.get(domain), open_sides, aws_does, customer_does, policies))
    return TypeDuties(
        type_name=type_name,
        service=entry.service,
        service_model=model,
        model_family=entry.model_family if model else None,
        decided_by_configuration=configured,
        cases=tuple(map(_case_row, cases)) if any(case.reads for case in cases) else (),
        domains=tuple(rows),
        unwatched=tuple(row.domain for row in rows if row.unwatched),
    )


def _case_row(case: Case) -> CaseRow:
    test = case.test if case.test == "otherwise" or not case.attribute else f"{case.attribute} {case.test}"
    return CaseRow(case.name, case.service_model, test, case.confidence)
