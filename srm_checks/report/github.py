"""GitHub workflow commands: annotations on the lines of a pull request, and the job summary.

GitHub keeps ten annotations of a level in a step and drops the rest without a word. So the worst ten of each level
are written, the numbers are told in the log, and the whole report goes into the job summary.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from srm_checks import reads
from srm_checks.model import Finding, Outcome, ScanError, Severity
from srm_checks.report import Page, Report, markdown
from srm_checks.report.inert import inert
from srm_checks.report.selection import is_new, is_new_gap, is_new_unknown, worst_first
from srm_checks.report.words import counted, headline, responsibility

SUMMARY_VARIABLE: Final = "GITHUB_STEP_SUMMARY"
MAX_ANNOTATIONS: Final = 10  # of one level in a step
MAX_SUMMARY: Final = 1024 * 1024  # bytes in a step

_SMALLEST_SUMMARY: Final = 4096
_LEVELS: Final[Mapping[Severity, str]] = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "notice",
    Severity.INFO: "notice",
}


def render(report: Report, page: Page) -> str:
    """The commands and a closing line; the Markdown report is appended to the file that `GITHUB_STEP_SUMMARY` names.

    A summary that cannot be written is told by a warning among the annotations.
    """
    summary = _append_summary(report, os.environ.get(SUMMARY_VARIABLE, ""))
    kept = _kept(list(_annotations(report, summary)))
    shown = sum(annotation.tells_finding for annotation in kept)
    return "\n".join([*(annotation.command() for annotation in kept), _closing(report, summary, shown)]) + "\n"


@dataclass(frozen=True, slots=True)
class _Summary:
    """What became of the job summary: `problem` is a sentence, "" where there is none."""

    written: bool
    problem: str = ""


def _append_summary(report: Report, path: str) -> _Summary:
    if not path:
        return _Summary(False)
    reads.unsure()  # what is added to a file is to be added each time
    try:
        room = MAX_SUMMARY - (os.path.getsize(path) if os.path.exists(path) else 0)
        if room < _SMALLEST_SUMMARY:
            return _Summary(False, "The job summary is full; the report of srm-checks is not in it.")
        limits = markdown.Limits(size=room, policies=sys.maxsize, places=sys.maxsize)
        with open(path, "ab") as stream:
            stream.write(markdown.text(report, limits).encode("utf-8", "backslashreplace"))
    except OSError as error:
        return _Summary(False, f"The job summary could not be written: {error.strerror}.")
    return _Summary(True)


# ------------------------------------------------------------------ commands


@dataclass(frozen=True, slots=True)
class _Annotation:
    level: str
    title: str
    message: str
    path: str = ""
    line: int = 1
    tells_finding: bool = False

    def command(self) -> str:
        place = [("file", self.path), ("line", str(self.line)), ("endLine", str(self.line))] if self.path else []
        properties = ",".join(f"{name}={_property(value)}" for name, value in [*place, ("title", self.title)])
        return f"::{self.level} {properties}::{_data(self.message)}"


def _kept(annotations: Sequence[_Annotation]) -> list[_Annotation]:
    """The first of each level, as many as GitHub keeps."""
    return [
        annotation
        for level in ("error", "warning", "notice")
        for annotation in [each for each in annotations if each.level == level][:MAX_ANNOTATIONS]
    ]


def _annotations(report: Report, summary: _Summary) -> Iterator[_Annotation]:
    """The worst first within each level."""
    if summary.problem:
        yield _Annotation("warning", "srm-checks", summary.problem)
    yield from map(_unread, report.result.errors)
    yield from map(_found, worst_first(filter(is_new, report.result.findings)))


def _unread(error: ScanError) -> _Annotation:
    # An error of a whole root names a folder, which has no line to stand at.
    path = error.path if os.path.isfile(error.path) else ""
    return _Annotation(
        "warning", f"Not scanned: {error.path} ({error.engine}, {error.kind})", inert(error.message), path
    )


def _found(finding: Finding) -> _Annotation:
    level = "notice" if finding.outcome is Outcome.UNKNOWN else _LEVELS[finding.severity]
    lines = [
        finding.message,
        responsibility(finding),
        f"When {finding.when}." if finding.when else "",
        f"AWS does: {finding.aws_does}",
        f"You do: {finding.customer_does}",
        f"Fix: {finding.fix}",
    ]
    return _Annotation(
        level,
        f"{finding.policy_id} {headline(finding)}",
        "\n".join(inert(line) for line in lines if line),
        finding.location.path,
        finding.location.start_line,
        tells_finding=True,
    )


def _closing(report: Report, summary: _Summary, shown: int) -> str:
    """The numbers, in words that no scanned file has a part in: the runner looks for commands in every log line."""
    gaps, unknowns = (sum(map(test, report.result.findings)) for test in (is_new_gap, is_new_unknown))
    rest = ""
    if shown < gaps + unknowns:
        where = "all are in the job summary" if summary.written else "the other report formats list all"
        rest = f" ({shown:,} annotated, the most that GitHub shows; {where})"
    return f"srm-checks: {counted(gaps, 'gap')}, {unknowns:,} unknown{rest}. {report.decision.because}"


def _data(text: str) -> str:
    """A message, which may hold line feeds of our own."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(inert(text)).replace(":", "%3A").replace(",", "%2C")
