"""Conditions on one attribute: how it is read, and how one operator judges it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

from srm_checks import model
from srm_checks.model import ABSENT, FURTHER_KEYS, Cause, Path, Repeated, Resource, Unknown
from srm_checks.policy.access import Condition, Context, Segments, Undecided, further, uncertain
from srm_checks.policy.operators import Operator, as_text, cause_of, presence
from srm_checks.policy.partial import on_partial
from srm_checks.policy.truth import FALSE, NA, NEGATED, UNKNOWN, Fact, Result, all_of, any_of, negate

Reader: TypeAlias = Callable[[Context, Resource, Any, Path], list[tuple[Any, Path]]]


def attribute_reader(segments: Segments) -> Reader:
    if len(segments) == 1:
        name = segments[0]

        def read_one(context: Context, resource: Resource, value: Any, path: Path) -> list[tuple[Any, Path]]:
            if type(value) is dict:
                if name in value:
                    return [(context.read(value[name]), (*path, name))]
                if FURTHER_KEYS not in value:
                    return [(ABSENT, (*path, name))]
            return context.lookup(value, segments, path)

        return read_one
    return lambda context, resource, value, path: context.lookup(value, segments, path)


def union_reader(paths: list[Segments]) -> Reader:
    """Several attributes as one list, those that are set; ABSENT if none is."""

    def read_union(context: Context, resource: Resource, value: Any, path: Path) -> list[tuple[Any, Path]]:
        joined: list[Any] = []
        first: Path | None = None
        for segments in paths:
            for found, at in context.lookup(value, segments, path):
                if found is ABSENT:
                    continue
                first = first or at
                joined.extend(found if isinstance(found, list) else [_as_element(found)])
        return [(joined, first)] if first is not None else [(ABSENT, path + paths[0])]

    return read_union


def _as_element(value: Any) -> Any:
    """A single value in a list of all; one that may be absent, or a list of its own, is any number of elements."""
    return Repeated(value) if isinstance(value, Unknown) and not value.present and value.parts is None else value


def read_region(context: Context, resource: Resource, value: Any, path: Path) -> list[tuple[Any, Path]]:
    region = context.index.stack.region if resource.region is None else resource.region
    return [(context.read(region), ("region",))]


def tag_reader(names: Sequence[str]) -> Reader:
    """The value of a tag, or the values of several as one list."""

    def read_tag(context: Context, resource: Resource, value: Any, path: Path) -> list[tuple[Any, Path]]:
        tags = context.read(resource.tags)
        key = "tags" if "::" not in resource.type else "Tags"
        found = [(name, _tag(context, tags, name)) for name in names]
        there = [(name, value) for name, value in found if value is not ABSENT]
        name, only = (there or found)[0]
        at = (key, name) if isinstance(tags, dict) else (key,)
        return [([_as_element(value) for _name, value in there], at) if len(names) > 1 and there else (only, at)]

    return read_tag


def _tag(context: Context, tags: Any, name: str) -> Any:
    if not isinstance(tags, dict):
        return uncertain(tags)
    if name in tags:
        return context.read(tags[name])
    return further(context, tags) if FURTHER_KEYS in tags else ABSENT


def at_absence(resource: Resource, at: Path, truth: int) -> Result:
    return Result(truth, (Fact(resource, at, ABSENT, at),), Cause.PROVIDER_DEFAULT if truth == UNKNOWN else None)


OPEN_LENGTH: Final = "a list whose length is not known"


def or_absent(result: Result, truth: int) -> Result:
    """The result over elements that may all not be there, which means `truth`."""
    if result.truth in (truth, UNKNOWN) or (NA in (result.truth, truth) and FALSE not in (result.truth, truth)):
        return result
    return Result(UNKNOWN, result.facts, Cause.UNRESOLVED_VALUE, OPEN_LENGTH)


def presence_test(read: Reader, *, wanted: bool, at_absent: int | None) -> Condition:
    def judge(context: Context, resource: Resource, value: Any, path: Path) -> Result:
        try:
            found = read(context, resource, value, path)
        except Undecided as undecided:
            return context.agreed(judge, resource, value, path, undecided)
        # Through a list, one element that has it is enough for "exists".
        results = [_one(context, resource, item, at) for item, at in found]
        result = results[0] if len(results) == 1 else any_of(results)
        return result if wanted else negate(result)

    def _one(context: Context, resource: Resource, item: Any, at: Path) -> Result:
        truth = presence(item, context)
        if truth == FALSE and at_absent is not None:
            return at_absence(resource, at, at_absent if wanted else NEGATED[at_absent])
        detail = getattr(item, "text", OPEN_LENGTH) if truth == UNKNOWN else ""
        return Result(truth, (Fact(resource, at, item, at),), cause_of(item) if truth == UNKNOWN else None, detail)

    return judge


def comparison(read: Reader, operator: Operator, operand: Any, at_absent: int | None, *, hidden: bool) -> Condition:
    base = operator.negates or operator.name
    negated = operator.negates is not None
    test = operator.test
    absent_truth = FALSE if at_absent is None else at_absent

    def one(context: Context, resource: Resource, item: Any, at: Path) -> Result:
        if item is ABSENT:
            return at_absence(resource, at, absent_truth)
        shown: Any = item if not hidden else HIDDEN
        if operator.on_list:
            if isinstance(item, Unknown) and not any(item.parts or ()):
                elements = [(item, False)]  # a list of any length, or a text that may be empty
            else:
                elements = [(element, certain) for element, _index, certain in context.elements(item)]
            truth = test(elements, operand, context)
            if truth == UNKNOWN:
                opener = next((element for element, _certain in elements if isinstance(element, Unknown)), item)
                return Result(truth, (Fact(resource, at, shown, at),), cause_of(opener), getattr(opener, "text", ""))
            return Result(truth, (Fact(resource, at, shown, at),))
        kind = type(item)
        if kind is list and not operator.reads_open:
            return elementwise(context, resource, item, at)
        if kind is Unknown and operator.on_open is not None:
            truth = operator.on_open(item, operand, context)
        elif operator.reads_open:
            truth = test(item, operand, context)
        elif kind is Unknown:
            truth = on_partial(base, item, operand)
            if negated:
                truth = NEGATED[truth]
        else:
            truth = UNKNOWN if kind is dict else test(as_text(item), operand, context)
        if truth == UNKNOWN:
            return Result(truth, (Fact(resource, at, shown, at),), cause_of(item), getattr(item, "text", ""))
        return Result(truth, (Fact(resource, at, shown, at),))

    def elementwise(context: Context, resource: Resource, items: Any, at: Path) -> Result:
        results = []
        any_certain = False
        for element, index, certain in context.elements(items):
            any_certain = any_certain or certain
            inner = at if index is None else (*at, index)
            result = one(context, resource, element, inner)
            results.append(
                result
                if certain or result.truth != FALSE
                else result._replace(truth=UNKNOWN, cause=Cause.UNRESOLVED_VALUE)
            )
        if not results:
            return at_absence(resource, at, absent_truth)
        return all_of(results) if any_certain else or_absent(all_of(results), absent_truth)

    def judge(context: Context, resource: Resource, value: Any, path: Path) -> Result:
        try:
            found = read(context, resource, value, path)
            if len(found) == 1:
                return one(context, resource, found[0][0], found[0][1])
            return all_of([one(context, resource, item, at) for item, at in found])
        except Undecided as undecided:
            return context.agreed(judge, resource, value, path, undecided)

    return judge


class Hidden:
    """Stands for a secret's value in evidence."""

    def __str__(self) -> str:
        return model.HIDDEN


HIDDEN: Final = Hidden()
