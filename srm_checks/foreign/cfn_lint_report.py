"""cfn-lint's JSON report: a list of matches, each with its rule and its place in the template."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from srm_checks.catalogue import checks
from srm_checks.foreign.annotation import SECTION, annotate, without_suffix
from srm_checks.foreign.code import Code
from srm_checks.foreign.entry import Entry
from srm_checks.foreign.paths import line_range, relative
from srm_checks.foreign.report import KEY, ForeignReport, malformed
from srm_checks.foreign.templates import Declared, resources
from srm_checks.model import SourceRange

FRAMEWORK: Final = "cloudformation"
_FIELDS: Final = frozenset({"Filename", "Level", "Location", "Message", "Rule"})


def recognise(document: Any, name: str) -> CfnLintReport | None:
    """The report, if cfn-lint wrote it (an empty list says that it found nothing); raises `UsageError` where broken."""
    if not isinstance(document, list):
        return None
    if not all(isinstance(match, Mapping) and match.keys() >= _FIELDS for match in document):
        return None
    for number, match in enumerate(document):
        if not isinstance(match["Rule"], Mapping) or not isinstance(match["Rule"].get("Id"), str):
            raise malformed(name, f"Rule of match {number}", "an object with an Id")
        if not isinstance(match["Message"], str) or not isinstance(match["Location"], Mapping):
            raise malformed(name, f"Message and Location of match {number}", "a text and an object")
    return CfnLintReport(document)


@dataclass(frozen=True, slots=True)
class CfnLintReport(ForeignReport):
    """A JSON report of cfn-lint. `document` is never changed."""

    document: list[Mapping[str, Any]]

    def annotated(self, code: Code) -> Any:
        find = _Templates()
        return [_with(match, _entry(match, find.subject(match)), code) for match in self.document]

    def entries(self) -> list[Entry]:
        find = _Templates()
        return [_entry(match, find.subject(match)) for match in self.document]


@dataclass(frozen=True, slots=True)
class _Subject:
    """What a match is about: type, address, and the lines of the declaration where the template is at hand."""

    type_name: str | None
    address: str
    declared: Declared | None = None


class _Templates:
    """Looks up the subjects of matches; each template is read once."""

    def __init__(self) -> None:
        self._resources = functools.cache(resources)

    def subject(self, match: Mapping[str, Any]) -> _Subject:
        steps = match["Location"].get("Path")
        path = [str(step) for step in steps] if isinstance(steps, list) else []
        if len(path) >= 2 and path[0] == "Resources":
            declared = self._resources(str(match["Filename"])).get(path[1])
            return _Subject(declared.type_name if declared else None, path[1], declared)
        return _Subject(SECTION, "/".join(path[:2]) or "(template)")


def _with(match: Mapping[str, Any], entry: Entry, code: Code) -> dict[str, Any]:
    annotation = annotate(entry.check_id, entry.type_name, code.decision(entry.subject))
    return {**match, "Message": entry.detail + annotation.suffix(), KEY: annotation.properties()}


def _entry(match: Mapping[str, Any], subject: _Subject) -> Entry:
    rule = match["Rule"]
    message = without_suffix(match["Message"], match.get(KEY))
    path = relative(str(match["Filename"]))
    location = match["Location"]
    place = line_range(path, _line(location, "Start"), _line(location, "End"))
    block = place
    if subject.declared:
        first, last = subject.declared.start_line, subject.declared.end_line
        block = SourceRange(path, min(first, place.start_line), max(last, place.end_line))
    steps = location.get("Path")
    inner = [str(step) for step in steps[2:]] if isinstance(steps, list) else []
    return Entry(
        source=checks.CFN_LINT,
        check_id=rule["Id"],
        title=str(rule.get("ShortDescription") or rule["Id"]),
        detail=message,
        framework=FRAMEWORK,
        type_name=subject.type_name,
        address=subject.address,
        root=path,
        place=SourceRange(path, place.start_line, place.start_line),
        block=block,
        attribute=".".join(inner[1:] if inner[:1] == ["Properties"] else inner) or None,
        mark="/".join([*inner, message]),
    )


def _line(location: Mapping[str, Any], end: str) -> Any:
    mark = location.get(end)
    return mark.get("LineNumber") if isinstance(mark, Mapping) else None
