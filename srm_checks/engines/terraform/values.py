"""Open values: how choices are carried through operations, and how values become conditions and back.

Inside the evaluator more kinds of value exist beside those of `model`; `export` turns them into the latter.

* `FAILED`: evaluation fails here (an index out of range). A branch that fails cannot be deployed; `try` looks for it.
* `OMITTED`: an element that a `for` condition left out, in a branch of a Choice.
* `Confined`: an unknown of which a validation tells something.
* `OpenMap`: a map with some known keys and others that are not known.
* `SetValue`: a list that is a set.
* `ObjectValue`: a resource or module, whose attributes are read when asked for.
"""

from __future__ import annotations

import enum
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Final

from srm_checks.model import (
    ABSENT,
    FURTHER_KEYS,
    AllOf,
    AnyOf,
    Cause,
    Choice,
    Cond,
    Encoded,
    Not,
    Options,
    Ref,
    Repeated,
    Test,
    Unknown,
    all_of,
    any_of,
    negate,
)

BRANCH_LIMIT: Final = 64
TEXT_LIMIT: Final = 1_000_000  # characters that an expression may build
ELEMENT_LIMIT: Final = 100_000  # elements that an expression may build


class _Mark:
    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return self._name

    def __bool__(self) -> bool:
        raise TypeError(f"{self._name} has no truth value")


FAILED: Final = _Mark("FAILED")
OMITTED: Final = _Mark("OMITTED")


@dataclass(frozen=True, slots=True)
class Fallible(Unknown):
    """An unknown whose evaluation may fail, so that `try` may go past it."""


@dataclass(frozen=True, slots=True)
class Confined(Unknown):
    """An unknown object of which a validation confines attributes to some literals, or a collection of such objects."""

    attributes: tuple[tuple[str, tuple[Any, ...]], ...] = ()
    is_collection: bool = False

    @classmethod
    def of(cls, value: Unknown, attributes: tuple[tuple[str, tuple[Any, ...]], ...], is_collection: bool) -> Confined:
        """The same unknown, with what a validation says of it."""
        known = {each.name: getattr(value, each.name) for each in fields(Unknown)}
        return cls(**known, attributes=attributes, is_collection=is_collection)


def element_of(collection: Any, element: Unknown) -> Unknown:
    """An element of a collection, with what a validation says of each."""
    if not isinstance(collection, Confined) or not collection.is_collection:
        return element
    return Confined.of(element, collection.attributes, is_collection=False)


@dataclass(frozen=True, slots=True, eq=False)
class OpenMap:
    """A map: the entries of `known` are surely in it; any other key may be, with a value like `rest`."""

    known: Mapping[str, Any]
    rest: Any


class SetValue(list[Any]):
    """The elements of a set, in Terraform's order."""


class ObjectValue:
    """An object whose attributes are evaluated when they are asked for."""

    __slots__ = ()

    def attribute(self, name: str) -> Any:
        """The value of an attribute."""
        raise NotImplementedError

    def unknown(self) -> Unknown:
        """What the object is where only plain values can stand."""
        raise NotImplementedError


class Reach(enum.IntEnum):
    """How far an operation looks into its arguments, and so which branches it has to tell apart."""

    TOP = 0  # the arguments themselves
    ELEMENTS = 1  # also which elements are there
    ALL = 2  # everything inside


class TooManyBranches(Exception):
    """A value would have more branches than anyone can judge."""


PLAIN: Final = (str, bool, int, float)


# ------------------------------------------------------------------ sameness


def same(a: Any, b: Any) -> bool:
    """Equal in type and value. Two unknowns are the same only where their subject says so."""
    if a is b:
        return True
    if isinstance(a, bool) or isinstance(b, bool):
        return isinstance(a, bool) and isinstance(b, bool) and a == b
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(value, b[key]) for key, value in a.items())
    if isinstance(a, PLAIN) and isinstance(b, PLAIN):
        return isinstance(a, str) == isinstance(b, str) and a == b
    if isinstance(a, Unknown) and isinstance(b, Unknown):
        return bool(a.subject) and a.subject == b.subject
    if isinstance(a, (Encoded, Repeated)) and type(a) is type(b):
        return same(a.value, b.value)
    if isinstance(a, Choice) and isinstance(b, Choice):
        return a.cond == b.cond and same(a.then, b.then) and same(a.otherwise, b.otherwise)
    return isinstance(a, Options) and isinstance(b, Options) and a == b


# ------------------------------------------------------------------ facts


def _facts(cond: Cond, truth: bool) -> Iterator[tuple[Cond, bool]]:
    """What follows from `cond` having `truth`."""
    yield cond, truth
    if isinstance(cond, Not):
        yield from _facts(cond.of, not truth)
    elif (isinstance(cond, AllOf) and truth) or (isinstance(cond, AnyOf) and not truth):
        for part in cond.of:
            yield from _facts(part, truth)


class Assumption:
    """A condition that is taken to hold, or not to."""

    __slots__ = ("_known", "_values")

    def __init__(self, cond: Cond, truth: bool) -> None:
        self._known: list[tuple[Cond, bool]] = []
        self._values: dict[str, Any] = {}
        for fact, holds in _facts(cond, truth):
            self._known.append((fact, holds))
            if isinstance(fact, Test) and holds:
                self._values[fact.subject] = fact.value

    def simplify(self, cond: Cond) -> Cond:
        """`cond` as far as the assumption decides it."""
        if isinstance(cond, bool):
            return cond
        for fact, holds in self._known:
            if fact == cond:
                return holds
        if isinstance(cond, Test) and cond.subject in self._values:
            return same(self._values[cond.subject], cond.value)
        if isinstance(cond, Not):
            return negate(self.simplify(cond.of))
        if isinstance(cond, AllOf):
            return conjoin(map(self.simplify, cond.of))
        if isinstance(cond, AnyOf):
            return any_of(map(self.simplify, cond.of))
        return cond

    def apply(self, value: Any, *, deep: bool = False) -> Any:
        """`value` as far as the assumption decides it; `deep` looks into lists and maps as well."""
        if isinstance(value, PLAIN) or value is ABSENT:
            return value
        if isinstance(value, Choice):
            cond = self.simplify(value.cond)
            if isinstance(cond, bool):
                return self.apply(value.then if cond else value.otherwise, deep=deep)
            then, otherwise = self.apply(value.then, deep=deep), self.apply(value.otherwise, deep=deep)
            return choice(cond, then, otherwise)
        if isinstance(value, Options):
            return self._options(value)
        if isinstance(value, Unknown):
            return self._unknown(value)
        if isinstance(value, list):
            return self._list(value, deep)
        if isinstance(value, dict):
            if not deep and not any(may_be_omitted(element) for element in value.values()):
                return value
            applied = {key: self.apply(element, deep=deep) for key, element in value.items()}
            return {key: element for key, element in applied.items() if element is not OMITTED}
        if deep and isinstance(value, OpenMap):
            known = {key: self.apply(element, deep=True) for key, element in value.known.items()}
            known = {key: element for key, element in known.items() if element is not OMITTED}
            return OpenMap(known, self.apply(value.rest, deep=True))
        if deep and isinstance(value, (Encoded, Repeated)):
            return replace(value, value=self.apply(value.value, deep=True))
        return value

    def _list(self, value: list[Any], deep: bool) -> list[Any]:
        if not deep and not any(may_be_omitted(element) for element in value):
            return value
        applied = [self.apply(element, deep=deep) for element in value]
        kept = [element for element in applied if element is not OMITTED]
        return SetValue(kept) if isinstance(value, SetValue) else kept

    def _options(self, value: Options) -> Any:
        if value.subject in self._values:
            return self._values[value.subject]
        gone = [f.value for f, holds in self._known if isinstance(f, Test) and not holds and f.subject == value.subject]
        left = tuple(option for option in value.values if not any(same(option, other) for other in gone))
        if len(left) == len(value.values) or not left:
            return value
        return left[0] if len(left) == 1 else replace(value, values=left)

    def _unknown(self, value: Unknown) -> Any:
        if not value.subject:
            return value
        if value.subject in self._values:
            return self._values[value.subject]
        null = null_subject(value.subject)
        if self._values.get(null) is True:
            return ABSENT
        if not value.present and any(isinstance(f, Test) and f.subject == null and not h for f, h in self._known):
            return replace(value, present=True)
        return value


def null_subject(subject: str) -> str:
    """The subject of the question whether the value of `subject` is null."""
    return f"{subject} == null"


def conjoin(conds: Iterable[Cond]) -> Cond:
    """The conjunction in its simplest form: one level, and without what follows from the rest.

    A subject has one value, so that `x is "a"` makes `x is not "b"` superfluous and `x is "b"` false.
    """
    parts: list[Cond] = []
    for cond in conds:
        parts += cond.of if isinstance(cond, AllOf) else (cond,)
    decided: dict[str, Any] = {}
    for part in parts:
        if isinstance(part, Test):
            if part.subject in decided and not same(decided[part.subject], part.value):
                return False
            decided[part.subject] = part.value
    return all_of(part for part in parts if not _follows(part, decided))


def _follows(cond: Cond, decided: Mapping[str, Any]) -> bool:
    """Whether `cond` is a denial that follows from the decided values."""
    if not isinstance(cond, Not) or not isinstance(cond.of, Test) or cond.of.subject not in decided:
        return False
    return not same(decided[cond.of.subject], cond.of.value)


# ------------------------------------------------------------------ branches


def choice(cond: Cond, then: Any, otherwise: Any) -> Any:
    """A Choice in its simplest form."""
    if isinstance(cond, bool):
        return then if cond else otherwise
    if same(then, otherwise):
        return then
    if isinstance(cond, Not):
        return Choice(cond.of, otherwise, then)
    return Choice(cond, then, otherwise)


def _first_condition(value: Any, reach: Reach) -> Cond | None:
    """The first condition on which `value` turns."""
    if isinstance(value, PLAIN):
        return None
    if isinstance(value, Choice):
        return value.cond
    if isinstance(value, Options):
        return Test(value.subject, value.values[0], value.label)
    if reach is Reach.TOP:
        return None
    if isinstance(value, (list, dict)):
        for element in value.values() if isinstance(value, dict) else value:
            if reach is Reach.ALL or may_be_omitted(element):
                found = _first_condition(element, reach)
                if found is not None:
                    return found
    elif reach is Reach.ALL and isinstance(value, (Encoded, Repeated)):
        return _first_condition(value.value, reach)
    elif reach is Reach.ALL and isinstance(value, OpenMap):
        return _first_condition([*value.known.values(), value.rest], reach)
    return None


def may_be_omitted(element: Any) -> bool:
    """Whether an element is there only in some branches."""
    while isinstance(element, Choice):
        if element.then is OMITTED or element.otherwise is OMITTED:
            return True
        if isinstance(element.then, Choice) and may_be_omitted(element.then):
            return True
        element = element.otherwise
    return False


def lift(function: Callable[..., Any], arguments: Sequence[Any], reach: Reach = Reach.ELEMENTS) -> Any:
    """`function(*arguments)` in every branch of the arguments, as one value.

    Raises TooManyBranches above the limit.
    """
    if all(isinstance(argument, PLAIN) for argument in arguments):
        return function(*arguments)
    return _lift(function, list(arguments), reach, [BRANCH_LIMIT])


def _lift(function: Callable[..., Any], arguments: list[Any], reach: Reach, budget: list[int]) -> Any:
    for argument in arguments:
        cond = _first_condition(argument, reach)
        if cond is not None:
            break
    else:
        budget[0] -= 1
        if budget[0] < 0:
            raise TooManyBranches
        return function(*arguments)
    deep = reach is Reach.ALL
    yes, no = Assumption(cond, True), Assumption(cond, False)
    then = _lift(function, [yes.apply(a, deep=deep) for a in arguments], reach, budget)
    otherwise = _lift(function, [no.apply(a, deep=deep) for a in arguments], reach, budget)
    return choice(cond, then, otherwise)


def map_branches(value: Any, change: Callable[[Any], Any]) -> Any:
    """`change` of every branch of a value, as a tree of Choices; equal branches stay apart."""
    if isinstance(value, Choice):
        return Choice(value.cond, map_branches(value.then, change), map_branches(value.otherwise, change))
    if isinstance(value, Options):
        result = change(value.values[-1])
        for option in reversed(value.values[:-1]):
            result = Choice(Test(value.subject, option, value.label), change(option), result)
        return result
    return change(value)


def when(tree: Any, holds: Callable[[Any], Cond]) -> Cond:
    """The condition under which `holds` is true of the branch that is taken. A branch that fails says nothing."""
    if not isinstance(tree, Choice):
        return holds(tree)
    if tree.then is FAILED:
        return when(tree.otherwise, holds)
    if tree.otherwise is FAILED:
        return when(tree.then, holds)
    return either(tree.cond, when(tree.then, holds), when(tree.otherwise, holds))


def either(cond: Cond, then: Cond, otherwise: Cond) -> Cond:
    """`cond ? then : otherwise` as a condition, in its simplest form."""
    if then == otherwise:
        return then
    if then is True:
        return any_of((cond, otherwise))
    if otherwise is True:
        return any_of((negate(cond), then))
    return any_of((conjoin((cond, then)), conjoin((negate(cond), otherwise))))


def leaves(value: Any, cond: Cond = True) -> Iterator[tuple[Cond, Any]]:
    """Every branch of a value with the condition under which it is taken. Options become branches."""
    if isinstance(value, Choice):
        yield from leaves(value.then, conjoin((cond, value.cond)))
        yield from leaves(value.otherwise, conjoin((cond, negate(value.cond))))
    elif isinstance(value, Options):
        for option in value.values:
            yield conjoin((cond, Test(value.subject, option, value.label))), option
    else:
        yield cond, value


def split(value: Any, mark: Any) -> tuple[Cond, Any]:
    """When `value` is not `mark` (FAILED, OMITTED), and what it is then."""
    if value is mark:
        return False, mark
    if not isinstance(value, Choice):
        return True, value
    then_holds, then = split(value.then, mark)
    other_holds, otherwise = split(value.otherwise, mark)
    if then_holds is True and other_holds is True:
        return True, value
    holds = either(value.cond, then_holds, other_holds)
    if then is mark:
        return holds, otherwise
    return holds, then if otherwise is mark else choice(value.cond, then, otherwise)


def hoist_failures(elements: Iterable[Any], build: Callable[[list[Any]], Any]) -> Any:
    """`build` of the elements; it fails where one of them does."""
    holds: list[Cond] = []
    kept: list[Any] = []
    for element in elements:
        if element is FAILED:
            return FAILED
        if isinstance(element, Choice):
            cond, element = split(element, FAILED)
            holds.append(cond)
        kept.append(element)
    return choice(conjoin(holds), build(kept), FAILED)


# ------------------------------------------------------------------ conditions


def condition_of(value: Any) -> Cond | None:
    """A value as a condition; None where it cannot be one. A branch that fails says nothing."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value)
    if isinstance(value, Unknown):
        return Test(value.subject, True, value.text) if value.subject else None
    if isinstance(value, Choice):
        if value.then is FAILED:
            return condition_of(value.otherwise)
        if value.otherwise is FAILED:
            return condition_of(value.then)
        then, otherwise = condition_of(value.then), condition_of(value.otherwise)
        if then is None or otherwise is None:
            return None
        return either(value.cond, then, otherwise)
    if isinstance(value, Options):
        parts = []
        for option in value.values:
            cond = condition_of(option)
            if cond is None:
                return None
            parts.append(conjoin((Test(value.subject, option, value.label), cond)))
        return any_of(parts)
    return None


# ------------------------------------------------------------------ unknowns


def unknowns(value: Any) -> Iterator[Unknown]:
    """All unknowns inside of a value."""
    if isinstance(value, PLAIN):
        return
    if isinstance(value, Unknown):
        yield value
    elif isinstance(value, ObjectValue):
        yield value.unknown()
    elif isinstance(value, list):
        for element in value:
            yield from unknowns(element)
    elif isinstance(value, dict):
        for element in value.values():
            yield from unknowns(element)
    elif isinstance(value, (Encoded, Repeated)):
        yield from unknowns(value.value)
    elif isinstance(value, Choice):
        yield from unknowns(value.then)
        yield from unknowns(value.otherwise)
    elif isinstance(value, OpenMap):
        yield from unknowns(list(value.known.values()))
        yield from unknowns(value.rest)


def is_known(value: Any) -> bool:
    """Whether nothing in the value is open."""
    if isinstance(value, PLAIN) or value is ABSENT:
        return True
    if isinstance(value, list):
        return all(map(is_known, value))
    if isinstance(value, dict):
        return all(map(is_known, value.values()))
    return isinstance(value, Encoded) and is_known(value.value)


def is_surely_set(value: Any) -> bool:
    """Whether a value is not null in any branch."""
    if isinstance(value, Choice):
        return is_surely_set(value.then) and is_surely_set(value.otherwise)
    return value.present if isinstance(value, Unknown) else value is not ABSENT and value is not OMITTED


def unite_refs(sources: Iterable[Unknown]) -> tuple[Ref, ...]:
    """The references of all, each once."""
    return tuple(dict.fromkeys(ref for source in sources for ref in source.refs))


def derived(
    text: str,
    sources: Sequence[Any],
    *,
    subject: str = "",
    present: bool = False,
    parts: tuple[str | None, ...] | None = None,
    fallible: bool = False,
) -> Unknown:
    """The unknown result of an operation over `sources`; references come from them, and the first telling cause."""
    found = [unknown for source in sources for unknown in unknowns(source)]
    cause = next((u.cause for u in found if u.cause is not Cause.UNRESOLVED_VALUE), Cause.UNRESOLVED_VALUE)
    kind = Fallible if fallible else Unknown
    return kind(text=text, cause=cause, refs=unite_refs(found), present=present, parts=parts, subject=subject)


# ------------------------------------------------------------------ texts


def number_text(value: int | float) -> str:
    """A number as Terraform prints it."""
    if isinstance(value, int):
        return str(value)
    if value.is_integer() and abs(value) < 1e21:
        return str(int(value))
    return repr(value)


def text_of(value: Any) -> str | None:
    """A scalar as text; None where it has none, or where its text is not known."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return number_text(value) if math.isfinite(value) else None
    if isinstance(value, Encoded) and is_known(value.value):
        return encode(value.value)
    return None


def encode(value: Any) -> str:
    """The JSON text of a known value, as `jsonencode` writes it."""
    plain = json.dumps(_jsonable(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return plain.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _jsonable(value: Any) -> Any:
    if value is ABSENT:
        return None
    if isinstance(value, Encoded):
        return encode(value.value)
    if isinstance(value, list):
        return [_jsonable(element) for element in value]
    if isinstance(value, dict):
        return {key: _jsonable(element) for key, element in value.items()}
    return value


# ------------------------------------------------------------------ the way out


def export(value: Any, text: str) -> Any:
    """A value as the model wants it. `text` is the expression, for what has no value of its own."""
    if isinstance(value, PLAIN) or value is ABSENT:
        return value
    if isinstance(value, (Fallible, Confined)):
        return Unknown(value.text, value.cause, value.refs, value.present, value.parts, value.subject)
    if isinstance(value, (Unknown, Options)):
        return value
    if isinstance(value, Choice):
        return _export_choice(value, text)
    if isinstance(value, list):
        exported = [export(element, text) for element in value if element is not OMITTED]
        return [element for element in exported if element is not ABSENT]
    if isinstance(value, dict):
        members = {key: export(element, text) for key, element in value.items() if element is not OMITTED}
        return {key: element for key, element in members.items() if element is not ABSENT}
    if isinstance(value, (Encoded, Repeated)):
        return replace(value, value=export(value.value, text))
    if isinstance(value, ObjectValue):
        return value.unknown()
    if isinstance(value, OpenMap):
        return _export_open_map(value, text)
    return ABSENT if value is OMITTED else Unknown(text=text)


def _export_open_map(value: OpenMap, text: str) -> dict[str, Any]:
    """The known entries, also those that are null: without them, the rest would speak of their keys."""
    rest = export(value.rest, text)
    if isinstance(rest, Unknown) and rest.entries:
        rest = replace(rest, entries=tuple((key, export(element, text)) for key, element in rest.entries))
    if not isinstance(rest, Unknown):  # a known one would say that every key is there
        rest = derived(text, [value.rest])
    members = {key: export(_or_rest(element, rest), text) for key, element in value.known.items()}
    return {**members, FURTHER_KEYS: rest}


def _or_rest(element: Any, rest: Unknown) -> Any:
    """An entry of an open map; in the branches that leave it out the map may have another under its key."""
    if isinstance(element, Choice):
        return choice(element.cond, _or_rest(element.then, rest), _or_rest(element.otherwise, rest))
    return rest if element is OMITTED else element


def _export_choice(value: Choice, text: str) -> Any:
    if value.then is FAILED:
        return export(value.otherwise, text)
    if value.otherwise is FAILED:
        return export(value.then, text)
    return choice(value.cond, export(value.then, text), export(value.otherwise, text))
