"""What goes along while a template is resolved: loop variables, and the notes taken on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from srm_checks.engines.cloudformation.branching import Facts
from srm_checks.engines.cloudformation.text import render, substitute
from srm_checks.model import Cond, Path, Ref, SourceRange, Unknown


@dataclass(slots=True)
class Trail:
    """The places, references and deciding places met while one resource is resolved."""

    lines: dict[Path, SourceRange] = field(default_factory=dict)
    references: list[tuple[Path, Ref]] = field(default_factory=list)
    origins: list[tuple[Path, SourceRange]] = field(default_factory=list)

    def mark(self, path: Path, place: SourceRange | None) -> None:
        """Note where `path` is written. The first place wins: two branches of one If stand at one path."""
        if place is not None:
            self.lines.setdefault(path, place)

    def decided_at(self, path: Path, *places: SourceRange | None) -> None:
        """Note the places that decide the value at `path`."""
        self.origins.extend((path, place) for place in places if place is not None)

    def trace(self, path: Path) -> tuple[SourceRange, ...]:
        """The places that decided the value at `path`, its own before those of what contains it."""
        own = [place for at, place in self.origins if at[: len(path)] == path]
        around = [(len(at), place) for at, place in self.origins if len(at) < len(path) and at == path[: len(at)]]
        around.sort(key=lambda found: -found[0])
        return tuple(dict.fromkeys([*own, *(place for _, place in around)]))


@dataclass(frozen=True, slots=True)
class Scope:
    """Where an expression stands: the loop variables bound there, the conditions that hold, its resource's trail."""

    trail: Trail = field(default_factory=Trail)
    bindings: Mapping[str, Any] = field(default_factory=dict)
    loops: str = ""  # the open loops around, which set subjects of one apart from those of another
    facts: Facts = field(default_factory=Facts)

    def bind(self, name: str, value: Any, loop: str) -> Scope:
        """The scope inside a loop over `name`."""
        loops = f"{self.loops}|{loop}" if isinstance(value, Unknown) else self.loops
        return replace(self, bindings={**self.bindings, name: value}, loops=loops)

    def given(self, cond: Cond, holds: bool) -> Scope:
        """The scope of a branch: what stands there is there only if `cond` is as told."""
        return replace(self, facts=self.facts.extended(cond, holds))

    def name(self, text: str) -> str:
        """A logical id or key with the known loop variables put in."""
        return str(substitute(text, self.bindings) if self.bindings else text)

    def is_open(self, text: str) -> bool:
        """Whether `text` holds a loop variable whose value is not known."""
        return any(
            isinstance(value, Unknown) and (f"${{{name}}}" in text or f"&{{{name}}}" in text)
            for name, value in self.bindings.items()
        )

    def text(self, node: Any) -> str:
        """How an expression reads here."""
        return self.name(render(node))

    def subject(self, text: str) -> str:
        """The key of an expression's value within the stack."""
        return f"{text}{self.loops}"

    def quiet(self) -> Scope:
        """The same scope with a trail of its own."""
        return replace(self, trail=Trail())
