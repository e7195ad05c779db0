"""What a unit, or a whole scan, reads from the file system, recorded: so a later scan can tell whether it has changed.

Whoever reads says so (`file`, `listing`, `names`, `presence`, `tree`) just before: should a file change in between, its
recorded state is the older one, and the next scan looks again. Without a recorder this costs one look at a variable.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from typing import Final, Literal, TypeAlias

from srm_checks.facts import Facts

Kind: TypeAlias = Literal["file", "listing", "names", "presence", "tree", "ignored"]

_MISSING: Final = "-"
_TERRAFORM: Final = (".tf", ".tofu", ".tf.json", ".tofu.json", ".tfvars", ".tfvars.json")
_recorders: list[Recorder] = []


class Recorder:
    """Reads: for each (kind, path) the state at that time. Paths are relative where they can be.

    `unsure` is set where something had a say that is not among them.
    """

    def __init__(self, states: States) -> None:
        self.reads: dict[tuple[Kind, str], str] = {}
        self.unsure = False
        self.states = states
        self._seen: set[tuple[Kind, str]] = set()

    def note(self, kind: Kind, path: str) -> None:
        if (kind, path) not in self._seen:
            self._seen.add((kind, path))
            place = relative(path)
            self.reads[kind, place] = self.states.of(kind, place)


class States:
    """The states of files and folders, each looked at once: a scan sees one picture of the file system."""

    def __init__(self, facts: Facts | None = None) -> None:
        self.facts = facts or Facts()
        self._known: dict[tuple[str, str], str] = {}

    def of(self, kind: str, path: str) -> str:
        """A short text that changes when what `kind` reads at `path` changes."""
        known = self._known.get((kind, path))
        if known is None:
            known = self._known[kind, path] = self._content(path) if kind == "file" else _LOOKS[kind](path)
        return known

    def _content(self, path: str) -> str:
        try:
            return self.facts.mark(path)
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


def content(path: str) -> bytes:
    """The bytes of a file; its reading is recorded. Raises OSError, for a pipe or a device too: one may have no end."""
    file(path)
    mode = os.stat(path).st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise OSError(errno.EINVAL, "it is a pipe, a device or the like and no ordinary file", path)
    with open(path, "rb") as stream:
        return stream.read()


def listing(folder: str) -> None:
    """The names of Terraform's configuration and variable files in a folder are about to be read."""
    for recorder in _recorders:
        recorder.note("listing", folder)


def names(folder: str) -> None:
    """The names of all that is in a folder are about to be read, and which of them are folders or links."""
    for recorder in _recorders:
        recorder.note("names", folder)


def presence(path: str) -> None:
    """Whether there is a file, a folder or nothing at a path is about to be asked."""
    for recorder in _recorders:
        recorder.note("presence", path)


def tree(folder: str) -> None:
    """The names of all files below a folder are about to be read."""
    for recorder in _recorders:
        recorder.note("tree", folder)


def told(kind: Kind, path: str, state: str) -> None:
    """Another program has told the state of something."""
    for recorder in _recorders:
        recorder.reads[kind, relative(path)] = state


def taken(read: Iterable[tuple[Kind, str, str]]) -> None:
    """What somebody else has read had a say: a worker, or an earlier scan whose answer is taken."""
    for recorder in _recorders:
        recorder.reads.update({(kind, path): state for kind, path, state in read})


def unsure() -> None:
    """Something has a say whose state nobody can tell later."""
    for recorder in _recorders:
        recorder.unsure = True


def shared_states() -> States | None:
    """What the outermost recorder has seen of the file system; None without one."""
    return _recorders[0].states if _recorders else None


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


def _names(folder: str) -> str:
    try:
        with os.scandir(folder) as entries:
            return _digest(sorted(f"{entry.name}/{entry.is_dir()}{entry.is_symlink()}" for entry in entries))
    except OSError as error:
        return f"{_MISSING}{error.errno}"


def _presence(path: str) -> str:
    return "folder" if os.path.isdir(path) else "file" if os.path.isfile(path) else _MISSING


def _tree(folder: str) -> str:
    return _digest(sorted(os.path.join(at, name) for at, _folders, files in os.walk(folder) for name in files))


def _digest(entries: list[str]) -> str:
    return hashlib.sha256("\0".join(entries).encode("utf-8", "surrogateescape")).hexdigest()


_LOOKS: Final = {"listing": _listing, "names": _names, "presence": _presence, "tree": _tree}
