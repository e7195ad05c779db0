"""How the runtime of a Lambda function is updated, which Terraform declares beside the function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from srm_checks.catalogue.neighbours import naming
from srm_checks.catalogue.related.reading import said_at, value_at
from srm_checks.catalogue.scene import Reading, Scene
from srm_checks.model import ABSENT, Unknown
from srm_checks.policy.access import Segments
from srm_checks.policy.truth import FALSE, TRUE, UNKNOWN

_FUNCTIONS: Final = {"aws_lambda_function": ("function_name",)}
_RUNTIME_MANAGEMENT: Final[Mapping[str, Segments]] = {"aws_lambda_runtime_management_config": ("function_name",)}


def runtime_updates(mode: str) -> Callable[[Scene], Reading]:
    """Whether a function's runtime is updated in a mode, which Terraform declares beside the function."""

    def read(scene: Scene) -> Reading:
        resource, context = scene.resource, scene.context
        managers = naming(resource, context, _RUNTIME_MANAGEMENT, _FUNCTIONS[resource.type])
        if not managers.found:
            if managers.missing:
                return Reading(UNKNOWN, missing=managers.missing)
            return Reading(TRUE if mode == "Auto" else FALSE)  # AWS's default
        manager = managers.found[0]
        value, path = value_at(manager, context, ("update_runtime_on",))
        if isinstance(value, Unknown):
            return Reading(UNKNOWN, missing=(f"{manager.address}: update_runtime_on is {value.text or 'not known'}",))
        given = "Auto" if value is ABSENT else str(value)
        if given != mode:
            return Reading(FALSE)
        return Reading(TRUE, decided_by=said_at(manager, f"update_runtime_on = {given}", path))

    return read
