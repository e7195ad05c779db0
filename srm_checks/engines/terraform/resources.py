"""Bodies of blocks: their attributes and nested blocks, static and dynamic, as values with places."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from srm_checks.engines.terraform import expansion
from srm_checks.engines.terraform.env import Binding, Env, Origin
from srm_checks.engines.terraform.evaluate import evaluate
from srm_checks.engines.terraform.nodes import (
    Block,
    Body,
    Call,
    Expression,
    Literal,
    ObjectNode,
    TupleNode,
)
from srm_checks.engines.terraform.values import FAILED, OMITTED, choice, export, text_of
from srm_checks.model import ABSENT, Cond, Encoded, Path, Repeated, SourceRange

META_ARGUMENTS: Final = frozenset({"count", "for_each", "provider", "depends_on"})
_OF_NAMES: Final = frozenset({"lifecycle", "required_providers"})
_NOT_SETTINGS: Final = frozenset({"precondition", "postcondition"})


@dataclass(frozen=True, slots=True)
class Element:
    """A nested block, or one that a `dynamic` block makes.

    `present` is the condition under which it is there; `repeated` says that there may be any number of it.
    """

    kind: str
    block: Block
    env: Env
    present: Cond = True
    repeated: bool = False


def elements(body: Body, env: Env) -> Iterator[Element]:
    """The nested blocks of a body, in order; `dynamic` blocks are expanded."""
    for block in body.blocks:
        if block.kind != "dynamic" or not block.labels:
            yield Element(block.kind, block, env)
            continue
        yield from _dynamic(block, env)


def _dynamic(block: Block, env: Env) -> Iterator[Element]:
    kind = block.labels[0]
    for_each = block.body.attributes.get("for_each")
    contents = block.body.named("content")
    if for_each is None or not contents:
        return
    iterator = block.body.attributes.get("iterator")
    name = iterator.value.text.strip('"') if iterator else kind
    value = evaluate(for_each.value, env)
    for entry in expansion.entries_of(value, env.site(for_each.value), as_keys=False):
        origin = Origin(for_each.value, env, (entry.name,))
        binding = Binding({"key": entry.key, "value": entry.value}, origin, pair=True)
        label = f"{kind}[{'*' if entry.name is None else entry.name}]"
        inner = env.bind({name: binding}, label)
        if entry.present is not False:
            yield Element(kind, contents[0], inner, entry.present, entry.name is None)


def nested_blocks(body: Body, kind: str, env: Env) -> list[Any] | None:
    """The nested blocks of one type as a reference sees them; None where there are none in the code."""
    found: list[Any] | None = None
    for element in elements(body, env):
        if element.kind == kind:
            value = _value(element)
            found = [*(found or []), Repeated(value) if element.repeated else choice(element.present, value, OMITTED)]
    return found


def _value(element: Element) -> dict[str, Any]:
    value = {name: evaluate(a.value, element.env) for name, a in element.block.body.attributes.items()}
    for kind in dict.fromkeys(inner.kind for inner in elements(element.block.body, element.env)):
        value[kind] = nested_blocks(element.block.body, kind, element.env)
    return value


@dataclass(slots=True)
class BodyReader:
    """Reads a body into attributes as the model has them.

    `lines` says where each path is written, `sites` which expression decides the value at a path.
    """

    lines: dict[Path, SourceRange] = field(default_factory=dict)
    sites: dict[Path, tuple[Expression, Env]] = field(default_factory=dict)

    def read(self, body: Body, env: Env, path: Path = (), *, skip: frozenset[str] = frozenset()) -> dict[str, Any]:
        """The attributes and nested blocks of `body`, which stands at `path`."""
        result: dict[str, Any] = {}
        for name, attribute in body.attributes.items():
            if name in skip:
                continue
            here = (*path, name)
            expression = attribute.value
            self.lines[here] = attribute.range
            if type(expression) is Literal:
                if expression.value is not ABSENT:
                    result[name] = expression.value
                continue
            self.sites[here] = (expression, env)
            value = export(evaluate(expression, env), expression.text)
            if value is not ABSENT:
                result[name] = value
                self._entry_lines(expression, value, here)
        for element in elements(body, env):
            if element.kind in _NOT_SETTINGS:
                continue
            self._read_element(element, path, result)
        return result

    def _read_element(self, element: Element, path: Path, result: dict[str, Any]) -> None:
        group = result.setdefault(element.kind, [])
        if not isinstance(group, list):  # an attribute of the same name whose value is open
            group = result[element.kind] = [Repeated(group)]
        here = (*path, element.kind, len(group))
        self.lines[here] = element.block.range
        self.lines.setdefault(here[:-1], element.block.range)
        if not path and element.kind in _OF_NAMES:  # deeper down it is an argument of the provider's
            value = self._read_names(element.block, here)
        else:
            value = self.read(element.block.body, element.env, here)
            if element.block.labels and element.block.kind == element.kind:
                value = {"type": element.block.labels[0], **value}
        group.append(Repeated(value) if element.repeated else choice(element.present, value, ABSENT))

    def _read_names(self, block: Block, path: Path) -> dict[str, Any]:
        """A block whose arguments are names, not values."""
        for name, attribute in block.body.attributes.items():
            self.lines[(*path, name)] = attribute.range
        return {name: _names(attribute.value) for name, attribute in block.body.attributes.items()}

    def _entry_lines(self, expression: Expression, value: Any, path: Path) -> None:
        """Where the entries of a list or map are written, as far as they are written one by one."""
        if isinstance(expression, ObjectNode) and isinstance(value, dict):
            for item in expression.items:
                key = text_of(item.key.value) if isinstance(item.key, Literal) else None
                if key is not None and key in value:
                    self.lines[(*path, key)] = item.range
                    self._entry_lines(item.value, value[key], (*path, key))
        elif isinstance(expression, TupleNode) and isinstance(value, list) and len(value) == len(expression.items):
            for index, item_node in enumerate(expression.items):
                self.lines[(*path, index)] = item_node.range
                self._entry_lines(item_node, value[index], (*path, index))
        elif isinstance(expression, Call):
            if expression.name == "merge" and isinstance(value, dict):
                for argument in expression.arguments:
                    self._entry_lines(argument, value, path)
            elif expression.name == "jsonencode" and isinstance(value, Encoded) and expression.arguments:
                self._entry_lines(expression.arguments[0], value.value, path)


def _names(expression: Expression) -> Any:
    """Literals as they are, names as texts."""
    if isinstance(expression, Literal):
        return expression.value
    if isinstance(expression, TupleNode):
        return [_names(item) for item in expression.items]
    if isinstance(expression, ObjectNode):
        return {str(_names(item.key)): _names(item.value) for item in expression.items}
    return expression.text


def argument(block: Block, name: str, env: Env) -> Any:
    """The value of an argument of a block; ABSENT where it is not set or fails."""
    attribute = block.body.attributes.get(name)
    value = ABSENT if attribute is None else evaluate(attribute.value, env)
    return ABSENT if value is FAILED else value
