"""Reads a plan's JSON once, with the places of its resources and providers.

The parts whose lines matter are walked here, without recursion; everything below them is decoded by the standard
library, so that the cost stays that of plain decoding.
"""

from __future__ import annotations

import bisect
import codecs
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias
from typing import Literal as TypingLiteral

from srm_checks import reads
from srm_checks.errors import InputError
from srm_checks.model import Path, SourceRange

MAX_PATH: Final = 16
"""Attribute paths deeper than this get the line of their ancestor."""

_SPACE = re.compile(r"[ \t\r\n]*")
_STRING = r'"[^"\\]*(?:\\.[^"\\]*)*"'
_BRACKETS = re.compile(_STRING + r"|[{}\[\]]")
_TOKENS = re.compile(_STRING + r'|[{}\[\]]|[^\s{}\[\],:"]+')
_CLOSING = {"{": "}", "[": "]"}

_Container: TypeAlias = "dict[str, Any] | list[Any]"


@dataclass(frozen=True, slots=True)
class Located:
    """A decoded value and its span in the text."""

    value: Any
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class TooDeep:
    """Stands for a value that is nested deeper than can be decoded."""


@dataclass(frozen=True, slots=True)
class _Route:
    """Which parts are walked: `members` by name, `every` other member or element; a None route is kept located."""

    members: Mapping[str, _Route | None] = field(default_factory=dict)
    every: _Route | None = None
    walks_every: bool = False
    opener: str = "{"

    def leads_to(self, key: str | int) -> bool:
        return key in self.members or self.walks_every

    def below(self, key: str | int) -> _Route | None:
        return self.members[key] if isinstance(key, str) and key in self.members else self.every


def _module_route() -> _Route:
    """Resources and, to any depth, those of child modules."""
    members: dict[str, _Route | None] = {"resources": _Route(walks_every=True, opener="[")}
    module = _Route(members)
    members["child_modules"] = _Route(every=module, walks_every=True, opener="[")
    return module


_VALUES = _Route({"root_module": _module_route()})
_PLAN = _Route(
    {
        "planned_values": _VALUES,
        "prior_state": _Route({"values": _VALUES}),
        "configuration": _Route({"provider_config": _Route(walks_every=True)}),
    }
)


class Document:
    """A plan file's content.

    `value` is the decoded top-level object, in which each resource of planned_values and prior_state and each
    provider of the configuration is a `Located`. A value that is nested too deeply is a `TooDeep`.
    """

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text
        self._line_ends = [match.start() for match in re.finditer("\n", text)]
        try:
            self.value: dict[str, Any] = self._read()
        except json.JSONDecodeError as error:
            place = f"line {error.lineno}, column {error.colno}"
            message = f"The plan is not valid JSON: {error.msg.removesuffix(' at')} at {place}."
            raise InputError(path, message, line=error.lineno) from error
        except ValueError as error:  # NaN, or a number of thousands of digits
            raise InputError(path, f"The plan is not valid JSON: {error}.") from error

    @classmethod
    def open(cls, path: str) -> Document:
        """Raises InputError where the file cannot be read as a JSON object."""
        try:
            data = reads.content(path)
        except OSError as error:
            raise InputError(path, f"The plan cannot be read: {error.strerror or type(error).__name__}.") from error
        utf16 = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        try:
            text = data.decode("utf-16" if utf16 else "utf-8")
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            raise InputError(path, f"The plan is not valid UTF-8 at line {line}.", line=line) from error
        return cls(path, text.lstrip("\ufeff"))

    def lines(self, start: int, end: int) -> SourceRange:
        """The lines that a span of the text touches."""
        return SourceRange(self.path, self._line(start), self._line(max(start, end - 1)))

    def is_one_line(self, located: Located) -> bool:
        """Whether a value is written on a single line."""
        return self._line(located.start) == self._line(located.end)

    def _line(self, offset: int) -> int:
        return bisect.bisect_left(self._line_ends, offset) + 1

    # ---------------------------------------------------------------- reading

    def _read(self) -> dict[str, Any]:
        at = self._skip_space(0)
        if not self.text.startswith("{", at):
            raise InputError(self.path, "The plan is not a JSON object.")
        value, at = self._walk(at, _PLAN)
        at = self._skip_space(at)
        if at != len(self.text):
            raise json.JSONDecodeError("Extra data", self.text, at)
        return value

    def _walk(self, at: int, route: _Route) -> tuple[dict[str, Any], int]:
        """Decode the object at `at`, entering what the route names; iterative, so any depth is safe."""
        root: dict[str, Any] = {}
        open_containers: list[tuple[_Container, _Route]] = [(root, route)]
        before: TypingLiteral["opening", "comma", "value"] = "opening"
        at += 1
        while open_containers:
            container, here = open_containers[-1]
            at = self._skip_space(at)
            if before != "comma" and self.text.startswith("}" if isinstance(container, dict) else "]", at):
                open_containers.pop()
                before = "value"
                at += 1
                continue
            if before == "value":
                if not self.text.startswith(",", at):
                    raise json.JSONDecodeError("Expecting ',' delimiter", self.text, at)
                before = "comma"
                at += 1
                continue
            key: str | int = len(container)
            if isinstance(container, dict):
                key, at = self._key(at)
            inner = here.below(key) if here.leads_to(key) else None
            if inner is not None and self.text.startswith(inner.opener, at):
                child: _Container = {} if inner.opener == "{" else []
                _put(container, key, child)
                open_containers.append((child, inner))
                before = "opening"
                at += 1
            else:
                value, end = self._decode(at)
                _put(container, key, Located(value, at, end) if here.walks_every and inner is None else value)
                before = "value"
                at = end
        return root, at

    def _skip_space(self, at: int) -> int:
        match = _SPACE.match(self.text, at)
        return match.end() if match else at

    def _key(self, at: int) -> tuple[str, int]:
        if not self.text.startswith('"', at):
            raise json.JSONDecodeError("Expecting property name enclosed in double quotes", self.text, at)
        key, at = _DECODER.raw_decode(self.text, at)
        at = self._skip_space(at)
        if not self.text.startswith(":", at):
            raise json.JSONDecodeError("Expecting ':' delimiter", self.text, at)
        return key, self._skip_space(at + 1)

    def _decode(self, at: int) -> tuple[Any, int]:
        try:
            return _DECODER.raw_decode(self.text, at)
        except RecursionError:
            return TooDeep(), self._end_of_container(at)

    def _end_of_container(self, at: int) -> int:
        expected: list[str] = []
        for match in _BRACKETS.finditer(self.text, at):
            token = match.group()
            if token in _CLOSING:
                expected.append(_CLOSING[token])
            elif token in "}]":
                if token != expected.pop():
                    break
                if not expected:
                    return match.end()
        raise json.JSONDecodeError("Expecting a closing bracket", self.text, at)


class LineMap(Mapping[Path, SourceRange]):
    """Where each attribute path of a located object is written; worked out when first asked for.

    `member` is the member that holds the attributes. `dropped` are the list elements that the attributes leave out,
    so that later elements count from where they stand in the attributes.
    """

    def __init__(self, document: Document, located: Located, member: str, dropped: frozenset[Path]) -> None:
        self._document, self._located, self._member, self._dropped = document, located, member, dropped
        self._ranges: dict[Path, SourceRange] | None = None

    def __getitem__(self, path: Path) -> SourceRange:
        return self._read()[path]

    def __iter__(self) -> Iterator[Path]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())

    def _read(self) -> dict[Path, SourceRange]:
        if self._ranges is None:
            self._ranges = {}
            if self._document.is_one_line(self._located):
                return self._ranges  # as `terraform show` prints it: the resource's own line says it all
            for path, start, end in _spans(self._document.text, self._located):
                attribute = path[1:]
                if attribute and path[0] == self._member and attribute not in self._dropped:
                    place = _without_dropped(attribute, self._dropped) if self._dropped else attribute
                    self._ranges[place] = self._document.lines(start, end)
        return self._ranges


@dataclass(slots=True)
class _Frame:
    """An open container: its path, the key or index of its current item, and where that item starts."""

    is_object: bool
    path: Path
    key: str | int = -1
    start: int = 0
    expects_key: bool = True


def _spans(text: str, located: Located) -> Iterator[tuple[Path, int, int]]:
    """Path, start and end of everything in a located value; a member starts at its key."""
    frames: list[_Frame] = []
    for match in _TOKENS.finditer(text, located.start, located.end):
        token = match.group()
        opens = token in _CLOSING
        if token in ("}", "]"):
            frames.pop()
        elif frames:
            frame = frames[-1]
            if frame.is_object and frame.expects_key:
                frame.key, frame.start, frame.expects_key = json.loads(token), match.start(), False
                continue
            if not frame.is_object:
                frame.key, frame.start = int(frame.key) + 1, match.start()
            if opens:
                path = frame.path if len(frame.path) > MAX_PATH else (*frame.path, frame.key)
                frames.append(_Frame(token == "{", path))
        elif opens:
            frames.append(_Frame(token == "{", ()))
        if frames and not opens:
            frame = frames[-1]
            frame.expects_key = True
            if len(frame.path) < MAX_PATH:
                yield (*frame.path, frame.key), frame.start, match.end()


def _without_dropped(path: Path, dropped: frozenset[Path]) -> Path:
    """The path with list indexes as they are once the dropped elements are gone."""
    moved: list[str | int] = []
    for at, step in enumerate(path):
        if isinstance(step, int):
            siblings = {other[at] for other in dropped if len(other) == at + 1 and other[:at] == path[:at]}
            step -= sum(1 for sibling in siblings if isinstance(sibling, int) and sibling < step)
        moved.append(step)
    return tuple(moved)


def _put(container: _Container, key: str | int, value: Any) -> None:
    if isinstance(container, dict):
        container[str(key)] = value
    else:
        container.append(value)


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)
