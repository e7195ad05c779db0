"""Type constraints of variables: what Terraform converts an argument to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from srm_checks.engines.terraform.functions_plain import FunctionError, as_set, number
from srm_checks.engines.terraform.nodes import Call, Expression, Literal, ObjectNode, Traversal, TupleNode
from srm_checks.engines.terraform.values import (
    OMITTED,
    ObjectValue,
    OpenMap,
    Reach,
    SetValue,
    TooManyBranches,
    is_known,
    lift,
    text_of,
)
from srm_checks.model import ABSENT, Choice, Encoded, Options, Repeated, Unknown

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
    if not isinstance(value, dict) or not isinstance(inner, ObjectNode):
        return value
    result: dict[str, Any] = {}
    for item in inner.items:
        if not isinstance(item.key, Literal) or not isinstance(item.key.value, str):
            return value
        name, kind = item.key.value, item.value
        fallback: Expression | None = None
        if isinstance(kind, Call) and kind.name == "optional" and kind.arguments:
            fallback = kind.arguments[1] if len(kind.arguments) > 1 else None
            kind = kind.arguments[0]
        given = value.get(name, ABSENT)
        if given is ABSENT and fallback is not None:
            given = default(fallback)
        result[name] = convert(given, kind, default)
    return result
