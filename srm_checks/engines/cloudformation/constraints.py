"""What a parameter's declaration says of the values that it accepts."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from srm_checks.model import Literal

# What is asked about is short (a CIDR block, a word of a condition); longer texts are not held against a pattern.
MAX_TEXT: Final = 256
# Up to so many repetitions, as of the numbers in an address, cost nothing.
_FEW: Final = 10


@dataclass(frozen=True, slots=True)
class Constraints:
    """AllowedPattern, MinLength, MaxLength, MinValue and MaxValue; None where one is not declared or cannot be read.

    `is_quick` says that the pattern cannot take very long to match.
    """

    pattern: re.Pattern[str] | None = None
    is_quick: bool = True
    min_length: float | None = None
    max_length: float | None = None
    min_value: float | None = None
    max_value: float | None = None

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Constraints:
        """The constraints that a parameter's declaration sets on each of its values."""
        pattern = _compiled(body.get("AllowedPattern"))
        return cls(
            pattern=pattern,
            is_quick=pattern is None or not _may_explode(_parsed(pattern.pattern)),
            min_length=_limit(body.get("MinLength")),
            max_length=_limit(body.get("MaxLength")),
            min_value=_limit(body.get("MinValue")),
            max_value=_limit(body.get("MaxValue")),
        )

    def refuse(self, value: Literal) -> bool:
        """Whether CloudFormation surely turns this value down. False where it accepts it, and where that is open."""
        if isinstance(value, int | float) and not isinstance(value, bool):
            return not _within(value, self.min_value, self.max_value)
        if not isinstance(value, str):
            return False
        if not _within(len(value), self.min_length, self.max_length):
            return True
        if self.pattern is None or (value and not (self.is_quick and len(value) <= MAX_TEXT)):
            return False
        return self.pattern.fullmatch(value) is None  # CloudFormation holds the whole value against it


def _within(value: float, least: float | None, most: float | None) -> bool:
    return (least is None or value >= least) and (most is None or value <= most)


def _limit(written: Any) -> float | None:
    try:
        return None if written is None or isinstance(written, bool) else float(written)
    except (TypeError, ValueError):
        return None


def _compiled(pattern: Any) -> re.Pattern[str] | None:
    """The pattern; None where Python has no reading of it, or one that CloudFormation's language may not share."""
    if not isinstance(pattern, str):
        return None
    try:
        with warnings.catch_warnings():
            # Sets such as [a--z] or [a&&b], of which Python warns, mean something else in Java.
            warnings.simplefilter("error", FutureWarning)
            warnings.simplefilter("error", DeprecationWarning)
            return re.compile(pattern)
    except (re.error, OverflowError, RecursionError, FutureWarning, DeprecationWarning):
        return None


def _parsed(pattern: str) -> Iterable[Any]:
    try:
        from re import _parser as parser  # type: ignore[attr-defined]  # Python 3.11 and later
    except ImportError:
        import sre_parse as parser
    parsed: Iterable[Any] = parser.parse(pattern)
    return parsed


def _may_explode(items: Iterable[Any], *, repeated: bool = False) -> bool:
    """Whether matching can need exponential time: inside a long repetition another or alternatives; a back reference.

    `repeated` says that the items stand inside a long repetition.
    """
    for operation, argument in items:
        inner: Iterable[Iterable[Any]] = ()
        long = repeated
        match str(operation):
            case "GROUPREF" | "GROUPREF_EXISTS":
                return True
            case "BRANCH":
                if repeated:
                    return True
                inner = argument[1]
            case "MAX_REPEAT" | "MIN_REPEAT":
                long = argument[1] > _FEW
                if long and repeated:
                    return True
                inner, long = (argument[2],), long or repeated
            case "SUBPATTERN":
                inner = (argument[3],)
            case "ASSERT" | "ASSERT_NOT":
                inner = (argument[1],)
            case _:
                pass
        if any(_may_explode(part, repeated=long) for part in inner):
            return True
    return False
