"""Unit reports as JSON, compact: what the cache keeps.

Rows are lists in a fixed order. What a finding takes from its policy is written once for each policy. Reading checks
no shape beyond what it needs: any error in it means a damaged entry, which the cache drops.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any, Final

from srm_checks.absences import Answer, MissingType, Reason
from srm_checks.model import (
    Call,
    Cause,
    Disposition,
    Domain,
    Evidence,
    Finding,
    Outcome,
    ScanError,
    Severity,
    Side,
    SourceRange,
    Suppression,
    Unit,
    UnitKind,
    UnreadModule,
)
from srm_checks.unit_report import Kind, UnitReport

SHAPE: Final = 1  # goes up with every change of what is written


def dump(report: UnitReport) -> str:
    """The report as JSON text."""
    policies = _Policies()
    body = {
        "unit": [str(report.unit.kind), report.unit.path],
        "findings": [_finding(finding, policies) for finding in report.findings],
        "quiet": [
            [str(kind.outcome), str(kind.side), str(kind.domain), kind.service_model, kind.touches, count]
            for kind, count in report.quiet
        ],
        "met": sorted(report.met),
        "absences": [
            [
                answer.policy_id,
                [_finding(finding, policies) for finding in answer.declared],
                list(dataclasses.astuple(answer.missing)),
                answer.because and [answer.because.type, answer.because.address, _range(answer.because.block)],
                answer.unread,
            ]
            for answer in report.absences
        ],
        "errors": [[error.path, error.engine, error.kind, error.message] for error in report.errors],
        "unread": [[call.address, call.source, call.path, call.start_line] for call in report.unread],
        "inline": [[entry.pattern, entry.reason, entry.kind, _range(entry.location)] for entry in report.inline],
        "notes": report.notes,
        "dated": report.dated,
    }
    body["policies"] = policies.rows
    return json.dumps(body, separators=(",", ":"))  # in ASCII: a path need not be valid Unicode


def load(text: str) -> UnitReport:
    """The report that `dump` wrote. Raises ValueError, KeyError, TypeError or IndexError for anything else."""
    body = json.loads(text)
    policies = [_policy(row) for row in body["policies"]]
    kind, path = body["unit"]
    return UnitReport(
        Unit(UnitKind(kind), path),
        findings=tuple(_to_finding(row, policies) for row in body["findings"]),
        quiet=tuple(
            (Kind(Outcome(outcome), Side(side), Domain(domain), model, tuple(touches)), count)
            for outcome, side, domain, model, touches, count in body["quiet"]
        ),
        met=frozenset(body["met"]),
        absences=tuple(
            Answer(
                policy_id,
                tuple(_to_finding(row, policies) for row in declared),
                MissingType(*missing),
                because and Reason(because[0], because[1], _to_range(because[2])),
                unread,
            )
            for policy_id, declared, missing, because, unread in body["absences"]
        ),
        errors=tuple(ScanError(*row) for row in body["errors"]),
        unread=tuple(UnreadModule(*row) for row in body["unread"]),
        inline=tuple(
            Suppression(pattern, reason, kind, _to_range(place)) for pattern, reason, kind, place in body["inline"]
        ),
        notes=tuple(body["notes"]),
        dated=body["dated"],
    )


class _Policies:
    """The parts of findings that come from their policies, each once."""

    def __init__(self) -> None:
        self.rows: list[list[Any]] = []
        self._numbers: dict[tuple[str, str, str], int] = {}

    def number(self, finding: Finding) -> int:
        key = (finding.policy_id, finding.framework, finding.fix)
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self.rows)
            self.rows.append(
                [
                    finding.policy_id,
                    finding.name,
                    finding.title,
                    str(finding.severity),
                    str(finding.side),
                    str(finding.domain),
                    finding.aws_does,
                    finding.customer_does,
                    finding.fix,
                    finding.framework,
                    finding.frameworks,
                    finding.equivalents,
                ]
            )
        return number


def _policy(row: list[Any]) -> dict[str, Any]:
    policy_id, name, title, severity, side, domain, aws, customer, fix, framework, frameworks, equivalents = row
    return {
        "policy_id": policy_id,
        "name": name,
        "title": title,
        "severity": Severity(severity),
        "side": Side(side),
        "domain": Domain(domain),
        "aws_does": aws,
        "customer_does": customer,
        "fix": fix,
        "framework": framework,
        "frameworks": {key: tuple(ids) for key, ids in frameworks.items()},
        "equivalents": tuple(equivalents),
    }


def _finding(finding: Finding, policies: _Policies) -> list[Any]:
    return [
        policies.number(finding),
        str(finding.outcome),
        finding.cause and str(finding.cause),
        finding.service_model,
        finding.model_family,
        finding.model_decided_by,
        finding.service,
        finding.message,
        finding.resource_type,
        finding.address,
        finding.root,
        _range(finding.location),
        _range(finding.block),
        finding.attribute,
        finding.when,
        [[item.path, item.value, item.fingerprint] for item in finding.evidence],
        finding.origin and _range(finding.origin),
        [[call.address, call.path, call.start_line] for call in finding.call_chain],
        finding.source,
        str(finding.disposition),
        finding.fingerprint,
        finding.suppression,
        finding.account_wide,
        sorted(finding.touches),
        finding.former,
    ]


def _to_finding(row: list[Any], policies: list[dict[str, Any]]) -> Finding:
    (
        number, outcome, cause, service_model, model_family, decided_by, service, message, resource_type, address, root,
        location, block, attribute, when, evidence, origin, calls, source, disposition, fingerprint, suppression,
        account_wide, touches, former,
    ) = row  # fmt: skip
    return Finding(
        **policies[number],
        outcome=Outcome(outcome),
        cause=cause and Cause(cause),
        service_model=service_model,
        model_family=model_family,
        model_decided_by=decided_by,
        service=service,
        message=message,
        resource_type=resource_type,
        address=address,
        root=root,
        location=_to_range(location),
        block=_to_range(block),
        attribute=attribute,
        when=when,
        evidence=tuple(Evidence(*item) for item in evidence),
        origin=origin and _to_range(origin),
        call_chain=tuple(Call(*call) for call in calls),
        source=source,
        disposition=Disposition(disposition),
        waiver=None,
        fingerprint=fingerprint,
        suppression=suppression,
        account_wide=account_wide,
        touches=frozenset(touches),
        former=_former(former),
    )


def _former(entries: Mapping[str, list[str]]) -> dict[str, tuple[str, ...]]:
    return {address: tuple(earlier) for address, earlier in entries.items()}


def _range(place: SourceRange) -> list[Any]:
    return [place.path, place.start_line, place.end_line]


def _to_range(row: list[Any]) -> SourceRange:
    return SourceRange(row[0], row[1], row[2])
