"""Three-valued logic (Kleene), and what is remembered of how a condition came to its value.

`NA` is a fourth word for a condition that does not concern the resource (`absent: not-applicable`): it is neutral in
`all` and `any`, and stays itself under `not`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from srm_checks.model import Cause, Outcome

if TYPE_CHECKING:
    from srm_checks.model import Path, Resource

FALSE: Final = 0
TRUE: Final = 1
UNKNOWN: Final = 2
NA: Final = 3

NEGATED: Final = (TRUE, FALSE, UNKNOWN, NA)

# The truth that an outcome's word in a policy stands for.
OUTCOME_TRUTH: Final = {
    Outcome.GAP.value: FALSE,
    Outcome.MET.value: TRUE,
    Outcome.UNKNOWN.value: UNKNOWN,
    Outcome.NOT_APPLICABLE.value: NA,
}


class Fact(NamedTuple):
    """A value that had a say: where it stands, what it is, and the path to point at (inside an element, say)."""

    resource: Resource
    path: Path
    value: Any
    focus: Path


class Result(NamedTuple):
    """The value of a condition, with its facts; `cause` and `detail` belong to UNKNOWN."""

    truth: int
    facts: tuple[Fact, ...] = ()
    cause: Cause | None = None
    detail: str = ""


def negate(result: Result) -> Result:
    """Kleene's not."""
    return result._replace(truth=NEGATED[result.truth])


def all_of(results: Iterable[Result]) -> Result:
    """Kleene's and: FALSE wins over UNKNOWN, UNKNOWN over TRUE; NA is neutral. Nothing at all is TRUE."""
    return _combine(results, strong=FALSE, weak=TRUE)


def any_of(results: Iterable[Result]) -> Result:
    """Kleene's or: TRUE wins over UNKNOWN, UNKNOWN over FALSE; NA is neutral. Nothing at all is FALSE."""
    return _combine(results, strong=TRUE, weak=FALSE)


def _combine(results: Iterable[Result], *, strong: int, weak: int) -> Result:
    """Join results; the facts are those of the parts that gave the value its way.

    All parts are read even when one has decided: a finding lists every failing part.
    """
    kept: list[Result] = []
    level = -1  # NA < weak < UNKNOWN < strong
    for result in results:
        truth = result.truth
        rank = 0 if truth == NA else 1 if truth == weak else 2 if truth == UNKNOWN else 3
        if rank > level:
            level, kept = rank, [result]
        elif rank == level:
            kept.append(result)
    if level < 0:
        return Result(weak)
    truth = (NA, weak, UNKNOWN, strong)[level]
    if len(kept) == 1:
        return kept[0]
    facts = tuple(fact for result in kept for fact in result.facts)
    return Result(truth, facts, kept[0].cause, kept[0].detail)
