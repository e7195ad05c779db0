"""Markdown for a pull request comment, and at full length for a job summary.

A comment that nobody reads helps nobody: the worst policies are told in full with a few places each, the others in a
line each, and what was cut is told in numbers. All names from scanned files stand in code spans.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from srm_checks.model import UNCLASSIFIED, Disposition, Domain, Finding, Outcome, Side
from srm_checks.report import Page, Report
from srm_checks.report.commonmark import code, prose
from srm_checks.report.rules import Rule, rules
from srm_checks.report.selection import changes, is_new, is_new_gap, is_new_unknown
from srm_checks.report.words import counted, declared, shortened, spoken, why_undecided

# By this first line a program finds the comment again that it wrote before.
MARKER: Final = "<!-- srm-checks -->"

_RESERVED: Final = 400  # for the words on what was cut
_EVIDENCE_SHOWN: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """`size`: bytes of UTF-8 in all; `policies`: those told in full; `places`: findings told for each policy."""

    size: int
    policies: int
    places: int


# GitHub takes 65,536 characters, GitLab 1,000,000, Azure DevOps 150,000.
COMMENT: Final = Limits(size=65_000, policies=15, places=5)


def render(report: Report, page: Page) -> str:
    """The comment: at most 65,000 bytes, with a final newline."""
    return text(report, COMMENT)


def text(report: Report, limits: Limits) -> str:
    """The report within `limits`."""
    return _Comment(report, limits).text()


@dataclass(slots=True)
class _Comment:
    report: Report
    limits: Limits
    lines: list[str] = field(default_factory=list)
    size: int = 0
    shown: Counter[Outcome] = field(default_factory=Counter)

    def text(self) -> str:
        new = [finding for finding in self.report.result.findings if is_new(finding)]
        self._add(*self._head())
        self._add(*_table(new))
        self._gaps([finding for finding in new if is_new_gap(finding)])
        self._unknowns([finding for finding in new if is_new_unknown(finding)])
        self._unseen()
        self._cut(new)
        return "\n".join(self.lines).rstrip("\n") + "\n"

    # ---------------------------------------------------------- parts

    def _head(self) -> Iterator[str]:
        decision, findings = self.report.decision, self.report.result.findings
        yield MARKER
        yield f"## srm-checks: gate {'failed' if decision.failed else 'passed'}"
        yield ""
        yield prose(decision.because)
        compared = self.report.result.compared
        change = changes(findings, sum(len(each.fixed) for each in compared) if compared else None)
        if change:
            parts = [f"**{change.new:,} new**", f"{change.baselined:,} known before"]
            parts += [f"{change.fixed:,} fixed"] if change.fixed is not None else []
            yield f"Against {' and '.join(each.words for each in compared) or 'the baseline'}: {', '.join(parts)}."
        excepted = Counter(finding.disposition for finding in findings)
        aside = [
            f"{excepted[word]:,} {label}"
            for word, label in (
                (Disposition.WAIVED, "waived"),
                (Disposition.SUPPRESSED, "suppressed"),
                (Disposition.ASSUMED, "met (assumed)"),
            )
            if excepted[word]
        ]
        if aside:
            yield f"Excepted: {', '.join(aside)}."
        yield ""

    def _gaps(self, findings: Sequence[Finding]) -> None:
        described = rules(findings, self.report.result.policies)
        by_policy = _by_policy(findings)
        worst = sorted(by_policy, key=lambda name: (described[name].severity.rank, -len(by_policy[name]), name))
        for name in worst[: self.limits.policies]:
            self._policy(described[name], by_policy[name])
        brief = worst[self.limits.policies :]
        if brief and self._add("### Further gaps", ""):
            for name in brief:
                rule = described[name]
                number = counted(len(by_policy[name]), "gap")
                self._add(f"- {rule.severity}: {prose(rule.title)} ({_link(rule)}), {number}")
            self._add("")

    def _policy(self, rule: Rule, findings: Sequence[Finding]) -> None:
        models = [*rule.service_models, *(["model undetermined"] if any(not f.service_model for f in findings) else [])]
        told = self._add(
            f"### {rule.severity}: {prose(rule.title)} ({_link(rule)})",
            "",
            f"{spoken(rule.side)} \\| {prose(', '.join(models))} \\| {spoken(rule.domain)}",
            "",
            f"- AWS does: {prose(rule.aws_does)}",
            f"- You do: {prose(rule.customer_does)}",
            *(f"- {label}: {prose(fix)}" for label, fix in _fixes(rule, findings)),
            "",
        )
        if told:
            self._places(findings)

    def _places(self, findings: Sequence[Finding]) -> None:
        told = 0
        for finding in findings[: self.limits.places]:
            told += self._add(f"* {_place(finding)}")
        self.shown[findings[0].outcome] += told
        if told < len(findings):
            self._add(f"* and {len(findings) - told:,} more")
        self._add("")

    def _unknowns(self, findings: Sequence[Finding]) -> None:
        if not findings:
            return
        opened = self._add(f"<details><summary>{len(findings):,} cannot be decided from the code</summary>", "")
        if not opened:
            return
        for name, same in _by_policy(findings).items():
            rule = rules(same, self.report.result.policies)[name]
            if self._add(f"{prose(rule.title)} ({_link(rule)})", ""):
                self._places(same)
        self.lines += ["</details>", ""]  # within what is reserved

    def _unseen(self) -> None:
        """What the scan did not see: zero gaps there means nothing."""
        result = self.report.result
        parts = [
            ("could not be read", [f"{code(error.path)}: {code(error.message)}" for error in result.errors]),
            (
                "not at hand, so not scanned: modules",
                [
                    f"{code(module.address)} from {code(module.source)} ({code(f'{module.path}:{module.start_line}')})"
                    for module in result.inputs.unread_modules
                ],
            ),
        ]
        for label, items in parts:
            if items and self._add(f"**{len(items):,} {label}**", ""):
                told = sum(self._add(f"* {item}") for item in items[: self.limits.places])
                if told < len(items):
                    self._add(f"* and {len(items) - told:,} more")
                self._add("")

    def _cut(self, new: Sequence[Finding]) -> None:
        total = Counter(finding.outcome for finding in new)
        hidden = [
            f"{total[outcome] - self.shown[outcome]:,} of {counted(total[outcome], noun)}"
            for outcome, noun in ((Outcome.GAP, "gap"), (Outcome.UNKNOWN, "unknown"))
            if total[outcome] > self.shown[outcome]
        ]
        if hidden:
            self.lines.append(f"Not listed here: {' and '.join(hidden)}. The other report formats list them all.")

    # ---------------------------------------------------------- room

    def _add(self, *lines: str) -> bool:
        """Add the lines if there is room for all of them."""
        size = sum(len(line.encode("utf-8", "backslashreplace")) + 1 for line in lines)
        if self.size + size > self.limits.size - _RESERVED:
            return False
        self.lines += lines
        self.size += size
        return True


def _by_policy(findings: Sequence[Finding]) -> dict[str, list[Finding]]:
    groups: dict[str, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(finding.policy_id, []).append(finding)
    return dict(sorted(groups.items()))


def _table(findings: Sequence[Finding]) -> Iterator[str]:
    """New gaps and unknowns by domain and side; nothing where there are none."""
    counts = Counter((finding.domain_word, finding.side_word, finding.outcome) for finding in findings)
    sides = [side for side in [*map(str, Side), UNCLASSIFIED] if any(key[1] == side for key in counts)]
    domains = [domain for domain in [*map(str, Domain), UNCLASSIFIED] if any(key[0] == domain for key in counts)]
    if not domains:
        return
    yield f"| domain | {' | '.join(map(spoken, sides))} |"
    yield f"|---|{'---|' * len(sides)}"
    for domain in domains:
        cells = [_tally(counts[domain, side, Outcome.GAP], counts[domain, side, Outcome.UNKNOWN]) for side in sides]
        yield f"| {spoken(domain)} | {' | '.join(cells)} |"
    yield ""


def _tally(gaps: int, unknowns: int) -> str:
    parts = [counted(gaps, "gap")] if gaps else []
    parts += [f"{unknowns:,} unknown"] if unknowns else []
    return ", ".join(parts)


def _fixes(rule: Rule, findings: Sequence[Finding]) -> list[tuple[str, str]]:
    """How to mend it in the languages that these findings are written in."""
    fixes = sorted({finding.fix for finding in findings if finding.fix})
    return [("Fix", fixes[0])] if len(fixes) == 1 else rule.fixes()


def _place(finding: Finding) -> str:
    parts = [f"{code(finding.address)} at {code(f'{finding.location.path}:{finding.location.start_line}')}"]
    if finding.call_chain:
        parts.append(f"in root {code(finding.root)}")
    if finding.outcome is Outcome.UNKNOWN:
        parts.append(why_undecided(finding))
    parts += [code(shortened(declared(item), 120)) for item in finding.evidence[:_EVIDENCE_SHOWN]]
    if finding.when:
        parts.append(f"when {code(shortened(finding.when, 200))}")
    return ", ".join(parts)


def _link(rule: Rule) -> str:
    return f"[{prose(rule.id)}]({rule.url})" if rule.url else prose(rule.id)
