"""End-of-support look-ups."""

from __future__ import annotations

import datetime

import pytest

from srm_checks.catalogue import tables
from srm_checks.catalogue.support import FIELDS, ends, products

STANDARD = "end_of_standard_support"


def test_the_products_are_those_of_the_table() -> None:
    assert {"lambda-runtime", "eks", "rds-mysql", "rds-postgres", "aurora-postgresql", "opensearch"} <= products()


@pytest.mark.parametrize(
    ("product", "version", "expected"),
    [
        ("rds-mysql", "8.0.35", ends("rds-mysql", "8.0", STANDARD)),
        ("rds-mysql", "8.0.35-log", ends("rds-mysql", "8.0", STANDARD)),
        ("rds-mysql", "5.7.44", datetime.date(2024, 2, 29)),
        ("rds-mysql", "5.5.1", None),
        ("rds-mysql", "8", None),
        ("rds-mysql", "8.0.mysql_aurora.3.04.0", None),
        ("rds-mariadb", "10.11.6", datetime.date(2028, 2, 29)),
        ("rds-mariadb", "10.1", None),
        ("rds-postgres", "16-R1", datetime.date(2029, 2, 28)),
        ("rds-postgres", "9.6.24", datetime.date(2022, 4, 30)),
        ("aurora-postgresql", "15.4", datetime.date(2028, 2, 29)),
        ("eks", "1.29", datetime.date(2025, 3, 23)),
        ("eks", "1.2", None),
        ("eks", "1", None),
        ("lambda-runtime", "nodejs18.x", datetime.date(2025, 9, 1)),
        ("lambda-runtime", "nodejs18", None),
        ("lambda-runtime", "provided.al2027", None),
        ("elasticache", "6.x", datetime.date(2027, 1, 31)),
        ("msk-kafka", "3.7.x.kraft", datetime.date(2026, 9, 1)),
        ("opensearch", "OpenSearch_2.11", datetime.date(2027, 11, 7)),
        ("opensearch", "Elasticsearch_2.3", None),
        ("docdb", "5.0.0", "none-announced"),
        ("eks", "", None),
    ],
)
def test_the_longest_listed_prefix_counts(product: str, version: str, expected: object) -> None:
    assert ends(product, version, STANDARD) == expected


def test_words_of_the_table_come_as_they_are() -> None:
    assert ends("rds-mysql", "5.6", "end_of_extended_support") == "ended"
    assert ends("eks", "1.20", "end_of_extended_support") == "unknown"
    assert ends("lambda-runtime", "nodejs18.x", "block_update") == datetime.date(2027, 3, 3)


@pytest.mark.parametrize(("product", "field"), [("no-such", STANDARD), ("eks", "version"), ("eks", "")])
def test_an_unknown_product_or_field_is_a_mistake_of_the_caller(product: str, field: str) -> None:
    with pytest.raises(KeyError):
        ends(product, "1.29", field)


def test_every_cell_can_be_read_and_no_version_stands_twice() -> None:
    rows = list(tables.load("end_of_support").rows())
    assert len({(row["product"], row["version"]) for row in rows}) == len(rows)
    for row in rows:
        assert row["source"]
        assert datetime.date.fromisoformat(row["source_date"])
        for field in FIELDS:
            assert ends(row["product"], row["version"], field) is not None
