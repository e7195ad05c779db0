"""The pages that are made from the code are current."""

from __future__ import annotations

from pathlib import Path

from srm_checks.policy.reference import markdown

DOCS = Path(__file__).resolve().parent.parent / "docs"


def test_the_language_reference_is_current() -> None:
    assert (DOCS / "policy-language.md").read_text() == markdown(), "run `make docs`"


def test_every_decision_is_in_the_list() -> None:
    index = (DOCS / "decisions" / "README.md").read_text()
    for page in (DOCS / "decisions").glob("0*.md"):
        assert f"({page.name})" in index
