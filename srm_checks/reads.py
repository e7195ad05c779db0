"""What a unit reads from the file system, recorded, so that a later scan can tell whether any of it has changed.

Engines say what they are about to read (`file`, `listing`, `presence`, `tree`) just before they do: should a file
change in between, its recorded state is the older one, and the next scan looks again. Without a recorder this costs
one look at a variable.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator
from typing import Final, Literal, TypeAlias

from srm_checks.facts import Facts

Kind: TypeAlias = Literal["file", "listing", "presence", "tree"]

_MISSING: Final = "-"
_TERRAFORM: Final = (".tf", ".tofu", ".tf.json", ".tofu.json", ".tfvars", ".tfvars.json")
_recorders: list[Recorder] = []


class Recorder:
    """The reads of one unit: for each (kind, path) the state at that time. Paths are relative where they can be."""

    def __init__(self, states: States) -> None:
        self.reads: dict[tuple[Kind, str], str] = {}
        self._states = states
        self._seen: set[tuple[Kind, str]] = set()

    def note(self, kind: Kind, path: str) -> None:
        if (kind, path) not in self._seen:
            self._seen.add((kind, path))
            place = relative(path)
            self.reads[kind, place] = self._states.of(kind, place)


class States:
    """The states of files and folders, each looked at once: a scan sees one picture of the file system."""

    def __init__(self, facts: Facts | None = None) -> None:
        self._facts = facts or Facts()
        self._known: dict[tuple[str, str], str] = {}

    def of(self, kind: str, path: str) -> str:
        """A short text that changes when what `kind` reads at `path` changes."""
        known = self._known.get((kind, path))
        if known is None:
            known = self._known[kind, path] = self._content(path) if kind == "file" else _LOOKS[kind](path)
        return known

    def _content(self, path: str) -> str:
        try:
            return self._facts.mark(path)
        except OSError as error:
            return f"{_MISSING}{error.errno}"


@contextlib.contextmanager
def recorded(states: States) -> Iterator[Recorder]:
    """Record the reads inside the `with`."""
    recorder = Recorder(states)
    _recorders.append(recorder)
    try:
        yield recorder
    finally:
        _recorders.remove(recorder)


def file(path: str) -> None:
    """The content of a file is about to be read."""
    for recorder in _recorders:
        recorder.note("file", path)


def listing(folder: str) -> None:
    """The names of Terraform's configuration and variable files in a folder are about to be read."""
    for recorder in _recorders:
        recorder.note("listing", folder)


def presence(path: str) -> None:
    """Whether there is a file, a folder or nothing at a path is about to be asked."""
    for recorder in _recorders:
        recorder.note("presence", path)


def tree(folder: str) -> None:
    """The names of all files below a folder are about to be read."""
    for recorder in _recorders:
        recorder.note("tree", folder)


def relative(path: str) -> str:
    """A path from the working directory, so that a checkout may stand anywhere."""
    try:
        return os.path.relpath(path)
    except ValueError:  # another drive on Windows
        return os.path.abspath(path)


def _listing(folder: str) -> str:
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries if entry.name.endswith(_TERRAFORM) and not entry.is_dir())
    except OSError as error:
        return f"{_MISSING}{error.errno}"
    return _digest(names)


def _presence(path: str) -> str:
    return "folder" if os.path.isdir(path) else "file" if os.path.isfile(path) else _MISSING


def _tree(folder: str) -> str:
    return _digest(sorted(os.path.join(at, name) for at, _folders, files in os.walk(folder) for name in files))


def _digest(names: list[str]) -> str:
    return hashlib.sha256("\0".join(names).encode("utf-8", "surrogateescape")).hexdigest()


_LOOKS: Final = {"listing": _listing, "presence": _presence, "tree": _tree}
