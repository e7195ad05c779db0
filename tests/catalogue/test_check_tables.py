"""The tables of foreign checks against the engines that are installed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter, defaultdict

import pytest

from srm_checks.catalogue import checks, tables
from srm_checks.model import Domain, Severity, Side
from srm_checks.policy.packs import load_packs

# Checkov's registries are global, and filled by importing: a process of its own reads them.
CHECKOV_IDS = """
import json
import checkov.cloudformation.checks.resource, checkov.terraform.checks.data
import checkov.terraform.checks.provider, checkov.terraform.checks.resource
from checkov.cloudformation.checks.resource.registry import cfn_registry
from checkov.common.checks_infra.registry import get_graph_checks_registry
from checkov.terraform.checks.data.registry import data_registry
from checkov.terraform.checks.provider.registry import provider_registry
from checkov.terraform.checks.resource.registry import resource_registry
found = set()
for framework, registry in (("terraform", resource_registry), ("terraform", data_registry),
                            ("terraform", provider_registry), ("cloudformation", cfn_registry)):
    for by_type in (registry.checks, registry.wildcard_checks):
        found.update((check.id, framework) for checks in by_type.values() for check in checks)
for framework in ("terraform", "cloudformation"):
    registry = get_graph_checks_registry(framework)
    registry.load_checks()
    found.update((check.id, framework) for check in registry.checks)
print(json.dumps(sorted(found)))
"""


@pytest.fixture(scope="module")
def installed_checkov() -> set[tuple[str, str]]:
    """(id, framework) of every AWS check of the installed Checkov, Python and YAML."""
    run = subprocess.run([sys.executable, "-c", CHECKOV_IDS], capture_output=True, text=True, check=True)
    found = {(check_id, framework) for check_id, framework in json.loads(run.stdout.splitlines()[-1])}
    return {(check_id, framework) for check_id, framework in found if "_AWS_" in check_id}


def rows(name: str) -> list[dict[str, str]]:
    return list(tables.load(name).rows())


def test_every_aws_check_of_checkov_has_exactly_one_row(installed_checkov: set[tuple[str, str]]) -> None:
    listed = Counter((row["check_id"], row["framework"]) for row in rows("checkov_checks"))
    assert len(installed_checkov) > 500
    assert sorted(installed_checkov - set(listed)) == []
    assert sorted(key for key, count in listed.items() if count > 1) == []


def test_no_row_is_about_a_check_that_checkov_does_not_have(installed_checkov: set[tuple[str, str]]) -> None:
    assert sorted({(row["check_id"], row["framework"]) for row in rows("checkov_checks")} - installed_checkov) == []


def test_every_listed_rule_is_one_of_cfn_lint() -> None:
    from cfnlint.core import get_rules

    installed = get_rules([], [], ["I"], include_experimental=True)
    listed = [row["rule_id"] for row in rows("cfn_lint_rules")]
    assert sorted(set(listed) - {rule.id for rule in installed.rules.values()}) == []
    assert len(listed) == len(set(listed))


@pytest.mark.parametrize("name", ["checkov_checks", "cfn_lint_rules"])
def test_every_row_is_complete(name: str) -> None:
    for row in rows(name):
        assert Domain(row["domain"]), row
        assert Side(row["side"]), row
        assert Severity(row["severity"]), row
        assert row["confidence"] in {"high", "medium", "low"}, row
        assert row["source"], row


def test_no_row_rests_on_a_guess_by_keyword() -> None:
    assert {row["assigned_by"] for row in rows("checkov_checks")} == {"policy", "review"}


def test_the_rows_of_a_check_agree_in_all_frameworks() -> None:
    by_id = defaultdict(set)
    for row in rows("checkov_checks"):
        words = tuple(row[name] for name in ("domain", "side", "severity", "srm_policies", "confidence"))
        by_id[row["check_id"]].add(words)
    assert {check_id: words for check_id, words in by_id.items() if len(words) > 1} == {}


def test_the_equivalents_of_the_policies_stand_in_the_tables() -> None:
    for policy in load_packs(["aws-all"]).policies:
        for check_id in policy.equivalents:
            entry = checks.describe(check_id)
            assert entry is not None, (policy.id, check_id)
            assert policy.id in entry.policies, check_id


@pytest.mark.parametrize(
    ("check_id", "domain", "side", "severity", "policies"),
    [
        ("CKV_AWS_16", Domain.DATA_AT_REST, Side.CUSTOMER, Severity.HIGH, ("SRM-DAR-005",)),
        ("CKV_AWS_212", Domain.DATA_AT_REST, Side.SHARED, Severity.LOW, ()),  # DMS always encrypts: the key is left
        ("CKV2_AWS_5", Domain.NETWORK, Side.CUSTOMER, Severity.LOW, ()),
        ("E2531", Domain.PLATFORM, Side.SHARED, Severity.HIGH, ("SRM-PLT-001",)),
        ("E3676", Domain.DATA_IN_TRANSIT, Side.CUSTOMER, Severity.HIGH, ()),
    ],
)
def test_a_check_is_described(
    check_id: str, domain: Domain, side: Side, severity: Severity, policies: tuple[str, ...]
) -> None:
    entry = checks.describe(check_id)
    assert entry is not None
    assert (entry.domain, entry.side, entry.severity, entry.policies) == (domain, side, severity, policies)


def test_what_is_not_classified_has_no_entry() -> None:
    assert checks.describe("CKV_AWS_99999") is None
    assert checks.describe("E3002") is None
