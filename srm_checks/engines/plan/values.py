"""Joins what a plan knows of a resource with what will be known only after apply.

`values` holds what is known, `after_unknown` has true where something is not, and the configuration tells whether
the user set it at all. An attribute that the user did not set and the provider fills in is left out, as it is in
Terraform code: policies state what its absence means. A block that a `dynamic` fills from a collection of unknown
length looks the same in a plan as one that is not written, and is left out with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from srm_checks.engines.plan.computed import surely_set
from srm_checks.engines.plan.references import NOTHING, Mention, Repetition, Scope, as_list, as_object, render_key
from srm_checks.expressions import AFTER_APPLY
from srm_checks.model import ABSENT, Path, Ref, Unknown

_ALWAYS_THERE: Final = frozenset({"id", "arn"})
_EXPRESSION_MEMBERS: Final = frozenset({"constant_value", "references"})


class _Unset:
    """Where the configuration sets nothing."""


class _Open:
    """Where the configuration does not show what is set."""


@dataclass(frozen=True, slots=True)
class _Block:
    """A block's members in the configuration."""

    members: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Inside:
    """A place within the value of one expression."""

    mention: Mention


_NULL: Final = {"constant_value": None}
_UNSET: Final = _Unset()
_OPEN: Final = _Open()


@dataclass(slots=True)
class Reading:
    """One resource's attributes while they are joined.

    `computed` says that whatever is not set is a result (a data source's), not a default. `marked` says that the plan
    tells which values are unknown; otherwise values that are set but not there count as unknown. After `attributes`,
    `references` holds the mentions of each path, `dropped` the null list elements that were left out, and `sources`
    the one reference that an unknown value comes down to, where there is such a one. `among` are the paths of known
    values whose expression reads more than one name, so that it may read one of them in a condition's other branch.
    """

    scope: Scope | None
    repetition: Repetition
    computed: bool
    marked: bool = True
    references: list[tuple[Path, Ref]] = field(default_factory=list)
    dropped: set[Path] = field(default_factory=set)
    sources: dict[Path, Ref] = field(default_factory=dict)
    among: set[Path] = field(default_factory=set)

    def attributes(self, values: Any, unknown: Any, block: dict[str, Any] | None) -> dict[str, Any]:
        """The attributes of a resource; `block` is its configuration where the plan has it."""
        expressions = as_object(as_object(block).get("expressions"))
        if unknown is True:
            unknown = dict.fromkeys([*as_object(values), *expressions], True)
        set_here = _OPEN if block is None else _Block(expressions)
        return self._join_members(as_object(values), as_object(unknown), set_here, (), ())

    def _join(self, value: Any, unknown: Any, expression: Any, raw: Path, path: Path) -> Any:
        """The value at a path; `raw` is the path in the plan, `path` the one in the attributes."""
        if unknown is True:
            return self._unknown(expression, path)
        if _is_expression(expression):
            mention = self._mention(expression) if _is_set(value, unknown) else NOTHING
            self.references += [(path, ref) for ref in mention.refs]
            if mention.sole is None and mention.refs:
                self.among.add(path)
            expression = _Inside(mention)
        if isinstance(value, dict) or isinstance(unknown, dict):
            return self._join_members(as_object(value), as_object(unknown), expression, raw, path)
        if isinstance(value, list) or isinstance(unknown, list):
            return self._join_elements(as_list(value), as_list(unknown), expression, raw, path)
        return ABSENT if value is None else value

    def _join_members(
        self, value: dict[str, Any], unknown: dict[str, Any], expression: Any, raw: Path, path: Path
    ) -> dict[str, Any]:
        joined: dict[str, Any] = {}
        for key in dict.fromkeys([*value, *unknown]):
            below = _member(expression, key)
            item = self._join(value.get(key), unknown.get(key), below, (*raw, key), (*path, key))
            # An empty list or map that nobody wrote is how a plan shows a block that is not there.
            if item is not ABSENT and not (below is _UNSET and item in ([], {})):
                joined[key] = item
        if not self.marked and isinstance(expression, _Block):
            for key in expression.members.keys() - value.keys():
                item = self._unknown(_member(expression, key), (*path, key))
                if item is not ABSENT:
                    joined[key] = item
        return joined

    def _join_elements(self, value: list[Any], unknown: list[Any], expression: Any, raw: Path, path: Path) -> Any:
        aligned = _aligned(value, unknown)
        if aligned is None:
            return self._unknown(expression if isinstance(expression, _Inside) else _OPEN, path)
        joined: list[Any] = []
        for index, (element, element_unknown) in enumerate(aligned):
            below = _matching_block(expression, element)
            place = (*path, len(joined))
            item = self._join(element, element_unknown, below, (*raw, index), place)
            if item is ABSENT:
                self.dropped.add((*raw, index))
            else:
                joined.append(item)
        return joined

    def _unknown(self, expression: Any, path: Path) -> Any:
        if expression is _UNSET and not self.computed and not (len(path) == 1 and path[0] in _ALWAYS_THERE):
            return ABSENT
        if isinstance(expression, _Inside):
            mention = expression.mention
        else:
            mention = self._mention_below(expression)
            self.references += [(path, ref) for ref in mention.refs]
        if mention.sole:
            self.sources[path] = mention.sole
        present = (
            expression is _UNSET
            or (len(path) == 1 and path[0] in _ALWAYS_THERE)
            or (mention.sole is not None and surely_set(mention.sole.attribute))
        )
        return Unknown(_text(mention), refs=mention.refs, present=present)

    def _mention(self, expression: Any) -> Mention:
        return self.scope.mention(expression, self.repetition) if self.scope else NOTHING

    def _mention_below(self, expression: Any) -> Mention:
        """The mentions of an expression, or of all the expressions in blocks."""
        if _is_expression(expression):
            return self._mention(expression)
        refs: list[Ref] = []
        waiting: list[Any] = [expression.members if isinstance(expression, _Block) else expression]
        while waiting:
            item = waiting.pop()
            if _is_expression(item):
                refs += self._mention(item).refs
            elif isinstance(item, dict):
                waiting += reversed(item.values())
            elif isinstance(item, list):
                waiting += reversed(item)
        return Mention(tuple(dict.fromkeys(refs)))


def constants(block: Any, unresolved: Callable[[Any], Any]) -> dict[str, Any]:
    """A configuration block as values: constants as they are, `unresolved(expression)` for the others."""
    members = ((key, _constant(value, unresolved)) for key, value in as_object(block).items())
    return {key: value for key, value in members if value is not ABSENT}


def _constant(value: Any, unresolved: Callable[[Any], Any]) -> Any:
    if isinstance(value, list):
        return [constants(block, unresolved) for block in value]
    if not _is_expression(value):
        return constants(value, unresolved)
    return _plain(value["constant_value"]) if "constant_value" in value else unresolved(value)


def _plain(value: Any) -> Any:
    """A JSON value without its nulls."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_plain(item) for item in value if item is not None]
    return ABSENT if value is None else value


def _is_expression(value: Any) -> bool:
    return isinstance(value, dict) and (not value or value.keys() <= _EXPRESSION_MEMBERS)


def _member(expression: Any, key: str) -> Any:
    """The configuration of a member. What is there though nobody wrote it comes from a `dynamic` block or the
    provider, so what is set inside is not shown. A written null sets nothing."""
    if isinstance(expression, _Inside):
        return expression
    members = expression.members if isinstance(expression, _Block) else expression
    if not isinstance(members, dict):
        return _OPEN
    member = members.get(key, _UNSET)
    return _UNSET if member == _NULL else member


def _is_set(value: Any, unknown: Any) -> bool:
    return value is not None or (unknown not in (None, False, {}, []))


def _text(mention: Mention) -> str:
    if mention.sole is None:
        return AFTER_APPLY
    ref = mention.sole
    attribute = f".{ref.attribute}" if ref.attribute else ""
    return f"(known after apply, from {ref.target}{render_key(ref.key)}{attribute})"


def _aligned(value: list[Any], unknown: list[Any]) -> list[tuple[Any, Any]] | None:
    """Elements with their unknown parts; None where they cannot be told apart.

    A list keeps a place for an unknown element. A set leaves wholly unknown elements out of its values, so these
    come last here, where a set's order does not matter.
    """
    if not unknown or len(value) == len(unknown):
        padded: Sequence[Any] = unknown or [None] * len(value)
        return list(zip(value, padded, strict=True))
    if not value and not any(item is True for item in unknown):
        return [(None, item) for item in unknown]
    partly = [item for item in unknown if item is not True]
    if len(partly) != len(value):
        return None
    return [*zip(value, partly, strict=True), *((None, True) for _ in range(len(unknown) - len(partly)))]


def _matching_block(expression: Any, element: Any) -> Any:
    """The configuration of a block: of several, the only one whose constants agree, else all that is set in any.

    A set's blocks are not in the order in which they were written.
    """
    if not isinstance(expression, list):
        return expression if isinstance(expression, _Inside) else _OPEN
    blocks = [block for block in expression if isinstance(block, dict)]
    fitting = [block for block in blocks if _agrees(block, as_object(element))] or blocks
    if not fitting:
        return _OPEN
    return _Block(fitting[0] if len(fitting) == 1 else _union(fitting))


def _agrees(block: dict[str, Any], element: dict[str, Any]) -> bool:
    return all(
        str(expression["constant_value"]).lower() == str(element[key]).lower()
        for key, expression in block.items()
        if _is_expression(expression)
        and isinstance(expression.get("constant_value"), (str, int, float))
        and isinstance(element.get(key), (str, int, float))
    )


def _union(blocks: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """One block that sets all that the given ones set, with their references together."""
    joined: dict[str, Any] = {}
    for block in blocks:
        for key, expression in block.items():
            if key not in joined:
                joined[key] = expression
            elif _is_expression(joined[key]) and _is_expression(expression):
                references = [*as_list(joined[key].get("references")), *as_list(expression.get("references"))]
                joined[key] = {"references": references}
            elif isinstance(joined[key], list) and isinstance(expression, list):
                joined[key] = [*joined[key], *expression]
    return joined
