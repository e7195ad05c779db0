"""The fleet that a queue of Deadline Cloud is tied to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from srm_checks.catalogue.neighbours import Identities, named
from srm_checks.catalogue.scene import Reading, Scene
from srm_checks.policy.truth import FALSE, TRUE, UNKNOWN

_FLEETS: Final[Identities] = {"AWS::Deadline::Fleet": ("FleetId",)}


def fleet_is(case_name: str) -> Callable[[Scene], Reading]:
    """Whether the fleet of a queue is the one of a case."""

    def read(scene: Scene) -> Reading:
        fleets = named(scene.resource, scene.context, ("FleetId",), _FLEETS)
        if len(fleets.found) != 1:
            return Reading(UNKNOWN, missing=fleets.missing or ("its fleet is not in view",))
        fleet = fleets.found[0]
        judged = scene.judge(fleet, scene.context)
        if not judged.sure:
            return Reading(UNKNOWN, missing=tuple(f"{fleet.address}: {words}" for words in judged.missing))
        if judged.cases[0].name != case_name:
            return Reading(FALSE)
        return Reading(TRUE, decided_by=f"{fleet.address}: {judged.decided_by}")

    return read
