"""CSV after RFC 4180, for spreadsheets: a row for each finding, also excepted ones.

A spreadsheet runs a cell that begins like a formula; such a cell gets an apostrophe in front.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from typing import Any, Final

from srm_checks.model import Finding
from srm_checks.report import Page, Report
from srm_checks.report.inert import inert
from srm_checks.report.words import declared

_FORMULA: Final = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")  # the last four: their wide forms


def render(report: Report, page: Page) -> str:
    """A header and the rows; lines end with CR LF."""
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerow(_COLUMNS)
    for finding in report.result.findings:
        writer.writerow([cell(read(finding)) for read in _COLUMNS.values()])
    return stream.getvalue()


def cell(value: Any) -> str:
    """The value as text on one line that no spreadsheet takes for a formula; "" for None."""
    text = "" if value is None else inert(str(value))
    return f"'{text}" if text.lstrip().startswith(_FORMULA) else text


def _given(finding: Finding, key: str) -> Any:
    return (finding.waiver or finding.suppression or finding.assumption or {}).get(key)


def _frameworks(finding: Finding) -> str:
    return "; ".join(f"{name} {control}" for name in sorted(finding.frameworks) for control in finding.frameworks[name])


_COLUMNS: Final[Mapping[str, Callable[[Finding], Any]]] = {
    "outcome": lambda finding: finding.outcome,
    "disposition": lambda finding: finding.disposition,
    "severity": lambda finding: finding.severity,
    "policy_id": lambda finding: finding.policy_id,
    "name": lambda finding: finding.name,
    "title": lambda finding: finding.title,
    "side": lambda finding: finding.side_word,
    "service_model": lambda finding: finding.service_model,
    "model_family": lambda finding: finding.model_family,
    "domain": lambda finding: finding.domain_word,
    "service": lambda finding: finding.service,
    "framework": lambda finding: finding.framework,
    "resource_type": lambda finding: finding.resource_type,
    "address": lambda finding: finding.address,
    "root": lambda finding: finding.root,
    "path": lambda finding: finding.location.path,
    "start_line": lambda finding: finding.location.start_line,
    "attribute": lambda finding: finding.attribute,
    "declared": lambda finding: "; ".join(map(declared, finding.evidence)),
    "when": lambda finding: finding.when,
    "cause": lambda finding: finding.cause,
    "message": lambda finding: finding.message,
    "aws_does": lambda finding: finding.aws_does,
    "customer_does": lambda finding: finding.customer_does,
    "fix": lambda finding: finding.fix,
    "frameworks": _frameworks,
    "equivalents": lambda finding: " ".join(sorted(finding.equivalents)),
    "source": lambda finding: finding.source,
    "reason": lambda finding: _given(finding, "reason") or _given(finding, "evidence"),
    "owner": lambda finding: _given(finding, "owner") or _given(finding, "by"),
    "expiry": lambda finding: _given(finding, "expiry"),
    "fingerprint": lambda finding: finding.fingerprint,
}
