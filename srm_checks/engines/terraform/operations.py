"""Steps into values, operators and templates, over values that may be open.

All functions take values without a Choice at their top (see `values.lift`), and give FAILED where Terraform would
report an error.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from srm_checks import subjects
from srm_checks.engines.terraform.functions_plain import FunctionError, number, tidy
from srm_checks.engines.terraform.site import Site
from srm_checks.engines.terraform.values import (
    FAILED,
    PLAIN,
    TEXT_LIMIT,
    Confined,
    Fallible,
    ObjectValue,
    OpenMap,
    SetValue,
    choice,
    condition_of,
    conjoin,
    derived,
    element_of,
    hoist_failures,
    is_known,
    null_subject,
    same,
    split,
    text_of,
)
from srm_checks.model import (
    ABSENT,
    Cause,
    Choice,
    Cond,
    Encoded,
    Options,
    Ref,
    Repeated,
    Test,
    Unknown,
    any_of,
    negate,
)

_KEY_BRANCHES: Final = 16  # a map of up to so many entries, indexed by an open key, becomes branches


# ------------------------------------------------------------------ steps


def attribute_of(value: Any, name: str, site: Site) -> Any:
    """`value.name`"""
    if isinstance(value, ObjectValue):
        return value.attribute(name)
    if isinstance(value, (dict, OpenMap)):
        return index_of(value, name, site)
    if isinstance(value, Unknown):
        return _inside(value, f".{name}", site)
    return FAILED


def index_of(value: Any, key: Any, site: Site) -> Any:
    """`value[key]`"""
    if isinstance(value, Unknown):
        if _key_text(key):
            return _inside(value, f"[{_key_text(key)}]", site)
        found = site.unknown(value, key, fallible=True)
        if value.subject and isinstance(key, Unknown) and key.subject:
            return replace(found, subject=f"{value.subject}[{subjects.unmarked(key.subject)}]")
        return found
    if isinstance(key, Unknown):
        return _index_by_unknown(value, key, site)
    if isinstance(value, ObjectValue) and isinstance(key, str):
        return value.attribute(key)
    if isinstance(value, list):
        return _element(value, key, site)
    name = text_of(key)
    if name is None:
        return FAILED
    if isinstance(value, dict):
        return value.get(name, FAILED)
    if isinstance(value, OpenMap):
        return value.known[name] if name in value.known else perhaps(value.rest, site)
    return FAILED


def _key_text(key: Any) -> str:
    if isinstance(key, str):
        return f'"{key}"'
    return str(key) if isinstance(key, (int, float)) else ""


def _inside(value: Unknown, step: str, site: Site) -> Any:
    """A part of an unknown; it is the same part wherever the same unknown is read."""
    subject = f"{value.subject}{step}" if value.subject else site.subject
    if isinstance(value, Confined) and not value.is_collection:
        for name, allowed in value.attributes:
            if step in (f".{name}", f'["{name}"]') and value.subject:
                return allowed[0] if len(allowed) == 1 else Options(f"{value.subject}.{name}", site.text, allowed)
    return element_of(value, derived(site.text, [value], subject=subject, fallible=True))


def _element(value: list[Any], key: Any, site: Site) -> Any:
    try:
        at = number(key)
    except FunctionError:
        return FAILED
    if not isinstance(at, int) or isinstance(value, SetValue):
        return FAILED
    open_from = next((i for i, element in enumerate(value) if isinstance(element, Repeated)), len(value))
    if 0 <= at < open_from:
        return value[at]
    if at < 0 or open_from == len(value):
        return FAILED
    if len(value) == 1:
        return perhaps(value[0].value, site)
    return site.unknown(value, fallible=True)


def perhaps(sample: Any, site: Site) -> Any:
    """An element that may not be there; if it is, it looks like `sample`."""
    exists = getattr(sample, "exists", None)
    if isinstance(sample, ObjectValue) and exists is not None:
        return choice(exists, sample, FAILED)
    if isinstance(sample, Unknown):
        return derived(site.text, [sample], subject=site.subject, fallible=True)
    return Choice(Test(f"{site.subject} exists", True, f"{site.text} exists"), sample, FAILED)


def _index_by_unknown(value: Any, key: Unknown, site: Site) -> Any:
    """A known map read by an open key is one of its values; they become branches, as far as they are few."""
    if isinstance(value, dict):
        if not value:
            return FAILED
        if key.subject and len(value) <= _KEY_BRANCHES:
            result: Any = FAILED
            for name in reversed(list(value)):
                result = choice(Test(key.subject, name, key.text), value[name], result)
            return result
        first, *rest = value.values()
        if all(same(first, other) for other in rest):
            return perhaps(first, site)
    if isinstance(value, list) and len(value) == 1 and not isinstance(value, SetValue):
        only = value[0]
        return perhaps(only.value if isinstance(only, Repeated) else only, site)
    if isinstance(value, OpenMap) and not value.known:
        return perhaps(value.rest, site)
    return site.unknown(value, key, fallible=True)


def splat_of(value: Any, step: Callable[[Any], Any], site: Site) -> Any:
    """`value[*]` with `step` taken on each element."""
    if value is ABSENT:
        return []
    if isinstance(value, list):
        return hoist_failures((_each(element, step) for element in value), list)
    if isinstance(value, Unknown) and not is_text(value):
        element = derived(f"{value.text}[*]", [value], subject=f"{value.subject}[*]" if value.subject else "")
        element = element_of(value, element)
        return hoist_failures([_each(Repeated(element), step)], list)
    return hoist_failures([step(value)], list)


def is_text(value: Unknown) -> bool:
    """Whether an unknown is surely a text, and so one element where a list may stand."""
    return value.present and value.parts is not None


def _each(element: Any, step: Callable[[Any], Any]) -> Any:
    if not isinstance(element, Repeated):
        return step(element)
    holds, value = split(step(element.value), FAILED)
    return FAILED if holds is False else Repeated(value)


# ------------------------------------------------------------------ operators


def truth_cond(value: Any, site: Site) -> Cond | None:
    """A value as a condition; an unknown without a subject is asked for by the text of the expression."""
    cond = condition_of(value)
    if cond is None and isinstance(value, (Unknown, Choice)) and site.subject:
        return site.test()
    return cond


def from_cond(cond: Cond) -> Any:
    """A condition as a value."""
    return choice(cond, True, False)


def invert(value: Any, site: Site) -> Any:
    """`!value`"""
    cond = truth_cond(value, site)
    return FAILED if cond is None else from_cond(negate(cond))


def conjunction(left: Any, right: Any, site: Site) -> Any:
    """`left && right`"""
    return _join(conjoin, False, left, right, site)


def disjunction(left: Any, right: Any, site: Site) -> Any:
    """`left || right`"""
    return _join(any_of, True, left, right, site)


def _join(join: Callable[[Any], Cond], wins: bool, left: Any, right: Any, site: Site) -> Any:
    conds = [condition_of(left), condition_of(right)]
    if wins in conds:
        return wins
    if None in conds:
        if FAILED in (left, right):
            return FAILED
        return from_cond(site.test()) if site.subject else site.unknown(left, right)
    return from_cond(join(conds))


def equality(left: Any, right: Any, site: Site) -> Any:
    """`left == right`"""
    if FAILED in (left, right):
        return FAILED
    if left is ABSENT or right is ABSENT:
        return _null_test(right if left is ABSENT else left)
    for one, other in ((left, right), (right, left)):
        if isinstance(one, (Unknown, Options)) and isinstance(other, PLAIN):
            return _equals_literal(one, other)
    if is_known(left) and is_known(right):
        return _plain_equality(left, right)
    if same(left, right):
        return True
    if _cannot_be_equal(left, right):
        return False
    return from_cond(site.test()) if site.subject else site.unknown(left, right, present=True)


def _plain_equality(left: Any, right: Any) -> bool:
    if isinstance(left, Encoded) != isinstance(right, Encoded):
        return text_of(left) == text_of(right)
    return same(left, right)


def _null_test(value: Any) -> Any:
    if value is ABSENT:
        return True
    if not isinstance(value, Unknown) or value.present:
        return False
    if not value.subject:
        return derived(f"{value.text} == null", [value], present=True)
    return from_cond(Test(null_subject(value.subject), True, f"{value.text} == null"))


def _equals_literal(value: Unknown | Options, literal: Any) -> Any:
    if isinstance(value, Options):
        if not any(same(option, literal) for option in value.values):
            return False
        return from_cond(Test(value.subject, literal, value.label))
    if value.parts is not None and not could_be(value.parts, literal):
        return False
    if not value.subject:
        return derived(f"{value.text} == {_key_text(literal)}", [value], present=True)
    if isinstance(literal, bool):
        cond: Cond = Test(value.subject, True, value.text)
        return from_cond(cond if literal else negate(cond))
    return from_cond(Test(value.subject, literal, value.text))


def could_be(parts: tuple[str | None, ...], literal: Any) -> bool:
    """Whether a text with these pieces may be `literal`."""
    found = text_of(literal)
    if found is None:
        return False
    pattern = ".*".join(re.escape(piece) if piece is not None else "" for piece in parts)
    return re.fullmatch(pattern, found, re.DOTALL) is not None


def could_be_same(one: tuple[str | None, ...], other: tuple[str | None, ...]) -> bool:
    """Whether two texts with these pieces may be the same, by how they begin and end."""
    for at, affix in ((0, str.startswith), (-1, str.endswith)):
        a, b = one[at], other[at]
        if a is not None and b is not None and not affix(a, b) and not affix(b, a):
            return False
    return True


def _cannot_be_equal(left: Any, right: Any) -> bool:
    """Two lists of different known length, or maps of different known keys."""
    if isinstance(left, list) and isinstance(right, list):
        closed = not any(isinstance(element, Repeated) for element in (*left, *right))
        sets = isinstance(left, SetValue) or isinstance(right, SetValue)
        return closed and not sets and len(left) != len(right)
    return isinstance(left, dict) and isinstance(right, dict) and left.keys() != right.keys()


def rounded(value: int | float) -> int | float:
    """Terraform computes with far more digits: 0.1 + 0.2 is 0.3."""
    return tidy(float(f"{value:.15g}")) if isinstance(value, float) else value


def _divide(left: Any, right: Any) -> Any:
    return FAILED if not right else tidy(left / right) if left % right else left // right


def _modulo(left: Any, right: Any) -> Any:
    if not right:
        return FAILED
    rest = abs(left) % abs(right)
    return tidy(-rest if left < 0 else rest)  # the sign of the dividend, as in Go


_ARITHMETIC: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "+": lambda left, right: rounded(left + right),
    "-": lambda left, right: rounded(left - right),
    "*": lambda left, right: rounded(left * right),
    "/": _divide,
    "%": _modulo,
}
_ORDER: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "<": lambda left, right: left < right,
    ">": lambda left, right: left > right,
    "<=": lambda left, right: left <= right,
    ">=": lambda left, right: left >= right,
}


def binary(operator: str, left: Any, right: Any, site: Site) -> Any:
    """Any operator but `&&` and `||`."""
    if operator == "==":
        return equality(left, right, site)
    if operator == "!=":
        equal = equality(left, right, site)
        return equal if equal is FAILED else invert(equal, site)
    if FAILED in (left, right) or left is ABSENT or right is ABSENT:
        return FAILED
    if isinstance(left, Unknown) or isinstance(right, Unknown):
        if operator in _ORDER:
            return from_cond(site.test()) if site.subject else site.unknown(left, right, present=True)
        return site.unknown(left, right, present=True)
    try:
        first, second = number(left), number(right)
        return _ORDER[operator](first, second) if operator in _ORDER else _ARITHMETIC[operator](first, second)
    except (FunctionError, OverflowError):
        return FAILED


def minus(value: Any, site: Site) -> Any:
    """`-value`"""
    if isinstance(value, Unknown):
        return site.unknown(value, present=True)
    try:
        return tidy(-number(value))
    except FunctionError:
        return FAILED


# ------------------------------------------------------------------ templates


def concatenation(pieces: tuple[Any, ...], site: Site) -> Any:
    """A template of these values. What is not known becomes a hole."""
    parts: list[str | None] = []
    holes: list[Any] = []
    told: list[str | Unknown] = []
    for piece in pieces:
        found = text_of(piece)
        if found is not None:
            told.append(found)
            _append(parts, found)
        elif isinstance(piece, Unknown):
            told.append(piece)
            holes.append(piece)
            for part in piece.parts if piece.parts is not None else (None,):
                _append(parts, part)
        elif isinstance(piece, Encoded):
            told.append(Unknown())
            holes.append(piece)
            _append(parts, None)
        else:
            return FAILED  # null, a list, a map: no part of a text
    if sum(len(part) for part in parts if part) > TEXT_LIMIT:
        return site.unknown(*holes, present=True)
    if not holes:
        return "".join(part for part in parts if part is not None)
    whole = site.unknown(*holes, present=True, parts=tuple(parts))
    return replace(whole, subject=subjects.composed(told) or whole.subject)


def _append(parts: list[str | None], piece: str | None) -> None:
    """Add a piece; neighbours of one kind become one."""
    if piece == "":
        return
    if parts and (piece is None) == (parts[-1] is None):
        if piece is not None:
            parts[-1] = f"{parts[-1]}{piece}"
        return
    parts.append(piece)


def joined_parts(pieces: list[str | None]) -> tuple[str | None, ...]:
    """Pieces of a text in their shortest form."""
    parts: list[str | None] = []
    for piece in pieces:
        _append(parts, piece)
    return tuple(parts)


def settled(value: Unknown) -> Unknown:
    """An unknown that did not fail."""
    if isinstance(value, Fallible):
        return Unknown(value.text, value.cause, value.refs, value.present, value.parts, value.subject)
    return value


def missing(text: str, subject: str = "", refs: tuple[Ref, ...] = (), *, surely: bool = True) -> Unknown:
    """A reference to what is not declared; `surely` is False where a file of the module could not be read."""
    cause = Cause.MISSING_REFERENCE if surely else Cause.UNRESOLVED_VALUE
    return Unknown(text=text, cause=cause, refs=refs, subject=subject)
