"""Fn::ForEach: the entries that a mapping has once its loops are unrolled."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from srm_checks.engines.cloudformation.scope import Scope
from srm_checks.engines.cloudformation.text import LOOP, literal_text
from srm_checks.model import ABSENT, Choice, Cond, Options, Test, Unknown, all_of, any_of, negate


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: its key as decoded and with loop variables put in, its body, its scope, and when it is there."""

    key: Any
    name: str
    body: Any
    scope: Scope
    exists: Cond = True

    @property
    def is_named(self) -> bool:
        """Whether the name holds no open loop variable."""
        return not self.scope.is_open(self.name)


def entries(
    mapping: Mapping[Any, Any],
    scope: Scope,
    evaluate: Callable[[Any, Scope], Any],
    malformed: Callable[[Any, str], None],
    exists: Cond = True,
) -> Iterator[Entry]:
    """The entries of `mapping` in order; a loop over an open collection gives its body once, with an open variable.

    `evaluate` resolves a collection; `malformed` is told of a loop that is none, with its key.
    """
    for key, body in mapping.items():
        if not (isinstance(key, str) and key.startswith(LOOP)):
            yield Entry(key, scope.name(str(key)), body, scope, exists)
            continue
        match body:
            case [str() as variable, collection, {**output}]:
                loop = key.removeprefix(LOOP)
                for value, present in elements(evaluate(collection, scope), variable, loop, scope.text(collection)):
                    inner = scope.bind(variable, value, loop)
                    yield from entries(output, inner, evaluate, malformed, all_of((exists, present)))
            case _:
                malformed(key, f"{key} is not a loop. Give it an identifier, a collection and a map.")


def elements(collection: Any, variable: str, loop: str, text: str) -> list[tuple[Any, Cond]]:
    """The values of a loop variable, each with the condition under which the collection holds it."""
    found: list[tuple[Any, Cond]] = []
    not_empty = Test(f"{text}|{loop}", True, f"{text} is not empty")
    for value, cond in _members(collection, True, not_empty):
        if isinstance(value, Unknown):
            # Open elements cannot be told apart: their body stands once for all of them.
            value = Unknown(f"${{{variable}}}", present=True, subject=f"{text}|{loop}|{variable}")
        for index, (other, when) in enumerate(found):
            if other == value:
                found[index] = (other, any_of((when, cond)))
                break
        else:
            found.append((value, cond))
    return found


def _members(collection: Any, when: Cond, not_empty: Test) -> Iterator[tuple[Any, Cond]]:
    match collection:
        case Choice(cond=cond, then=then, otherwise=otherwise):
            yield from _members(then, all_of((when, cond)), not_empty)
            yield from _members(otherwise, all_of((when, negate(cond))), not_empty)
        case list():
            for element in collection:
                yield from _member(element, when)
        case _ if collection is ABSENT:
            return
        case _:
            yield Unknown(), all_of((when, not_empty))


def _member(element: Any, when: Cond) -> Iterator[tuple[Any, Cond]]:
    match element:
        case Choice(cond=cond, then=then, otherwise=otherwise):
            yield from _member(then, all_of((when, cond)))
            yield from _member(otherwise, all_of((when, negate(cond))))
        case Options(subject=subject, label=label, values=values):
            for value in values:
                yield str(value), all_of((when, Test(subject, value, label)))
        case list():
            for inner in element:
                yield from _member(inner, when)
        case _ if element is ABSENT:
            return
        case _:
            text = literal_text(element)
            yield (Unknown(), when) if text is None else (text, when)
