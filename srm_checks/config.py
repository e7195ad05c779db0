"""Configuration: `srm-checks.yaml`, or the table `[tool.srm-checks]` in `pyproject.toml`, as a frozen `Config`.

Which file holds: the one that the caller names, else `SRM_CHECKS_CONFIG` of the environment, else the nearest one
from the scanned path upward, not beyond the top of the git repository. A mistake in it is a `UsageError` with the
place; nothing is skipped over.
"""

from __future__ import annotations

import os
import posixpath
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from srm_checks.errors import PackError, UsageError
from srm_checks.model import Severity

ENVIRONMENT_VARIABLE: Final = "SRM_CHECKS_CONFIG"
FILE_NAME: Final = "srm-checks.yaml"
PYPROJECT: Final = "pyproject.toml"
DEFAULT_PACK: Final = "aws-baseline"
SCOPES: Final = ("stack", "account")
NEVER: Final = "never"


@dataclass(frozen=True, kw_only=True, slots=True)
class Config:
    """The settings of a scan.

    `packs` are names, or paths relative to the working directory. `fail_on` None: gaps do not fail the gate.
    `max_unknown` None: no limit. `undeclared` "gap" makes every protective setting that is not declared a gap.
    `strict_parameters` leaves the defaults of parameters and variables out. `policy_parameters` are values by
    policy id, then by name. `exclude` are globs relative to the working directory. `source` is the file, None where
    there was none.
    """

    packs: tuple[str, ...] = (DEFAULT_PACK,)
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    fail_on: Severity | None = Severity.MEDIUM
    max_unknown: int | None = None
    scope: str = "stack"
    undeclared: str | None = None
    strict_parameters: bool = False
    policy_parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: MappingProxyType({}))
    source: str | None = None


def resolve(paths: Sequence[str], explicit: str | None = None) -> Config:
    """The configuration for a scan of `paths`; the defaults where there is none.

    Raises `UsageError` where a named file does not exist or a file has a mistake.
    """
    named = explicit or os.environ.get(ENVIRONMENT_VARIABLE)
    if named:
        if not os.path.isfile(named):
            origin = "--config" if explicit else ENVIRONMENT_VARIABLE
            raise UsageError(f"{named}: the configuration file that {origin} names does not exist")
        return load(named)
    found = find(_common_folder(paths))
    return load(found) if found else Config()


def find(folder: str) -> str | None:
    """The nearest configuration file from `folder` upward, ending at the top of its git repository."""
    current = os.path.abspath(folder)
    while True:
        candidate = os.path.join(current, FILE_NAME)
        if os.path.isfile(candidate):
            return _relative(candidate)
        candidate = os.path.join(current, PYPROJECT)
        if os.path.isfile(candidate) and _has_table(candidate):
            return _relative(candidate)
        parent = os.path.dirname(current)
        if parent == current or os.path.exists(os.path.join(current, ".git")):
            return None
        current = parent


def load(path: str) -> Config:
    """Read one configuration file; its name tells whether it is TOML or YAML."""
    document = _read_toml(path) if path.endswith(".toml") else _read_yaml(path)
    settings: dict[str, Any] = {}
    for key, value in document.data.items():
        setting = _SETTINGS.get(key) if isinstance(key, str) else None
        if setting is None:
            raise UsageError(f"{document.at(key)}: unknown setting {key!r}{_suggestion(str(key), _SETTINGS)}")
        try:
            name, converted = setting(value)
        except ValueError as error:
            raise UsageError(f"{document.at(key)}: {key}: {error}") from error
        settings[name] = converted
    folder = os.path.dirname(path)
    if "packs" in settings:
        settings["packs"] = tuple(_pack(folder, pack) for pack in settings["packs"])
    if "exclude" in settings:
        settings["exclude"] = tuple(_glob(folder, glob) for glob in settings["exclude"])
    return Config(**settings, source=path)


# ------------------------------------------------------------------ the two syntaxes


@dataclass(frozen=True, slots=True)
class _Document:
    """The settings as plain data; `at` gives the place of a top-level key for messages."""

    data: Mapping[Any, Any]
    at: Callable[[Any], str]


def _read_yaml(path: str) -> _Document:
    from srm_checks.policy import source

    try:
        document = source.read(path)
    except PackError as error:
        raise UsageError(str(error)) from error
    return _Document(document.data, lambda key: document.at((key,)))


def _read_toml(path: str) -> _Document:
    data = _parse_toml(path)
    tables = data.get("tool")
    if isinstance(tables, dict) and "srm-checks" in tables:
        table = tables["srm-checks"]
        if not isinstance(table, dict):
            raise UsageError(f"{path}: [tool.srm-checks] must be a table")
        return _Document(table, lambda key: f"{path}: [tool.srm-checks]")
    if os.path.basename(path) == PYPROJECT:
        raise UsageError(f"{path}: has no table [tool.srm-checks]")
    return _Document(data, lambda key: path)


def _parse_toml(path: str) -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib

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
    try:
        with open(path, "rb") as stream:
            if b"srm-checks" not in stream.read():
                return False
    except OSError as error:
        raise UsageError(f"{_relative(path)}: cannot be read: {error.strerror}") from error
    tables = _parse_toml(path).get("tool")
    return isinstance(tables, dict) and "srm-checks" in tables


# ------------------------------------------------------------------ the settings


def _texts(name: str) -> Callable[[Any], tuple[str, Any]]:
    def convert(value: Any) -> tuple[str, Any]:
        if isinstance(value, str):
            return name, (value,)
        if isinstance(value, list) and all(isinstance(item, str) and item for item in value):
            return name, tuple(value)
        raise ValueError("must be a list of texts")

    return convert


def _word(name: str, meanings: Mapping[str, Any]) -> Callable[[Any], tuple[str, Any]]:
    def convert(value: Any) -> tuple[str, Any]:
        if isinstance(value, str) and value in meanings:
            return name, meanings[value]
        raise ValueError(f"must be one of {', '.join(meanings)}, not {value!r}{_suggestion(str(value), meanings)}")

    return convert


def _limit(value: Any) -> tuple[str, Any]:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return "max_unknown", value
    raise ValueError(f"must be a whole number from 0, not {value!r}")


def _parameters(value: Any) -> tuple[str, Any]:
    if isinstance(value, dict) and all(isinstance(inner, dict) for inner in value.values()):
        frozen = {str(policy): MappingProxyType(inner) for policy, inner in value.items()}
        return "policy_parameters", MappingProxyType(frozen)
    raise ValueError("must give parameters by policy id, such as {SRM-BCK-001: {minimum_days: 14}}")


_SETTINGS: Final[Mapping[str, Callable[[Any], tuple[str, Any]]]] = {
    "packs": _texts("packs"),
    "select": _texts("select"),
    "ignore": _texts("ignore"),
    "exclude": _texts("exclude"),
    "fail_on": _word("fail_on", {**{str(severity): severity for severity in Severity}, NEVER: None}),
    "max_unknown": _limit,
    "scope": _word("scope", {scope: scope for scope in SCOPES}),
    "undeclared": _word("undeclared", {"gap": "gap"}),
    "parameter_defaults": _word("strict_parameters", {"use": False, "strict": True}),
    "policy_parameters": _parameters,
}


# ------------------------------------------------------------------ paths


def _pack(folder: str, pack: str) -> str:
    """A pack given as a path counts from the configuration file's folder; a bare name stays a name."""
    looks_like_path = "/" in pack or os.sep in pack or pack in (".", "..")
    return _relative(os.path.join(folder, pack)) if looks_like_path else pack


def _glob(folder: str, glob: str) -> str:
    """A glob with a slash counts from the configuration file's folder, one without holds at any depth."""
    glob = glob.rstrip("/")
    return posixpath.normpath(posixpath.join(_relative(folder or "."), glob)) if "/" in glob else glob


def _relative(path: str) -> str:
    """The path from the working directory, POSIX style."""
    try:
        return os.path.relpath(path).replace(os.sep, "/")
    except ValueError:  # another drive on Windows has no relative path
        return os.path.abspath(path).replace(os.sep, "/")


def _common_folder(paths: Sequence[str]) -> str:
    """The folder from which the search starts: the deepest one that holds all scanned paths."""
    if not paths:
        return "."
    try:
        common = os.path.commonpath([os.path.abspath(path) for path in paths])
    except ValueError:  # paths on several drives
        return "."
    return common if os.path.isdir(common) else os.path.dirname(common)


def _suggestion(word: str, known: Mapping[str, Any]) -> str:
    from srm_checks.policy.source import suggest

    return suggest(word, known)
