"""The JSON report, version 1: the contract for scripts.

Fields may be added; a field keeps its meaning. Nothing in it depends on the time or on the machine.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from typing import Any, Final

from srm_checks.model import Finding, Outcome
from srm_checks.report import Page, Report

SCHEMA: Final = "srm-checks/report/1"
_FINDINGS: Final = "findings"
_INDENT: Final = "  "


def render(report: Report, page: Page) -> Iterator[str]:
    """The report as indented JSON text with a final newline, finding by finding: written out, all take much memory."""
    yield "{"
    mark = "\n"
    for name, value in _frame(report).items():
        yield f"{mark}{_INDENT}{json.dumps(name)}: "
        mark = ",\n"
        if name == _FINDINGS:
            yield from _listed(map(_finding, report.result.findings))
        else:
            yield _text(value, _INDENT)
    yield "\n}\n"


def _listed(items: Iterable[Any]) -> Iterator[str]:
    mark = "["
    for item in items:
        yield f"{mark}\n{_INDENT * 2}{_text(item, _INDENT * 2)}"
        mark = ","
    yield "[]" if mark == "[" else f"\n{_INDENT}]"


def _text(value: Any, margin: str) -> str:
    # There is no line end in a JSON text but those between its parts.
    return json.dumps(value, indent=_INDENT, ensure_ascii=False, allow_nan=False).replace("\n", f"\n{margin}")


def document(report: Report) -> dict[str, Any]:
    """The report as plain data: dicts, lists, texts, numbers, booleans and None."""
    return _frame(report) | {_FINDINGS: [_finding(finding) for finding in report.result.findings]}


def _frame(report: Report) -> dict[str, Any]:
    """The report without its findings, but with their place."""
    result = report.result
    counts = result.counts
    shard: dict[str, Any] = {}
    if result.shard is not None:
        from srm_checks import shards

        shard["shard"] = shards.dump(result.shard)
    return {
        "schema": SCHEMA,
        "tool": {
            "name": "srm-checks",
            "version": report.version,
            "engines": dict(sorted(report.engines.items())),
            "packs": [
                {"name": pack.name, "version": pack.version, "digest": pack.digest}
                for pack in sorted(result.packs, key=lambda pack: pack.name)
            ],
        },
        "scope": result.scope,
        _FINDINGS: [],
        "errors": [asdict(error) for error in result.errors],
        "inputs": {
            "terraform_roots": result.inputs.terraform_roots,
            "terraform_files": result.inputs.terraform_files,
            "plans": result.inputs.plans,
            "cloudformation_templates": result.inputs.cloudformation_templates,
            "skipped_files": result.inputs.skipped_files,
            "unread_modules": [asdict(module) for module in result.inputs.unread_modules],
        },
        "summary": {
            **{str(outcome): counts.outcomes.get(outcome, 0) for outcome in Outcome},
            "by_side": _tally(counts.by_side),
            "by_domain": _tally(counts.by_domain),
            "by_service_model": _tally(counts.by_service_model),
            "gate": {"failed": report.decision.failed, "because": report.decision.because},
        },
        "compared": [
            {"kind": each.kind, "name": each.name, "fixed": [asdict(key) for key in each.fixed]}
            for each in result.compared
        ],
        **shard,
    }


def _tally(counts: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, int]]:
    return {str(word): {str(outcome): counts[word].get(outcome, 0) for outcome in Outcome} for word in sorted(counts)}


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "policy_id": finding.policy_id,
        "name": finding.name,
        "title": finding.title,
        "outcome": str(finding.outcome),
        "cause": finding.cause and str(finding.cause),
        "severity": str(finding.severity),
        "side": finding.side and str(finding.side),
        "service_model": finding.service_model,
        "model_family": finding.model_family,
        "model_decided_by": finding.model_decided_by,
        "domain": finding.domain and str(finding.domain),
        "service": finding.service,
        "aws_does": finding.aws_does,
        "customer_does": finding.customer_does,
        "message": finding.message,
        "fix": finding.fix,
        "resource": {
            "framework": finding.framework,
            "type": finding.resource_type,
            "address": finding.address,
            "root": finding.root,
        },
        "location": {
            "path": finding.location.path,
            "start_line": finding.location.start_line,
            "end_line": finding.location.end_line,
            "block_start_line": finding.block.start_line,
            "block_end_line": finding.block.end_line,
        },
        "attribute": finding.attribute,
        "when": finding.when,
        "evidence": [
            {"path": item.path, "value": _plain(item.value), "fingerprint": item.fingerprint}
            for item in finding.evidence
        ],
        "origin": finding.origin and {"path": finding.origin.path, "start_line": finding.origin.start_line},
        "call_chain": [asdict(call) for call in finding.call_chain],
        "frameworks": {name: sorted(finding.frameworks[name]) for name in sorted(finding.frameworks)},
        "equivalents": sorted(finding.equivalents),
        "source": finding.source,
        "disposition": str(finding.disposition),
        "waiver": None if finding.waiver is None else _plain(finding.waiver),
        "suppression": None if finding.suppression is None else _plain(finding.suppression),
        "assumption": None if finding.assumption is None else _plain(finding.assumption),
        "fingerprint": finding.fingerprint,
    }


def _plain(value: Any) -> Any:
    """The value with text for the numbers that JSON does not have (infinity, not a number)."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    return value
