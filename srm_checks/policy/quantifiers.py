"""Conditions on elements: every, some, none, over lists, values of maps and policy statements."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, TypeAlias

from srm_checks.model import ABSENT, FURTHER_KEYS, Cause, Path, Resource, Unknown
from srm_checks.policy.access import Condition, Context, Decision, Segments, Undecided, decode_json
from srm_checks.policy.documents import statements
from srm_checks.policy.leaves import HIDDEN, OPEN_LENGTH, at_absence, or_absent
from srm_checks.policy.truth import FALSE, TRUE, UNKNOWN, Fact, Result, all_of, any_of, negate

_Elements: TypeAlias = Callable[[Context, Any, Path], Iterable[tuple[Any, Path, bool]]]


def _list_elements(context: Context, item: Any, at: Path) -> Iterator[tuple[Any, Path, bool]]:
    """The elements of a list, also of one written as JSON text."""
    for element, index, certain in context.elements(context.read(decode_json(item))):
        yield element, at if index is None else (*at, index), certain


def _map_values(context: Context, item: Any, at: Path) -> Iterator[tuple[Any, Path, bool]]:
    """The values of a map; what is not known of it is one value that may not be there."""
    data = context.read(decode_json(item))
    if not isinstance(data, dict):
        yield data if isinstance(data, Unknown) else Unknown("a value that is no map"), at, False
        return
    for key, inner in data.items():
        value = context.read(inner)
        if key == FURTHER_KEYS and isinstance(value, Unknown) and value.entries:
            entries = ((context.read(element), (*at, key), True) for _open_key, element in value.entries)
            yield from (entry for entry in entries if entry[0] is not ABSENT)
            continue
        if value is not ABSENT:
            yield value, (*at, key), key != FURTHER_KEYS


# What a quantifier can go through, by the key that names it.
COLLECTIONS: Final[dict[str, _Elements]] = {
    "in": _list_elements,
    "values_of": _map_values,
    "statements": statements,
}


def quantified(
    paths: list[Segments], where: Condition, head: str, at_absent: int | None, elements_of: _Elements
) -> Condition:
    def judge(context: Context, resource: Resource, value: Any, path: Path) -> Result:
        results: list[Result] = []
        declared = False  # by an element that is surely there, or by something that is no list
        forks: tuple[Decision, ...] = ()
        for segments in paths:
            for item, at in context.lookup(value, segments, path):
                if item is ABSENT:
                    continue
                declared = declared or not isinstance(item, list)
                for element, inner, certain in elements_of(context, item, at):
                    declared = declared or certain
                    try:
                        results.append(_element(where, context, resource, element, inner, certain=certain))
                    except Undecided as undecided:
                        forks = forks or undecided.forks
        decisive = FALSE if head == "every" else TRUE
        if forks and not any(result.truth == decisive for result in results):
            raise Undecided(forks)
        if not results:
            if not declared and at_absent is not None:
                return at_absence(resource, path + paths[0], at_absent)
            found = _empty(resource, path + paths[0], TRUE if head == "every" else FALSE)
        else:
            join = all_of if head == "every" else any_of
            found = join(_maybe(result, decisive) for result in results)
        if head == "none":
            found = negate(found)
        return found if declared or at_absent is None else or_absent(found, at_absent)

    return judge


class _Uncertain(Result):
    """The result of an element that may not be there."""

    __slots__ = ()


def _element(
    where: Condition, context: Context, resource: Resource, element: Any, at: Path, *, certain: bool
) -> Result:
    result = where(context, resource, element, at)
    focus = next((fact.focus for fact in result.facts if fact.resource is resource and fact.focus[: len(at)] == at), at)
    hidden = any(fact.value is HIDDEN for fact in result.facts)
    facts = (
        Fact(resource, at, HIDDEN if hidden else element, focus),
        *(fact for fact in result.facts if fact.resource is not resource),
    )
    result = result._replace(facts=facts)
    return result if certain else _Uncertain(*result)


def _maybe(result: Result, decisive: int) -> Result:
    """An element that may not be there cannot decide by itself."""
    if isinstance(result, _Uncertain) and result.truth == decisive:
        return Result(UNKNOWN, result.facts, Cause.UNRESOLVED_VALUE, OPEN_LENGTH)
    return result


def _empty(resource: Resource, at: Path, truth: int) -> Result:
    return Result(truth, (Fact(resource, at, ABSENT, at),))
