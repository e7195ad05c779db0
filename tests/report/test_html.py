"""The HTML page: it fetches nothing, runs nothing, and can be read in every way."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser

import pytest

from srm_checks.model import (
    Cause,
    Disposition,
    Domain,
    Evidence,
    Finding,
    Outcome,
    ScanError,
    Severity,
    SourceRange,
    UnreadModule,
)
from srm_checks.pipeline import InputsReport
from srm_checks.policy.packs import load_packs
from srm_checks.report import Page, Report
from srm_checks.report.html import render
from srm_checks.report.html_elements import Markup, join, tag
from tests.report.hostile import HOSTILE

MakeFinding = Callable[..., Finding]
MakeReport = Callable[..., Report]


class Reader(HTMLParser):
    """Reads a page as a browser would: its elements with their attributes, and its words."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words = ""
        self.style = ""
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, name: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((name, dict(attributes)))
        if name not in ("meta", "input"):
            self.open.append(name)

    def handle_endtag(self, name: str) -> None:
        assert self.open.pop() == name

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "style":
            self.style += data
        else:
            self.words += data

    def named(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for element, attributes in self.elements if element == name]


def test_an_empty_report(make_report: MakeReport) -> None:
    page = Reader(render(make_report(), Page()))
    assert "No gaps and no unknowns." in page.words
    assert page.named("table") == []


def test_a_gap(make_finding: MakeFinding, make_report: MakeReport) -> None:
    policy = load_packs().by_id()["SRM-DAR-005"]
    finding = make_finding(when="Env is dev", origin=SourceRange("x.tfvars", 4, 4))
    page = Reader(render(make_report([finding], policies={policy.id: policy}), Page()))
    for words in (
        "srm-checks: gate failed",
        policy.title,
        policy.why,
        policy.aws_does,
        policy.customer_does,
        policy.fix["terraform"],
        policy.fix["cloudformation"],
        "customer | PaaS | data-at-rest",
        "aws_db_instance.main",
        "main.tf:2",
        "storage_encrypted = false",
        "when Env is dev",
        "value from x.tfvars:4",
    ):
        assert words in page.words
    assert {"href": policy.url} in page.named("a")


def test_the_matrix_has_the_colour_of_the_worst(make_finding: MakeFinding, make_report: MakeReport) -> None:
    unknown = {"outcome": Outcome.UNKNOWN, "cause": Cause.OTHER_STACK}
    findings = [
        make_finding(),
        make_finding(severity=Severity.CRITICAL),
        make_finding(**unknown),
        make_finding(domain=Domain.NETWORK, service_model=None, **unknown),
        make_finding(domain=Domain.BACKUP, disposition=Disposition.WAIVED, waiver={"reason": "r"}),
    ]
    page = render(make_report(findings), Page())
    assert '<td class="critical">2 gaps, worst critical; 1 unknown</td>' in page
    assert '<td class="unknown">1 unknown</td>' in page
    matrix = page[page.index("Responsibility matrix") : page.index('id="findings"')]
    assert "backup" not in matrix


def test_nothing_is_fetched_and_nothing_runs(make_finding: MakeFinding, make_report: MakeReport) -> None:
    page = Reader(render(make_report([make_finding()], policies=load_packs().by_id()), Page()))
    names = {name for name, _ in page.elements}
    assert not names & {"script", "link", "img", "iframe", "object", "embed", "form", "base"}
    assert not re.search(r"url\(|@import", page.style)
    (policy,) = [each for each in page.named("meta") if each.get("http-equiv")]
    assert (policy["content"] or "").startswith("default-src 'none'")
    assert not any(key.startswith("on") or key in ("src", "style") for _, pairs in page.elements for key in pairs)


class TestFilters:
    def page(self, make_finding: MakeFinding, make_report: MakeReport) -> Reader:
        findings = [
            make_finding(),
            make_finding(service_model=None, outcome=Outcome.UNKNOWN, cause=Cause.OTHER_STACK),
            make_finding(policy_id="SRM-NET-001", domain=Domain.NETWORK),
            make_finding(disposition=Disposition.BASELINED),
        ]
        return Reader(render(make_report(findings), Page()))

    def test_a_box_for_each_word_that_occurs(self, make_finding: MakeFinding, make_report: MakeReport) -> None:
        page = self.page(make_finding, make_report)
        boxes = [each["id"] for each in page.named("input")]
        assert boxes == [
            "show-side-0",
            *("show-domain-0", "show-domain-1"),
            *("show-model-0", "show-model-1"),
            *("show-outcome-0", "show-outcome-1", "show-outcome-2"),
        ]
        for box in boxes:
            assert (
                f"body:has(#{box}:not(:checked)) .{(box or '').removeprefix('show-')} {{ display: none; }}"
                in page.style
            )

    def test_a_policy_goes_when_all_its_rows_are_gone(self, make_finding: MakeFinding, make_report: MakeReport) -> None:
        page = self.page(make_finding, make_report)
        # SRM-NET-001 has one kind of row: PaaS (model 0) and gap (outcome 0).
        rule = (
            "body:is(:has(#show-model-0:not(:checked)), :has(#show-outcome-0:not(:checked))) .kind-0 { display: none; }"
        )
        assert rule in page.style
        (policy,) = [each for each in page.named("section") if each.get("aria-labelledby") == "SRM-NET-001"]
        assert "kind-0" in (policy["class"] or "").split()


def test_it_can_be_read_without_seeing(make_finding: MakeFinding, make_report: MakeReport) -> None:
    page = Reader(render(make_report([make_finding()]), Page()))
    assert page.named("html") == [{"lang": "en"}]
    assert {name for name, _ in page.elements} >= {"header", "main", "footer", "caption", "legend", "h1", "h2", "h3"}
    assert all(each.get("scope") in ("row", "col") for each in page.named("th"))
    assert len(page.named("caption")) == len(page.named("table"))
    ids = [pairs["id"] for _, pairs in page.elements if "id" in pairs]
    assert len(ids) == len(set(ids))
    assert page.named("a")[0] == {"class": "skip", "href": "#findings"}


def test_what_was_not_seen_is_told(make_report: MakeReport) -> None:
    report = make_report(
        errors=(ScanError("a.tf", "terraform", "parse", "line 2"),),
        inputs=InputsReport(1, 1, 0, 0, 0, (UnreadModule("module.vpc", "example/vpc/aws", "main.tf", 3),)),
    )
    words = Reader(render(report, Page())).words
    assert "a.tf could not be read: line 2 (terraform, parse)" in words
    assert "main.tf:3: module module.vpc from example/vpc/aws is not at hand" in words


def test_an_exception_says_on_whose_word(make_finding: MakeFinding, make_report: MakeReport) -> None:
    waiver = {"reason": "migrating", "owner": "data team", "expiry": "2030-01-01"}
    page = Reader(render(make_report([make_finding(disposition=Disposition.WAIVED, waiver=waiver)]), Page()))
    assert "waived: migrating, by data team, until 2030-01-01" in page.words


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_inert(name: str, make_finding: MakeFinding, make_report: MakeReport) -> None:
    def page(word: str) -> Reader:
        finding = make_finding(
            address=word,
            when=word,
            title=word,
            service_model=None,
            model_decided_by=word,
            evidence=(Evidence(word, word),),
            location=SourceRange(word, 1, 1),
        )
        unread = UnreadModule(word, word, word, 3)
        return Reader(
            render(
                make_report(
                    [finding],
                    errors=(ScanError(word, "terraform", "parse", word),),
                    inputs=InputsReport(1, 1, 0, 0, 0, (unread,)),
                ),
                Page(),
            )
        )

    hostile, harmless = page(name), page("harmless")
    assert hostile.elements == harmless.elements
    assert hostile.style == harmless.style
    assert "".join(hostile.words.split("\n")).isprintable()
    if name.isprintable():
        assert name in hostile.words


class TestElements:
    def test_text_is_escaped_and_markup_is_kept(self) -> None:
        assert tag("p", "<b>", Markup("<i></i>"), None) == "<p>&lt;b&gt;<i></i></p>"
        assert join("&", tag("b")) == "&amp;<b></b>"

    def test_attributes_are_escaped(self) -> None:
        assert tag("a", href="\"'<>&") == '<a href="&quot;&#x27;&lt;&gt;&amp;"></a>'

    def test_names_and_bare_attributes(self) -> None:
        assert tag("input", type="checkbox", checked=True, disabled=False, title=None, aria_label="x", class_="y") == (
            '<input type="checkbox" checked aria-label="x" class="y">'
        )
