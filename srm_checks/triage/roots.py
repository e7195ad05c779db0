"""What became of the roots that a baseline names: still there, gone, or renamed."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from srm_checks import git, reads
from srm_checks.triage.baseline import WHOLE_ACCOUNT, Key

_CONFIGURATION: Final = (".tf", ".tf.json", ".tofu", ".tofu.json")


@dataclass(slots=True)
class Roots:
    """The roots below `top` as they are on disk, against a time before.

    `revision` tells the commit of that time, or None where nobody knows; git is asked once, and only if need be.
    """

    top: str
    revision: Callable[[], str | None]
    _known: _Known | None = field(default=None, init=False)

    def is_gone(self, key: Key) -> bool:
        """Whether the root of an entry is no longer there, or has no Terraform files left."""
        if key.root == WHOLE_ACCOUNT:
            return False
        path = os.path.join(self.top, key.root)
        if key.framework != "terraform":
            reads.presence(path)
            return not os.path.isfile(path)
        reads.names(path)
        try:
            return not any(name.endswith(_CONFIGURATION) for name in os.listdir(path))
        except OSError:
            return True

    def renamed(self, root: str) -> str | None:
        """The root that took the place of one that is gone; None where git does not know of one."""
        renames = self._ask().renames
        if root in renames:
            return renames[root]
        folders = {posixpath.dirname(new) for old, new in renames.items() if posixpath.dirname(old) == root}
        return folders.pop() if len(folders) == 1 else None

    def may_have_been_renamed_to(self, root: str) -> bool:
        """Whether git cannot tell: it has no answer, or does not know the files of this root yet."""
        known = self._ask()
        return not known.answered or root in known.untracked

    def _ask(self) -> _Known:
        if self._known is None:
            self._known = _ask_git(self.top, self.revision())
        return self._known


@dataclass(frozen=True, slots=True)
class _Known:
    """Git's answer: renamed files (new name by old name), untracked files with their folders."""

    renames: Mapping[str, str] = field(default_factory=dict)
    untracked: frozenset[str] = frozenset()
    answered: bool = False


_RENAMES: Final = ("--find-renames", "--diff-filter=R", "--name-status", "-z", "--no-ext-diff")


def _ask_git(top: str, revision: str | None) -> _Known:
    if revision is None:
        return _Known()
    try:
        words = git.names(top, "diff", *_RENAMES, revision, "--")
        untracked = git.names(top, "ls-files", "--others", "--exclude-standard", "-z")
    except git.GitError:  # the revision is not in a shallow clone
        return _Known()
    # Each rename is its score, the old and the new name.
    renames = dict(zip(words[1::3], words[2::3], strict=False))
    return _Known(renames, frozenset([*untracked, *map(posixpath.dirname, untracked)]), answered=True)


def last_change_of(path: str) -> Callable[[], str | None]:
    """The commit that last changed a file; None where it is not in a repository, or was not committed yet."""

    def revision() -> str | None:
        folder = os.path.dirname(os.path.abspath(path))
        try:
            found = git.ask(folder, "log", "-1", "--format=%H", "--", os.path.basename(path))
        except git.GitError:
            return None
        return found.decode().strip() or None

    return revision
