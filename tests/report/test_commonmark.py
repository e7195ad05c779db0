"""Whatever a name holds, a Markdown reader shows it as text."""

from __future__ import annotations

import re

import pytest

from srm_checks.report.commonmark import code, prose
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


@pytest.mark.parametrize("name", HOSTILE)
def test_code_is_one_line_of_spans_and_nothing_else(name: str) -> None:
    text = code(name)
    assert text.isprintable()
    assert "<" not in text
    outside, fence = [], ""
    for piece in _runs(text):
        if piece.startswith("`"):
            fence = "" if fence == piece else fence or piece
        elif not fence:
            outside.append(piece)
    assert fence == ""
    assert set(outside) <= {"&lt;", "&lt;&lt;"}


def _runs(text: str) -> list[str]:
    return re.findall(r"`+|[^`]+", text)


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
