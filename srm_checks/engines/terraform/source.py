"""Texts with places: from an offset to a line, from a file to a text."""

from __future__ import annotations

import codecs
import os
from bisect import bisect_right
from collections.abc import Callable

from srm_checks import reads
from srm_checks.errors import InputError
from srm_checks.model import SourceRange

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


class Source:
    """A text of a file. `first_line` is the line on which it starts (a JSON string starts inside its file)."""

    __slots__ = ("_line_starts", "first_line", "path", "text")

    def __init__(self, path: str, text: str, first_line: int = 1) -> None:
        self.path = path
        self.text = text
        self.first_line = first_line
        self._line_starts: list[int] | None = None

    def _starts(self) -> list[int]:
        starts = self._line_starts
        if starts is None:
            starts = [0]
            find = self.text.find
            at = find("\n")
            while at >= 0:
                starts.append(at + 1)
                at = find("\n", at + 1)
            self._line_starts = starts
        return starts

    def line(self, offset: int) -> int:
        """The line of `offset`, counted from 1 in the file."""
        return bisect_right(self._starts(), offset) - 1 + self.first_line

    def column(self, offset: int) -> int:
        """The column of `offset`, counted from 1."""
        starts = self._starts()
        return offset - starts[bisect_right(starts, offset) - 1] + 1

    def range(self, start: int, end: int) -> SourceRange:
        """The lines from `start` to just before `end`."""
        return SourceRange(self.path, self.line(start), self.line(max(start, end - 1)))

    def error(self, offset: int, message: str) -> InputError:
        """A parse error at `offset`; `message` is a sentence."""
        line = self.line(offset)
        return InputError(self.path, f"{line}:{self.column(offset)}: {message}", line=line)


def decode(raw: bytes) -> str:
    """The text of a file. Byte order marks are obeyed; what is not UTF-8 is read as Latin-1, which never fails.

    Latin-1 keeps every ASCII character of a file, so names and structure come out right; only the letters beyond
    ASCII in comments and descriptions may be wrong.
    """
    for mark, encoding in _MARKS:
        if raw.startswith(mark):
            text = raw[len(mark) :].decode(encoding, errors="replace")
            break
    else:
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError:
            text = raw.decode("latin-1")
    return text.replace("\r\n", "\n")


def read_text(path: str) -> str:
    """The text of the file at `path`. Raises InputError where it cannot be read."""
    try:
        return decode(reads.content(path))
    except OSError as problem:
        raise InputError(path, f"The file cannot be read: {problem.strerror or problem}.") from problem


def display_path(path: str) -> str:
    """`path` relative to the working directory, POSIX style, as the model wants it."""
    try:
        relative = os.path.relpath(path)
    except ValueError:  # another drive on Windows
        relative = os.path.abspath(path)
    return relative.replace(os.sep, "/")


_stamped: dict[tuple[str, str, int, int], object] = {}
_STAMPED_LIMIT = 4096


def read_once(path: str, kind: str, read: Callable[[str], object]) -> object:
    """`read(path)`, remembered for this process until the file changes (by its time and size).

    Roots that call the same module share what was read. An error is not remembered. Raises InputError where the
    file cannot be looked at.
    """
    reads.file(path)
    try:
        status = os.stat(path)
    except OSError as problem:
        raise InputError(path, f"The file cannot be read: {problem.strerror or problem}.") from problem
    key = (os.path.abspath(path), f"{kind}|{path}", status.st_mtime_ns, status.st_size)
    found = _stamped.get(key)
    if found is None:
        found = read(path)
        if len(_stamped) >= _STAMPED_LIMIT:
            _stamped.clear()
        _stamped[key] = found
    return found
