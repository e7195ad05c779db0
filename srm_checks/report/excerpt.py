"""Lines of the scanned files, for reports that show them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from srm_checks import reads

_TAB: Final = 4
_MEGABYTE: Final = 1_000_000


@dataclass(slots=True)
class Sources:
    """Gives lines of files by path; each file is read once."""

    _files: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def line(self, path: str, number: int) -> str | None:
        """Line `number` (from 1) without its end, tabs as spaces; None where the file does not have it (any more)."""
        if path not in self._files:
            self._files[path] = _lines(path)
        lines = self._files[path]
        return lines[number - 1].expandtabs(_TAB) if 0 < number <= len(lines) else None


def _lines(path: str) -> tuple[str, ...]:
    # The engine has judged this file before; here it only decorates. A file that cannot be read now has no
    # excerpt, and the finding says everything else.
    reads.file(path)
    try:
        with open(path, "rb") as stream:
            data = stream.read(50 * _MEGABYTE)
    except OSError:
        return ()
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = data.decode("utf-16", "replace")
    else:
        text = data.decode("utf-8-sig", "replace")
    return tuple(line.removesuffix("\r") for line in text.split("\n"))


def span(line: str, attribute: str | None) -> tuple[int, int, bool]:
    """What to point at in a line: start, end, and whether that is the attribute's own name.

    `attribute` is a path as in a finding (`ingress[0].cidr_blocks`). Where its name does not stand in the line,
    the code in the line is pointed at, without an opening bracket at its end.
    """
    for name in reversed(re.findall(r"[A-Za-z_][\w-]*", attribute or "")):
        found = re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", line)
        if found:
            return found.start(), found.end(), True
    code = line.rstrip()
    stripped = code.rstrip("{[( ") or code
    return len(line) - len(line.lstrip()), max(len(stripped), 1), False


def window(line: str, start: int, end: int, width: int) -> tuple[str, int, int]:
    """The part of a long line around `start`, at most `width` columns, and where the span lies in it."""
    if len(line) <= width:
        return line, start, end
    if end <= width - 3:
        return line[: width - 3] + "...", start, end
    first = max(0, start - width // 3)
    cut = line[first : first + width - 6]
    shown = "..." + cut + ("..." if first + len(cut) < len(line) else "")
    return shown, start - first + 3, min(end - first + 3, len(cut) + 3)
