"""All fixtures through all doors: the evaluator, `scan`, Checkov native, cfn-lint native.

A door's answer is projected to (policy, file, block or logical id): what a host cannot represent (unknown, the root,
instances of one block) falls away, and what is left must agree.
"""

from __future__ import annotations

import datetime
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from srm_checks import fixtures
from srm_checks.absences import settle_absences
from srm_checks.judge import judge_stack
from srm_checks.model import ABSENT_ADDRESS, Disposition, EngineOptions, Finding, Outcome, Unit, UnitKind
from srm_checks.policy.document import Policy
from srm_checks.policy.packs import find, load_packs
from srm_checks.units import load_unit

ROOT = Path(__file__).resolve().parent.parent
LIBRARY = ("aws-baseline", "aws-strict", "aws-all")  # the packs that hold policies; the others select
PACKS = {pack: f"fixtures/{pack}" for pack in LIBRARY} | {"examples/org-pack": "examples/org-pack/fixtures"}
BIN = Path(sys.executable).parent
Mark: TypeAlias = tuple[str, str, str | int]

pytestmark = pytest.mark.usefixtures("in_repository")


@pytest.fixture
def in_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


@cache
def own_policies(pack: str) -> tuple[tuple[Policy, Path], ...]:
    """The policies that a pack brings itself, each with its fixture folder."""
    before = os.getcwd()
    os.chdir(ROOT)
    try:
        folder = Path(find(pack))
        return tuple(
            (policy, fixtures.folder_of(folder, policy))
            for policy in load_packs([pack]).policies
            if folder.resolve() in Path(policy.path).resolve().parents
        )
    finally:
        os.chdir(before)


def cases() -> Iterator[Any]:
    for pack in PACKS:
        for policy, folder in own_policies(pack):
            yield pytest.param(policy, folder, id=policy.id)


@pytest.mark.parametrize(("policy", "folder"), list(cases()))
def test_every_resource_comes_out_as_its_fixture_expects(policy: Policy, folder: Path) -> None:
    report = fixtures.test_policy(policy, folder)
    assert report.problems == ()
    assert report.compared > 0


@pytest.mark.parametrize(("policy", "folder"), list(cases()))
def test_json_templates_give_what_yaml_templates_give(policy: Policy, folder: Path, tmp_path: Path) -> None:
    for unit in fixtures.units(folder):
        if unit.kind is not UnitKind.CLOUDFORMATION:
            continue
        twin = tmp_path / "template.json"
        twin.write_text(fixtures.as_json(Path(unit.path).read_text()))
        other = Unit(UnitKind.CLOUDFORMATION, os.path.relpath(twin))
        judged = fixtures.for_unit(policy, folder, unit)
        day = fixtures.day_of(unit)  # which stands in a comment, and JSON has none
        assert outcomes(unit, judged, day) == outcomes(other, judged, day), unit.path


def outcomes(
    unit: Unit, policy: Policy, day: datetime.date
) -> dict[tuple[str, str], tuple[str, str | None, str | None]]:
    return {
        (finding.address, finding.root if finding.address == ABSENT_ADDRESS else ""): (
            finding.outcome.value,
            finding.cause.value if finding.cause else None,
            finding.when,
        )
        for finding in fixtures.findings(unit, [policy], day)
    }


# ------------------------------------------------------------------ the doors side by side


@cache
def judged(pack: str) -> tuple[tuple[Finding, bool], ...]:
    """Every finding of the active policies on the pack's fixtures, and whether its resource surely exists."""
    before = os.getcwd()
    os.chdir(ROOT)
    try:
        policies = load_packs([pack]).policies
        found: list[Finding] = []
        units = []
        certain: set[tuple[str, str]] = set()
        for unit in fixtures.units(Path(PACKS[pack])):
            stack = load_unit(unit, EngineOptions())
            certain |= {(unit.path, resource.address) for resource in stack.resources if resource.exists is True}
            units.append(judge_stack(stack, policies, today=fixtures.DEFAULT_DAY))
            found.extend(units[-1].findings)
        found += settle_absences(units, policies, "stack")
        return tuple(
            (entry, (entry.root, entry.address) in certain) for entry in found if entry.address != ABSENT_ADDRESS
        )
    finally:
        os.chdir(before)


def mark(policy_id: str, path: str, block: str | int) -> Mark:
    """A finding as every host can show it: a logical id for CloudFormation, the block's first line for Terraform."""
    return policy_id, path, block


def mark_of(finding: Finding) -> Mark:
    block = finding.address if finding.framework == "cloudformation" else finding.block.start_line
    return mark(finding.policy_id, finding.block.path, block)


def has_no_place_in_checkov(finding: Finding) -> bool:
    """What Checkov has no record for: `terraform` blocks, and instances whose key has a dot.

    It also leaves out resources whose condition, count or for_each it has guessed to be off (`certain`).
    """
    return finding.resource_type == "terraform" or re.search(r"\[[^\]]*\.[^\]]*\]", finding.address) is not None


def gaps(
    pack: str, *, framework: str | None = None, certain: bool = False, shown_by_checkov: bool = False
) -> set[Mark]:
    return {
        mark_of(finding)
        for finding, sure in judged(pack)
        if finding.outcome is Outcome.GAP
        and finding.disposition is Disposition.NEW
        and (framework is None or finding.framework == framework)
        and (sure or not certain)
        and not (shown_by_checkov and has_no_place_in_checkov(finding))
    }


def account_wide(pack: str) -> set[str]:
    return {policy.id for policy in load_packs([pack]).policies if policy.absence and policy.absence.account_wide}


def environment(pack: str, tmp_path: Path) -> dict[str, str]:
    config = tmp_path / "srm-checks.yaml"
    name = pack if pack in LIBRARY else str(ROOT / pack)
    config.write_text(f"packs: [{json.dumps(name)}]\n")
    keep = {key: value for key, value in os.environ.items() if not key.startswith(("SRM_", "CKV_", "BC_"))}
    return keep | {
        "SRM_CHECKS_CONFIG": str(config),
        "SRM_CHECKS_TODAY": fixtures.DEFAULT_DAY.isoformat(),
        "BC_SKIP_MAPPING": "TRUE",
        "CKV_SKIP_PACKAGE_UPDATE_CHECK": "TRUE",
        "LOG_LEVEL": "ERROR",
        "HOME": str(tmp_path),
    }


def run(*argv: str | Path, env: dict[str, str]) -> str:
    result = subprocess.run(
        [str(word) for word in argv], cwd=ROOT, env=env, capture_output=True, text=True, timeout=600
    )
    assert "Traceback" not in result.stderr, result.stderr[-3000:]
    assert result.stdout.strip(), result.stderr[-3000:]
    return result.stdout


@pytest.mark.parametrize("pack", PACKS)
def test_scan_reports_the_same_gaps(pack: str, tmp_path: Path) -> None:
    day = fixtures.DEFAULT_DAY.isoformat()
    output = run(BIN / "srm-checks", "scan", PACKS[pack], "-f", "json", "--today", day, env=environment(pack, tmp_path))
    report = json.loads(output)
    found = {
        mark(
            entry["policy_id"],
            entry["location"]["path"],
            entry["resource"]["address"]
            if entry["resource"]["framework"] == "cloudformation"
            else entry["location"]["block_start_line"],
        )
        for entry in report["findings"]
        if entry["outcome"] == "gap" and entry["disposition"] == "new"
    }
    assert found == gaps(pack)
    assert report["errors"] == []


@pytest.mark.parametrize("pack", PACKS)
def test_cfn_lint_reports_the_same_gaps(pack: str, tmp_path: Path) -> None:
    templates = [unit.path for unit in fixtures.units(Path(PACKS[pack])) if unit.kind is UnitKind.CLOUDFORMATION]
    output = run(
        BIN / "cfn-lint", "-a", "srm_checks.cfn_lint_rules", "-c", "I", "-i", "E0", "-i", "E1", "-i", "E2", "-i", "E3", "-i", "E4", "-i", "E6", "-i", "E7", "-i", "E8",
        "-f", "json", "--", *templates, env=environment(pack, tmp_path),
    )  # fmt: skip
    found = set()
    for match in json.loads(output):
        if not re.fullmatch(r"E9([A-Z]{2,8})?\d{5}", match["Rule"]["Id"]):
            continue
        policy_id = re.search(r"\(([A-Z]+-[A-Z]{3}-\d{3})\)", match["Message"])
        assert policy_id, match["Message"]
        found.add(mark(policy_id.group(1), match["Filename"], match["Location"]["Path"][1]))
    # cfn-lint sees one template at a time, so a duty of the whole account is answered by each template for itself.
    wide = account_wide(pack)
    assert {entry for entry in found if entry[0] not in wide} == {
        entry for entry in gaps(pack, framework="cloudformation") if entry[0] not in wide
    }
    assert {entry for entry in gaps(pack, framework="cloudformation") if entry[0] in wide} <= found


@pytest.mark.parametrize("pack", PACKS)
def test_checkov_reports_the_same_gaps(pack: str, tmp_path: Path) -> None:
    env = environment(pack, tmp_path)
    folder = run(BIN / "srm-checks", "path", "checkov", env=env).strip()
    checks = ["--check", "SRM-*", "--check", "ACME-*"]
    output = run(
        BIN / "checkov", "-d", PACKS[pack], "--external-checks-dir", folder, "--skip-download", "--framework", "terraform", "cloudformation",
        *checks, "-o", "json", "--compact", env=env,
    )  # fmt: skip
    reports = json.loads(output)
    known, failed, wide = gaps(pack), set[Mark](), account_wide(pack)
    strangers: list[tuple[str, str, object]] = []
    for report in reports if isinstance(reports, list) else [reports]:
        for record in report.get("results", {}).get("failed_checks", []):
            path = os.path.relpath(record["file_abs_path"], ROOT)
            if record["check_id"] in wide:  # one answer for all units, of which Checkov sees those of one framework
                continue
            hits = {entry for entry in known if entry[:2] == (record["check_id"], path) and _shows(record, entry[2])}
            failed |= hits
            if not hits:
                strangers.append((record["check_id"], path, record["resource"]))
    assert strangers == [], "Checkov shows a gap that scan does not know"
    missed = gaps(pack, certain=True, shown_by_checkov=True) - failed
    assert {entry for entry in missed if entry[0] not in wide} == set(), "Checkov is silent on a gap"


def _shows(record: dict[str, Any], block: str | int) -> bool:
    """Whether a Checkov record is about a block.

    Its range may begin with a comment above the block; for a provider inside a module it is line 1 whatever is there.
    """
    if isinstance(block, str):
        return bool(record["resource"].rpartition(".")[2] == block)
    first, last = record["file_line_range"]
    return bool(first <= block <= last or (first, last) == (1, 1))
