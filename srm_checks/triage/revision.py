"""The files of another revision, laid out beside the work tree so that both sides can be scanned alike.

The files come from git's objects as they were committed: no filter, hook or attribute of the repository is run, and
nothing of the repository is written. The folder lies outside of it and goes afterwards.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Final

from srm_checks import git
from srm_checks.errors import UsageError
from srm_checks.globs import literally

_LINK: Final = "120000"
_SUBMODULE: Final = "160000"
_FORBIDDEN: Final = frozenset({"", ".", "..", ".git"})
_MODULES: Final = ".terraform"
_VARIABLES: Final = (".tfvars", ".tfvars.json")


@dataclass(frozen=True, slots=True)
class Side:
    """A work tree of another revision at `top` (absolute); `here` is what stands for the working directory there."""

    commit: str
    top: str
    here: str
    notes: tuple[str, ...]

    def path(self, path: str) -> str:
        """What a path from the working directory is on this side, relative to the working directory."""
        return os.path.relpath(os.path.normpath(os.path.join(self.here, path))).replace(os.sep, "/")

    def original(self, path: str) -> str:
        """The path from the working directory for which a path on this side stands."""
        return os.path.relpath(os.path.abspath(path), self.here).replace(os.sep, "/")

    def existing(self, paths: Sequence[str]) -> tuple[str, ...]:
        """The paths on this side. One that is not there gives way to the nearest folder above it that is."""
        found: dict[str, None] = {}
        for path in paths:
            there = os.path.normpath(os.path.join(self.here, path))
            while not os.path.exists(there) and there != self.top:
                there = os.path.dirname(there)
            found[os.path.relpath(there).replace(os.sep, "/")] = None
        return tuple(found)

    def glob(self, glob: str) -> str:
        """A glob relative to the working directory, as it is on this side."""
        if "/" not in glob:
            return glob
        return os.path.normpath(f"{literally(self.path('.'))}/{glob}").replace(os.sep, "/")


def commit_of(revision: str, folder: str = ".") -> tuple[str, str]:
    """The top of the git work tree that holds the folder, and the commit that a revision means there.

    Raises `UsageError` where there is no repository or no such commit in it.
    """
    try:
        top = os.fsdecode(git.ask(folder, "rev-parse", "--show-toplevel")).rstrip("\n")
    except git.GitError as error:
        raise UsageError(f"--diff {revision}: needs a git repository: {error}") from error
    if revision.startswith("-"):  # git would take it for an option
        raise UsageError(f"--diff {revision}: there is no such revision")
    try:
        return top, git.ask(top, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}").decode().strip()
    except git.GitError as error:
        raise UsageError(f"--diff {revision}: {_why_not_there(top)}") from error


def _why_not_there(top: str) -> str:
    try:
        shallow = git.ask(top, "rev-parse", "--is-shallow-repository").strip() == b"true"
    except git.GitError:
        shallow = False
    if not shallow:
        return "there is no such commit in this repository"
    return (
        "this clone is shallow and the commit is not in it. Fetch it first, such as with "
        "`git fetch --depth=1 origin <commit>`, or clone with the whole history (`fetch-depth: 0`, `GIT_DEPTH: 0`)"
    )


@contextlib.contextmanager
def laid_out(top: str, commit: str) -> Iterator[Side]:
    """The files of a commit, as long as the context lasts. Raises `UsageError` where git cannot give them."""
    top = os.path.realpath(top)
    inside = os.path.relpath(os.path.realpath(os.curdir), top)
    if inside.startswith(os.pardir):
        raise UsageError("--diff: the working directory lies outside of the repository")
    folder = os.path.realpath(tempfile.mkdtemp(prefix="srm-checks-"))
    try:
        notes: list[str] = []
        _lay_out(top, commit, folder, notes)
        yield Side(commit, folder, os.path.normpath(os.path.join(folder, inside)), tuple(notes))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _lay_out(top: str, commit: str, folder: str, notes: list[str]) -> None:
    # The mark of a repository's top, by which paths are counted; git itself finds no repository behind it.
    with open(os.path.join(folder, ".git"), "w", encoding="ascii") as stream:
        stream.write("gitdir: none\n")
    try:
        entries = [_Entry.of(line) for line in git.names(top, "ls-tree", "-r", "-z", "--full-tree", commit)]
        with tempfile.TemporaryFile() as errors, git.start(top, errors, "cat-file", "--batch") as process:
            assert process.stdin is not None
            assert process.stdout is not None
            links: dict[str, bytes] = {}
            for entry in entries:
                if entry.mode == _SUBMODULE:
                    continue
                process.stdin.write(f"{entry.object}\n".encode())
                process.stdin.flush()
                target, content = os.path.join(folder, entry.path), _content(process.stdout)
                if entry.mode == _LINK:
                    links[target] = content
                else:
                    _write(target, content)
        for entry in entries:
            if entry.mode == _SUBMODULE:
                _lay_out_submodule(top, entry, folder, notes)
        # Links come last, so that no file is written through one.
        for target, content in links.items():
            os.makedirs(os.path.dirname(target), exist_ok=True)
            os.symlink(content, os.fsencode(target))
    except (git.GitError, OSError) as error:
        raise UsageError(f"--diff: git could not give the files of {commit[:12]}: {error}") from error
    _link_untracked(top, folder)


@dataclass(frozen=True, slots=True)
class _Entry:
    mode: str
    object: str
    path: str

    @classmethod
    def of(cls, line: str) -> _Entry:
        head, _tab, path = line.partition("\t")
        mode, _kind, name = head.split(" ")
        if not _FORBIDDEN.isdisjoint(path.lower().split("/")):
            raise git.GitError(f"the tree holds a path that git itself would not check out: {path!r}")
        return cls(mode, name, path)


def _content(stream: IO[bytes]) -> bytes:
    """The next object of `git cat-file --batch`: a line with its size, the bytes, a line end."""
    head = stream.readline()
    found = re.fullmatch(rb"[0-9a-f]+ blob (\d+)\n", head)
    if found is None:
        raise git.GitError(f"an object is missing ({head.decode(errors='replace').strip()})")
    content = stream.read(int(found[1]))
    stream.read(1)
    return content


def _write(path: str, content: bytes) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as stream:
        stream.write(content)


def _lay_out_submodule(top: str, entry: _Entry, folder: str, notes: list[str]) -> None:
    inner = os.path.join(top, entry.path)
    target = os.path.join(folder, entry.path)
    os.makedirs(target, exist_ok=True)
    if not os.path.exists(os.path.join(inner, ".git")):
        return  # not checked out here either
    try:
        git.ask(inner, "cat-file", "-e", f"{entry.object}^{{commit}}")
    except git.GitError:
        notes.append(f"--diff: the submodule {entry.path} lacks commit {entry.object[:12]}, so all in it counts as new")
        return
    _lay_out(inner, entry.object, target, notes)


def _link_untracked(top: str, folder: str) -> None:
    """What git ignores and Terraform reads is the same on both sides: fetched modules and variable files."""
    arguments = ("ls-files", "--others", "--ignored", "--exclude-standard", "--directory", "-z")
    try:
        ignored = [name.rstrip("/") for name in git.names(top, *arguments)]
    except git.GitError as error:
        raise UsageError(f"--diff: git could not list what it ignores: {error}") from error
    for name in ignored:
        target = os.path.join(folder, name)
        parent = os.path.dirname(target)
        wanted = os.path.basename(name) == _MODULES or name.endswith(_VARIABLES)
        if wanted and os.path.isdir(parent) and os.path.realpath(parent) == parent and not os.path.lexists(target):
            os.symlink(os.path.join(top, name), target)
