"""Lists the files under folders, leaving out what does not belong to the user's own code.

Left out are folders of tools and dependencies, what git ignores, and what the user excludes. Folders that are
symbolic links are not entered, so loops end; a link to a file is a file of its own. Devices, pipes and dangling
links are no files.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from srm_checks import git, reads
from srm_checks.errors import UsageError
from srm_checks.globs import match_path, path_pattern
from srm_checks.model import ScanError

TOOL_FOLDERS: Final = frozenset({".terraform", ".terragrunt-cache", "node_modules"})
"""Dependencies and caches: counted as skipped."""

_GIT_FOLDER: Final = ".git"


@dataclass(slots=True)
class Listing:
    """`files` that are wanted, relative to the working directory and sorted; how many others were left out; folders
    that could not be listed; remarks for the user."""

    files: list[str] = field(default_factory=list)
    skipped: int = 0
    errors: list[ScanError] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Globs over paths relative to the working directory.

    `*` and `?` stay within a name, `**` spans folders. A glob without a slash holds for a name at any depth; a glob
    that names a folder holds for all below it.
    """

    globs: tuple[str, ...] = ()

    @classmethod
    def of(cls, globs: Sequence[str]) -> Exclusion:
        """Raises UsageError for a glob with an impossible character range."""
        for glob in globs:
            try:
                path_pattern(glob)
            except re.error as error:
                raise UsageError(f"{glob!r} is no glob: {error}.") from error
        return cls(tuple(globs))

    def covers(self, path: str) -> bool:
        """Whether the path, or a folder above it, is excluded."""
        return any(match_path(glob, path) for glob in self.globs)


def relative(path: str) -> str:
    """The path from the working directory, POSIX style; one spelling for each file.

    Links among the parent folders are resolved, a link at the end is kept.
    """
    parent, name = os.path.split(path.rstrip(os.sep) or os.sep)
    if name in ("", ".", ".."):
        parent, name = path, ""
    return os.path.relpath(os.path.join(os.path.realpath(parent), name), os.path.realpath(os.curdir)).replace(
        os.sep, "/"
    )


def list_files(folders: Iterable[str], wanted: Callable[[str], bool], exclusion: Exclusion) -> Listing:
    """The files under `folders` whose name is `wanted`. Only wanted names count as skipped."""
    listing = Listing()
    seen: set[str] = set()
    ignored = _Ignored(listing.notes)
    for folder in folders:
        for path in _walk(folder, wanted, exclusion, ignored, listing):
            if path not in seen:
                seen.add(path)
                listing.files.append(path)
    listing.files.sort()
    return listing


def _walk(
    top: str, wanted: Callable[[str], bool], exclusion: Exclusion, ignored: _Ignored, listing: Listing
) -> Iterator[str]:
    ignored.enter(top)
    waiting = [top]
    while waiting:
        folder = waiting.pop()
        entries = _entries(folder, listing.errors)
        if folder != top and any(entry.name == _GIT_FOLDER for entry in entries):
            ignored.enter(folder)
        for entry in entries:
            path = entry.name if folder == "." else f"{folder}/{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                if path.startswith(".."):  # it may lead back to the working directory
                    path = os.path.relpath(path).replace(os.sep, "/")
                if entry.name == _GIT_FOLDER:
                    continue
                if entry.name in TOOL_FOLDERS or ignored.covers(path) or exclusion.covers(path):
                    listing.skipped += _count(path, wanted)
                else:
                    waiting.append(path)
            elif wanted(entry.name):
                if not entry.is_file() or ignored.covers(path) or exclusion.covers(path):
                    listing.skipped += 1
                else:
                    yield path


def _entries(folder: str, errors: list[ScanError]) -> list[os.DirEntry[str]]:
    reads.names(folder)
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        errors.append(ScanError(folder, "discovery", "parse", f"The folder cannot be listed: {reason}."))
        return []


def _count(top: str, wanted: Callable[[str], bool]) -> int:
    """How many files under a left-out folder have a wanted name; what cannot be listed there does not matter."""
    reads.tree(top)
    return sum(1 for _folder, _folders, names in os.walk(top) for name in names if wanted(name))


class _Ignored:
    """What git ignores, asked once for each repository that is entered."""

    def __init__(self, notes: list[str]) -> None:
        self._notes = notes
        self._asked: set[tuple[str, str]] = set()
        self._paths: set[str] = set()

    def covers(self, path: str) -> bool:
        return path in self._paths

    def enter(self, folder: str) -> None:
        """Learn what is ignored under `folder`. A folder that is itself ignored was asked for by name: nothing is."""
        top = git.enclosing_repository(folder)
        if top is None or (top, folder) in self._asked:
            return
        self._asked.add((top, folder))
        try:
            names = git.ignored(top, folder)
        except git.GitError as error:
            self._notes.append(
                f"git could not tell which files under {folder} it ignores, so none are left out: {error}"
            )
            return
        here = os.path.realpath(os.curdir)
        self._paths |= {os.path.relpath(os.path.join(top, name), here).replace(os.sep, "/") for name in names}
