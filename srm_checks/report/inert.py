"""Names, values and source lines come from files that anybody may have written; on a terminal they must do nothing."""

from __future__ import annotations

import unicodedata
from typing import Final

# Control characters, invisible formatting (also the marks that reverse text), lone surrogates, private and
# unassigned characters, and the separators that some terminals take for the end of a line.
_ACTIVE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def inert(text: str) -> str:
    r"""The text on one line with every character that a terminal would act on shown as an escape (`\x1b`)."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escaped(character) for character in text)


def _escaped(character: str) -> str:
    if unicodedata.category(character) not in _ACTIVE:
        return character
    return character.encode("unicode_escape").decode("ascii")


def columns(text: str) -> int:
    """How many terminal columns an inert text fills."""
    if text.isascii():
        return len(text)
    return sum(_width(character) for character in text)


def _width(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
