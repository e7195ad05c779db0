"""A scan of which nothing has changed says again what it said: the same bytes, the same exit code, and little work.

The cache remembers whole scans by command line, working directory, environment, day and versions. Beside what a scan
said stands the state of all that was read for it (reads.py): by its units, and by all else that looked at a file. If
one of these states is another, the scan runs. So does one that talks to a terminal, and one that rested on something
of which nobody can tell whether it is as it was (`reads.unsure`).

This module is imported before the command line is, and instead of it: it must stay light.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, BinaryIO, Final, TextIO, cast

from srm_checks import reads
from srm_checks.cache import Cache, default_folder, digest
from srm_checks.reads import States
from srm_checks.versions import code_mark, engine_versions

_MOST: Final = 8 * 1024 * 1024  # bytes that are kept of what a scan says
_IDLE_VARIABLES: Final = frozenset({"OLDPWD", "PWD", "SHLVL", "_"})  # a shell changes them with each command
_FINISHED: Final = (0, 1, 3)  # the exit codes of scans that came to their end

_files: dict[str, bytearray] | None = None


def run(arguments: Sequence[str], command: Callable[[Sequence[str]], int]) -> int:
    """The exit code of a scan's command line; `command` runs it where it is not known what it says."""
    folder = _cache_folder(arguments)
    if folder is None:
        return command(arguments)
    with Cache(folder) as cache, cache.facts() as facts:
        states = States(facts)
        key = _key(arguments)
        known = cache.answer(key)
        if _holds(known, states) and _said(known, arguments):
            code: int = known["code"]
            return code
        with reads.recorded(states) as recorder, _heard() as heard:
            code = command(arguments)
        if code in _FINISHED and not recorder.unsure and heard.size <= _MOST:
            read = [[kind, path, state] for (kind, path), state in recorder.reads.items()]
            cache.keep_answer(key, {"reads": read, "code": code, **heard.said()})
    return code


def wrote(path: str, content: bytes) -> None:
    """More of a report was written to a file."""
    if _files is not None:
        kept = _files.setdefault(path, bytearray())
        if len(kept) <= _MOST:
            kept += content


def _cache_folder(arguments: Sequence[str]) -> str | None:
    """Where the cache is; None where the scan must run and is not to be remembered."""
    if "--no-cache" in arguments:
        return None
    if any(stream.isatty() or not hasattr(stream, "buffer") for stream in (sys.stdout, sys.stderr)):
        return None
    folder = default_folder()
    for number, argument in enumerate(arguments):
        if argument == "--cache-dir" and number + 1 < len(arguments):
            folder = arguments[number + 1]
        elif argument.startswith("--cache-dir="):
            folder = argument.partition("=")[2]
    return folder or None


def _key(arguments: Sequence[str]) -> str:
    """All that has a say and is no file."""
    return digest(
        [
            "answer",
            list(arguments),
            os.getcwd(),
            os.path.realpath(os.curdir),
            sorted((name, value) for name, value in os.environ.items() if name not in _IDLE_VARIABLES),
            time.strftime("%Y-%m-%d"),
            sys.stdout.encoding,
            sys.stderr.encoding,
            sys.version_info[:3],
            code_mark(),
            sorted(engine_versions().items()),
        ]
    )


def _holds(known: Any, states: States) -> bool:
    """Whether all that an answer rests on is as it was; an answer of another shape is none."""
    try:
        return known is not None and all(_state(kind, path, states) == state for kind, path, state in known["reads"])
    except (KeyError, TypeError, ValueError):
        return False


def _state(kind: str, path: str, states: States) -> str:
    if kind != "ignored":
        return states.of(kind, path)
    from srm_checks import git

    try:
        return git.ignored_state(path)
    except git.GitError:
        return ""


def _said(known: Any, arguments: Sequence[str]) -> bool:
    """Say an answer again; False, with nothing said, where it is damaged or a file cannot be written.

    Somebody else may have filled the cache, so only files that the command line names are written.
    """
    try:
        said = {name: known[name].encode("utf-8", "surrogateescape") for name in ("out", "err")}
        files = {path: text.encode("utf-8", "surrogateescape") for path, text in known["files"].items()}
        if known["code"] not in _FINISHED or not all(_is_named(path, arguments) for path in files):
            return False
        for path, content in files.items():
            with open(path, "wb") as stream:
                stream.write(content)
    except (AttributeError, KeyError, OSError, TypeError, ValueError):
        return False
    sys.stderr.buffer.write(said["err"])
    sys.stderr.flush()
    try:
        sys.stdout.buffer.write(said["out"])
        sys.stdout.flush()
    except BrokenPipeError:  # as the command line has it: the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return True


def _is_named(path: str, arguments: Sequence[str]) -> bool:
    return any(argument.endswith(f"={path}") for argument in arguments)  # -f FORMAT=FILE


class _Ear(io.BufferedIOBase):
    """Passes on what is written to a stream and keeps it, as long as it is not too much."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream.buffer
        self._descriptor = stream.fileno
        self.kept = bytearray()
        self.size = 0

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor()

    def write(self, data: Any) -> int:
        try:
            self._stream.write(data)
        except OSError:
            self.size = _MOST + 1  # the reader left: what was heard is not all
            raise
        self.size += len(data)
        if self.size <= _MOST:
            self.kept += data
        return len(data)

    def flush(self) -> None:
        if not self._stream.closed:
            self._stream.flush()


class _Heard:
    """What was said on standard output, standard error and in files."""

    def __init__(self, out: _Ear, err: _Ear, files: dict[str, bytearray]) -> None:
        self._out, self._err, self._files = out, err, files

    @property
    def size(self) -> int:
        return self._out.size + self._err.size + sum(map(len, self._files.values()))

    def said(self) -> dict[str, Any]:
        """As plain data."""
        return {
            "out": self._out.kept.decode("utf-8", "surrogateescape"),
            "err": self._err.kept.decode("utf-8", "surrogateescape"),
            "files": {path: content.decode("utf-8", "surrogateescape") for path, content in self._files.items()},
        }


@contextlib.contextmanager
def _heard() -> Iterator[_Heard]:
    """Hear what is said inside of the `with`."""
    global _files
    streams = sys.stdout, sys.stderr
    ears = [_Ear(stream) for stream in streams]
    sys.stdout, sys.stderr = (
        io.TextIOWrapper(cast(BinaryIO, ear), stream.encoding, stream.errors, write_through=True)
        for ear, stream in zip(ears, streams, strict=True)
    )
    _files = {}
    try:
        yield _Heard(ears[0], ears[1], _files)
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError):
                stream.flush()
            stream.detach()
        sys.stdout, sys.stderr = streams
        _files = None
