"""Plain text for the commands that show policies and facts: labelled fields and columns."""

from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Sequence
from typing import Final

from srm_checks.cli.output import page_for
from srm_checks.report.inert import inert

_LABEL: Final = 24


def fields(pairs: Sequence[tuple[str, str]]) -> str:
    """One labelled line, or wrapped paragraph, for each pair whose text is not empty."""
    width = page_for(sys.stdout, os.environ).width
    lines: list[str] = []
    for label, text in pairs:
        if text:
            lines += textwrap.wrap(
                inert(text),
                max(width, 40),
                initial_indent=f"  {label:{_LABEL - 1}} ",
                subsequent_indent=" " * (_LABEL + 2),
                break_long_words=False,
                break_on_hyphens=False,
            )
    return "\n".join(lines) + "\n"


def columns(rows: Sequence[Sequence[str]]) -> str:
    """Rows as left-aligned columns, the last one as long as it is."""
    if not rows:
        return ""
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]) - 1)]
    lines = (
        "  ".join([*(inert(cell).ljust(width) for cell, width in zip(row, widths, strict=False)), inert(row[-1])])
        for row in rows
    )
    return "\n".join(lines) + "\n"
