"""Configuration: `srm-checks.yaml`, or the table `[tool.srm-checks]` in `pyproject.toml`, as a frozen `Config`.

Which file holds: the one that the caller names, else `SRM_CHECKS_CONFIG` of the environment, else the nearest one
from the scanned path upward, not beyond the top of the git repository. Over it goes the environment:
`SRM_CHECKS_FAIL_ON` is `fail_on`, lists are separated by commas. A mistake is a `UsageError` with the place; nothing
is skipped over.
"""

from __future__ import annotations

import datetime
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Final

from srm_checks import reads
from srm_checks.config.files import FILE_NAME, PYPROJECT, common_folder, find, find_named, read
from srm_checks.config.settings import DEFAULT_PACK, ERROR, FINDING, NEVER, SCOPES, SERVICE_MODELS, SETTINGS, Setting
from srm_checks.errors import UsageError
from srm_checks.gate import Budget, Limit
from srm_checks.model import Severity
from srm_checks.nearest import nearest
from srm_checks.triage.assumptions import Assumption
from srm_checks.triage.terms import Mistake
from srm_checks.triage.waivers import FILE_NAME as WAIVERS_FILE_NAME

__all__ = [
    "DEFAULT_PACK",
    "ENVIRONMENT_VARIABLE",
    "ERROR",
    "FILE_NAME",
    "FINDING",
    "NEVER",
    "PYPROJECT",
    "SCOPES",
    "SERVICE_MODELS",
    "Config",
    "Origin",
    "find",
    "load",
    "resolve",
]

ENVIRONMENT_VARIABLE: Final = "SRM_CHECKS_CONFIG"
TODAY_VARIABLE: Final = "SRM_CHECKS_TODAY"
_PREFIX: Final = "SRM_CHECKS_"


@dataclass(frozen=True, slots=True)
class Origin:
    """The value of a setting as a user would write it, paths relative to the working directory, and who set it."""

    value: Any
    place: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Config:
    """The settings of a scan.

    `packs` are names, or paths relative to the working directory. `fail_on` None: gaps do not fail the gate, but for
    what `limits` say by group. `max_unknown` None: no limit; `budgets` are limits of unknowns by group. `undeclared`
    "gap" makes every protective setting that is not declared a gap. `strict_parameters` leaves the defaults of
    parameters and variables out. `policy_parameters` are values by policy id, then by name. `exclude` are globs
    relative to the working directory, `baseline` and `waivers` paths from there. `today` is the day against which dates
    are held, None for the current one. `source` is the file, None where there was none. `origins` tells for each key
    where its value comes from; `notes` are remarks for the user.
    """

    packs: tuple[str, ...] = (DEFAULT_PACK,)
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    fail_on: Severity | None = Severity.MEDIUM
    limits: tuple[Limit, ...] = ()
    max_unknown: int | None = None
    budgets: tuple[Budget, ...] = ()
    scope: str = "stack"
    undeclared: str | None = None
    strict_parameters: bool = False
    policy_parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: MappingProxyType({}))
    baseline: str | None = None
    waivers: str | None = None
    expired_waivers: str = ERROR
    suppress_equivalents: bool = False
    assume: tuple[Assumption, ...] = ()
    today: datetime.date | None = None
    source: str | None = None
    origins: Mapping[str, Origin] = field(default_factory=dict, compare=False, repr=False)
    notes: tuple[str, ...] = field(default=(), compare=False)


def resolve(paths: Sequence[str], explicit: str | None = None) -> Config:
    """The configuration for a scan of `paths`; the defaults where there is none.

    Raises `UsageError` where a named file does not exist, or a file or an environment variable has a mistake.
    """
    merged = _Merged()
    path = _file_for(paths, explicit)
    if path is not None:
        merged.add_file(path)
    merged.add_environment(os.environ)
    if "waivers" not in merged.fields:
        found = find_named(common_folder(paths), WAIVERS_FILE_NAME)
        if found:
            merged.fields["waivers"] = found
            merged.origins["waivers"] = Origin(found, "found")
    return merged.config(path)


def load(path: str) -> Config:
    """The settings of one configuration file alone."""
    merged = _Merged()
    merged.add_file(path)
    return merged.config(path)


def _file_for(paths: Sequence[str], explicit: str | None) -> str | None:
    named = explicit or os.environ.get(ENVIRONMENT_VARIABLE)
    if not named:
        return find(common_folder(paths))
    reads.presence(named)
    if not os.path.isfile(named):
        origin = "--config" if explicit else ENVIRONMENT_VARIABLE
        raise UsageError(f"{named}: the configuration file that {origin} names does not exist")
    return named


class _Merged:
    """Settings from several places; what comes later wins."""

    def __init__(self) -> None:
        self.fields: dict[str, Any] = {}
        self.origins = {key: Origin(setting.default, "default") for key, setting in SETTINGS.items()}
        self.notes: list[str] = []

    def config(self, source: str | None) -> Config:
        return Config(**self.fields, source=source, origins=MappingProxyType(self.origins), notes=tuple(self.notes))

    def add_file(self, path: str) -> None:
        document = read(path)
        folder = os.path.dirname(path)
        given: dict[str, Any] = {}
        for key, value in document.data.items():
            setting = SETTINGS.get(key) if isinstance(key, str) else None
            if setting is None:
                raise UsageError(f"{document.at((key,))}: unknown setting {key!r}{_suggestion(str(key), SETTINGS)}")
            try:
                fields = setting.read(value, folder)
                given[key] = setting.effective(value, folder)
            except Mistake as error:
                raise UsageError(f"{document.at((key, *error.place))}: {_path_of(key, error)}: {error}") from error
            if twice := sorted(set(fields) & set(self.fields)):
                raise UsageError(f"{document.at((key,))}: {key} sets {', '.join(twice)}, which stands here already")
            self.fields.update(fields)
            self.origins[key] = Origin(given[key], document.at((key,)))
        if self.fields.get("assume"):
            self.fields["assume"] = tuple(
                _placed(entry, document.at(("assume", index))) for index, entry in enumerate(self.fields["assume"])
            )

    def add_environment(self, environment: Mapping[str, str]) -> None:
        for name in sorted(environment):
            if not name.startswith(_PREFIX) or not environment[name]:
                continue
            setting = _settable().get(name)
            if setting is not None and setting.from_text is not None:
                value = setting.from_text(environment[name])
                try:
                    self.fields.update(_overriding(setting, setting.read(value, "")))
                except Mistake as error:
                    raise UsageError(f"{name}: {error}") from error
                self.origins[setting.key] = Origin(setting.effective(value, ""), name)
            elif name == TODAY_VARIABLE:
                self.fields["today"] = _day(environment[name])
            elif name != ENVIRONMENT_VARIABLE:
                self._remark(name)

    def _remark(self, name: str) -> None:
        # Other programs may use the prefix too, so it is no error; a near miss must not go unseen.
        near = nearest(name, [*_settable(), ENVIRONMENT_VARIABLE, TODAY_VARIABLE], cutoff=0.8)
        if near:
            self.notes.append(f"the environment variable {name} is no setting; did you mean {near}?")


def _settable() -> dict[str, Setting]:
    """The settings that the environment can give, by variable."""
    return {_PREFIX + key.upper(): setting for key, setting in SETTINGS.items() if setting.from_text is not None}


def _overriding(setting: Setting, fields: dict[str, Any]) -> dict[str, Any]:
    """A limit on unknowns from outside the file replaces all of the file's, those by group too."""
    return {**fields, "budgets": ()} if setting.key == "max_unknown" else fields


def _day(text: str) -> datetime.date:
    try:
        return datetime.date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"{TODAY_VARIABLE} is {text!r}, which is no date such as 2026-12-31") from error


def _placed(entry: Assumption, at: str) -> Assumption:
    return replace(entry, at=at)


def _path_of(key: str, error: Mistake) -> str:
    return ".".join([key, *map(str, error.place)])


def _suggestion(word: str, known: Mapping[str, Any]) -> str:
    from srm_checks.policy.source import suggest

    return suggest(word, known)
