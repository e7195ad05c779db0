"""JUnit XML, for the test reports of CI servers.

A suite is a file, a case is a policy on a resource. New gaps fail; what cannot be decided, what somebody excepted
and what was known before is skipped with the reason; an input that could not be read is an error.
"""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final
from xml.etree.ElementTree import Element, SubElement

from srm_checks.model import Disposition, Finding, Outcome, ScanError
from srm_checks.report import Page, Report
from srm_checks.report.inert import inert
from srm_checks.report.words import declared, exception, headline, responsibility, why_undecided

_SUITES: Final = "srm-checks"
_DECLARATION: Final = '<?xml version="1.0" encoding="utf-8"?>\n'


def render(report: Report, page: Page) -> str:
    """The report as XML text with a final newline; times are zero, so that equal scans give equal bytes."""
    result = report.result
    suites = Element("testsuites", name=_SUITES)
    paths = sorted({finding.location.path for finding in result.findings} | {error.path for error in result.errors})
    for path in paths:
        suite = _suite(suites, path)
        _add_cases(suite, [finding for finding in result.findings if finding.location.path == path])
        _add_errors(suite, [error for error in result.errors if error.path == path])
    if not paths:
        # Some servers take a report without any case for a failed run.
        _case(_suite(suites, _SUITES), "no gaps and no unknowns", _SUITES)
    _count(suites)
    ElementTree.indent(suites)
    return _DECLARATION + ElementTree.tostring(suites, encoding="unicode") + "\n"


def _suite(suites: Element, path: str) -> Element:
    return SubElement(suites, "testsuite", name=inert(path))


def _add_cases(suite: Element, findings: Sequence[Finding]) -> None:
    for finding, name in zip(findings, _names(findings), strict=True):
        case = _case(suite, name, suite.attrib["name"])
        case.set("file", inert(finding.location.path))
        case.set("line", str(finding.location.start_line))
        properties = SubElement(case, "properties")
        for word, value in _properties(finding):
            SubElement(properties, "property", name=word, value=inert(value))
        _add_result(case, finding)


def _names(findings: Sequence[Finding]) -> list[str]:
    """`SRM-DAR-005 aws_db_instance.main` for each; the root, then a number, where a file has several such."""
    plain = [f"{finding.policy_id} {finding.address}" for finding in findings]
    several = Counter(plain)
    rooted = [
        f"{name} (root {finding.root}, {finding.framework})" if several[name] > 1 else name
        for name, finding in zip(plain, findings, strict=True)
    ]
    seen: Counter[str] = Counter()
    names = []
    for name in map(inert, rooted):
        seen[name] += 1
        names.append(name if seen[name] == 1 else f"{name} #{seen[name]}")
    return names


def _properties(finding: Finding) -> list[tuple[str, str]]:
    return [
        ("side", finding.side_word),
        ("service_model", finding.service_model or "undetermined"),
        ("domain", finding.domain_word),
        ("severity", str(finding.severity)),
        ("outcome", str(finding.outcome)),
        ("disposition", str(finding.disposition)),
        ("fingerprint", finding.fingerprint),
    ]


def _add_result(case: Element, finding: Finding) -> None:
    if finding.outcome is Outcome.MET:
        return
    if finding.outcome is Outcome.NOT_APPLICABLE:
        SubElement(case, "skipped", message="not applicable")
    elif finding.disposition is not Disposition.NEW:
        SubElement(case, "skipped", message=inert(exception(finding)))
    elif finding.outcome is Outcome.UNKNOWN:
        SubElement(case, "skipped", message=inert(f"unknown, {why_undecided(finding)}: {finding.message}"))
    else:
        failure = SubElement(case, "failure", type=str(finding.severity), message=inert(finding.message))
        failure.text = "\n".join(map(inert, _story(finding)))


def _story(finding: Finding) -> Iterable[str]:
    yield headline(finding)
    yield f"{finding.location.path}:{finding.location.start_line} {finding.address} (root {finding.root})"
    yield responsibility(finding)
    if finding.when:
        yield f"when: {finding.when}"
    for item in finding.evidence:
        yield f"declared: {declared(item)}"
    yield f"AWS does: {finding.aws_does}"
    yield f"you do: {finding.customer_does}"
    yield f"fix: {finding.fix}"


def _add_errors(suite: Element, errors: Sequence[ScanError]) -> None:
    for number, error in enumerate(errors, start=1):
        case = _case(suite, "read" if number == 1 else f"read #{number}", suite.attrib["name"])
        SubElement(case, "error", type=inert(error.kind), message=inert(f"{error.message} ({error.engine})"))


def _case(suite: Element, name: str, class_name: str) -> Element:
    return SubElement(suite, "testcase", name=name, classname=class_name, time="0")


def _count(suites: Element) -> None:
    """Write the numbers into the attributes of each suite and of the whole."""
    totals: Counter[str] = Counter()
    for suite in suites:
        counts = Counter({"tests": len(suite)})
        for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            counts[attribute] = sum(case.find(tag) is not None for case in suite)
        for attribute in ("tests", "failures", "errors", "skipped"):
            suite.set(attribute, str(counts[attribute]))
        suite.set("time", "0")
        totals.update(counts)
    for attribute in ("tests", "failures", "errors", "skipped"):
        suites.set(attribute, str(totals[attribute]))
    suites.set("time", "0")
