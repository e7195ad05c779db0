"""What operators can say of a text of which only pieces are known."""

from __future__ import annotations

import re
from typing import Any

from srm_checks.model import Unknown
from srm_checks.policy.truth import FALSE, TRUE, UNKNOWN


def is_arn_of_one(value: Unknown) -> bool:
    """Whether a value is the ARN of a resource as AWS gives it: whatever is open in it, it is no pattern."""
    if not value.parts or not (value.parts[0] or "").startswith("arn:"):
        return False
    return any(
        value.subject.startswith((f"{ref.target}.", f"{ref.target}[", f"!GetAtt {ref.target}."))
        and value.subject.endswith(f".{ref.attribute}")
        for ref in value.refs
    )


def fits(value: Unknown, text: str, *, whole: bool = False) -> bool:
    """Whether a text with holes could be `text` (or, unless `whole`, could begin with it)."""
    if value.parts is None:
        return True
    literal = value.parts[0] if value.parts and value.parts[0] is not None else ""
    if not whole:
        return literal.startswith(text) or text.startswith(literal)
    hole = "[^*]*" if is_arn_of_one(value) else ".*"
    pattern = "".join(hole if part is None else re.escape(part) for part in value.parts)
    return re.fullmatch(pattern, text, re.DOTALL) is not None


def on_partial(name: str, value: Unknown, operand: Any) -> int:
    """What an operator can say of a text of which only pieces are known; UNKNOWN where it can say nothing."""
    if name == "within" and not operand:
        return FALSE
    if value.parts is None:
        return UNKNOWN
    if name in ("equals", "equals_ignore_case"):
        return UNKNOWN if fits(value, str(operand), whole=True) or name != "equals" else FALSE
    if name == "within":
        return UNKNOWN if any(fits(value, str(item), whole=True) for item in operand) else FALSE
    first, last = value.parts[0], value.parts[-1]
    if name == "starting_with":
        if first is not None and first.startswith(operand):
            return TRUE
        return UNKNOWN if any(fits(value, item) for item in operand) else FALSE
    if name == "ending_with":
        if last is not None and last.endswith(operand):
            return TRUE
        if last is None and is_arn_of_one(value):
            operand = [item for item in operand if not item.endswith("*")]
        open_end = any(last is None or item.endswith(last) for item in operand)
        return UNKNOWN if open_end else FALSE
    if name == "containing_text":
        known = any(item in part for part in value.parts if part is not None for item in operand)
        return TRUE if known else UNKNOWN
    if name == "is_true":
        return UNKNOWN if fits(value, "true", whole=True) else FALSE
    return UNKNOWN
