"""GitLab Code Quality: the widget of a merge request, which shows what differs between two branches by fingerprint."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from srm_checks.model import Finding, Outcome, Severity
from srm_checks.report import Page, Report
from srm_checks.report.inert import inert
from srm_checks.report.selection import distinct_marks, is_new
from srm_checks.report.words import why_undecided

_SEVERITIES: Final[Mapping[Severity, str]] = {
    Severity.CRITICAL: "blocker",
    Severity.HIGH: "critical",
    Severity.MEDIUM: "major",
    Severity.LOW: "minor",
    Severity.INFO: "info",
}


def render(report: Report, page: Page) -> str:
    """New gaps and unknowns as a JSON list, in ASCII with a final newline."""
    findings = [finding for finding in report.result.findings if is_new(finding)]
    marks = distinct_marks(findings)
    return json.dumps([_entry(*pair) for pair in zip(findings, marks, strict=True)], indent=2) + "\n"


def _entry(finding: Finding, mark: str) -> dict[str, Any]:
    undecided = finding.outcome is Outcome.UNKNOWN
    return {
        "description": inert(f"Unknown, {why_undecided(finding)}: {finding.message}" if undecided else finding.message),
        "check_name": finding.policy_id,
        "fingerprint": mark,
        "severity": "info" if undecided else _SEVERITIES[finding.severity],
        "location": {"path": finding.location.path, "lines": {"begin": finding.location.start_line}},
        "categories": ["Security"],
    }
