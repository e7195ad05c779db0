"""SARIF 2.1.0 of Checkov and cfn-lint.

What the catalogue adds goes where SARIF has room for it: `properties` with `tags` on rules, `properties` on results,
and a suffix on each result's message for viewers that show nothing else.
"""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from srm_checks.catalogue import checks
from srm_checks.errors import UsageError
from srm_checks.foreign.annotation import Annotation, annotate, without_suffix
from srm_checks.foreign.code import Code
from srm_checks.foreign.entry import Entry
from srm_checks.foreign.naming import ResourceName, from_source
from srm_checks.foreign.paths import line_range, relative
from srm_checks.foreign.report import KEY, ForeignReport, malformed
from srm_checks.foreign.templates import at_line
from srm_checks.model import UNCLASSIFIED, Outcome, Severity, SourceRange

_TOOLS: Final = {"checkov": checks.CHECKOV, "bridgecrew": checks.CHECKOV, "cfn-lint": checks.CFN_LINT}
_SECURITY_SEVERITY: Final = {
    Severity.CRITICAL: "9.5",
    Severity.HIGH: "8.0",
    Severity.MEDIUM: "5.5",
    Severity.LOW: "3.0",
    Severity.INFO: "1.0",
}
_MAX_TAGS: Final = 20  # what GitHub takes of a rule
_KINDS: Final = {"pass": Outcome.MET, "notApplicable": Outcome.NOT_APPLICABLE}
_WINDOWS_DRIVE: Final = re.compile(r"\A/[A-Za-z]:/")


def recognise(document: Any, name: str) -> SarifReport | None:
    """The report, if it is SARIF of one of the engines; raises `UsageError` for SARIF of other tools, or broken."""
    if not isinstance(document, Mapping) or not isinstance(document.get("runs"), list):
        return None
    if document.get("version") != "2.1.0":
        raise UsageError(f"{name}: is SARIF {document.get('version')!s}; annotate takes SARIF 2.1.0")
    runs = tuple(_run(run, number, name) for number, run in enumerate(document["runs"]))
    if not any(run.source for run in runs):
        tools = ", ".join(sorted({run.tool for run in runs})) or "no tool"
        raise UsageError(f"{name}: is SARIF of {tools}; annotate takes that of Checkov and cfn-lint")
    return SarifReport(document, runs)


def _run(run: Any, number: int, name: str) -> _Run:
    if not isinstance(run, Mapping):
        raise malformed(name, f"run {number}", "an object")
    driver = _object(_object(run.get("tool")).get("driver"))
    tool = str(driver.get("name") or "an unnamed tool")
    results = run.get("results")
    if results is None:
        results = []
    if not isinstance(results, list) or not all(isinstance(result, Mapping) for result in results):
        raise malformed(name, f"results of run {number}", "a list of objects")
    rules = driver.get("rules") or []
    if not isinstance(rules, list) or not all(isinstance(rule, Mapping) for rule in rules):
        raise malformed(name, f"rules of run {number}", "a list of objects")
    return _Run(run, _TOOLS.get(tool.lower()), tool, tuple(rules), tuple(results))


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


@dataclass(frozen=True, slots=True)
class _Run:
    """One run; `source` is None for a tool that is neither engine, whose run stays as it is."""

    run: Mapping[str, Any]
    source: str | None
    tool: str
    rules: tuple[Mapping[str, Any], ...]
    results: tuple[Mapping[str, Any], ...]

    def rule_id(self, result: Mapping[str, Any]) -> str:
        """The id of a result's rule, by name or by its place among the rules; "" where it names none."""
        reference = _object(result.get("rule"))
        named = result.get("ruleId") or reference.get("id")
        if isinstance(named, str):
            return named
        index = result.get("ruleIndex", reference.get("index"))
        if isinstance(index, int) and 0 <= index < len(self.rules):
            return str(self.rules[index].get("id") or "")
        return ""

    def rule(self, rule_id: str) -> Mapping[str, Any]:
        return next((rule for rule in self.rules if rule.get("id") == rule_id), {})


@dataclass(frozen=True, slots=True)
class SarifReport(ForeignReport):
    """A SARIF log with at least one run of Checkov or cfn-lint. `document` is never changed."""

    document: Mapping[str, Any]
    runs: tuple[_Run, ...]

    def annotated(self, code: Code) -> Any:
        return {**self.document, "runs": [_annotated(run, run.source, code) for run in self.runs]}

    def entries(self) -> list[Entry]:
        return [_entry(run, run.source, result) for run in self.runs if run.source for result in run.results]


# ------------------------------------------------------------------ the same format, annotated


def _annotated(run: _Run, source: str | None, code: Code) -> Mapping[str, Any]:
    if source is None:
        return run.run
    by_rule: dict[str, set[str]] = {}
    results = []
    for result in run.results:
        entry = _entry(run, source, result)
        annotation = annotate(entry.check_id, entry.type_name, code.decision(entry.subject))
        by_rule.setdefault(entry.check_id, set()).add(annotation.service_model or "")
        results.append(_with(result, annotation))
    found: dict[str, Any] = dict(run.run)
    if "results" in found:
        found["results"] = results
    if run.rules:
        tool = _object(found["tool"])
        driver = _object(tool["driver"])
        rules = [_rule(rule, sorted(by_rule.get(str(rule.get("id")), ()))) for rule in run.rules]
        found["tool"] = {**tool, "driver": {**driver, "rules": rules}}
    return found


def _with(result: Mapping[str, Any], annotation: Annotation) -> dict[str, Any]:
    found = dict(result)
    message = _object(result.get("message"))
    properties = _object(result.get("properties"))
    changed = {
        field: without_suffix(text, properties.get(KEY)) + annotation.suffix()
        for field in ("text", "markdown")
        if isinstance(text := message.get(field), str)
    }
    found["message"] = {**message, **changed}
    found["properties"] = {**properties, KEY: annotation.properties()}
    return found


def _rule(rule: Mapping[str, Any], models: list[str]) -> dict[str, Any]:
    annotation = annotate(str(rule.get("id") or ""), None)
    properties = dict(_object(rule.get("properties")))
    words = (
        ["security", str(annotation.side), *filter(None, models), str(annotation.domain)]
        if annotation.classified
        else [UNCLASSIFIED]
    )
    tags = properties.get("tags")
    properties["tags"] = list(dict.fromkeys([*words, *(tags if isinstance(tags, list) else ())]))[:_MAX_TAGS]
    if annotation.severity:
        properties.setdefault("security-severity", _SECURITY_SEVERITY[annotation.severity])
    properties[KEY] = {
        key: value
        for key, value in annotation.properties().items()
        if key in ("classified", "side", "domain", "severity", "policies")
    }
    return {**rule, "properties": properties}


# ------------------------------------------------------------------ in our terms


def _entry(run: _Run, source: str, result: Mapping[str, Any]) -> Entry:
    rule_id = run.rule_id(result)
    rule = run.rule(rule_id)
    subject = _subject(run, result)
    path, region = _place(result)
    block = line_range(path, region.get("startLine"), region.get("endLine", region.get("startLine")))
    text = str(_object(result.get("message")).get("text") or "")
    message = without_suffix(text, _object(result.get("properties")).get(KEY))
    title = str(_object(rule.get("shortDescription")).get("text") or message or rule_id)
    template = source == checks.CFN_LINT or (subject.type_name is not None and "::" in subject.type_name)
    return Entry(
        source=source,
        check_id=rule_id or "(unnamed)",
        title=title,
        detail="" if message == title else message,
        outcome=_KINDS.get(str(result.get("kind")), Outcome.GAP),
        framework="cloudformation" if template else "terraform",
        type_name=subject.type_name,
        address=subject.address,
        root=path if template else ".",
        place=SourceRange(path, block.start_line, block.start_line),
        block=block,
        reason=next(_suppressions(result), None),
        mark=f"{path}/{message}",
    )


def _suppressions(result: Mapping[str, Any]) -> Iterator[str]:
    entries = result.get("suppressions")
    for entry in entries if isinstance(entries, list) else ():
        if _object(entry).get("status") not in ("rejected", "underReview"):
            yield str(_object(entry).get("justification") or "")


def _subject(run: _Run, result: Mapping[str, Any]) -> ResourceName:
    """The resource that a result is on: from the snippet, else from the template that it points into."""
    path, region = _place(result)
    snippet = _object(region.get("snippet")).get("text")
    found = from_source(snippet) if isinstance(snippet, str) else None
    if found is None and run.source == checks.CFN_LINT:
        found = _in_template(path, region.get("startLine"))
    if found is not None:
        return found
    line = region.get("startLine")
    return ResourceName(None, f"line {line}" if isinstance(line, int) else "(unnamed)")


def _in_template(path: str, line: Any) -> ResourceName | None:
    found = at_line(path, line) if isinstance(line, int) else None
    return ResourceName(found[1].type_name, found[0]) if found else None


def _place(result: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """The file of a result, relative to the working directory, and its region."""
    locations = result.get("locations")
    first = _object(locations[0]) if isinstance(locations, list) and locations else {}
    physical = _object(first.get("physicalLocation"))
    uri = _object(physical.get("artifactLocation")).get("uri")
    return _path(uri) if isinstance(uri, str) else ".", _object(physical.get("region"))


def _path(uri: str) -> str:
    parts = urllib.parse.urlsplit(uri)
    text = urllib.parse.unquote(parts.path if parts.scheme in ("", "file") else uri)
    return relative(text[1:] if _WINDOWS_DRIVE.match(text) else text)
