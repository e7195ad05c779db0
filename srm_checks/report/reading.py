"""JSON reports read back: what `report/json.py` wrote as a result, and several results as one."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from srm_checks.errors import UsageError
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
    UnreadModule,
    order,
)
from srm_checks.pipeline import InputsReport, ScanResult, Summary
from srm_checks.policy.packs import PackIdentity
from srm_checks.report.json import SCHEMA
from srm_checks.triage.baseline import Key
from srm_checks.triage.course import Compared

_DAMAGE = (KeyError, TypeError, ValueError, IndexError, AttributeError)


def read(path: str) -> dict[str, Any]:
    """The report in a file, as plain data. Raises `UsageError` where it is none of ours."""
    try:
        with open(path, encoding="utf-8") as stream:
            data = json.load(stream)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(f"{path}: not JSON: {error}") from error
    if not isinstance(data, dict) or data.get("schema") != SCHEMA:
        raise UsageError(f"{path}: not a JSON report of srm-checks (scan --format json, schema {SCHEMA})")
    return data


def result(data: Mapping[str, Any], path: str) -> ScanResult:
    """A report as the result that it was made from, without what JSON does not show (which policies were judged).

    Raises `UsageError` where something in it is not as we write it.
    """
    try:
        return _result(data, path)
    except _DAMAGE as error:
        raise UsageError(f"{path}: not as srm-checks writes it: {type(error).__name__}: {error}") from error


def joined(results: Sequence[ScanResult]) -> ScanResult:
    """Several results as one. What stands in more than one of them word for word counts once."""
    scopes = {each.scope for each in results}
    if len(scopes) > 1:
        raise UsageError(f"the reports have different scopes: {', '.join(sorted(scopes))}")
    findings = dict.fromkeys(_hashable(finding) for each in results for finding in each.findings)
    inputs = [each.inputs for each in results]
    return ScanResult(
        findings=tuple(sorted((entry.finding for entry in findings), key=order)),
        counts=Summary(
            _sum([each.counts.outcomes for each in results]),
            _sum_tables([each.counts.by_side for each in results]),
            _sum_tables([each.counts.by_domain for each in results]),
            _sum_tables([each.counts.by_service_model for each in results]),
        ),
        errors=tuple(dict.fromkeys(error for each in results for error in each.errors)),
        inputs=InputsReport(
            sum(each.terraform_roots for each in inputs),
            sum(each.terraform_files for each in inputs),
            sum(each.plans for each in inputs),
            sum(each.cloudformation_templates for each in inputs),
            sum(each.skipped_files for each in inputs),
            tuple(dict.fromkeys(module for each in inputs for module in each.unread_modules)),
        ),
        packs=tuple(dict.fromkeys(pack for each in results for pack in each.packs)),
        scope=scopes.pop(),
        notes=(),
        paths=tuple(dict.fromkeys(path for each in results for path in each.paths)),
        compared=tuple(dict.fromkeys(each for one in results for each in one.compared)),
    )


class _hashable:  # noqa: N801  # a finding holds mappings
    __slots__ = ("finding", "mark")

    def __init__(self, finding: Finding) -> None:
        self.finding = finding
        self.mark = (finding.fingerprint, finding.policy_id, finding.location, finding.message)

    def __hash__(self) -> int:
        return hash(self.mark)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _hashable) and self.mark == other.mark


def _sum(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for each in counts:
        total.update(each)
    return dict(total)


def _sum_tables(tables: Sequence[Mapping[str, Mapping[str, int]]]) -> dict[str, dict[str, int]]:
    names = sorted({name for table in tables for name in table})
    return {name: _sum(table.get(name, {}) for table in tables) for name in names}


def _result(data: Mapping[str, Any], path: str) -> ScanResult:
    summary, inputs = data["summary"], data["inputs"]
    return ScanResult(
        findings=tuple(_finding(entry) for entry in data["findings"]),
        counts=Summary(
            {str(outcome): int(summary[str(outcome)]) for outcome in Outcome},
            summary["by_side"],
            summary["by_domain"],
            summary["by_service_model"],
        ),
        errors=tuple(ScanError(**error) for error in data["errors"]),
        inputs=InputsReport(
            inputs["terraform_roots"],
            inputs["terraform_files"],
            inputs["plans"],
            inputs["cloudformation_templates"],
            inputs["skipped_files"],
            tuple(UnreadModule(**module) for module in inputs["unread_modules"]),
        ),
        packs=tuple(PackIdentity(**pack) for pack in data["tool"]["packs"]),
        scope=data["scope"],
        notes=(),
        paths=(path,),
        compared=tuple(
            Compared(each["kind"], each["name"], tuple(Key(**key) for key in each["fixed"]))
            for each in data.get("compared", ())
        ),
    )


def _finding(entry: Mapping[str, Any]) -> Finding:
    resource, place, origin = entry["resource"], entry["location"], entry["origin"]
    return Finding(
        policy_id=entry["policy_id"],
        name=entry["name"],
        title=entry["title"],
        outcome=Outcome(entry["outcome"]),
        cause=Cause(entry["cause"]) if entry["cause"] else None,
        severity=Severity(entry["severity"]),
        side=Side(entry["side"]) if entry["side"] else None,
        service_model=entry["service_model"],
        model_family=entry["model_family"],
        model_decided_by=entry["model_decided_by"],
        domain=Domain(entry["domain"]) if entry["domain"] else None,
        service=entry["service"],
        aws_does=entry["aws_does"],
        customer_does=entry["customer_does"],
        message=entry["message"],
        fix=entry["fix"],
        framework=resource["framework"],
        resource_type=resource["type"],
        address=resource["address"],
        root=resource["root"],
        location=SourceRange(place["path"], place["start_line"], place["end_line"]),
        block=SourceRange(place["path"], place["block_start_line"], place["block_end_line"]),
        attribute=entry["attribute"],
        when=entry["when"],
        evidence=tuple(Evidence(**item) for item in entry["evidence"]),
        origin=SourceRange(origin["path"], origin["start_line"], origin["start_line"]) if origin else None,
        call_chain=tuple(Call(**call) for call in entry["call_chain"]),
        frameworks={name: tuple(ids) for name, ids in entry["frameworks"].items()},
        equivalents=tuple(entry["equivalents"]),
        source=entry["source"],
        disposition=Disposition(entry["disposition"]),
        waiver=entry["waiver"],
        fingerprint=entry["fingerprint"],
        suppression=entry.get("suppression"),
        assumption=entry.get("assumption"),
    )
