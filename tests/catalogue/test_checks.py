"""Checks of other engines in the catalogue."""

from __future__ import annotations

import pytest

from srm_checks.catalogue import checks, tables
from srm_checks.model import Domain, Severity, Side


def test_a_check_of_checkov_over_both_frameworks() -> None:
    found = checks.describe("CKV_AWS_16")
    assert found is not None
    assert (found.source, found.domain, found.side) == ("checkov", Domain.DATA_AT_REST, Side.CUSTOMER)
    assert found.severity is Severity.HIGH
    assert found.policies == ("SRM-DAR-005",)
    assert set(found.resource_types) >= {"aws_db_instance", "AWS::RDS::DBInstance"}


def test_a_rule_of_cfn_lint() -> None:
    found = checks.describe("E2531")
    assert found is not None
    assert (found.source, found.domain, found.side) == ("cfn-lint", Domain.PLATFORM, Side.SHARED)


@pytest.mark.parametrize("check_id", ["", "CKV_AWS_0", "E3012", "check_id", "SRM-DAR-005"])
def test_what_is_not_classified(check_id: str) -> None:
    assert checks.describe(check_id) is None


def test_every_row_can_be_read() -> None:
    assert len(checks.ids(checks.CHECKOV)) > 400
    assert checks.ids() == checks.ids(checks.CHECKOV) + checks.ids(checks.CFN_LINT)
    for check_id in checks.ids():
        found = checks.describe(check_id)
        assert found is not None
        assert found.name
        assert found.confidence in ("high", "medium", "low")


def test_the_rows_of_a_check_agree() -> None:
    seen: dict[str, tuple[str, ...]] = {}
    for row in tables.load("checkov_checks").rows():
        said = tuple(row[column] for column in ("domain", "side", "severity"))
        assert seen.setdefault(row["check_id"], said) == said, row["check_id"]
