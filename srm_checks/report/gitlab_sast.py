"""GitLab SAST report, schema 15: the security tab of a merge request and the vulnerability report.

What is known before (a baseline) is left out with what is excepted: the reader has no state for either.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any, Final

from srm_checks.model import Finding, Outcome, Severity
from srm_checks.policy.document import GUIDE_URL
from srm_checks.report import Page, Report
from srm_checks.report.clock import report_time
from srm_checks.report.inert import inert
from srm_checks.report.rules import Rule, rules
from srm_checks.report.selection import distinct_marks, is_new
from srm_checks.report.words import headline, responsibility, shortened, why_undecided

VERSION: Final = "15.1.4"
SCHEMA: Final = (
    "https://gitlab.com/gitlab-org/security-products/security-report-schemas"
    f"/-/raw/v{VERSION}/dist/sast-report-format.json"
)
MAX_IDENTIFIERS: Final = 20
_MAX_NAME: Final = 255
_MAX_SOLUTION: Final = 7000
_NAMESPACE: Final = uuid.uuid5(uuid.NAMESPACE_URL, GUIDE_URL)
_SEVERITIES: Final[Mapping[Severity, str]] = {
    Severity.CRITICAL: "Critical",
    Severity.HIGH: "High",
    Severity.MEDIUM: "Medium",
    Severity.LOW: "Low",
    Severity.INFO: "Info",
}


def render(report: Report, page: Page) -> str:
    """New gaps and unknowns as JSON, in ASCII with a final newline; the time is that of `clock.report_time`."""
    result = report.result
    time = report_time().strftime("%Y-%m-%dT%H:%M:%S")
    tool = {
        "id": "srm-checks",
        "name": "srm-checks",
        "url": GUIDE_URL.rpartition("/")[0],
        "version": report.version,
        "vendor": {"name": "srm-checks"},
    }
    findings = [finding for finding in result.findings if is_new(finding)]
    described = rules(findings, result.policies)
    document = {
        "version": VERSION,
        "schema": SCHEMA,
        "scan": {
            "analyzer": tool,
            "scanner": tool,
            "type": "sast",
            "start_time": time,
            "end_time": time,
            "status": "failure" if result.errors else "success",
            "messages": [
                {"level": "warn", "value": inert(f"{error.path}: {error.message} ({error.engine}, {error.kind})")}
                for error in result.errors
            ],
        },
        "vulnerabilities": [
            _vulnerability(finding, mark, described[finding.policy_id])
            for finding, mark in zip(findings, distinct_marks(findings), strict=True)
        ],
    }
    return json.dumps(document, indent=2) + "\n"


def _vulnerability(finding: Finding, mark: str, rule: Rule) -> dict[str, Any]:
    found: dict[str, Any] = {
        "id": str(uuid.uuid5(_NAMESPACE, mark)),
        "name": shortened(inert(headline(finding)), _MAX_NAME),
        "description": "\n\n".join(map(inert, _description(finding, rule))),
        "severity": "Unknown" if finding.outcome is Outcome.UNKNOWN else _SEVERITIES[finding.severity],
        "solution": shortened(inert(finding.fix), _MAX_SOLUTION),
        "location": {
            "file": finding.location.path,
            "start_line": finding.location.start_line,
            "end_line": finding.location.end_line,
        },
        "identifiers": _identifiers(finding, rule),
    }
    return {**found, "links": [{"name": finding.policy_id, "url": rule.url}]} if rule.url else found


def _description(finding: Finding, rule: Rule) -> list[str]:
    undecided = f"It cannot be decided from the code: {why_undecided(finding)}." if finding.cause else ""
    parts = [
        finding.message,
        undecided,
        f"When {finding.when}." if finding.when else "",
        rule.why,
        responsibility(finding),
        f"AWS does: {finding.aws_does}",
        f"You do: {finding.customer_does}",
    ]
    return [part for part in parts if part]


def _identifiers(finding: Finding, rule: Rule) -> list[dict[str, str]]:
    own = {"type": "srm_checks_policy", "name": finding.policy_id, "value": finding.policy_id}
    if rule.url:
        own["url"] = rule.url
    controls = [
        {"type": framework, "name": f"{framework} {control}", "value": control}
        for framework, control in rule.controls()
    ]
    return [own, *controls][:MAX_IDENTIFIERS]
