"""Files that expressions read: `file`, `fileexists`, `fileset`, `templatefile` and the like."""

from __future__ import annotations

import base64
import fnmatch
import hashlib
import os
from typing import Final

from srm_checks import reads
from srm_checks.engines.terraform.source import decode, display_path

_SIZE_LIMIT: Final = 4_000_000
_ENTRY_LIMIT: Final = 20_000


class RepositoryFiles:
    """The files below the repository that a root lies in. Nothing outside of it is read.

    Relative paths start at the root's directory, as Terraform runs there. `read` collects what was read.
    """

    def __init__(self, root: str) -> None:
        self.root = root
        self.top = _top(root)
        self.read: set[str] = set()

    def locate(self, path: str) -> str | None:
        """The place of a file or directory; None where it lies outside of the repository."""
        real = os.path.realpath(os.path.join(self.root, path))
        if real != self.top and not real.startswith(self.top.rstrip(os.sep) + os.sep):
            return None
        return real

    def exists(self, path: str) -> bool | None:
        """Whether there is such a file; None where that is not to be looked at."""
        place = self.locate(path)
        if place is None:
            return None
        reads.presence(place)
        return os.path.isfile(place)

    def content(self, path: str) -> bytes | None:
        """The bytes of a file; None where they cannot be had."""
        place = self.locate(path)
        if place is not None:
            reads.file(place)
        try:
            if place is None or not os.path.isfile(place) or os.path.getsize(place) > _SIZE_LIMIT:
                return None
            with open(place, "rb") as file:
                content = file.read()
        except OSError:
            return None
        self.read.add(display_path(os.path.join(self.root, path)))
        return content

    def text(self, path: str) -> str | None:
        """The text of a file; None where it cannot be had or is no text."""
        content = self.content(path)
        return None if content is None or b"\0" in content else decode(content)

    def matching(self, directory: str, pattern: str) -> list[str] | None:
        """The files below `directory` whose relative path matches, sorted; None where they cannot be listed."""
        place = self.locate(directory)
        if place is None:
            return None
        reads.tree(place)
        found: list[str] = []
        seen = 0
        for folder, _, names in os.walk(place):
            seen += len(names) + 1
            if seen > _ENTRY_LIMIT:
                return None
            for name in names:
                relative = os.path.relpath(os.path.join(folder, name), place).replace(os.sep, "/")
                if any(_matches(relative, single) for single in _alternatives(pattern)):
                    found.append(relative)
        return sorted(found)


def _top(root: str) -> str:
    """The repository's directory, else the working directory if the root lies below it, else the root."""
    at = os.path.realpath(root)
    while True:
        reads.presence(os.path.join(at, ".git"))
        if os.path.exists(os.path.join(at, ".git")):
            return at
        parent = os.path.dirname(at)
        if parent == at:
            break
        at = parent
    real, here = os.path.realpath(root), os.path.realpath(os.curdir)
    return here if real == here or real.startswith(here.rstrip(os.sep) + os.sep) else real


def _alternatives(pattern: str) -> list[str]:
    """A pattern without its first `{a,b}`."""
    start = pattern.find("{")
    end = pattern.find("}", start)
    if start < 0 or end < 0:
        return [pattern]
    options = pattern[start + 1 : end].split(",")
    return [
        single for option in options[:64] for single in _alternatives(pattern[:start] + option + pattern[end + 1 :])
    ]


def _matches(path: str, pattern: str) -> bool:
    return _match_segments(path.split("/"), [segment for segment in pattern.split("/") if segment not in ("", ".")])


def _match_segments(path: list[str], pattern: list[str]) -> bool:
    if not pattern:
        return not path
    if pattern[0] == "**":
        return any(_match_segments(path[at:], pattern[1:]) for at in range(len(path) + 1))
    return bool(path) and fnmatch.fnmatchcase(path[0], pattern[0]) and _match_segments(path[1:], pattern[1:])


def digest(name: str, content: bytes) -> str:
    """The result of `filemd5` and its like."""
    algorithm = name.removeprefix("file").removeprefix("base64")
    raw = hashlib.new(algorithm, content, usedforsecurity=False).digest()
    return base64.b64encode(raw).decode() if "base64" in name else raw.hex()
