"""The JSON report: the fields that scripts rely on."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from srm_checks.model import (
    Call,
    Cause,
    Disposition,
    Evidence,
    Finding,
    Outcome,
    ScanError,
    SourceRange,
    UnreadModule,
)
from srm_checks.pipeline import InputsReport
from srm_checks.policy.packs import PackIdentity
from srm_checks.report import Page, Report
from srm_checks.report.json import document, render

MakeFinding = Callable[..., Finding]
MakeReport = Callable[..., Report]


def test_an_empty_report(make_report: MakeReport) -> None:
    assert document(make_report()) == {
        "schema": "srm-checks/report/1",
        "tool": {
            "name": "srm-checks",
            "version": "0.1.0",
            "engines": {"cfn-lint": None, "checkov": "3.3.30"},
            "packs": [{"name": "aws-baseline", "version": "0.1.0", "digest": "sha256:" + "0" * 64}],
        },
        "scope": "stack",
        "findings": [],
        "errors": [],
        "inputs": {
            "terraform_roots": 1,
            "terraform_files": 2,
            "plans": 0,
            "cloudformation_templates": 0,
            "skipped_files": 0,
            "unread_modules": [],
        },
        "summary": {
            "gap": 0,
            "met": 0,
            "unknown": 0,
            "not-applicable": 0,
            "by_side": {},
            "by_domain": {},
            "by_service_model": {},
            "gate": {"failed": False, "because": "No new gap at or above medium."},
        },
        "compared": [],
    }


def test_a_gap_with_all_that_it_can_carry(make_finding: MakeFinding, make_report: MakeReport) -> None:
    finding = make_finding(
        when='Env is "dev"',
        origin=SourceRange("envs/prod/main.tf", 4, 5),
        call_chain=(Call("module.db", "envs/prod/main.tf", 2),),
        frameworks={"nist-800-53-r5": ("SC-28", "AC-3"), "fsbp": ("RDS.3",)},
        equivalents=("CKV_AWS_17", "CKV_AWS_16"),
    )
    assert document(make_report([finding]))["findings"] == [
        {
            "policy_id": "SRM-DAR-005",
            "name": "rds-instance-unencrypted",
            "title": "RDS instance storage is not encrypted",
            "outcome": "gap",
            "cause": None,
            "severity": "high",
            "side": "customer",
            "service_model": "PaaS",
            "model_family": "PaaS",
            "model_decided_by": "aws_db_instance",
            "domain": "data-at-rest",
            "service": "rds",
            "aws_does": "AWS encrypts on its hosts once encryption is on.",
            "customer_does": "You switch encryption on and choose the key.",
            "message": "aws_db_instance.main is not encrypted at rest.",
            "fix": "Set storage_encrypted = true.",
            "resource": {
                "framework": "terraform",
                "type": "aws_db_instance",
                "address": "aws_db_instance.main",
                "root": ".",
            },
            "location": {
                "path": "main.tf",
                "start_line": 2,
                "end_line": 2,
                "block_start_line": 1,
                "block_end_line": 3,
            },
            "attribute": "storage_encrypted",
            "when": 'Env is "dev"',
            "evidence": [{"path": "storage_encrypted", "value": False, "fingerprint": "e" * 16}],
            "origin": {"path": "envs/prod/main.tf", "start_line": 4},
            "call_chain": [{"address": "module.db", "path": "envs/prod/main.tf", "start_line": 2}],
            "frameworks": {"fsbp": ["RDS.3"], "nist-800-53-r5": ["AC-3", "SC-28"]},
            "equivalents": ["CKV_AWS_16", "CKV_AWS_17"],
            "source": "srm",
            "disposition": "new",
            "waiver": None,
            "suppression": None,
            "assumption": None,
            "fingerprint": "f" * 16,
        }
    ]


def test_an_unknown_has_its_cause_and_an_undetermined_model_is_null(
    make_finding: MakeFinding, make_report: MakeReport
) -> None:
    finding = make_finding(
        outcome=Outcome.UNKNOWN,
        cause=Cause.UNRESOLVED_VALUE,
        service_model=None,
        model_family=None,
        model_decided_by="launch_type is var.launch_type",
    )
    report = document(make_report([finding]))
    entry = report["findings"][0]
    assert (entry["outcome"], entry["cause"]) == ("unknown", "unresolved-value")
    assert (entry["service_model"], entry["model_decided_by"]) == (None, "launch_type is var.launch_type")
    assert report["summary"]["by_service_model"] == {
        "undetermined": {"gap": 0, "met": 0, "unknown": 1, "not-applicable": 0}
    }


def test_a_suppression_keeps_its_reason(make_finding: MakeFinding, make_report: MakeReport) -> None:
    finding = make_finding(disposition=Disposition.SUPPRESSED, suppression={"kind": "checkov", "reason": "accepted"})
    entry = document(make_report([finding]))["findings"][0]
    assert entry["disposition"] == "suppressed"
    assert entry["suppression"] == {"kind": "checkov", "reason": "accepted"}


def test_errors_and_unread_modules(make_report: MakeReport) -> None:
    report = document(
        make_report(
            errors=(ScanError("a.tf", "terraform", "parse", "line 2: a value is missing"),),
            inputs=InputsReport(1, 1, 0, 0, 4, (UnreadModule("module.vpc", "example/vpc/aws", "main.tf", 3),)),
        )
    )
    assert report["errors"] == [
        {"path": "a.tf", "engine": "terraform", "kind": "parse", "message": "line 2: a value is missing"}
    ]
    assert report["inputs"]["unread_modules"] == [
        {"address": "module.vpc", "source": "example/vpc/aws", "path": "main.tf", "start_line": 3}
    ]


def test_packs_are_sorted(make_report: MakeReport) -> None:
    packs = tuple(PackIdentity(name, "1.0.0", "sha256:" + "0" * 64) for name in ("org", "aws-baseline"))
    report = document(make_report(packs=packs))
    assert [pack["name"] for pack in report["tool"]["packs"]] == ["aws-baseline", "org"]


@pytest.mark.parametrize("count", [0, 1, 3])
def test_the_text_is_the_document_indented(make_finding: MakeFinding, make_report: MakeReport, count: int) -> None:
    findings = [make_finding(address=f"a\n{number}", evidence=()) for number in range(count)]
    report = make_report(findings, errors=(ScanError("a.tf", "terraform", "parse", "two\nlines"),))
    whole = json.dumps(document(report), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    assert "".join(render(report, Page())) == whole


def test_the_text_is_plain_json_whatever_the_values(make_finding: MakeFinding, make_report: MakeReport) -> None:
    value: Any = {"size": float("inf"), "names": ("a", "é\x1b"), "path": "\udc80"}
    text = "".join(render(make_report([make_finding(evidence=(Evidence("x", value, ""),))]), Page()))
    read = json.loads(text.encode("utf-8", "backslashreplace"), parse_constant=lambda word: pytest_fail(word))
    assert read["findings"][0]["evidence"][0]["value"] == {"size": "inf", "names": ["a", "é\x1b"], "path": "\udc80"}
    assert text.endswith("}\n")


def pytest_fail(word: str) -> None:
    raise AssertionError(f"{word} is not JSON")
