"""Identity: the marks by which a finding and its evidence are known again in another scan.

A mark holds no line number, and no position in a list: an element is known by its value. Paths in it are relative to
the top of the repository, so that it is the same from any folder.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from typing import Any, Final

from srm_checks import reads

CONFIGURATION: Final = "srm-checks.yaml"  # where there is no repository, its folder is the top

_MARKS: Final = (".git", CONFIGURATION)
_POSITION: Final = re.compile(r"(?<=\.)\d+(?=\.|\Z)")


def fingerprint(policy_id: str, framework: str, root: str, *rest: str) -> str:
    """The mark of a finding; `root` is relative to the repository's top (`repository_path`)."""
    text = "\0".join((policy_id, framework, root, *rest))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def evidence_fingerprint(policy_id: str, framework: str, root: str, address: str, path: str, value: Any) -> str:
    """The mark of one attribute that decided; `root` as in `fingerprint`, `value` is JSON-ready."""
    shown = json.dumps(value, sort_keys=True)
    return fingerprint(policy_id, framework, root, address, without_positions(path), shown)


def without_positions(path: str) -> str:
    """An attribute path with `*` for each position in a list: `ingress.*.cidr_blocks`."""
    return _POSITION.sub("*", path)


def repository_path(path: str) -> str:
    """A path relative to the top of what it belongs to, POSIX style."""
    return RepositoryPaths()(path)


class RepositoryPaths:
    """`repository_path` for many paths: what was seen of the folders above one is remembered for the others."""

    def __init__(self) -> None:
        self._tops: dict[str, str] = {}

    def __call__(self, path: str) -> str:
        absolute = os.path.abspath(path)
        folder = absolute if os.path.isdir(absolute) else os.path.dirname(absolute)
        top = self._top_of(folder)
        below = absolute[len(top) + 1 :] if absolute.startswith(top + os.sep) else os.path.relpath(absolute, top)
        return below.replace(os.sep, "/")

    def _top_of(self, folder: str) -> str:
        """`top_of`, which is that of the folder above wherever nothing marks this one."""
        top = self._tops.get(folder)
        if top is None:
            above = os.path.dirname(folder)
            marked = above == folder or any(_has(folder, name) for name in _MARKS)
            top = self._tops[folder] = top_of(folder) if marked else self._top_of(above)
        return top


def top_of(folder: str) -> str:
    """The absolute path of the top of what a folder belongs to.

    That is the top of its git work tree, else the folder of the nearest configuration file, else the working directory.
    """
    absolute = os.path.abspath(folder)
    return _nearest(absolute, ".git") or _nearest(absolute, CONFIGURATION) or os.getcwd()


def _nearest(folder: str, name: str) -> str | None:
    """The nearest folder, from this one upward, that has an entry of this name."""
    while not _has(folder, name):
        parent = os.path.dirname(folder)
        if parent == folder:
            return None
        folder = parent
    return folder


def _has(folder: str, name: str) -> bool:
    path = os.path.join(folder, name)
    reads.presence(path)
    return os.path.exists(path)
