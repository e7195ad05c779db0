"""Validations of variables, read as what they say of the value: every value that passes is one of these."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from srm_checks.engines.terraform.nodes import (
    AttributeStep,
    Binary,
    Call,
    Expression,
    ForNode,
    Literal,
    Traversal,
    TupleNode,
)
from srm_checks.engines.terraform.values import same
from srm_checks.model import ABSENT


def allowed_values(condition: Expression, name: str) -> tuple[Any, ...] | None:
    """The literals to which a condition confines `var.name`; None where it does not."""
    return _confined(condition, lambda node: _is_variable(node, name))


def _confined(condition: Expression, is_it: Callable[[Expression], bool]) -> tuple[Any, ...] | None:
    """The literals to which a condition confines the value that is meant; None where it does not."""
    if isinstance(condition, Call) and condition.name == "contains" and len(condition.arguments) == 2:
        values, wanted = condition.arguments
        if isinstance(values, Call) and values.name in ("tolist", "toset") and len(values.arguments) == 1:
            values = values.arguments[0]
        if is_it(wanted) and isinstance(values, TupleNode):
            return _literals(values.items)
    if isinstance(condition, Binary) and condition.operator == "||":
        left, right = _confined(condition.left, is_it), _confined(condition.right, is_it)
        if left is None or right is None:
            return None
        return left + tuple(value for value in right if not any(same(value, other) for other in left))
    if isinstance(condition, Binary) and condition.operator == "==":
        for one, other in ((condition.left, condition.right), (condition.right, condition.left)):
            if is_it(one):
                return _literals((other,))
    return None


def allowed_of_each(condition: Expression, name: str) -> tuple[str, tuple[Any, ...]] | None:
    """An attribute of each element of `var.name`, and the literals to which `alltrue([for ...])` confines it."""
    if not isinstance(condition, Call) or condition.name != "alltrue" or len(condition.arguments) != 1:
        return None
    each = condition.arguments[0]
    if not isinstance(each, ForNode) or each.key is not None or each.condition is not None:
        return None
    if not _is_variable(each.collection, name):
        return None
    found: set[str] = set()

    def is_attribute(node: Expression) -> bool:
        if not isinstance(node, Traversal) or node.root != each.value_name or len(node.steps) != 1:
            return False
        step = node.steps[0]
        if isinstance(step, AttributeStep):
            found.add(step.name)
        return isinstance(step, AttributeStep)

    allowed = _confined(each.value, is_attribute)
    return (found.pop(), allowed) if allowed and len(found) == 1 else None


def excuse_for_null(condition: Expression, name: str) -> Expression | None:
    """What excuses `var.name` from being set, by a validation of the form `excuse || var.name != null`."""
    if not isinstance(condition, Binary) or condition.operator != "||":
        return None
    for one, other in ((condition.left, condition.right), (condition.right, condition.left)):
        if (
            isinstance(one, Binary)
            and one.operator == "!="
            and any(_is_variable(side, name) for side in (one.left, one.right))
            and any(isinstance(side, Literal) and side.value is ABSENT for side in (one.left, one.right))
            and f"var.{name}" not in other.text
        ):
            return other
    return None


def _is_variable(node: Expression, name: str) -> bool:
    if not isinstance(node, Traversal) or node.root != "var" or len(node.steps) != 1:
        return False
    step = node.steps[0]
    return isinstance(step, AttributeStep) and step.name == name


def _literals(nodes: tuple[Expression, ...]) -> tuple[Any, ...] | None:
    if all(isinstance(node, Literal) and isinstance(node.value, (str, bool, int, float)) for node in nodes):
        return tuple(node.value for node in nodes if isinstance(node, Literal))
    return None
