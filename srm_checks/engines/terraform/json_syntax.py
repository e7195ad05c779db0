"""The JSON syntax of Terraform (`.tf.json`, `.tofu.json`, `.tfvars.json`): the same syntax tree from JSON.

JSON does not tell a nested block from a map. What the provider's schema would decide is decided here by name: an
object is a block unless its name is one of the few that stand for maps in the AWS provider.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from srm_checks.engines.terraform.nodes import (
    Attribute,
    Block,
    Body,
    Expression,
    File,
    Literal,
    ObjectItem,
    ObjectNode,
    TupleNode,
)
from srm_checks.engines.terraform.source import Source
from srm_checks.engines.terraform.syntax import parse_template
from srm_checks.model import ABSENT

# How many labels the blocks of the top level have; other names are left alone, as Terraform's schema has none.
_LABELS: Final = {
    "variable": 1,
    "output": 1,
    "module": 1,
    "provider": 1,
    "resource": 2,
    "data": 2,
    "ephemeral": 2,
    "locals": 0,
    "terraform": 0,
    "moved": 0,
    "import": 0,
    "removed": 0,
    "check": 1,
}
_LABELLED_INSIDE: Final = {"backend", "provisioner", "dynamic"}
_BLOCKS_WITH_ARGUMENTS_ONLY: Final = {"locals", "variable", "output", "module", "moved", "import", "removed"}
_MAPS: Final = frozenset(
    {
        "tags",
        "tags_all",
        "volume_tags",
        "resource_tags",
        "variables",
        "parameters",
        "labels",
        "triggers",
        "keepers",
        "triggers_replace",
        "default_arguments",
        "request_templates",
        "response_templates",
        "request_parameters",
        "response_parameters",
        "request_models",
        "response_models",
        "environment_variables",
        "non_overridable_arguments",
        "required_providers",
        "vars",
        "connection_properties",
        "stage_variables",
        "providers",
    }
)
_TOKEN = re.compile(r'[ \t\r\n]*(?:([{}\[\]:,])|("(?:[^"\\\x00-\x1f]|\\.)*")|([^\s{}\[\]:,"]+))')


@dataclass(frozen=True, slots=True)
class _Json:
    start: int
    end: int
    value: Any  # a scalar, a list of _Json, or _Members


@dataclass(frozen=True, slots=True)
class _Member:
    start: int
    key: str
    of: _Json


class _Members(list[_Member]):
    """The members of an object, as against the elements of an array."""


def _is_object(node: _Json) -> bool:
    return isinstance(node.value, _Members)


def parse_json_file(source: Source) -> File:
    """The syntax tree of a `.tf.json` text. Raises InputError."""
    try:
        top = _read(source)
        return File(source, _Builder(source).file_body(top), ())
    except RecursionError:
        raise source.error(0, "Values are nested too deeply to be read.") from None


def parse_json_variables(source: Source) -> File:
    """The assignments of a `.tfvars.json` text; texts in it are no templates. Raises InputError."""
    try:
        top = _read(source)
        builder = _Builder(source, templates=False)
        return File(source, Body(builder.attributes(top), ()), ())
    except RecursionError:
        raise source.error(0, "Values are nested too deeply to be read.") from None


class _Builder:
    def __init__(self, source: Source, *, templates: bool = True) -> None:
        self.source = source
        self.templates = templates

    def file_body(self, top: _Json) -> Body:
        blocks: list[Block] = []
        for members in self._objects(top):
            for member in members:
                depth = _LABELS.get(member.key)
                if depth is not None:
                    blocks += self._labelled(member.key, (), depth, member.start, member.of)
        return Body({}, tuple(blocks))

    def attributes(self, top: _Json) -> dict[str, Attribute]:
        found: dict[str, Attribute] = {}
        for members in self._objects(top):
            for member in members:
                found[member.key] = self._attribute(member)
        return found

    def _objects(self, node: _Json) -> Iterator[list[_Member]]:
        """An object, or the objects of an array, without comment members."""
        if _is_object(node):
            yield [member for member in node.value if member.key != "//"]
        elif isinstance(node.value, list):
            for element in node.value:
                yield from self._objects(element)
        else:
            raise self.source.error(node.start, "Expected an object.")

    def _labelled(self, kind: str, labels: tuple[str, ...], depth: int, start: int, node: _Json) -> list[Block]:
        if depth:
            return [
                block
                for members in self._objects(node)
                for member in members
                for block in self._labelled(kind, (*labels, member.key), depth - 1, member.start, member.of)
            ]
        found: list[Block] = []
        single = _is_object(node)
        for members in self._objects(node):
            body = self._body(members, arguments_only=kind in _BLOCKS_WITH_ARGUMENTS_ONLY)
            begin = start if single or not members else members[0].start
            end = node.end if single or not members else members[-1].of.end
            found.append(Block(self.source, begin, end, kind, labels, body))
        return found

    def _body(self, members: list[_Member], *, arguments_only: bool = False) -> Body:
        attributes: dict[str, Attribute] = {}
        blocks: list[Block] = []
        for member in members:
            if member.key in _LABELLED_INSIDE and not arguments_only:
                blocks += self._labelled(member.key, (), 1, member.start, member.of)
            elif self._is_block(member) and (not arguments_only or member.key == "validation"):
                blocks += self._labelled(member.key, (), 0, member.start, member.of)
            else:
                attributes[member.key] = self._attribute(member)
        return Body(attributes, tuple(blocks))

    @staticmethod
    def _is_block(member: _Member) -> bool:
        if member.key in _MAPS:
            return False
        if _is_object(member.of):
            return True
        elements = member.of.value
        return isinstance(elements, list) and bool(elements) and all(_is_object(element) for element in elements)

    def _attribute(self, member: _Member) -> Attribute:
        return Attribute(self.source, member.start, member.of.end, member.key, self._expression(member.of))

    def _expression(self, node: _Json) -> Expression:
        value = node.value
        if isinstance(value, str):
            return self._text(node, value)
        if value is None:
            return Literal(self.source, node.start, node.end, ABSENT)
        if not isinstance(value, list):
            if isinstance(value, float) and value.is_integer():
                value = int(value)
            return Literal(self.source, node.start, node.end, value)
        if _is_object(node):
            items = tuple(
                ObjectItem(self.source, m.start, m.of.end, self._key(m), self._expression(m.of))
                for m in value
                if m.key != "//"
            )
            return ObjectNode(self.source, node.start, node.end, items)
        return TupleNode(self.source, node.start, node.end, tuple(self._expression(element) for element in value))

    def _key(self, member: _Member) -> Expression:
        return self._text(_Json(member.start, member.start + len(member.key) + 2, member.key), member.key)

    def _text(self, node: _Json, value: str) -> Expression:
        if self.templates and ("${" in value or "%{" in value):
            # the template lives in a text of its own: escapes have moved its offsets
            return parse_template(Source(self.source.path, value, self.source.line(node.start)), unwrap=True)
        return Literal(self.source, node.start, node.end, value)


def _read(source: Source) -> _Json:
    reader = _Reader(source)
    top = reader.value(reader.next())
    reader.finish()
    return top


class _Reader:
    """A JSON reader that keeps offsets."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.at = 0

    def next(self) -> tuple[int, str]:
        """The offset and text of the next token; "" at the end."""
        found = _TOKEN.match(self.source.text, self.at)
        if not found:
            rest = self.source.text[self.at :]
            if rest.strip():
                raise self.source.error(self.at + len(rest) - len(rest.lstrip()), "Expected a JSON value.")
            return len(self.source.text), ""
        self.at = found.end()
        index = found.lastindex or 0
        return found.start(index), found.group(index)

    def finish(self) -> None:
        start, token = self.next()
        if token:
            raise self.source.error(start, f"Expected the end of the file, not {token[:20]!r}.")

    def value(self, token: tuple[int, str]) -> _Json:
        start, text = token
        if text == "{":
            return self._object(start)
        if text == "[":
            return self._array(start)
        return _Json(start, self.at, self._scalar(start, text))

    def _scalar(self, start: int, text: str) -> Any:
        try:
            return json.loads(text)
        except ValueError:
            shown = f", not {text[:20]!r}" if text else " before the file ends"
            raise self.source.error(start, f"Expected a JSON value{shown}.") from None

    def _object(self, start: int) -> _Json:
        members = _Members()
        token = self.next()
        while token[1] != "}":
            if not token[1].startswith('"'):
                raise self.source.error(token[0], "Expected a quoted member name.")
            key = self._scalar(*token)
            self._expect(":")
            members.append(_Member(token[0], key, self.value(self.next())))
            token = self._separator("}")
        return _Json(start, self.at, members)

    def _array(self, start: int) -> _Json:
        elements: list[_Json] = []
        token = self.next()
        while token[1] != "]":
            elements.append(self.value(token))
            token = self._separator("]")
        return _Json(start, self.at, elements)

    def _separator(self, closing: str) -> tuple[int, str]:
        """The token after a comma, or the closing bracket."""
        start, text = self.next()
        if text == closing:
            return start, text
        if text != ",":
            raise self.source.error(start, f'Expected "," or "{closing}".')
        token = self.next()
        if token[1] == closing:
            raise self.source.error(token[0], "Expected another element after the comma.")
        return token

    def _expect(self, mark: str) -> None:
        start, text = self.next()
        if text != mark:
            raise self.source.error(start, f'Expected "{mark}".')
