"""What a case of the catalogue is tried on, and what its clauses answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from srm_checks.model import Path, Resource
from srm_checks.policy.access import Context

if TYPE_CHECKING:
    from srm_checks.catalogue.cases import Case


class Judged(NamedTuple):
    """The cases that may hold for a resource in one scenario, in the order of the data.

    `decided_by` says what decided, where one case is sure; `missing` are sentences on what keeps it open.
    """

    cases: tuple[Case, ...]
    decided_by: str = ""
    missing: tuple[str, ...] = ()

    @property
    def sure(self) -> bool:
        """Whether exactly one case holds."""
        return len(self.cases) == 1 and not self.missing


class Scene(NamedTuple):
    """A resource in one scenario, and the way to the cases of another resource in the same scenario."""

    resource: Resource
    context: Context
    judge: Callable[[Resource, Context], Judged]


class Reading(NamedTuple):
    """What a clause said: its truth, the attribute that it read, and the values found there with their paths.

    A clause that reads other resources has no `found`; it says itself what decided, or (sentences) what is missing.
    """

    truth: int
    attribute: str = ""
    found: tuple[tuple[Any, Path], ...] = ()
    decided_by: str = ""
    missing: tuple[str, ...] = ()
