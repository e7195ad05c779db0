"""What other tools call a policy's question."""

from __future__ import annotations

import re

from srm_checks.catalogue import tables
from srm_checks.catalogue.equivalents import CFN_LINT, CHECKOV, CONFIG, GUARD, equivalents
from srm_checks.policy.packs import load_packs

ROWS = list(tables.load("rule_equivalents").rows())


def test_by_tool_in_one_order() -> None:
    assert equivalents("SRM-DAR-005", ["CKV_AWS_16"]) == {
        CHECKOV: ("CKV_AWS_16",),
        CFN_LINT: ("E3720",),
        GUARD: ("rds_storage_encrypted",),
        CONFIG: ("rds-storage-encrypted",),
    }


def test_numbers_are_sorted_as_numbers() -> None:
    assert equivalents("ACME-DAR-001", ["CKV_AWS_133", "CKV_AWS_16"]) == {CHECKOV: ("CKV_AWS_16", "CKV_AWS_133")}


def test_a_check_that_the_catalogue_does_not_classify() -> None:
    assert equivalents("ACME-DAR-001", ["E3012", "CKV_AWS_99999"]) == {
        CHECKOV: ("CKV_AWS_99999",),
        CFN_LINT: ("E3012",),
    }


def test_nothing_is_known_of_a_policy_of_somebody_else() -> None:
    assert equivalents("ACME-DAR-001") == {}


def test_every_row_is_about_a_policy_and_names_rules() -> None:
    policies = {policy.id for policy in load_packs(["aws-all"]).policies}
    assert [row["policy_id"] for row in ROWS if row["policy_id"] not in policies] == []
    assert [row["policy_id"] for row in ROWS] == sorted({row["policy_id"] for row in ROWS})
    for row in ROWS:
        assert row["guard_rules"] or row["config_rules"], row
        assert re.fullmatch(r"([a-z0-9_]+(;[a-z0-9_]+)*)?", row["guard_rules"]), row
        assert re.fullmatch(r"([a-z0-9-]+(;[a-z0-9-]+)*)?", row["config_rules"]), row
