"""Type constraints of variables: what Terraform converts an argument to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeGuard

from srm_checks.engines.terraform.functions_plain import FunctionError, as_set, number
from srm_checks.engines.terraform.nodes import Call, Expression, Literal, ObjectNode, Traversal, TupleNode
from srm_checks.engines.terraform.values import (
    OMITTED,
    ObjectValue,
    OpenMap,
    Reach,
    SetValue,
    TooManyBranches,
    choice,
    is_known,
    lift,
    null_subject,
    text_of,
)
from srm_checks.model import ABSENT, Choice, Encoded, Options, Repeated, Test, Unknown

Default = Callable[[Expression], Any]


def convert(value: Any, constraint: Expression, default: Default) -> Any:
    """`value` as the type `constraint` asks for; what does not fit stays as it is, for Terraform to report.

    `default` evaluates the defaults of optional attributes. Unknown parts stay unknown.
    """
    if isinstance(value, (Unknown, ObjectValue)) or value is ABSENT or value is OMITTED:
        return value
    if isinstance(value, Choice):
        then, otherwise = convert(value.then, constraint, default), convert(value.otherwise, constraint, default)
        return Choice(value.cond, then, otherwise)
    if isinstance(constraint, Traversal) and isinstance(constraint.root, str):
        return _scalar(value, constraint.root)
    if isinstance(constraint, Literal) and isinstance(constraint.value, str):
        return _scalar(value, constraint.value)  # the quoted form of old, and of JSON
    if not isinstance(constraint, Call) or not constraint.arguments:
        return value
    inner = constraint.arguments[0]
    if constraint.name in ("list", "set"):
        return _collection(value, inner, constraint.name == "set", default)
    if constraint.name == "map":
        return _map(value, inner, default)
    if constraint.name == "object":
        return _object(value, inner, default)
    if constraint.name == "tuple" and isinstance(inner, TupleNode):
        return _tuple(value, inner, default)
    return value


def open_value(text: str, subject: str, constraint: Expression | None, default: Default) -> Any:
    """A value of the type `constraint` that is not null, and of which nothing else is known.

    An object has the attributes of its type, and those with a default are not null either.
    """
    attributes = _attributes(constraint.arguments[0]) if _is_object(constraint) else None
    if attributes is None:
        return Unknown(text=text, subject=subject, present=True)
    result: dict[str, Any] = {}
    for name, kind, fallback in attributes:
        at, about = f"{text}.{name}", f"{subject}.{name}"
        if fallback is None or default(fallback) is ABSENT:
            result[name] = Unknown(text=at, subject=about)
        else:
            result[name] = open_value(at, about, kind, default)
    return result


def _is_object(constraint: Expression | None) -> TypeGuard[Call]:
    return isinstance(constraint, Call) and constraint.name == "object" and len(constraint.arguments) == 1


def _tuple(value: Any, inner: TupleNode, default: Default) -> Any:
    if not isinstance(value, list) or len(value) != len(inner.items):
        return value
    return [convert(element, kind, default) for element, kind in zip(value, inner.items, strict=True)]


def _scalar(value: Any, kind: str) -> Any:
    if isinstance(value, Options):
        try:
            return lift(lambda option: _scalar(option, kind), [value], Reach.TOP) if kind != "string" else value
        except TooManyBranches:
            return value
    if kind == "string":
        if isinstance(value, Encoded):
            return value
        found = text_of(value)
        return value if found is None else found
    if kind == "number" and isinstance(value, str):
        try:
            return number(value)
        except FunctionError:
            return value
    if kind == "bool" and value in ("true", "false"):
        return value == "true"
    return value


def _collection(value: Any, inner: Expression, as_a_set: bool, default: Default) -> Any:
    if not isinstance(value, list):
        return value
    converted = [
        Repeated(convert(element.value, inner, default))
        if isinstance(element, Repeated)
        else convert(element, inner, default)
        for element in value
    ]
    if not as_a_set:
        return converted
    return as_set(converted) if all(map(is_known, converted)) else SetValue(converted)


def _map(value: Any, inner: Expression, default: Default) -> Any:
    if isinstance(value, OpenMap):
        return OpenMap(
            {key: convert(element, inner, default) for key, element in value.known.items()},
            convert(value.rest, inner, default),
        )
    if not isinstance(value, dict):
        return value
    return {key: convert(element, inner, default) for key, element in value.items()}


def _object(value: Any, inner: Expression, default: Default) -> Any:
    attributes = _attributes(inner)
    if not isinstance(value, dict) or attributes is None:
        return value
    result: dict[str, Any] = {}
    for name, kind, fallback in attributes:
        given = value.get(name, ABSENT)
        if fallback is not None:
            given = or_default(given, default(fallback))
        result[name] = convert(given, kind, default)
    return result


def or_default(given: Any, fallback: Any) -> Any:
    """A value, with its default where it is null."""
    if given is ABSENT or given is OMITTED:
        return fallback
    if isinstance(given, Choice):
        return choice(given.cond, or_default(given.then, fallback), or_default(given.otherwise, fallback))
    if isinstance(given, Unknown) and given.subject and not given.present and fallback is not ABSENT:
        is_null = Test(null_subject(given.subject), True, f"{given.text} == null")
        return choice(is_null, fallback, replace(given, present=True))
    return given


def _attributes(node: Expression) -> list[tuple[str, Expression, Expression | None]] | None:
    """The attributes of an object type as (name, type, default); None where it cannot be read."""
    if not isinstance(node, ObjectNode):
        return None
    found: list[tuple[str, Expression, Expression | None]] = []
    for item in node.items:
        if not isinstance(item.key, Literal) or not isinstance(item.key.value, str):
            return None
        kind, fallback = item.value, None
        if isinstance(kind, Call) and kind.name == "optional" and kind.arguments:
            fallback = kind.arguments[1] if len(kind.arguments) > 1 else None
            kind = kind.arguments[0]
        found.append((item.key.value, kind, fallback))
    return found
