"""Subjects of texts that are put together: what the open pieces of a text are, each by its own subject.

The subject of a value (model.Unknown) is the key under which it is the same wherever it is read. That of a text made
of several pieces has its known pieces as they are, and each open one as the subject of its value between two marks. So
equal texts have equal subjects however they are written, and who reads one sees where the open pieces come from, also
behind a local value or a parameter that is known.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from srm_checks.model import Unknown

_OPEN, _CLOSE = "\ue000", "\ue001"  # private characters, in no real text
_HOLE: Final = re.compile(f"{_OPEN}([^{_OPEN}{_CLOSE}]*){_CLOSE}")
_RUN: Final = re.compile(f"(?:{_OPEN}[^{_OPEN}{_CLOSE}]*{_CLOSE})+")


def composed(pieces: Iterable[str | Unknown]) -> str:
    """The subject of the text made of these pieces, "" where one of them has none."""
    found: list[str] = []
    for piece in pieces:
        if isinstance(piece, str):
            found.append(piece)
        elif not piece.subject:
            return ""
        elif _OPEN in piece.subject:
            found.append(piece.subject)
        elif piece.parts is None:
            found.append(hole(piece.subject))
        else:  # a hole of it is not the whole of it
            found += [
                hole(f"{piece.subject}#{index}") if part is None else part for index, part in enumerate(piece.parts)
            ]
    return "".join(found)


def hole(subject: str) -> str:
    """An open piece; `subject` may itself hold open pieces."""
    return f"{_OPEN}{unmarked(subject)}{_CLOSE}"


def unmarked(subject: str) -> str:
    """A subject to stand inside of another one."""
    return subject.replace(_OPEN, "${").replace(_CLOSE, "}")


def pieces_of(subject: str) -> list[str]:
    """The subjects of the open pieces of a text; none where it is not known what the text is made of."""
    return _HOLE.findall(subject)


def by_hole(subject: str) -> list[str]:
    """For each hole of a text the subject of what fills it: one open piece, or several without anything in between."""
    runs = [run[0] for run in _RUN.finditer(subject)]
    return [run if run.count(_OPEN) > 1 else run[1:-1] for run in runs]
