"""The pages that are made from the code are current, and say what they must."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from srm_checks.guide.pages import INDEX, LIBRARY, pages
from srm_checks.policy.document import GUIDE_URL
from srm_checks.policy.packs import load_packs
from srm_checks.policy.reference import markdown

DOCS = Path(__file__).resolve().parent.parent / "docs"
POLICIES = load_packs([LIBRARY]).policies


@pytest.fixture(scope="module")
def current() -> dict[str, str]:
    """The pages of the policies as the code makes them now."""
    return pages()


def test_the_language_reference_is_current() -> None:
    assert (DOCS / "policy-language.md").read_text() == markdown(), "run `make docs`"


def test_the_pages_of_the_policies_are_current(current: dict[str, str]) -> None:
    written = {page.stem: page.read_text(encoding="utf-8") for page in (DOCS / "policies").glob("*.md")}
    stale = sorted(name for name in written.keys() | current.keys() if written.get(name) != current.get(name))
    assert stale == [], "run `make docs`"


def test_every_policy_has_the_page_that_its_url_names(current: dict[str, str]) -> None:
    assert set(current) == {INDEX, *(policy.name for policy in POLICIES)}
    for policy in POLICIES:
        assert policy.url == f"{GUIDE_URL}/{policy.name}/"


def test_every_page_has_its_parts(current: dict[str, str]) -> None:
    for policy in POLICIES:
        text = current[policy.name]
        headings = re.findall(r"^## (.*)$", text, re.MULTILINE)
        assert headings[:2] == ["Why", "AWS does, you do"], policy.id
        assert {"What to change", "Exceptions"} <= set(headings), policy.id
        assert ("Examples" in headings) == bool(policy.resources), policy.id
        for folder in re.findall(r"^.* piece.* of the policy's tests \(`(.*)`\)", text, re.MULTILINE):
            assert (DOCS.parent / folder).is_dir(), policy.id
        assert ("Parameters" in headings) == bool(policy.parameters), policy.id
        assert ("Frameworks" in headings) == bool(policy.frameworks), policy.id
        for reason in policy.not_expressible.values():
            assert f"not expressible: {reason.split('`')[0]}" in text, policy.id
        assert policy.id in text
        assert policy.cfn_lint_id in text


def test_nearly_every_policy_shows_what_to_avoid_and_to_prefer(current: dict[str, str]) -> None:
    """A policy over many resources may have no fixture of which a short piece stands alone."""
    wanted = [
        (policy.name, f"### {word} in {language}")
        for policy in POLICIES
        for key, language in (("terraform", "Terraform"), ("cloudformation", "CloudFormation"))
        for word in ("Avoid", "Prefer")
        if key in policy.resources
    ]
    lacking = [(name, heading) for name, heading in wanted if heading not in current[name]]
    assert len(lacking) <= 0.03 * len(wanted), lacking


def test_examples_do_not_tell_what_the_tests_expect(current: dict[str, str]) -> None:
    assert [name for name, text in current.items() if re.search(r"#\s*(expect|today)\b", text)] == []


def test_no_page_promises_compliance(current: dict[str, str]) -> None:
    claims = re.compile(r"\b(satisf(y|ies|ied)|complian(t|ce)|certified)\b", re.IGNORECASE)
    found = {
        name: claims.search(re.sub(r"```.*?```|`[^`]*`", "", text, flags=re.DOTALL)) for name, text in current.items()
    }
    assert {name: match.group() for name, match in found.items() if match} == {}


def test_every_link_leads_to_a_page(current: dict[str, str]) -> None:
    for name, text in current.items():
        for target in re.findall(r"\]\(([^)]+)\)", re.sub(r"```.*?```", "", text, flags=re.DOTALL)):
            assert target.removesuffix(".md") in current or (DOCS / "policies" / target).resolve().is_file(), name


def test_the_index_names_every_policy_by_domain_and_by_service(current: dict[str, str]) -> None:
    by_domain, by_service = current[INDEX].split("## By service")
    for policy in POLICIES:
        assert f"| {policy.id} | [" in by_domain
        assert f"[{policy.name}]({policy.name}.md)" in by_service


def test_readers_of_markdown_see_tables_and_code(current: dict[str, str]) -> None:
    html = MarkdownIt("commonmark").enable("table").render(current["rds-instance-unencrypted"])
    assert html.count("<table>") == 2
    assert '<code class="language-hcl">resource &quot;aws_db_instance&quot;' in html
    assert "<li>CIS AWS Foundations Benchmark 5.0: <code>2.2.1</code></li>" in html


def test_every_decision_is_in_the_list() -> None:
    index = (DOCS / "decisions" / "README.md").read_text()
    for page in (DOCS / "decisions").glob("0*.md"):
        assert f"({page.name})" in index
