"""Operands of operators: checked and converted once, when a policy is loaded."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from typing import Any, Final

from srm_checks.policy.truth import OUTCOME_TRUTH


class OperandError(ValueError):
    """The operand of an operator is wrong; the text says what it should be."""


SCALAR: Final = {"type": ["string", "number", "boolean"]}
SCALARS: Final = {"type": "array", "items": SCALAR, "minItems": 1}
NUMBER: Final = {"type": "number"}
TEXT: Final = {"type": "string"}
YES: Final = {"const": True}


def scalar(operand: Any) -> Any:
    if not isinstance(operand, (str, int, float, bool)):
        raise OperandError("takes one plain value")
    return operand


def scalars(operand: Any) -> tuple[Any, ...]:
    if not isinstance(operand, list) or not all(isinstance(x, (str, int, float, bool)) for x in operand):
        raise OperandError("takes a list of plain values")
    return tuple(operand)


def scalar_or_scalars(operand: Any) -> tuple[Any, ...]:
    return scalars(operand if isinstance(operand, list) else [operand])


def number(operand: Any) -> float:
    if isinstance(operand, bool) or not isinstance(operand, (int, float)):
        raise OperandError("takes a number")
    return operand


def texts(operand: Any) -> tuple[str, ...]:
    items = operand if isinstance(operand, list) else [operand]
    if not items or not all(isinstance(item, str) for item in items):
        raise OperandError("takes a text or a list of texts")
    return tuple(items)


def yes(operand: Any) -> bool:
    if operand is not True:
        raise OperandError("takes `yes` only; there is an operator for the opposite")
    return True


def networks(operand: Any) -> tuple[Any, ...]:
    try:
        return tuple(ipaddress.ip_network(item) for item in texts(operand))
    except ValueError as error:
        raise OperandError(f"takes CIDR blocks: {error}") from error


def regex(operand: Any) -> re.Pattern[str]:
    if not isinstance(operand, str):
        raise OperandError("takes a regular expression")
    try:
        pattern = re.compile(operand)
    except re.error as error:
        raise OperandError(f"takes a regular expression: {error}") from error
    fault = _blows_up(operand)
    if fault:
        raise OperandError(f"takes a regular expression that cannot take very long to match; this one has {fault}")
    return pattern


def _blows_up(pattern: str) -> str | None:
    """Why a pattern can need exponential time: a repetition inside a repetition, or a back reference."""
    try:
        from re import _parser as parser  # type: ignore[attr-defined]  # Python 3.11 and later
    except ImportError:
        import sre_parse as parser

    def walk(items: Iterable[Any], inside: bool) -> str | None:
        for op, argument in items:
            name = str(op)
            if name in ("GROUPREF", "GROUPREF_EXISTS"):
                return "a back reference"
            if name in ("MAX_REPEAT", "MIN_REPEAT"):
                _low, high, body = argument
                many = high > 10
                if many and inside:
                    return "a repetition inside a repetition"
                found = walk(body, inside or many)
            elif name == "SUBPATTERN":
                found = walk(argument[3], inside)
            elif name == "BRANCH":
                found = next(filter(None, (walk(branch, inside) for branch in argument[1])), None)
            elif name in ("ASSERT", "ASSERT_NOT"):
                found = walk(argument[1], inside)
            else:
                found = None
            if found:
                return found
        return None

    return walk(parser.parse(pattern), False)


def version_parts(text: Any) -> tuple[int, ...] | None:
    """The leading numbers of a version (`8.0.35-log` gives 8, 0, 35), None if there is none."""
    match = re.match(r"[vV]?(\d+(?:\.\d+)*)", str(text))
    return tuple(int(part) for part in match.group(1).split(".")) if match else None


def version(operand: Any) -> tuple[int, ...]:
    parts = version_parts(operand)
    if parts is None:
        raise OperandError('takes a version such as 1.2 or "8.0"')
    return parts


_SUPPORT_KEYS: Final = ("product", "until", "warn_days", "pattern", "no_match")


def support(operand: Any) -> dict[str, Any]:
    if not isinstance(operand, dict) or "product" not in operand:
        raise OperandError("takes {product: ..., until: ..., warn_days: ..., pattern: ..., no_match: ...}")
    unknown = set(operand) - set(_SUPPORT_KEYS)
    if unknown:
        raise OperandError(f"does not know {', '.join(sorted(unknown))}; it takes {', '.join(_SUPPORT_KEYS)}")
    until = operand.get("until", "end_of_standard_support")
    if until not in ("end_of_standard_support", "end_of_extended_support", "block_create", "block_update"):
        raise OperandError("`until` is end_of_standard_support, end_of_extended_support, block_create or block_update")
    days = operand.get("warn_days", 0)
    if isinstance(days, bool) or not isinstance(days, int) or days < 0:
        raise OperandError("`warn_days` is a number of days")
    products = operand["product"]
    if not isinstance(products, (str, list)):
        raise OperandError("`product` is a product of the end-of-support table, or a list of them")
    from srm_checks.catalogue.support import products as known

    for product in [products] if isinstance(products, str) else products:
        if product not in known():
            raise OperandError(f"no end-of-support data for {product!r}; there are {', '.join(sorted(known()))}")
    pattern = regex(operand["pattern"]) if "pattern" in operand else None
    if pattern is not None and pattern.groups != 1:
        raise OperandError("`pattern` is a regular expression with one group, which is the version")
    no_match = operand.get("no_match", "unknown")
    if no_match not in OUTCOME_TRUTH or ("no_match" in operand and pattern is None):
        raise OperandError(f"`no_match` stands beside `pattern`, and is one of {', '.join(OUTCOME_TRUTH)}")
    return {
        "product": [products] if isinstance(products, str) else products,
        "until": until,
        "warn_days": days,
        "pattern": pattern,
        "no_match": OUTCOME_TRUTH[no_match],
    }
