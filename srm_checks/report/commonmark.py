"""Text as inert Markdown: GitHub, GitLab and every CommonMark reader show it as it is written.

Names and values that come from scanned files go through `code`: inside a code span no reader looks for links,
mentions, references or HTML. Texts of policies go through `prose`.
"""

from __future__ import annotations

import re
from typing import Final

from srm_checks.report.inert import inert

_SPECIAL: Final = re.compile(r"[\\`*\[\]~$|]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_LINE_START: Final = re.compile(r"^(#|[-+=>]|\d+(?=[.)]))")


def prose(text: str) -> str:
    """A sentence on one line, with everything escaped that Markdown, a table cell or HTML would act on."""
    escaped = _SPECIAL.sub(lambda match: "\\" + match.group(), inert(text))
    escaped = escaped.replace("&", "&amp;").replace("<", "&lt;")
    return _LINE_START.sub(_guarded, escaped)


def code(text: str) -> str:
    """A name or value as code span. Not for table cells: a pipe cannot be kept apart from a cell's end in all readers.

    A `<` stands outside of the span, as entity, so that the raw text holds no tag either.
    """
    pieces = inert(text).split("<")
    return "&lt;".join(_span(piece) if piece else "" for piece in pieces) or "``(empty)``"


def _span(text: str) -> str:
    runs = [len(run) for run in re.findall("`+", text)]
    fence = "`" * next(length for length in range(1, len(runs) + 2) if length not in runs)
    pad = " " if text.startswith(("`", " ")) or text.endswith(("`", " ")) else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def _guarded(match: re.Match[str]) -> str:
    start = match.group()
    return start + "\u2060" if start.isdigit() else "\\" + start
