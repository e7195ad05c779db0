"""Reports made by hand, for tests of the formats."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from srm_checks.gate import Gate
from srm_checks.model import Finding
from srm_checks.pipeline import InputsReport, ScanResult, Summary
from srm_checks.policy.packs import PackIdentity
from srm_checks.report import Report


@pytest.fixture
def make_report() -> Callable[..., Report]:
    """A report over one Terraform root with the given findings; any field of the result can be changed."""

    def make(findings: Iterable[Finding] = (), **changes: Any) -> Report:
        findings = tuple(findings)
        fields: dict[str, Any] = {
            "findings": findings,
            "counts": Summary(
                Counter(str(finding.outcome) for finding in findings),
                _table((str(finding.side), str(finding.outcome)) for finding in findings),
                _table((str(finding.domain), str(finding.outcome)) for finding in findings),
                _table((finding.service_model or "undetermined", str(finding.outcome)) for finding in findings),
            ),
            "errors": (),
            "inputs": InputsReport(1, 2, 0, 0, 0, ()),
            "packs": (PackIdentity("aws-baseline", "0.1.0", "sha256:" + "0" * 64),),
            "scope": "stack",
            "notes": (),
        }
        result = ScanResult(**{**fields, **changes})
        return Report(
            result=result,
            decision=Gate().decide(result.findings),
            version="0.1.0",
            engines={"checkov": "3.3.30", "cfn-lint": None},
        )

    return make


def _table(pairs: Iterable[tuple[str, str]]) -> dict[str, Counter[str]]:
    table: dict[str, Counter[str]] = {}
    for word, outcome in pairs:
        table.setdefault(word, Counter())[outcome] += 1
    return table
