"""End-of-support dates of runtimes, engines and operating systems."""

from __future__ import annotations

import datetime
import functools
from typing import Final

from srm_checks.catalogue import tables

FIELDS: Final = ("end_of_standard_support", "end_of_extended_support", "block_create", "block_update")
NONE_ANNOUNCED: Final = "none-announced"
ENDED: Final = "ended"
UNKNOWN: Final = "unknown"

# Names such as nodejs18.x and provided.al2 only look like dotted versions: al2 is not a patch level of `provided`.
_EXACT: Final = frozenset({"lambda-runtime"})


def products() -> frozenset[str]:
    """The products that the table knows: `lambda-runtime`, `eks`, `rds-mysql` ..."""
    return frozenset(_table())


def ends(product: str, version: str, field: str) -> datetime.date | str | None:
    """When `field` of a version comes to its end.

    A date, or `none-announced`, `ended` (over, without a date) or `unknown` (the table has no value). None where the
    version is not listed. A longer version counts as its longest dotted prefix that is listed (8.0.35 as 8.0), Lambda
    runtimes only as they are. Raises KeyError for a product or field that does not exist.
    """
    versions = _table()[product]
    place = FIELDS.index(field) if field in FIELDS else -1
    if place < 0:
        raise KeyError(field)
    cells = versions.get(version)
    if cells is None and product not in _EXACT:
        cells = _nearest(product, version, versions)
    return None if cells is None else _date(cells[place])


def _nearest(product: str, version: str, versions: dict[str, tuple[str, ...]]) -> tuple[str, ...] | None:
    if "aurora" in version and not product.startswith("aurora"):
        return None  # 8.0.mysql_aurora.3.04.0 has the dates of Aurora MySQL 3, not those of RDS for MySQL 8.0
    if product == "opensearch":
        version = version.removeprefix("OpenSearch_")  # the service writes OpenSearch_2.11 and Elasticsearch_7.10
    version = version.split("-", 1)[0]  # 15.4-R2, 8.0.35-log
    while version:
        if version in versions:
            return versions[version]
        version = version.rpartition(".")[0]
    return None


def _date(cell: str) -> datetime.date | str:
    if not cell:
        return UNKNOWN
    return cell if cell in (NONE_ANNOUNCED, ENDED) else datetime.date.fromisoformat(cell)


@functools.cache
def _table() -> dict[str, dict[str, tuple[str, ...]]]:
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for row in tables.load("end_of_support").rows():
        found.setdefault(row["product"], {})[row["version"]] = tuple(row[field] for field in FIELDS)
    return found
