"""Templates decoded as cfn-lint decodes them, without it: its import costs more than most templates do.

What is out of the ordinary (aliases, merge keys, a key that stands twice, broken syntax) is cfn-lint's to read or to
complain about. tests/engines/cloudformation/test_decoding.py holds the two against each other.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final, TypeVar

import yaml
from yaml.constructor import SafeConstructor
from yaml.events import (
    DocumentEndEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
    StreamStartEvent,
)
from yaml.nodes import ScalarNode
from yaml.resolver import Resolver

from srm_checks.engines.cloudformation import cfn_lint
from srm_checks.engines.cloudformation.source import Source

_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_RESOLVER: Final[Any] = Resolver()
_TEXT: Final = object()
_TEXT_TAG: Final = Resolver.DEFAULT_SCALAR_TAG
_PLAIN_TAGS: Final = frozenset(f"tag:yaml.org,2002:{name}" for name in ("bool", "float", "int", "null", "timestamp"))
_AS_NAMED: Final = frozenset({"Condition", "Ref"})  # short forms of what has no `Fn::`


class Text(str):
    """A text with the marks (`line` and `column`, both from 0) at which it starts and ends."""

    __slots__ = ("end_mark", "start_mark")
    start_mark: Any
    end_mark: Any


class Map(dict[Any, Any]):
    """A mapping with its marks."""

    __slots__ = ("end_mark", "start_mark")
    start_mark: Any
    end_mark: Any


class Sequence(list[Any]):
    """A list with its marks."""

    __slots__ = ("end_mark", "start_mark")
    start_mark: Any
    end_mark: Any


Node = TypeVar("Node", Text, Map, Sequence)


class _Unusual(Exception):
    """Something that is left to cfn-lint."""


def decode(source: Source) -> Any:
    """The template as plain dicts and lists whose keys carry marks.

    Raises InputError for what cannot be decoded, EnvironmentProblem where that takes cfn-lint and it is not installed.
    """
    try:
        return _Reader(source.text).document()
    except (_Unusual, yaml.YAMLError, ValueError, RecursionError):
        return cfn_lint.decode(source)


class _Reader:
    """Builds a document from a parser's events, in one pass."""

    def __init__(self, text: str) -> None:
        self._next = _LOADER(text).get_event

    def document(self) -> Any:
        self._expect(StreamStartEvent)
        self._expect(DocumentStartEvent)
        document = self._node(self._next())
        self._expect(DocumentEndEvent)
        self._expect(StreamEndEvent)
        return document

    def _expect(self, kind: type) -> None:
        if type(self._next()) is not kind:
            raise _Unusual

    def _node(self, event: Any) -> Any:
        if event.anchor is not None:  # an alias has one, too
            raise _Unusual
        if event.tag is not None:
            return self._short_form(event)
        if type(event) is ScalarEvent:
            return _scalar(event)
        if type(event) is MappingStartEvent:
            mapping = Map()
            return _marked(mapping, event, self._fill_mapping(mapping))
        sequence = Sequence()
        return _marked(sequence, event, self._fill_list(sequence))

    def _fill_mapping(self, mapping: dict[Any, Any]) -> Any:
        """Read entries up to the event that ends them, which is returned."""
        event = self._next()
        while type(event) is ScalarEvent:
            key = _scalar(event)
            if event.tag is not None or event.anchor is not None or key is None or key in mapping:
                raise _Unusual
            mapping[key] = self._node(self._next())
            event = self._next()
        if type(event) is not MappingEndEvent:
            raise _Unusual
        return event

    def _fill_list(self, items: list[Any]) -> Any:
        """Read elements up to the event that ends them, which is returned."""
        event = self._next()
        while type(event) is not SequenceEndEvent:
            items.append(self._node(event))
            event = self._next()
        return event

    def _short_form(self, event: Any) -> Map:
        """`!Name argument` in full: `{"Fn::Name": argument}`, of which the argument carries no marks."""
        if event.tag[0] != "!" or event.tag == "!":
            raise _Unusual
        name = event.tag[1:]
        function = name if name in _AS_NAMED else f"Fn::{name}"
        argument: Any = event.value if type(event) is ScalarEvent else None
        end = event
        if type(event) is MappingStartEvent:
            argument = {}
            end = self._fill_mapping(argument)
        elif type(event) is SequenceStartEvent:
            argument = []
            end = self._fill_list(argument)
        if name == "GetAtt":
            if isinstance(argument, dict):
                raise _Unusual
            path = argument.split(".", 1) if isinstance(argument, str) else argument
            argument = _marked(Sequence(path), event, end)
        return _marked(Map({function: argument}), event, end)


def _scalar(event: Any) -> Any:
    value = event.value
    if event.implicit[0]:  # without quotes
        known = _plain(value)
        if known is not _TEXT:
            return known
    return _marked(Text(value), event, event)


@lru_cache(maxsize=8192)
def _plain(value: str) -> Any:
    """What a text without quotes means; _TEXT where it means itself."""
    tag = _RESOLVER.resolve(ScalarNode, value, (True, False))
    if tag == _TEXT_TAG:
        return _TEXT
    if tag not in _PLAIN_TAGS:
        raise _Unusual
    return SafeConstructor().construct_object(ScalarNode(tag, value))


def _marked(node: Node, start: Any, end: Any) -> Node:
    node.start_mark, node.end_mark = start.start_mark, end.end_mark
    return node
