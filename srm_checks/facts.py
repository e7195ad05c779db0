"""What was found out about single files, remembered for as long as their state on disk stays the same.

A file's state is its size, its times of change and its number in the file system; that costs one look and no reading.
A file that was changed just before it was read is not remembered: a second change might leave the same times.
"""

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

_SETTLED: Final = 2_000_000_000  # nanoseconds; the coarsest clock of a common file system
_LARGEST: Final = 256 * 1024 * 1024  # bytes; what is larger goes by its size and time
_MOST: Final = 100_000  # files that are remembered beyond those of the last scan


class Facts:
    """Facts about files by name. Each file is looked at once: a scan sees one picture of the file system.

    `known` is what an earlier scan `kept`: by path a file's state and its facts, all of it plain data.
    """

    def __init__(self, known: Mapping[str, Any] | None = None) -> None:
        self._known: dict[str, Any] = dict(known or {})
        self._seen: dict[str, bool] = {}  # whether the file has been as it is for long enough
        self._changed = False

    def of(self, path: str, name: str, find: Callable[[str], Any]) -> Any:
        """What `find` says of the file at a path, JSON-ready; asked only where it is not known.

        Raises OSError where there is no file, and what `find` raises.
        """
        facts = self._facts(path)
        if name not in facts:
            facts[name] = find(path)
            self._changed = True
        return facts[name]

    def mark(self, path: str) -> str:
        """The digest of the file's content. Raises OSError."""
        mark: str = self.of(path, "mark", _mark)
        return mark

    def kept(self) -> dict[str, Any] | None:
        """What is worth remembering, by path; None where that is known already."""
        if not self._changed:
            return None
        body = {path: entry for path, entry in self._known.items() if self._seen.get(path, True)}
        if len(body) > _MOST:
            body = {path: entry for path, entry in body.items() if path in self._seen}
        return body

    def _facts(self, path: str) -> dict[str, Any]:
        if path in self._seen:
            known: dict[str, Any] = self._known[path][1]
            return known
        status = os.stat(path)
        state = [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]
        self._seen[path] = max(status.st_mtime_ns, status.st_ctime_ns) < time.time_ns() - _SETTLED
        entry = self._known.get(path)
        facts: dict[str, Any] = {}
        if isinstance(entry, list) and len(entry) == 2 and entry[0] == state and isinstance(entry[1], dict):
            facts = entry[1]
        else:
            self._known[path] = [state, facts]
        return facts


def _mark(path: str) -> str:
    status = os.stat(path)
    if not stat.S_ISREG(status.st_mode):  # reading it may take forever
        return f"special {stat.S_IFMT(status.st_mode)}"
    if status.st_size > _LARGEST:
        return f"large {status.st_size} {status.st_mtime_ns}"
    with open(path, "rb") as stream:
        return hashlib.sha256(stream.read()).hexdigest()
