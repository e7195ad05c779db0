"""Reading values while a policy is judged: open choices, attribute paths, elements of lists, policy documents.

A `Context` is one scenario: a set of decided conditions. Reading a value that hangs on a condition not decided yet
raises `Undecided`; the driver (evaluate.py) then forks the scenario and starts again, so that policies read plain
values and equal conditions have one truth value within a verdict.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from srm_checks import subjects
from srm_checks.model import (
    ABSENT,
    FURTHER_KEYS,
    AnyOf,
    Choice,
    Cond,
    Encoded,
    LazyReferences,
    Literal,
    Not,
    Options,
    Path,
    Ref,
    Repeated,
    Resource,
    Stack,
    Test,
    Unknown,
)
from srm_checks.policy.truth import Result

Segments: TypeAlias = tuple[str, ...]

_MAX_AGREED: Final = 4096  # branches of one value that are looked at together


class Undecided(Exception):
    """A condition must be decided before the value can be read; `forks` are the decisions to try.

    Keep the forks, not the exception: it holds on to the frames that it came through, and so to the whole stack.
    """

    def __init__(self, forks: tuple[Decision, ...]) -> None:
        self.forks = forks


@dataclass(frozen=True, slots=True)
class Decision:
    """`subject` equals `value` (or does not, where `holds` is false); `label` is how it reads."""

    subject: str
    value: Literal
    holds: bool
    label: str

    def words(self) -> str:
        if self.value == "":
            return f"{self.label} is {'empty' if self.holds else 'not empty'}"
        if self.value is True:
            return (
                self.label if self.holds else f"not ({self.label})" if " " in self.label else f"{self.label} is false"
            )
        return f"{self.label} is {self.value}" if self.holds else f"{self.label} is not {self.value}"


Assignment: TypeAlias = tuple[Decision, ...]

# A compiled condition: called with the scenario, the judged resource, and the value with its path in which attribute
# names are looked up (the resource's attributes, or the element that a quantifier has come to).
Condition: TypeAlias = "Callable[[Context, Resource, Any, Path], Result]"


def references_at(resource: Resource, attribute: Segments, below: Path = ()) -> Iterator[Ref]:
    """The references that stand in an attribute of a resource, or of the element at `below`.

    Indexes further down do not matter. A reference that is recorded for a whole that holds the attribute counts too.
    """
    depth = len(below)
    first = below[0] if below else attribute[0] if attribute else None
    found = resource.references
    entries = found.below(first if isinstance(first, str) else None) if isinstance(found, LazyReferences) else found
    for path, ref in entries:
        if path[:depth] != below[: len(path)]:
            continue
        names = tuple(step for step in path[depth:] if type(step) is str)
        if names[: len(attribute)] == attribute or attribute[: len(names)] == names:
            yield ref


@dataclass(frozen=True, slots=True)
class Loose:
    """Resources that mention no declared one.

    `named` has those that give a plain text, by that text; `same_as` those that give a value that is not known but has
    a subject, by that; `open` all that give an unknown value; `mixed` those that give a list, a choice or the like.
    `branched` has those that mention a declared one, but perhaps in some branch only.
    """

    named: dict[str, list[Resource]]
    same_as: dict[str, list[Resource]]
    open: list[Resource]
    mixed: list[Resource]
    branched: list[Resource]


class StackIndex:
    """A stack with the look-ups that policies need, each built once and in linear time."""

    __slots__ = ("_loose", "_referrers", "by_base", "by_type", "memo", "stack")

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.by_type: dict[str, list[Resource]] = {}
        self.by_base: dict[str, list[Resource]] = {}
        for resource in stack.resources:
            self.by_type.setdefault(resource.type, []).append(resource)
            self.by_base.setdefault(resource.base, []).append(resource)
        self._referrers: dict[tuple[str, Segments], dict[str, list[tuple[Resource, Ref]]]] = {}
        self._loose: dict[tuple[str, Segments], Loose] = {}
        self.memo: dict[Any, Any] = {}  # what conditions work out once for the stack

    def referrers(self, type_: str, attribute: Segments, target: Resource) -> Iterator[Resource]:
        """The resources of a type whose attribute mentions `target`, in whatever branch."""
        yield from {id(resource): resource for resource, _ref in self.mentions(type_, attribute, target)}.values()

    def mentions(self, type_: str, attribute: Segments, target: Resource) -> Iterator[tuple[Resource, Ref]]:
        """The resources of a type whose attribute mentions `target`, with each mention."""
        for resource, ref in self._table(type_, attribute).get(target.base, ()):
            if ref.key is None or target.key is None or ref.key == target.key:
                yield resource, ref

    def loose(self, type_: str, attribute: Segments) -> Loose:
        """The resources of a type whose attribute mentions no declared resource, by what they name."""
        found = self._loose.get((type_, attribute))
        if found is None:
            branched = [
                resource
                for resource in self.by_type.get(type_, ())
                if hangs_on_branch(resource.attributes, attribute) and self._declared(resource, attribute)
            ]
            found = self._loose[type_, attribute] = Loose({}, {}, [], [], branched)
            for resource, _ref in self._table(type_, attribute).get("", ()):
                value: Any = resource.attributes
                if attribute[0] not in value and FURTHER_KEYS not in value:
                    continue  # it names nothing
                for step in attribute:
                    value = value.get(step) if isinstance(value, dict) else None
                texts = value if isinstance(value, list) else [value]
                if texts and all(isinstance(text, str) for text in texts):
                    for text in texts:
                        found.named.setdefault(text, []).append(resource)
                elif isinstance(value, Unknown):
                    found.open.append(resource)
                    if value.subject:
                        found.same_as.setdefault(value.subject, []).append(resource)
                else:
                    found.mixed.append(resource)
        return found

    def _table(self, type_: str, attribute: Segments) -> dict[str, list[tuple[Resource, Ref]]]:
        table = self._referrers.get((type_, attribute))
        if table is None:
            table = {}
            for resource in self.by_type.get(type_, ()):
                for ref in self._declared(resource, attribute) or [Ref("")]:
                    table.setdefault(ref.target, []).append((resource, ref))
            self._referrers[type_, attribute] = table
        return table

    def _declared(self, resource: Resource, attribute: Segments) -> list[Ref]:
        """The references in an attribute that lead to a declared resource."""
        return [ref for ref in references_at(resource, attribute) if ref.target in self.by_base]

    def targets(self, ref: Ref) -> list[Resource]:
        """The declared resources that a reference may mean."""
        found = self.by_base.get(ref.target, [])
        if ref.key is None:
            return found
        return [resource for resource in found if resource.key is None or resource.key == ref.key]


class Environment:
    """What a verdict may depend on besides the stack and the policy. `dated` tells whether the day was asked for."""

    __slots__ = ("_today", "dated")

    def __init__(self, today: datetime.date) -> None:
        self._today = today
        self.dated = False

    @property
    def today(self) -> datetime.date:
        self.dated = True
        return self._today


class Context:
    """One scenario of one policy on one stack.

    A patient one tells only those branches apart between which a condition comes out differently: for a value with so
    many branches that not all can be judged one by one.
    """

    __slots__ = ("assignment", "environment", "excluded", "given", "index", "patient")

    def __init__(
        self, index: StackIndex, environment: Environment, assignment: Assignment, *, patient: bool = False
    ) -> None:
        self.index = index
        self.patient = patient
        self.environment = environment
        self.assignment = assignment
        self.given: dict[str, Literal] = {}
        self.excluded: dict[str, set[Any]] = {}  # as `_text` has them, which makes equal what is the `same`
        for decision in assignment:
            if decision.holds:
                self.given[decision.subject] = decision.value
            else:
                self.excluded.setdefault(decision.subject, set()).add(_text(decision.value))

    # -------------------------------------------------------------- conditions

    def agreed(self, condition: Condition, resource: Resource, value: Any, path: Path, undecided: Undecided) -> Result:
        """What a condition comes out as in every branch that it reads; raises `Undecided` where they differ."""
        if not self.patient:
            raise Undecided(undecided.forks)
        feasible = self.index.stack.feasible
        pending: list[Assignment] = [(*self.assignment, fork) for fork in undecided.forks]
        first: Result | None = None
        for _ in range(_MAX_AGREED):
            if not pending:
                break
            assignment = pending.pop()
            if not feasible((decision.subject, decision.value, decision.holds) for decision in assignment):
                continue
            try:
                result = condition(Context(self.index, self.environment, assignment), resource, value, path)
            except Undecided as further_on:
                pending += [(*assignment, fork) for fork in further_on.forks]
                continue
            first = first or result
            if result.truth != first.truth:
                raise Undecided(undecided.forks)
        if first is None or pending:
            raise Undecided(undecided.forks)
        return first

    def holds(self, cond: Cond) -> bool:
        """Whether a condition holds in this scenario; raises `Undecided` where that is open."""
        truth, test = self._truth(cond)
        if truth is None:
            assert test is not None
            raise Undecided(
                (
                    Decision(test.subject, test.value, True, test.label),
                    Decision(test.subject, test.value, False, test.label),
                )
            )
        return truth

    def _truth(self, cond: Cond) -> tuple[bool | None, Test | None]:
        if isinstance(cond, bool):
            return cond, None
        if isinstance(cond, Test):
            if cond.subject in self.given:
                return same(self.given[cond.subject], cond.value), None
            excluded = self.excluded.get(cond.subject, ())
            if excluded and _text(cond.value) in excluded:
                return False, None
            if excluded and isinstance(cond.value, bool) and _text(not cond.value) in excluded:
                return True, None
            return None, cond
        if isinstance(cond, Not):
            truth, test = self._truth(cond.of)
            return (None if truth is None else not truth), test
        first: Test | None = None
        decisive = isinstance(cond, AnyOf)
        for part in cond.of:
            truth, test = self._truth(part)
            if truth is decisive:
                return decisive, None
            if truth is None and first is None:
                first = test
        return (None, first) if first is not None else (not decisive, None)

    # -------------------------------------------------------------- values

    def read(self, value: Any) -> Any:
        """The value in this scenario: no Choice, no Options; Unknown stays unless its subject is decided."""
        while True:
            kind = type(value)
            if kind is Choice:
                value = value.then if self.holds(value.cond) else value.otherwise
            elif kind is Options:
                value = self._option(value)
            elif kind is Unknown and value.subject and value.subject in self.given:
                return self.given[value.subject]
            else:
                return ABSENT if value is None else value  # None: a null inside a JSON text

    def _option(self, options: Options) -> Any:
        if options.subject in self.given:
            return self.given[options.subject]
        excluded = self.excluded.get(options.subject, ())
        left = [value for value in options.values if _text(value) not in excluded]
        if len(left) == 1:
            return left[0]
        if not left:
            return Unknown(options.label, subject=options.subject)
        raise Undecided(tuple(Decision(options.subject, value, True, options.label) for value in left))

    def elements(self, value: Any) -> Iterator[tuple[Any, int | None, bool]]:
        """The elements of a list as (value, index, certain); a single value counts as a list of one.

        `certain` is false for elements of which there may be none. The index is None for a value that is no list.
        """
        value = self.read(value)
        if value is ABSENT:
            return
        if type(value) is not list:
            # A value that is not known at all may be a list of any length; a text with holes is one text.
            yield value, None, type(value) is not Unknown or value.parts is not None
            return
        for index, element in enumerate(value):
            certain = True
            if type(element) is Repeated:
                element, certain = element.value, False
            element = self.read(element)
            if element is not ABSENT:
                yield element, index, certain

    def lookup(self, value: Any, segments: Segments, path: Path) -> list[tuple[Any, Path]]:
        """The values at an attribute path below `value`; through a list, one for each element.

        ABSENT comes with the path where the attribute would stand.
        """
        value = self.read(value)
        if not segments:
            return [(value, path)]
        kind = type(value)
        if kind is dict:
            name = segments[0]
            if name in value:
                return self.lookup(value[name], segments[1:], (*path, name))
            for length in range(len(segments), 1, -1):  # a key with dots in it, such as `rds.force_ssl`
                joined = ".".join(segments[:length])
                if joined in value:
                    return self.lookup(value[joined], segments[length:], (*path, joined))
            if FURTHER_KEYS in value:
                return [(further(self, value), path + segments)]
            return [(ABSENT, path + segments)]
        if kind is list:
            found: list[tuple[Any, Path]] = []
            for element, index, certain in self.elements(value):
                inner = path if index is None else (*path, index)
                if certain:
                    found.extend(self.lookup(element, segments, inner))
                else:
                    found.extend((uncertain(read), at) for read, at in self.lookup(element, segments, inner))
            return found or [(ABSENT, path + segments)]
        if kind is Encoded:
            return self.lookup(value.value, segments, path)
        if kind is Unknown or kind is str:
            data = decode_json(value)
            if type(data) in (dict, list):
                return self.lookup(data, segments, path)
            if kind is Unknown:
                return [(Unknown(f"{value.text}.{'.'.join(segments)}", value.cause, value.refs), path)]
        return [(ABSENT, path + segments)]


def possibilities(value: Any, segments: Segments = ()) -> Iterator[Any]:
    """Every value that may stand at an attribute path, in whatever branch and element; none where it is absent."""
    if isinstance(value, Choice):
        yield from possibilities(value.then, segments)
        yield from possibilities(value.otherwise, segments)
    elif isinstance(value, Options):
        yield from value.values if not segments else ()
    elif isinstance(value, Repeated):
        yield from possibilities(value.value, segments)
    elif isinstance(value, list):
        for element in value:
            yield from possibilities(element, segments)
    elif not segments:
        if value is not ABSENT:
            yield value
    elif isinstance(value, dict):
        name = segments[0]
        if name in value:
            yield from possibilities(value[name], segments[1:])
        elif FURTHER_KEYS in value:
            yield from possibilities(value[FURTHER_KEYS])
    else:
        data = decode_json(value)
        if isinstance(data, (dict, list)):
            yield from possibilities(data, segments)
        elif isinstance(value, Unknown):
            yield value


def hangs_on_branch(value: Any, segments: Segments) -> bool:
    """Whether an open condition decides on what stands at an attribute path."""
    if isinstance(value, (Choice, Options)):
        return True
    if isinstance(value, list):
        return any(hangs_on_branch(element, segments) for element in value)
    if isinstance(value, (Repeated, Encoded)):
        return hangs_on_branch(value.value, segments)
    if isinstance(value, dict) and segments:
        return segments[0] in value and hangs_on_branch(value[segments[0]], segments[1:])
    return False


def further(context: Context, value: Mapping[str, Any]) -> Any:
    """What an open map has under a key that it does not name."""
    read = context.read(value[FURTHER_KEYS])
    return uncertain(read) if isinstance(read, Unknown) else read


def uncertain(value: Any) -> Any:
    """A value that is read of something which may not be there at all; what is absent either way is absent."""
    if value is ABSENT:
        return ABSENT
    if isinstance(value, Unknown):
        return Unknown(value.text, value.cause, value.refs)
    return Unknown(f"{value!r} in elements that may not be there")


def same(left: Any, right: Any) -> bool:
    """Equality as both languages convert: `true` and "true", 80 and "80" are the same."""
    if left is right or (left == right and isinstance(left, bool) == isinstance(right, bool)):
        return True
    return bool(_text(left) == _text(right))


def _text(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(int(value)) if float(value).is_integer() else str(value)
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower()
    return value


def plain(context: Context, value: Any, depth: int = 0) -> Any:
    """A value as JSON-ready data, for evidence; what is open shows as its expression in `${...}`."""
    try:
        value = context.read(value)
    except Undecided as undecided:
        return f"${{{undecided.forks[0].label} ? ...}}"
    if value is ABSENT:
        return None
    if isinstance(value, Unknown):
        return f"${{{value.text}}}"
    if isinstance(value, Encoded):
        return plain(context, value.value, depth)
    if isinstance(value, Repeated):
        return {"any number of": plain(context, value.value, depth + 1)}
    if depth > 20:
        return "..."
    if isinstance(value, Mapping):
        return {str(key): plain(context, inner, depth + 1) for key, inner in value.items() if inner is not ABSENT}
    if isinstance(value, (list, tuple)):
        return [plain(context, inner, depth + 1) for inner in value]
    if isinstance(value, (str, int, float, bool)):
        return value
    return str(value)


def open_text(value: Unknown) -> tuple[str, dict[str, Unknown]] | None:
    """A text with holes as one text with a placeholder for each hole, and the holes; None if nothing is known of it."""
    if value.parts is None:
        return None
    holes: dict[str, Unknown] = {}
    pieces: list[str] = []
    fillers = subjects.by_hole(value.subject)
    if len(fillers) != value.parts.count(None):
        fillers = [""] * value.parts.count(None)
    for part in value.parts:
        if part is None:
            mark = f"\ue000{len(holes)}\ue001"
            holes[mark] = Unknown(value.text, value.cause, value.refs, subject=fillers[len(holes)])
            pieces.append(mark)
        else:
            pieces.append(part)
    return "".join(pieces), holes


def decode_json(value: Any) -> Any:
    """The data of a JSON text: from `Encoded`, a text, or a text with holes (the holes become Unknown).

    Data that is no text, and a text that holds neither an object nor a list, come back as they are. A text that looks
    like JSON and is none gives Unknown.
    """
    if isinstance(value, Encoded):
        return value.value
    holes: dict[str, Unknown] = {}
    if isinstance(value, Unknown):
        opened = open_text(value)
        if opened is None or not opened[0].lstrip().startswith(("{", "[")):
            return value
        text, holes = opened
    elif isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        text = value
    else:
        return value
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return value if isinstance(value, Unknown) else Unknown("a text that is not JSON")
    return _fill(data, holes) if holes else data


def _fill(data: Any, holes: dict[str, Unknown]) -> Any:
    if isinstance(data, str):
        if "\ue000" not in data:
            return data
        if data in holes:
            return holes[data]
        parts: list[str | None] = []
        told: list[str | Unknown] = []
        rest = data
        while "\ue000" in rest:
            before, _, rest = rest.partition("\ue000")
            if before:
                parts.append(before)
            parts.append(None)
            number, _, rest = rest.partition("\ue001")
            told += [before, holes[f"\ue000{number}\ue001"]]
        if rest:
            parts.append(rest)
        subject = subjects.composed([*told, rest])
        any_hole = next(iter(holes.values()))
        return Unknown(any_hole.text, any_hole.cause, any_hole.refs, True, tuple(parts), subject)
    if isinstance(data, list):
        return [_fill(item, holes) for item in data]
    if isinstance(data, dict):
        return {(FURTHER_KEYS if "\ue000" in key else key): _fill(item, holes) for key, item in data.items()}
    return data
