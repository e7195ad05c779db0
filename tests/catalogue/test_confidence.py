"""How sure the catalogue is, and that it says so on each row."""

from __future__ import annotations

from pathlib import Path

import pytest

from srm_checks.catalogue import tables

DATA = Path(__file__).parent / "data"
WORDS = {"high", "medium", "low"}


def listed(name: str) -> list[str]:
    return [line for line in (DATA / name).read_text().splitlines() if not line.startswith("#")]


def rows(name: str) -> list[dict[str, str]]:
    return list(tables.load(name).rows())


@pytest.mark.parametrize("name", ["resource_types", "services", "model_conditions", "checkov_checks", "cfn_lint_rules"])
def test_every_row_has_confidence_and_source(name: str) -> None:
    for row in rows(name):
        assert row["confidence"] in WORDS, row
        assert row["source"], row


def test_what_the_source_of_a_type_points_to_is_there() -> None:
    services = {row["service_key"]: row for row in rows("services")}
    with_cases = {
        row[f"{framework}_type"] for row in rows("model_conditions") for framework in ("terraform", "cloudformation")
    }
    for row in rows("resource_types"):
        if row["source"] == "conditions":
            assert row["resource_type"] in with_cases
        else:
            assert row["source"] in {"service", "schema", "name"}
            assert services[row["service_key"]]["source"]
        if row["source"] == "name":
            assert row["confidence"] == "low", row


@pytest.mark.parametrize("type_name", listed("named_types.txt"))
def test_a_type_that_a_control_names_is_not_a_guess(type_name: str) -> None:
    row = tables.load("resource_types").row(tables.index("resource_types")[type_name])
    assert row["confidence"] in {"high", "medium"}


def test_the_types_of_the_most_frequent_services_are_no_guesses() -> None:
    frequent = set(listed("frequent_services.txt"))
    assert len(frequent) == 60
    low = {
        row["resource_type"]
        for row in rows("resource_types")
        if row["service_key"] in frequent and row["confidence"] == "low"
    }
    assert low == set()


def test_the_page_lists_what_is_low() -> None:
    page = (Path(__file__).parents[2] / "docs" / "catalogue.md").read_text()
    low = {row["resource_type"] for row in rows("resource_types") if row["confidence"] == "low"}
    low |= {row["case"] for row in rows("model_conditions") if row["confidence"] == "low"}
    assert {name for name in low if f"`{name}`" not in page} == set()
