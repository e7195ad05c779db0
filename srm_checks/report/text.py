"""The report for people at a terminal.

Findings stand by file; those of one policy at one line (instances of a resource, one module under several roots)
are told once with all addresses. All text that comes from scanned files is made inert first.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final

from srm_checks.model import HIDDEN, Disposition, Domain, Finding, Outcome, Severity, Side
from srm_checks.report import Page, Report
from srm_checks.report.excerpt import Sources, span, window
from srm_checks.report.inert import columns, inert
from srm_checks.report.words import on_whose_word, standing

_WORD: Final = 10
_INDENT: Final = " " * (2 + _WORD)
_LABEL: Final = 11
_SHOWN: Final = 6
_VALUE_SHOWN: Final = 120

_CODES: Final[Mapping[str, str]] = {
    "bold": "1",
    "dim": "2",
    "critical": "1;31",
    "high": "31",
    "medium": "33",
    "low": "36",
    "info": "34",
    "unknown": "35",
    "met": "32",
    "not-applicable": "2",
    "caret": "1;31",
}


def render(report: Report, page: Page) -> str:
    """The whole report as text with a final newline."""
    return "\n".join(_Text(report, page).lines()) + "\n"


@dataclass(slots=True)
class _Text:
    report: Report
    page: Page
    sources: Sources = field(default_factory=Sources)

    def lines(self) -> Iterator[str]:
        findings = sorted(self.report.result.findings, key=lambda finding: finding.location.path)
        for path, group in groupby(findings, key=lambda finding: finding.location.path):
            yield self._paint("bold", inert(path))
            yield ""
            yield from self._file(list(group))
        yield from self._unread_modules()
        yield from self._errors()
        yield from self._table()
        yield from self._closing()

    # ---------------------------------------------------------- findings

    def _file(self, findings: Sequence[Finding]) -> Iterator[str]:
        live = [finding for finding in findings if finding.disposition is Disposition.NEW]
        for same in _merged(finding for finding in live if finding.outcome is Outcome.GAP):
            yield from self._gap(same)
        for same in _merged(finding for finding in live if finding.outcome is Outcome.UNKNOWN):
            yield from self._unknown(same)
        brief = [finding for finding in live if finding.outcome in (Outcome.MET, Outcome.NOT_APPLICABLE)]
        silent = [finding for finding in findings if finding.disposition is not Disposition.NEW]
        for finding in brief:
            yield self._line(finding, str(finding.outcome), "")
        for finding in silent:
            reason = "" if finding.disposition is Disposition.BASELINED else on_whose_word(finding)
            yield self._line(finding, standing(finding), reason)
        if brief or silent:
            yield ""

    def _gap(self, same: Sequence[Finding]) -> Iterator[str]:
        finding = same[0]
        yield self._heading(str(finding.severity), str(finding.severity), finding)
        yield from self._addresses(same)
        yield from self._excerpt(finding)
        yield _INDENT + _responsibility(finding)
        if finding.when:
            yield from self._labelled("when", finding.when)
        if not finding.attribute:
            yield from self._labelled("found", _reason_in(finding))
        elif _needs_values(finding):
            yield from self._labelled("declared", *_values(finding))
        yield from self._labelled("AWS does", finding.aws_does)
        yield from self._labelled("you do", finding.customer_does)
        yield from self._labelled("fix", finding.fix)
        yield ""

    def _unknown(self, same: Sequence[Finding]) -> Iterator[str]:
        finding = same[0]
        yield self._heading("unknown", "unknown", finding)
        yield from self._addresses(same)
        yield from self._excerpt(finding)
        yield _INDENT + _responsibility(finding)
        yield from self._labelled(
            _words(finding.cause or finding.outcome), *(_values(finding) or [_reason_in(finding)])
        )
        yield ""

    def _heading(self, style: str, word: str, finding: Finding) -> str:
        title = self._paint("bold", inert(finding.title))
        return f"  {self._paint(style, word.ljust(_WORD))}{title}  {self._paint('dim', inert(finding.policy_id))}"

    def _line(self, finding: Finding, word: str, reason: str) -> str:
        style = word if word in _CODES else "dim"
        place = f"{inert(finding.address)}:{finding.location.start_line}"
        tail = f"  {inert(reason)}" if reason else ""
        return f"  {self._paint(style, word.ljust(14))} {inert(finding.policy_id)}  {place}{tail}"

    def _addresses(self, same: Sequence[Finding]) -> Iterator[str]:
        for finding in same[:_SHOWN]:
            yield _INDENT + inert(finding.address)
            if whence := _whence(finding):
                yield from self._wrapped(whence, _INDENT + "  ")
        rest = len(same) - _SHOWN
        if rest > 0:
            yield f"{_INDENT}and {rest} more"

    def _excerpt(self, finding: Finding) -> Iterator[str]:
        number = finding.location.start_line
        line = self.sources.line(finding.location.path, number)
        if line is None or not line.strip():
            return
        gutter = f"{number:>{_WORD}} | "
        start, end, own = span(line, finding.attribute)
        if any(_is_hidden(entry.value) for entry in finding.evidence) or finding.framework == "terraform_plan":
            # The rest of the line may hold a secret; a plan is often one line with all values in it.
            if not own:
                return
            line = f"{line[:end] if len(line) - len(line.lstrip()) == start else line[start:end]} ..."
            start, end, own = span(line, finding.attribute)
        shown, start, end = window(line, start, end, max(self.page.width - len(gutter), 20))
        before, marked = inert(shown[:start]), inert(shown[start:end])
        yield gutter + inert(shown)
        caret = self._paint("caret", "^" * max(columns(marked), 1))
        label = "" if own else _not_set(finding)
        yield " " * (_WORD + 1) + "| " + " " * columns(before) + caret + label

    # ---------------------------------------------------------- what was not seen

    def _unread_modules(self) -> Iterator[str]:
        modules = self.report.result.inputs.unread_modules
        if not modules:
            return
        yield self._paint("bold", f"Modules that are not at hand ({len(modules)}); their resources were not seen")
        for module in modules:
            yield from self._wrapped(f"{module.path}:{module.start_line}  {module.address} from {module.source}", "  ")
        yield ""

    def _errors(self) -> Iterator[str]:
        errors = self.report.result.errors
        if not errors:
            return
        yield self._paint("bold", f"Could not be read ({len(errors)})")
        for error in errors:
            yield from self._wrapped(f"{error.path}: {error.message} ({error.engine}, {error.kind})", "  ")
        yield ""

    # ---------------------------------------------------------- closing

    def _table(self) -> Iterator[str]:
        counts = self.report.result.counts
        if not any(counts.outcomes.values()):
            return
        shown = (Outcome.GAP, Outcome.UNKNOWN, Outcome.MET)
        yield self._paint("bold", "Declared in code".ljust(20) + "".join(str(outcome).rjust(9) for outcome in shown))
        rows = (
            [(side, counts.by_side.get(side)) for side in Side],
            [(domain, counts.by_domain.get(domain)) for domain in Domain],
        )
        for part in rows:
            for word, tally in part:
                if tally and any(tally.get(outcome) for outcome in shown):
                    cells = "".join(str(tally.get(outcome, 0)).rjust(9) for outcome in shown)
                    yield f"  {_words(word):18}{cells}"
            yield ""

    def _closing(self) -> Iterator[str]:
        result = self.report.result
        inputs = result.inputs
        read = [
            _counted(inputs.terraform_roots, "Terraform root") + f" ({_counted(inputs.terraform_files, 'file')})",
            _counted(inputs.plans, "plan"),
            _counted(inputs.cloudformation_templates, "CloudFormation template"),
        ]
        counts = (inputs.terraform_roots, inputs.plans, inputs.cloudformation_templates)
        seen = [text for text, number in zip(read, counts, strict=True) if number]
        if not seen and not result.errors:
            yield "Nothing to scan."
            return
        skipped = f"; {_counted(inputs.skipped_files, 'file')} left out" if inputs.skipped_files else ""
        yield f"Read {', '.join(seen) or 'nothing'}{skipped}."
        yield from self._wrapped(self._totals(), "")
        state = self._paint("critical", "failed") if self.report.decision.failed else self._paint("met", "passed")
        yield f"Gate {state}: {inert(self.report.decision.because)}"

    def _totals(self) -> str:
        outcomes = self.report.result.counts.outcomes
        silenced = [
            (disposition, sum(finding.disposition is disposition for finding in self.report.result.findings))
            for disposition in Disposition
            if disposition is not Disposition.NEW
        ]
        aside = ", ".join(f"{number} {disposition}" for disposition, number in silenced if number)
        listed = sum(finding.outcome is Outcome.UNKNOWN for finding in self.report.result.findings)
        unlisted = outcomes.get(Outcome.UNKNOWN, 0) - listed
        account = f" ({unlisted} on the whole account, listed with --all)" if unlisted else ""
        parts = [
            _counted(outcomes.get(Outcome.GAP, 0), "gap") + (f" ({aside})" if aside else ""),
            f"{outcomes.get(Outcome.UNKNOWN, 0)} unknown{account}",
            f"{outcomes.get(Outcome.MET, 0)} met",
            f"{outcomes.get(Outcome.NOT_APPLICABLE, 0)} not applicable",
        ]
        return ", ".join(parts) + "."

    # ---------------------------------------------------------- helpers

    def _labelled(self, label: str, *texts: str) -> Iterator[str]:
        head = f"{label}: ".ljust(_LABEL)
        for text in texts:
            yield from self._wrapped(text, _INDENT + head, _INDENT + " " * _LABEL)
            head = " " * len(head)

    def _wrapped(self, text: str, first: str, rest: str | None = None) -> list[str]:
        following = rest if rest is not None else " " * (len(first) + 2)
        return textwrap.wrap(
            inert(" ".join(text.split())),
            max(self.page.width, 40),
            initial_indent=first,
            subsequent_indent=following,
            break_long_words=False,
            break_on_hyphens=False,
        )

    def _paint(self, style: str, text: str) -> str:
        if not self.page.colour:
            return text
        return f"\x1b[{_CODES[style]}m{text}\x1b[0m"


def _merged(findings: Iterable[Finding]) -> list[list[Finding]]:
    """Findings that differ only in the instance or the root, put together; in the order of their lines."""
    groups: dict[tuple[object, ...], list[Finding]] = {}
    for finding in findings:
        key = (
            finding.location.start_line,
            finding.policy_id,
            finding.attribute,
            finding.when,
            finding.cause,
            finding.service_model,
            finding.side,
            finding.resource_type,
            repr([(item.path, item.value) for item in finding.evidence]),
            "" if finding.attribute and finding.evidence else finding.message,
        )
        groups.setdefault(key, []).append(finding)
    return sorted(groups.values(), key=lambda same: (same[0].location.start_line, _rank(same[0])))


def _rank(finding: Finding) -> int:
    return list(Severity).index(finding.severity)


def _responsibility(finding: Finding) -> str:
    model = finding.service_model or f"model undetermined: {inert(finding.model_decided_by)}"
    return f"{finding.side_word} | {model} | {_words(finding.domain_word)}"


def _whence(finding: Finding) -> str:
    """How the resource came into this root, and where its deciding value is written, if elsewhere."""
    parts = []
    if finding.call_chain:
        calls = ", ".join(f"{call.path}:{call.start_line}" for call in finding.call_chain)
        parts.append(f"in root {finding.root}, called at {calls}")
    if finding.origin:
        here = finding.origin.path == finding.location.path
        place = "line " if here else f"{finding.origin.path}:"
        parts.append(f"value from {place}{finding.origin.start_line}")
    return ", ".join(parts)


def _needs_values(finding: Finding) -> bool:
    """Whether the line under the caret does not show by itself what was found."""
    compound = any(isinstance(item.value, (dict, list)) for item in finding.evidence)
    return compound or len(finding.evidence) > 1 or finding.origin is not None or finding.when is not None


def _reason_in(finding: Finding) -> str:
    """The message without the title and the id, which stand above it."""
    text = finding.message.removesuffix(f" ({finding.policy_id}).")
    return text.removeprefix(finding.title).lstrip(":? ") or finding.message


def _values(finding: Finding) -> list[str]:
    """The attributes that decided, with their values."""
    texts = []
    for item in finding.evidence[:_SHOWN]:
        if item.value is None:
            texts.append(f"{item.path} is not set")
            continue
        value = item.value if isinstance(item.value, str) else json.dumps(item.value, ensure_ascii=False)
        texts.append(f"{item.path} = {value if len(value) <= _VALUE_SHOWN else value[:_VALUE_SHOWN] + '...'}")
    rest = len(finding.evidence) - _SHOWN
    return [*texts, f"and {rest} more"] if rest > 0 else texts


def _words(word: str) -> str:
    return str(word).replace("-", " ")


def _is_hidden(value: object) -> bool:
    """Whether a value, or a part of it, must not be shown; its lines must not be either."""
    if isinstance(value, Mapping):
        return any(map(_is_hidden, value.values()))
    return any(map(_is_hidden, value)) if isinstance(value, list) else value == HIDDEN


def _not_set(finding: Finding) -> str:
    """What to say beside the caret where the attribute itself is not written."""
    absent = any(item.path == finding.attribute and item.value is None for item in finding.evidence)
    return f" {inert(finding.attribute)} is not set" if absent and finding.attribute else ""


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
