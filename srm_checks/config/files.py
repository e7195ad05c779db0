"""Configuration files: where they are found, and the two syntaxes that they may have."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from srm_checks import reads
from srm_checks.errors import PackError, UsageError

FILE_NAME: Final = "srm-checks.yaml"
PYPROJECT: Final = "pyproject.toml"


@dataclass(frozen=True, slots=True)
class Document:
    """The settings of a file as plain data; `at` gives the place of a path in them for messages."""

    data: Mapping[Any, Any]
    at: Callable[[tuple[str | int, ...]], str]


def find(folder: str) -> str | None:
    """The nearest configuration file from `folder` upward, ending at the top of its git repository."""

    def candidates(current: str) -> str | None:
        path = os.path.join(current, FILE_NAME)
        if _is_file(path):
            return path
        path = os.path.join(current, PYPROJECT)
        return path if _is_file(path) and _has_table(path) else None

    return _upward(folder, candidates)


def find_named(folder: str, name: str) -> str | None:
    """The nearest file of a name from `folder` upward, ending at the top of its git repository."""

    def candidate(current: str) -> str | None:
        path = os.path.join(current, name)
        return path if _is_file(path) else None

    return _upward(folder, candidate)


def _is_file(path: str) -> bool:
    reads.presence(path)
    return os.path.isfile(path)


def _upward(folder: str, look: Callable[[str], str | None]) -> str | None:
    current = os.path.abspath(folder)
    while True:
        found = look(current)
        if found is not None:
            return relative(found)
        parent = os.path.dirname(current)
        reads.presence(os.path.join(current, ".git"))
        if parent == current or os.path.exists(os.path.join(current, ".git")):
            return None
        current = parent


def read(path: str) -> Document:
    """Read one configuration file; its name tells whether it is TOML or YAML. Raises `UsageError`."""
    return _read_toml(path) if path.endswith(".toml") else _read_yaml(path)


def _read_yaml(path: str) -> Document:
    from srm_checks.policy import source

    try:
        document = source.read(path)
    except PackError as error:
        raise UsageError(str(error)) from error
    return Document(document.data, document.at)


def _read_toml(path: str) -> Document:
    data = _parse_toml(path)
    tables = data.get("tool")
    if isinstance(tables, dict) and "srm-checks" in tables:
        table = tables["srm-checks"]
        if not isinstance(table, dict):
            raise UsageError(f"{path}: [tool.srm-checks] must be a table")
        return Document(table, lambda place: f"{path}: [tool.srm-checks]")
    if os.path.basename(path) == PYPROJECT:
        raise UsageError(f"{path}: has no table [tool.srm-checks]")
    return Document(data, lambda place: path)


def _parse_toml(path: str) -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib

    reads.file(path)
    try:
        with open(path, "rb") as stream:
            return tomllib.load(stream)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: not valid TOML: it is not UTF-8 text") from error
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path}: not valid TOML: {error}") from error


def _has_table(path: str) -> bool:
    # Most pyproject.toml on the way up are none of ours: look at the bytes before parsing, so that a broken one
    # of somebody else does not stop a scan.
    reads.file(path)
    try:
        with open(path, "rb") as stream:
            if b"srm-checks" not in stream.read():
                return False
    except OSError as error:
        raise UsageError(f"{relative(path)}: cannot be read: {error.strerror}") from error
    tables = _parse_toml(path).get("tool")
    return isinstance(tables, dict) and "srm-checks" in tables


def relative(path: str) -> str:
    """The path from the working directory, POSIX style."""
    try:
        return os.path.relpath(path).replace(os.sep, "/")
    except ValueError:  # another drive on Windows has no relative path
        return os.path.abspath(path).replace(os.sep, "/")


def common_folder(paths: Sequence[str]) -> str:
    """The folder from which the search starts: the deepest one that holds all scanned paths."""
    if not paths:
        return "."
    try:
        common = os.path.commonpath([os.path.abspath(path) for path in paths])
    except ValueError:  # paths on several drives
        return "."
    return common if os.path.isdir(common) else os.path.dirname(common)
