"""Globs: how paths and addresses are matched wherever a user writes a pattern."""

from __future__ import annotations

import functools
import os
import posixpath
import re
from typing import Final

_UP: Final = re.compile(r"(?:\./)?/?((?:\.\./)+)")
_INSTANCE_KEY: Final = re.compile(r"\[[^\]]*\]")


@functools.lru_cache(maxsize=1024)
def path_pattern(glob: str) -> re.Pattern[str]:
    """A glob over POSIX paths, for `match`.

    `*` and `?` stay within a name, `**` spans folders, `[a-z]` is one character. A glob without a slash holds for a
    name at any depth; a glob that names a folder holds for all below it. Raises `re.error` for an impossible range.
    """
    glob = glob.removeprefix("./").rstrip("/")
    anchored = "/" in glob
    pieces = re.split(r"(\*\*/?|\*|\?|\[!?[^]/]+\])", glob.lstrip("/"))
    translated = "".join(_translate(piece) for piece in pieces)
    return re.compile(("" if anchored else r"(?:.*/)?") + translated + r"(?:/.*)?\Z")


def match_path(glob: str, path: str) -> bool:
    """Whether a path matches; both count from the working directory, and either may lead up from it (`../x`)."""
    steps = _UP.match(glob)
    above = steps.group(1).count("..") if steps else 0
    if steps is None or not above:
        return bool(path_pattern(glob).match(path))
    here = os.path.realpath(os.curdir).replace(os.sep, "/").split("/")[-above:]
    return bool(path_pattern("/" + glob[steps.end() :]).match(posixpath.normpath("/".join([*here, path]))))


def literally(path: str) -> str:
    """A glob that matches this very path."""
    return re.sub(r"([*?\[])", r"[\1]", path)


@functools.lru_cache(maxsize=1024)
def address_pattern(glob: str) -> re.Pattern[str]:
    """A glob over resource addresses, for `match_address`: `*` and `?` are special, brackets hold instance keys."""
    translated = "".join({"*": r".*", "?": r"."}.get(letter, re.escape(letter)) for letter in glob)
    return re.compile(translated + r"\Z", re.DOTALL)


def match_address(pattern: re.Pattern[str], address: str) -> bool:
    """Whether the address matches; a pattern without instance keys means all instances."""
    return bool(pattern.match(address) or pattern.match(_INSTANCE_KEY.sub("", address)))


def _translate(piece: str) -> str:
    match piece:
        case "**/":
            return r"(?:.*/)?"
        case "**":
            return r".*"
        case "*":
            return r"[^/]*"
        case "?":
            return r"[^/]"
    if piece.startswith("[") and piece.endswith("]"):
        inside = piece[1:-1].replace("\\", r"\\").replace("[", r"\[")
        return f"[^{inside[1:]}]" if inside.startswith("!") else f"[{inside}]"
    return re.escape(piece)
