"""The cases of model_conditions.tsv: configurations that decide a resource's service model or move a side."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from srm_checks.catalogue import tables
from srm_checks.model import Domain, Side

if TYPE_CHECKING:
    from srm_checks.catalogue.conditions import Condition


UNCONDITIONAL: Final = ("resource present", "otherwise")


@dataclass(frozen=True, slots=True, eq=False)  # one object a row: equal is identical
class Case:
    """A configuration of a resource type.

    `test` reads `attribute` (see conditions.py). `sides` are the sides in that case, over the model's own; None
    where a domain does not apply.
    """

    name: str
    attribute: str
    test: str
    service_model: str
    sides: Mapping[Domain, Side | None]
    confidence: str

    @property
    def reads(self) -> bool:
        """Whether the case asks for anything but the type."""
        return self.test not in UNCONDITIONAL

    @property
    def condition(self) -> Condition:
        """The parsed test; raises `ConditionError`."""
        return _condition(self.test, self.attribute)


@functools.cache
def _condition(test: str, attribute: str) -> Condition:
    from srm_checks.catalogue.conditions import parse

    return parse(test, attribute)


def of_type(type_name: str) -> tuple[Case, ...]:
    """The cases of a Terraform or CloudFormation type, in the order in which they are tried."""
    return _by_type().get(type_name, ())


def types() -> frozenset[str]:
    """All types that have cases."""
    return frozenset(_by_type())


@functools.cache
def _by_type() -> dict[str, tuple[Case, ...]]:
    found: dict[str, tuple[Case, ...]] = {}
    for row in tables.load("model_conditions").rows():
        sides = parse_sides(f"os-host={row['os_host_side']};platform={row['platform_side']};{row['other_sides']}")
        for framework, name in (("terraform", "attribute"), ("cloudformation", "property")):
            type_name = row[f"{framework}_type"]
            if type_name:
                case = Case(
                    name=row["case"],
                    attribute=row[f"{framework}_{name}"],
                    test=row[f"{framework}_test"],
                    service_model=row["service_model"],
                    sides=sides,
                    confidence=row["confidence"],
                )
                found[type_name] = (*found.get(type_name, ()), case)
    return found


def parse_sides(text: str) -> dict[Domain, Side | None]:
    """Read `domain=side;domain=side`; None for `not-applicable`. Raises ValueError for another word."""
    sides: dict[Domain, Side | None] = {}
    for pair in filter(None, text.split(";")):
        domain, _, word = pair.partition("=")
        sides[Domain(domain)] = side(word)
    return sides


def side(word: str) -> Side | None:
    """A side as the tables write it; None for `not-applicable`. Raises ValueError for another word."""
    return None if word == "not-applicable" else Side(word)
