"""Whatever a name holds, a Markdown reader shows it as text."""

from __future__ import annotations

import pytest
from markdown_it import MarkdownIt

from srm_checks.report.commonmark import code, prose
from srm_checks.report.inert import inert
from tests.report.hostile import HOSTILE


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("aws_db_instance.main", "`aws_db_instance.main`"),
        ('x["a|b"]', '`x["a|b"]`'),
        ("a`b", "``a`b``"),
        ("a`b``c", "```a`b``c```"),
        ("`", "`` ` ``"),
        (" x", "`  x `"),
        ("<b>x</b>", "&lt;`b>x`&lt;`/b>`"),
        ("<", "&lt;"),
        ("a\nb", "`a\\nb`"),
        ("", "``(empty)``"),
    ],
)
def test_code(text: str, expected: str) -> None:
    assert code(text) == expected


def read(text: str) -> tuple[set[str], str]:
    """What a CommonMark reader makes of a list item: the kinds of its parts, and the words that it shows."""
    reader = MarkdownIt("commonmark").enable("table").enable("strikethrough")
    blocks = reader.parse(f"* {text}")
    assert [block.type for block in blocks if block.type.endswith("_open")] == [
        "bullet_list_open",
        "list_item_open",
        "paragraph_open",
    ]
    parts = [part for block in blocks for part in block.children or ()]
    return {part.type for part in parts}, "".join(part.content for part in parts)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_reader_sees_code_as_it_is_written(name: str) -> None:
    kinds, words = read(code(name))
    assert kinds <= {"code_inline", "text", "text_special"}
    assert words == inert(name)
    assert "<" not in code(name)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_reader_sees_prose_as_it_is_written(name: str) -> None:
    kinds, words = read(prose(name))
    assert kinds <= {"text", "text_special"}
    assert words == inert(name)
    assert "<" not in prose(name)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Set storage_encrypted = true.", "Set storage_encrypted = true."),
        ("_all_ *is* `code`", "\\_all\\_ \\*is\\* \\`code\\`"),
        ("[l](u) ![i](u)", "\\[l\\](u) !\\[i\\](u)"),
        ("a|b $x$ ~~y~~ \\", "a\\|b \\$x\\$ \\~\\~y\\~\\~ \\\\"),
        ("<b> & &lt;", "&lt;b> &amp; &amp;lt;"),
        ("# not a heading", "\\# not a heading"),
        ("- not a list", "\\- not a list"),
        ("1. not a list", "1\u2060. not a list"),
        ("two\nlines", "two\\\\nlines"),
    ],
)
def test_prose(text: str, expected: str) -> None:
    assert prose(text) == expected
