"""Conditions and the values that hang on them: building, narrowing, and lifting functions over branches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from srm_checks.model import (
    ABSENT,
    AllOf,
    AnyOf,
    Choice,
    Cond,
    Encoded,
    Literal,
    Not,
    Options,
    Repeated,
    Test,
    Unknown,
    all_of,
    any_of,
    negate,
)

MAX_LEAVES: Final = 64


class TooManyBranches(Exception):
    """A function would have to be computed for more than MAX_LEAVES combinations of branches."""


@dataclass(slots=True)
class Facts:
    """What is taken as given: truth values of conditions, and what follows for single subjects."""

    conditions: list[tuple[Cond, bool]] = field(default_factory=list)
    values: dict[str, Literal] = field(default_factory=dict)
    excluded: dict[str, set[Literal]] = field(default_factory=dict)

    @classmethod
    def of(cls, cond: Cond, holds: bool) -> Facts:
        facts = cls()
        facts.add(cond, holds)
        return facts

    def extended(self, cond: Cond, holds: bool) -> Facts:
        """These facts and one more."""
        facts = Facts(list(self.conditions), dict(self.values), {s: set(v) for s, v in self.excluded.items()})
        facts.add(cond, holds)
        return facts

    def add(self, cond: Cond, holds: bool) -> None:
        """Take `cond` as true or false, with all that this settles."""
        match cond:
            case bool():
                return
            case Not(of=inner):
                self.add(inner, not holds)
                return
            case Test(subject=subject, value=value):
                if holds:
                    self.values[subject] = value
                else:
                    self.excluded.setdefault(subject, set()).add(value)
            case AllOf(of=parts) if holds:
                self._add_all(parts, True)
            case AnyOf(of=parts) if not holds:
                self._add_all(parts, False)
            case _:
                pass
        self.conditions.append((cond, holds))

    def _add_all(self, parts: Iterable[Cond], holds: bool) -> None:
        for part in parts:
            self.add(part, holds)


def simplify(cond: Cond, facts: Facts) -> Cond:
    """`cond` under `facts`: True or False where these decide it."""
    for known, holds in facts.conditions:
        if known == cond:
            return holds
    match cond:
        case bool():
            return cond
        case Test(subject=subject, value=value):
            if subject in facts.values:
                return facts.values[subject] == value
            return False if value in facts.excluded.get(subject, ()) else cond
        case Not(of=inner):
            return negate(simplify(inner, facts))
        case AllOf(of=parts):
            return all_of(simplify(part, facts) for part in parts)
        case AnyOf(of=parts):
            return any_of(simplify(part, facts) for part in parts)


def choice(cond: Cond, then: Any, otherwise: Any) -> Any:
    """The Choice, or the one value where the condition is decided or both branches are the same."""
    if isinstance(cond, bool):
        return then if cond else otherwise
    return then if same(then, otherwise) else Choice(cond, then, otherwise)


def same(a: Any, b: Any) -> bool:
    """Equality that tells 1, 1.0 and True apart."""
    if type(a) is not type(b):
        return False
    if isinstance(a, list):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(value, b[key]) for key, value in a.items())
    if isinstance(a, Choice):
        return bool(a.cond == b.cond) and same(a.then, b.then) and same(a.otherwise, b.otherwise)
    if isinstance(a, Repeated | Encoded):
        return same(a.value, b.value)
    return bool(a == b)


def select(cases: Sequence[tuple[Cond, Any]], otherwise: Any) -> Any:
    """The first case whose condition holds, else `otherwise`; cases of one value are joined."""
    grouped: list[tuple[list[Cond], Any]] = []
    for cond, value in cases:
        for conds, other in grouped:
            if same(other, value):
                conds.append(cond)
                break
        else:
            grouped.append(([cond], value))
    result = otherwise
    for conds, value in reversed(grouped):
        result = choice(any_of(conds), value, result)
    return result


def narrow(value: Any, facts: Facts) -> Any:
    """`value` as it is where `facts` hold: decided branches taken, parameters with a known value put in."""
    if not facts.conditions:
        return value
    match value:
        case dict():
            narrowed = {key: narrow(inner, facts) for key, inner in value.items()}
            return {key: inner for key, inner in narrowed.items() if inner is not ABSENT}
        case list():
            elements = (narrow(inner, facts) for inner in value)
            return [element for element in elements if element is not ABSENT]
        case Choice(cond=cond, then=then, otherwise=otherwise):
            decided = simplify(cond, facts)
            if isinstance(decided, bool):
                return narrow(then if decided else otherwise, facts)
            return choice(decided, narrow(then, facts), narrow(otherwise, facts))
        case Options(subject=subject, label=label, values=values):
            if subject in facts.values:
                return facts.values[subject]
            excluded = facts.excluded.get(subject, set())
            left = tuple(option for option in values if option not in excluded)
            return left[0] if len(left) == 1 else Options(subject, label, left) if left else value
        case Unknown(subject=subject) if subject:
            if subject in facts.values and value.parts is None:
                return facts.values[subject]
            if not value.present and "" in facts.excluded.get(subject, ()):
                return Unknown(value.text, value.cause, value.refs, True, value.parts, subject)
            return value
        case Repeated(value=inner):
            return Repeated(narrow(inner, facts))
        case Encoded(value=inner):
            return Encoded(narrow(inner, facts))
        case _:
            return value


def lift(values: Sequence[Any], apply: Callable[[Sequence[Any]], Any]) -> Any:
    """`apply` over `values`, once for each combination of branches that can occur together.

    `apply` gets values of which none is itself a Choice or Options. Raises TooManyBranches.
    """
    return _lift(values, apply, [MAX_LEAVES])


def _lift(values: Sequence[Any], apply: Callable[[Sequence[Any]], Any], budget: list[int]) -> Any:
    cond = next((found for found in map(_open_condition, values) if found is not None), None)
    if cond is None:
        budget[0] -= 1
        if budget[0] < 0:
            raise TooManyBranches
        return apply(values)
    branches = []
    for holds in (True, False):
        facts = Facts.of(cond, holds)
        branches.append(_lift([narrow(value, facts) for value in values], apply, budget))
    return choice(cond, branches[0], branches[1])


def _open_condition(value: Any) -> Cond | None:
    match value:
        case Choice(cond=cond):
            return cond
        case Options(subject=subject, label=label, values=values):
            return Test(subject, values[0], label)
        case _:
            return None


def options(subject: str, label: str, values: Iterable[Literal]) -> Any:
    """Options over the distinct `values`; the value itself where there is one; None where there is none."""
    distinct = tuple(dict.fromkeys(values))
    if len(distinct) < 2:
        return distinct[0] if distinct else None
    return Options(subject, label, distinct)


def feasible(
    decided: Iterable[tuple[str, Literal, bool]],
    rules: Iterable[Cond],
    allowed: Mapping[str, Sequence[Literal]],
    refuses: Callable[[str, Literal], bool] = lambda subject, value: False,
) -> bool:
    """Whether the decided tests can hold together, as far as template rules and what parameters accept tell.

    `allowed` are AllowedValues by subject; `refuses` says whether a subject surely cannot have a value. Says False
    only where it is certain.
    """
    facts = Facts()
    for subject, value, holds in decided:
        facts.add(Test(subject, value, subject), holds)
    for subject, values in allowed.items():
        if subject in facts.values and facts.values[subject] not in values:
            return False
        if all(value in facts.excluded.get(subject, ()) for value in values):
            return False
    if any(refuses(subject, value) for subject, value in facts.values.items()):
        return False
    return all(simplify(rule, facts) is not False for rule in rules)
