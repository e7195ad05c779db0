"""The syntax tree of HCL, common to its native and its JSON form.

Every node knows its source and its span (`start` to just before `end`), from which its lines and its text follow.
Nodes are compared by identity: a node is a place in a file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from srm_checks.engines.terraform.source import Source
from srm_checks.errors import InputError
from srm_checks.model import SourceRange

_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    source: Source
    start: int
    end: int

    @property
    def range(self) -> SourceRange:
        return self.source.range(self.start, self.end)

    @property
    def text(self) -> str:
        """The expression as written, on one line."""
        return _SPACE.sub(" ", self.source.text[self.start : self.end]).strip()


@dataclass(frozen=True, slots=True, eq=False)
class Literal(Node):
    """A number, a text without holes, true, false or null (ABSENT)."""

    value: Any


@dataclass(frozen=True, slots=True, eq=False)
class Template(Node):
    """A text with holes."""

    parts: tuple[TemplatePart, ...]


@dataclass(frozen=True, slots=True, eq=False)
class TemplateIf(Node):
    """`%{ if condition }then%{ else }otherwise%{ endif }`"""

    condition: Expression
    then: tuple[TemplatePart, ...]
    otherwise: tuple[TemplatePart, ...]


@dataclass(frozen=True, slots=True, eq=False)
class TemplateFor(Node):
    """`%{ for key, value in collection }parts%{ endfor }`"""

    key_name: str | None
    value_name: str
    collection: Expression
    parts: tuple[TemplatePart, ...]


@dataclass(frozen=True, slots=True, eq=False)
class AttributeStep(Node):
    name: str


@dataclass(frozen=True, slots=True, eq=False)
class IndexStep(Node):
    key: Expression


@dataclass(frozen=True, slots=True, eq=False)
class SplatStep(Node):
    """`[*]` or `.*` with the steps that are taken on every element."""

    steps: tuple[Step, ...]


Step: TypeAlias = AttributeStep | IndexStep | SplatStep


@dataclass(frozen=True, slots=True, eq=False)
class Traversal(Node):
    """A name or an expression, and the steps into its value."""

    root: str | Expression
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Call(Node):
    """`name(arguments)`; `expand` says that the last argument is followed by `...`."""

    name: str
    arguments: tuple[Expression, ...]
    expand: bool


@dataclass(frozen=True, slots=True, eq=False)
class TupleNode(Node):
    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True, eq=False)
class ObjectItem(Node):
    key: Expression
    value: Expression


@dataclass(frozen=True, slots=True, eq=False)
class ObjectNode(Node):
    items: tuple[ObjectItem, ...]


@dataclass(frozen=True, slots=True, eq=False)
class ForNode(Node):
    """A `for` expression: of an object where `key` is given, of a tuple otherwise."""

    key_name: str | None
    value_name: str
    collection: Expression
    key: Expression | None
    value: Expression
    condition: Expression | None
    grouping: bool


@dataclass(frozen=True, slots=True, eq=False)
class Conditional(Node):
    condition: Expression
    then: Expression
    otherwise: Expression


@dataclass(frozen=True, slots=True, eq=False)
class Binary(Node):
    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True, eq=False)
class Unary(Node):
    operator: str
    operand: Expression


Expression: TypeAlias = (
    Literal | Template | Traversal | Call | TupleNode | ObjectNode | ForNode | Conditional | Binary | Unary
)
TemplatePart: TypeAlias = str | Expression | TemplateIf | TemplateFor


@dataclass(frozen=True, slots=True, eq=False)
class Attribute(Node):
    """`name = value`, from the name to the end of the value."""

    name: str
    value: Expression


@dataclass(frozen=True, slots=True, eq=False)
class Body:
    """What stands between the braces of a block, or in a file."""

    attributes: Mapping[str, Attribute]
    blocks: tuple[Block, ...]

    def named(self, kind: str) -> tuple[Block, ...]:
        """The blocks of one type."""
        return tuple(block for block in self.blocks if block.kind == kind)


@dataclass(frozen=True, slots=True, eq=False)
class Block(Node):
    """A block from its type to its closing brace."""

    kind: str
    labels: tuple[str, ...]
    body: Body


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment and the line on which it starts."""

    line: int
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class File:
    """A configuration file that was read. `errors` tell of the blocks that could not be."""

    source: Source
    body: Body
    comments: tuple[Comment, ...]
    errors: tuple[InputError, ...] = ()


EMPTY_BODY = Body({}, ())
