"""Checkov's JSON reports, in all shapes.

One framework gives an object, several give a list of them, none gives the bare summary. `--quiet` leaves only the
failed checks, `--compact` empties the code blocks, and the platform's full report has `checks` for `results`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from srm_checks.catalogue import checks
from srm_checks.foreign.annotation import annotate, without_suffix
from srm_checks.foreign.code import Code
from srm_checks.foreign.entry import Entry
from srm_checks.foreign.naming import from_checkov
from srm_checks.foreign.paths import line_range, relative
from srm_checks.foreign.report import KEY, ForeignReport, malformed
from srm_checks.foreign.severity import known
from srm_checks.model import Outcome, ScanError, SourceRange

_SUMMARY: Final = frozenset({"passed", "failed", "skipped", "parsing_errors", "resource_count", "checkov_version"})
_RESULTS: Final = ("results", "checks")
_OUTCOMES: Final = {"passed_checks": Outcome.MET, "failed_checks": Outcome.GAP, "skipped_checks": Outcome.GAP}
_SKIPPED: Final = "skipped_checks"
_ROOTED: Final = frozenset({"terraform", "terraform_json"})
# Frameworks of Checkov that are another notation of one of ours.
_FRAMEWORKS: Final = {"terraform_json": "terraform", "serverless": "cloudformation", "cdk": "cloudformation"}


def recognise(document: Any, name: str) -> CheckovReport | None:
    """The report, if Checkov wrote it; raises `UsageError` where its shape is broken."""
    if isinstance(document, Mapping):
        if document.keys() >= _SUMMARY:
            return CheckovReport(document, ())
        if _is_framework(document):
            return CheckovReport(document, (_checked(document, name),))
        return None
    if isinstance(document, list) and document and all(map(_is_framework, document)):
        return CheckovReport(document, tuple(_checked(part, name) for part in document))
    return None


def _is_framework(part: Any) -> bool:
    return isinstance(part, Mapping) and "check_type" in part and any(key in part for key in _RESULTS)


def _checked(part: Mapping[str, Any], name: str) -> _Framework:
    check_type = part["check_type"]
    if not isinstance(check_type, str):
        raise malformed(name, "check_type", "a text")
    key = next(key for key in _RESULTS if key in part)
    results = part[key]
    if not isinstance(results, Mapping):
        raise malformed(name, f"{key} of {check_type}", "an object")
    for group in _OUTCOMES:
        records = results.get(group, [])
        if not isinstance(records, list):
            raise malformed(name, f"{group} of {check_type}", "a list")
        for number, record in enumerate(records):
            if not isinstance(record, Mapping) or not isinstance(record.get("check_id"), str):
                raise malformed(name, f"entry {number} in {group} of {check_type}", "an object with a check_id")
    return _Framework(check_type, key, results)


@dataclass(frozen=True, slots=True)
class _Framework:
    """What Checkov reports of one framework; `key` is the name of its results."""

    check_type: str
    key: str
    results: Mapping[str, Any]

    def records(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """(group, record) for each result."""
        for group in _OUTCOMES:
            for record in self.results.get(group, ()):
                yield group, record


@dataclass(frozen=True, slots=True)
class CheckovReport(ForeignReport):
    """A JSON report of Checkov. `document` is never changed."""

    document: Any
    frameworks: tuple[_Framework, ...]

    def annotated(self, code: Code) -> Any:
        if not self.frameworks:
            return self.document
        parts = self.document if isinstance(self.document, list) else [self.document]
        done = [_annotated(part, framework, code) for part, framework in zip(parts, self.frameworks, strict=True)]
        return done if isinstance(self.document, list) else done[0]

    def entries(self) -> list[Entry]:
        return [
            _entry(framework.check_type, group, record)
            for framework in self.frameworks
            for group, record in framework.records()
        ]

    def errors(self) -> list[ScanError]:
        return [
            ScanError(_path(path), checks.CHECKOV, "parse", "Checkov could not read it; no check of it saw this file.")
            for framework in self.frameworks
            for path in framework.results.get("parsing_errors") or ()
            if isinstance(path, str)
        ]


def _annotated(part: Mapping[str, Any], framework: _Framework, code: Code) -> dict[str, Any]:
    results = {
        group: [_with(record, framework.check_type, group, code) for record in records]
        if group in _OUTCOMES
        else records
        for group, records in framework.results.items()
    }
    return {**part, framework.key: results}


def _with(record: Mapping[str, Any], check_type: str, group: str, code: Code) -> dict[str, Any]:
    """The record with its annotation, the responsibility behind its name, and a severity where Checkov gives none."""
    subject = _entry(check_type, group, record).subject
    annotation = annotate(record["check_id"], subject.type_name, code.decision(subject))
    found = dict(record)
    if isinstance(record.get("check_name"), str):
        found["check_name"] = _title(record) + annotation.suffix()
    if found.get("severity") is None and annotation.severity:
        found["severity"] = str(annotation.severity).upper()
    found[KEY] = annotation.properties()
    return found


def _title(record: Mapping[str, Any]) -> str:
    """The check's name, without the suffix of an earlier annotation."""
    return without_suffix(str(record.get("check_name") or record["check_id"]), record.get(KEY))


def _entry(check_type: str, group: str, record: Mapping[str, Any]) -> Entry:
    resource = from_checkov(str(record.get("resource") or ""))
    path = _path(str(record.get("repo_file_path") or record.get("file_path") or "."))
    lines = record.get("file_line_range")
    block = line_range(path, *(lines if isinstance(lines, list) and len(lines) == 2 else (1, 1)))
    reason = _reason(record) if group == _SKIPPED else None
    return Entry(
        source=checks.CHECKOV,
        check_id=record["check_id"],
        title=_title(record),
        outcome=_OUTCOMES[group],
        framework=_FRAMEWORKS.get(check_type, check_type),
        type_name=resource.type_name,
        address=resource.address or "(unnamed)",
        root=path if check_type not in _ROOTED else _root(record, path),
        place=SourceRange(path, block.start_line, block.start_line),
        block=block,
        severity=known(record.get("severity")),
        reason=reason,
        mark=path,
    )


def _root(record: Mapping[str, Any], path: str) -> str:
    """The folder that Checkov scanned: what its two paths of the file do not share."""
    inner = str(record.get("file_path") or "").strip("/")
    outer = path.removesuffix(inner) if inner else ""
    return outer.rstrip("/") or "."


def _reason(record: Mapping[str, Any]) -> str:
    result = record.get("check_result")
    return str(result.get("suppress_comment") or "") if isinstance(result, Mapping) else ""


def _path(path: str) -> str:
    """Checkov's path of a file: from the working directory, behind a slash that means nothing."""
    return relative(path.lstrip("/"))
