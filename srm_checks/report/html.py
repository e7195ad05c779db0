"""One HTML page: no script, nothing fetched, light and dark, for eyes, keyboards and screen readers.

The filters are check boxes that the style sheet reads; in a browser that cannot, they are hidden and all is shown.
A content security policy in the page forbids whatever a hostile name might try.
"""

from __future__ import annotations

import importlib.resources
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from srm_checks.model import UNCLASSIFIED, Disposition, Domain, Finding, Outcome, Side
from srm_checks.report import Page, Report
from srm_checks.report.html_elements import Markup, join, tag
from srm_checks.report.rules import Rule, rules
from srm_checks.report.selection import is_new, is_new_gap, is_new_unknown, worst_first
from srm_checks.report.words import counted, declared, exception, shortened, why_undecided

MODELS: Final = ("IaaS", "CaaS", "PaaS", "FaaS", "Abstracted", "SaaS", "Control")
UNDETERMINED: Final = "undetermined"
_SECURITY: Final = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_EVIDENCE_SHOWN: Final = 10
_LONGEST: Final = 300


def render(report: Report, page: Page) -> str:
    """The whole page, with a final newline."""
    findings = report.result.findings
    filters = _Filters.of(findings)
    sheet = importlib.resources.files("srm_checks.report").joinpath("report.css").read_text("utf-8")
    described = rules(findings, report.result.policies)
    gaps = counted(sum(map(is_new_gap, findings)), "gap")
    state = "failed" if report.decision.failed else "passed"
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_SECURITY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", f"srm-checks: gate {state}, {gaps}"),
        tag("style", Markup(sheet + filters.sheet())),
    )
    body = tag(
        "body",
        tag("a", "Skip to the findings", class_="skip", href="#findings"),
        tag("header", tag("h1", f"srm-checks: gate {state}"), tag("p", report.decision.because)),
        tag(
            "main",
            _overview(report),
            _unseen(report),
            _heat_maps(findings),
            tag("h2", "Findings", id="findings", tabindex="-1"),
            filters.form() if findings else None,
            _policies(findings, described, filters),
        ),
        tag("footer", tag("p", f"srm-checks {report.version}: what is declared in code, not what runs.")),
    )
    return f"<!doctype html>\n{tag('html', head, body, lang='en')}\n"


# ------------------------------------------------------------------ the scan as a whole


def _overview(report: Report) -> Markup:
    result = report.result
    inputs = result.inputs
    aside = Counter(
        str(finding.disposition) for finding in result.findings if finding.disposition is not Disposition.NEW
    )
    pairs = [
        ("Gaps", f"{sum(map(is_new_gap, result.findings)):,}"),
        ("Cannot be decided", f"{sum(map(is_new_unknown, result.findings)):,}"),
        ("Met", f"{result.counts.outcomes.get(Outcome.MET, 0):,}"),
        ("Not applicable", f"{result.counts.outcomes.get(Outcome.NOT_APPLICABLE, 0):,}"),
        *((word.capitalize(), f"{aside[word]:,}") for word in map(str, Disposition) if aside[word]),
        ("Terraform roots", f"{inputs.terraform_roots:,} ({counted(inputs.terraform_files, 'file')})"),
        ("Terraform plans", f"{inputs.plans:,}"),
        ("CloudFormation templates", f"{inputs.cloudformation_templates:,}"),
        ("Files left out", f"{inputs.skipped_files:,}"),
        ("Packs", ", ".join(f"{pack.name} {pack.version}" for pack in result.packs)),
    ]
    return tag("section", tag("h2", "Scan"), _pairs(pairs))


def _unseen(report: Report) -> Markup | None:
    """What the scan did not see: zero gaps there means nothing."""
    result = report.result
    items = [
        join(tag("code", error.path), f" could not be read: {error.message} ({error.engine}, {error.kind})")
        for error in result.errors
    ]
    items += [
        join(
            tag("code", f"{module.path}:{module.start_line}"),
            f": module {module.address} from {module.source} is not at hand; its resources were not seen",
        )
        for module in result.inputs.unread_modules
    ]
    if not items:
        return None
    return tag("section", tag("h2", "Not seen"), tag("ul", *(tag("li", item) for item in items)))


def _heat_maps(findings: Sequence[Finding]) -> Markup | None:
    new = [finding for finding in findings if is_new(finding)]
    if not new:
        return None
    return tag(
        "section",
        tag("h2", "Responsibility matrix"),
        _heat_map("Who answers", new, [str(side) for side in Side], lambda finding: finding.side_word),
        _heat_map("Under which service model", new, [*MODELS, UNDETERMINED], _model),
    )


def _heat_map(
    caption: str, findings: Sequence[Finding], columns: Sequence[str], column_of: Callable[[Finding], str]
) -> Markup:
    """New gaps and unknowns by domain (rows) and by `column_of`; a cell has the colour of its worst severity."""
    cells: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        cells.setdefault((finding.domain_word, column_of(finding)), []).append(finding)
    used = {column for _, column in cells}
    shown = [column for column in columns if column in used] + sorted(used - set(columns))
    header = tag("tr", tag("th", "domain", scope="col"), *(tag("th", column, scope="col") for column in shown))
    rows = [
        tag("tr", tag("th", domain, scope="row"), *(_heat_cell(cells.get((domain, each), [])) for each in shown))
        for domain in [*map(str, Domain), UNCLASSIFIED]
        if any(row == domain for row, _ in cells)
    ]
    table = tag("table", tag("caption", caption), tag("thead", header), tag("tbody", *rows), class_="heat")
    return _scrolling(table, caption)


def _heat_cell(findings: Sequence[Finding]) -> Markup:
    if not findings:
        return tag("td")
    worst = worst_first(findings)[0]
    gaps = sum(map(is_new_gap, findings))
    words = [counted(gaps, "gap") + f", worst {worst.severity}"] if gaps else []
    words += [f"{len(findings) - gaps:,} unknown"] if len(findings) > gaps else []
    return tag("td", "; ".join(words), class_=str(worst.severity) if gaps else "unknown")


# ------------------------------------------------------------------ filters


_Kind: TypeAlias = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class _Filters:
    """The words of each filter that occur in the findings; a word's place in its list names its CSS class.

    `kinds` are the different sets of (model, outcome) classes that the tables of policies have: under the same
    filters the same tables are empty.
    """

    words: Mapping[str, Sequence[str]]
    kinds: Sequence[_Kind] = ()

    @staticmethod
    def of(findings: Sequence[Finding]) -> _Filters:
        words: dict[str, Sequence[str]] = {}
        for name, (known, read) in _FILTERS.items():
            found = set(map(read, findings))
            words[name] = [*(word for word in known if word in found), *sorted(found - set(known))]
        filters = _Filters(words)
        return _Filters(words, sorted({filters.kind(same) for same in _by_policy(findings).values()}))

    def mark(self, name: str, word: str) -> str:
        """The CSS class of a word; made of the filter's name and a number, whatever the word is."""
        return f"{name}-{self.words[name].index(word)}"

    def kind(self, findings: Iterable[Finding]) -> _Kind:
        """The (model, outcome) classes of these findings."""
        pairs = {(self.mark("model", _model(each)), self.mark("outcome", _state(each))) for each in findings}
        return tuple(sorted(pairs))

    def kind_mark(self, findings: Iterable[Finding]) -> str:
        """The CSS class of a policy with these findings."""
        return f"kind-{self.kinds.index(self.kind(findings))}"

    def form(self) -> Markup:
        """The check boxes, all set."""
        return tag("div", *map(self._group, self.words.items()), class_="filters", role="group", aria_label="Filters")

    def _group(self, pair: tuple[str, Sequence[str]]) -> Markup:
        name, words = pair
        boxes = [tag("input", type="checkbox", id=f"show-{self.mark(name, word)}", checked=True) for word in words]
        labels = [tag("label", box, f" {word}") for box, word in zip(boxes, words, strict=True)]
        return tag("fieldset", tag("legend", f"Show {name}"), *labels)

    def sheet(self) -> str:
        """Rules that hide what is not asked for: rows, policies, and policies whose rows are all hidden."""
        marks = [self.mark(name, word) for name, words in self.words.items() for word in words]
        hidden = [f"body:has({_unset(mark)}) .{mark}" for mark in marks]
        for number, kind in enumerate(self.kinds):
            conditions = [f":is(:has({_unset(model)}), :has({_unset(outcome)}))" for model, outcome in kind]
            hidden.append(f"body{''.join(conditions)} .kind-{number}")
        return "".join(f"{selector} {{ display: none; }}\n" for selector in hidden)


def _unset(mark: str) -> str:
    return f"#show-{mark}:not(:checked)"


def _model(finding: Finding) -> str:
    return finding.service_model or UNDETERMINED


def _state(finding: Finding) -> str:
    """The outcome of a new finding, else on whose word it is silenced."""
    return str(finding.outcome if finding.disposition is Disposition.NEW else finding.disposition)


_FILTERS: Final[Mapping[str, tuple[Sequence[str], Callable[[Finding], str]]]] = {
    "side": ([str(side) for side in Side], lambda finding: finding.side_word),
    "domain": ([str(domain) for domain in Domain], lambda finding: finding.domain_word),
    "model": ([*MODELS, UNDETERMINED], _model),
    "outcome": ([*map(str, Outcome), *map(str, Disposition)], _state),
}


# ------------------------------------------------------------------ findings


def _by_policy(findings: Sequence[Finding]) -> dict[str, list[Finding]]:
    """The findings of each policy, the policy with the worst new one first."""
    groups: dict[str, list[Finding]] = {}
    for finding in worst_first(sorted(findings, key=lambda finding: (not is_new(finding), finding.policy_id))):
        groups.setdefault(finding.policy_id, []).append(finding)
    return groups


def _policies(findings: Sequence[Finding], described: Mapping[str, Rule], filters: _Filters) -> Markup:
    if not findings:
        return tag("p", "No gaps and no unknowns.")
    return join(*(_policy(described[name], same, filters) for name, same in _by_policy(findings).items()))


def _policy(rule: Rule, findings: Sequence[Finding], filters: _Filters) -> Markup:
    marks = [
        "policy",
        filters.mark("side", rule.side),
        filters.mark("domain", rule.domain),
        filters.kind_mark(findings),
    ]
    models = ", ".join(sorted({_model(finding) for finding in findings}))
    heading = tag("h3", tag("span", str(rule.severity), class_=f"badge {rule.severity}"), f" {rule.title}", id=rule.id)
    number = tag("a", rule.id, href=rule.url) if rule.url.startswith("https://") else tag("span", rule.id)
    return tag(
        "section",
        heading,
        tag("p", number, f" | {rule.side} | {models} | {rule.domain}", class_="quiet"),
        _pairs(_texts(rule)),
        _table(rule, findings, filters),
        class_=" ".join(marks),
        aria_labelledby=rule.id,
    )


def _texts(rule: Rule) -> list[tuple[str, str]]:
    controls = [f"{name} {', '.join(sorted(ids))}" for name, ids in sorted(rule.frameworks.items())]
    return [
        ("Why", rule.why),
        ("AWS does", rule.aws_does),
        ("You do", rule.customer_does),
        *rule.fixes(),
        ("Frameworks", "; ".join(controls)),
        ("Same as", ", ".join(sorted(rule.equivalents))),
    ]


def _table(rule: Rule, findings: Sequence[Finding], filters: _Filters) -> Markup:
    caption = f"{counted(len(findings), 'finding')} of {rule.id}"
    header = tag("tr", *(tag("th", word, scope="col") for word in ("outcome", "resource", "where", "declared", "note")))
    rows = [
        tag(
            "tr",
            tag("td", tag("span", _state(finding), class_=f"badge {_colour(finding)}")),
            tag("td", tag("code", finding.address)),
            tag("td", tag("code", f"{finding.location.path}:{finding.location.start_line}")),
            tag("td", _declared(finding)),
            tag("td", "; ".join(_notes(finding))),
            class_=f"{filters.mark('model', _model(finding))} {filters.mark('outcome', _state(finding))}",
        )
        for finding in findings
    ]
    return _scrolling(tag("table", tag("caption", caption), tag("thead", header), tag("tbody", *rows)), caption)


def _colour(finding: Finding) -> str:
    if not is_new(finding):
        return "met" if finding.outcome is Outcome.MET else "quiet"
    return str(finding.severity) if finding.outcome is Outcome.GAP else "unknown"


def _declared(finding: Finding) -> Markup:
    texts = [shortened(declared(item), _LONGEST) for item in finding.evidence[:_EVIDENCE_SHOWN]]
    rest = len(finding.evidence) - _EVIDENCE_SHOWN
    return join(
        *(tag("div", tag("code", text)) for text in texts),
        tag("div", f"and {rest:,} more") if rest > 0 else None,
    )


def _notes(finding: Finding) -> Iterator[str]:
    if finding.cause:
        yield why_undecided(finding)
    if finding.when:
        yield f"when {finding.when}"
    if not finding.service_model:
        yield f"model undetermined: {finding.model_decided_by}"
    if finding.call_chain:
        yield f"in root {finding.root}"
    if finding.origin:
        yield f"value from {finding.origin.path}:{finding.origin.start_line}"
    if finding.disposition is not Disposition.NEW:
        yield exception(finding)


# ------------------------------------------------------------------ small parts


def _pairs(pairs: Iterable[tuple[str, str]]) -> Markup:
    return tag("dl", *(join(tag("dt", label), tag("dd", text)) for label, text in pairs if text))


def _scrolling(table: Markup, label: str) -> Markup:
    """A table that may be wider than the page, to be scrolled with the keyboard too."""
    return tag("div", table, class_="wide", role="region", aria_label=label, tabindex="0")
