"""Where an expression is evaluated: a module instance, and the names that are bound around the expression."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from srm_checks.engines.terraform.nodes import Expression, Node, Traversal
from srm_checks.engines.terraform.site import Site

_SPACE = re.compile(r"\s+")

# A path into the value of an expression; None is any key.
ValuePath: TypeAlias = "tuple[str | int | None, ...]"


class Module(Protocol):
    """What the evaluator asks of a module instance."""

    @property
    def address(self) -> str:
        """`module.a["x"].module.b`, "" for the root."""

    def resolve(self, node: Traversal, env: Env) -> tuple[Any, int]:
        """The value of the name that a traversal starts with, and how many steps belong to the name."""

    def call_file_function(self, name: str, arguments: list[Any], site: Site, env: Env) -> Any:
        """The result of a function that reads files."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a bound value comes from: a path into the value of an expression."""

    expression: Expression
    env: Env
    path: ValuePath


@dataclass(frozen=True, slots=True)
class Binding:
    """A name that a `for`, a `dynamic`, `each` or `count` binds.

    `pair`: the name is an object of `key` and `value`, and `origin` is that of the value.
    """

    value: Any
    origin: Origin | None = None
    pair: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Env:
    """`label` tells one iteration from another, so that equal texts in two of them are not one value."""

    module: Module
    bindings: Mapping[str, Binding] = field(default_factory=dict)
    label: str = ""

    def bind(self, bindings: Mapping[str, Binding], label: str) -> Env:
        """This environment with more names."""
        return Env(self.module, {**self.bindings, **bindings}, self.label + label)

    def site(self, node: Node, end: int | None = None) -> Site:
        """The site of an expression, or of its part up to `end`."""
        text = _SPACE.sub(" ", node.source.text[node.start : node.end if end is None else end]).strip()
        return self.site_of(text)

    def site_of(self, text: str) -> Site:
        """The site of an expression with this text."""
        subject = f"{self.module.address}|{text}"
        if self.bindings and any(re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w-])", text) for name in self.bindings):
            subject += f"|{self.label}"
        return Site(text, subject)
