"""Questions to git. The repository is somebody else's: nothing of it is run, nothing in it is changed."""

from __future__ import annotations

import hashlib
import os
import subprocess
from typing import IO, Final

from srm_checks import reads
from srm_checks.errors import SrmError

SECONDS: Final = 60.0  # for one question

# A git hook sets these for its own repository; here the repository is found from the folder.
_LOCAL_VARIABLES: Final = (
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_PREFIX",
    "GIT_COMMON_DIR",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_NAMESPACE",
)
# `core.fsmonitor` would run a program that the repository names; a partial clone would fetch over the network.
_SETTINGS: Final = (
    "--no-optional-locks",
    "--literal-pathspecs",
    "-c",
    "core.fsmonitor=false",
    "-c",
    "protocol.allow=never",
)
_IGNORED: Final = ("ls-files", "--others", "--ignored", "--exclude-standard", "--directory", "-z")


class GitError(SrmError):
    """git is not there, or could not answer; `str()` is its first line."""


def ask(folder: str, *arguments: str) -> bytes:
    """What git prints, run in `folder`. Raises `GitError`."""
    reads.unsure()  # it may depend on anything in the repository
    return _ask(folder, *arguments)


def _ask(folder: str, *arguments: str) -> bytes:
    try:
        return subprocess.run(
            _command(arguments),
            cwd=folder,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
            timeout=SECONDS,
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise GitError(_reason(error)) from error


def names(folder: str, *arguments: str) -> list[str]:
    """The file names that git prints, each ended by a zero byte (`-z`). Raises `GitError`."""
    return _names(ask(folder, *arguments))


def _names(printed: bytes) -> list[str]:
    return [os.fsdecode(name) for name in printed.split(b"\0") if name]


def enclosing_repository(folder: str) -> str | None:
    """The top of the git work tree that the folder lies in, or None."""
    at = os.path.realpath(folder)
    while True:
        reads.presence(os.path.join(at, ".git"))
        if os.path.exists(os.path.join(at, ".git")):
            return at
        parent = os.path.dirname(at)
        if parent == at:
            return None
        at = parent


def ignored(top: str, folder: str) -> list[str]:
    """The files and folders under `folder` that git ignores, relative to the `top` of its repository."""
    try:
        printed = _ignored(top, folder)
    except GitError:
        reads.unsure()
        raise
    reads.told("ignored", folder, hashlib.sha256(printed).hexdigest())
    return [name.rstrip("/") for name in _names(printed)]


def ignored_state(folder: str) -> str:
    """The state of what git ignores under a folder, as `ignored` tells it to whoever records. Raises `GitError`."""
    top = enclosing_repository(folder)
    return "" if top is None else hashlib.sha256(_ignored(top, folder)).hexdigest()


def _ignored(top: str, folder: str) -> bytes:
    return _ask(top, *_IGNORED, "--", os.path.relpath(os.path.realpath(folder), top))


def start(folder: str, errors: IO[bytes], *arguments: str) -> subprocess.Popen[bytes]:
    """git as a running process that is asked through its standard input. Raises `GitError` where there is no git."""
    reads.unsure()
    try:
        return subprocess.Popen(
            _command(arguments),
            cwd=folder,
            env=_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
        )
    except OSError as error:
        raise GitError(_reason(error)) from error


def _command(arguments: tuple[str, ...]) -> list[str]:
    return ["git", "--no-optional-locks", "--literal-pathspecs", *_SETTINGS, *arguments]


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in _LOCAL_VARIABLES}
    return {**kept, "GIT_NO_LAZY_FETCH": "1", "GIT_TERMINAL_PROMPT": "0"}


def _reason(error: Exception) -> str:
    if isinstance(error, subprocess.CalledProcessError):
        return os.fsdecode(error.stderr).strip().partition("\n")[0] or f"exit code {error.returncode}"
    if isinstance(error, subprocess.TimeoutExpired):
        return f"no answer within {error.timeout:.0f} seconds"
    return str(getattr(error, "strerror", None) or error)
