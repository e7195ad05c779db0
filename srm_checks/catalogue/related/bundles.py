"""Who made the bundle of a WorkSpace."""

from __future__ import annotations

from typing import Final

from srm_checks.catalogue.neighbours import Identities, meant_by
from srm_checks.catalogue.related.reading import attribute_of, said_at, value_at
from srm_checks.catalogue.scene import Reading, Scene
from srm_checks.model import ABSENT, Unknown
from srm_checks.policy.truth import FALSE, TRUE, UNKNOWN

_BUNDLES: Final[Identities] = {"data.aws_workspaces_bundle": ("bundle_id",)}


def bundle_of_aws(scene: Scene) -> Reading:
    """Whether a WorkSpace's bundle is one that AWS publishes.

    Terraform looks bundles of AWS up by the owner AMAZON and own ones without an owner; an id alone does not tell.
    """
    resource, context = scene.resource, scene.context
    attribute = attribute_of(resource, "bundle_id", "BundleId")
    value, path = value_at(resource, context, attribute)
    if value is ABSENT:
        return Reading(FALSE)
    for bundle in meant_by(resource, context, value, path, _BUNDLES):
        owner, at = value_at(bundle, context, ("owner",))
        if isinstance(owner, Unknown):
            return Reading(UNKNOWN, missing=(f"{bundle.address}: owner is {owner.text or 'not known'}",))
        if str(owner).upper() == "AMAZON":
            return Reading(TRUE, decided_by=said_at(bundle, f"owner = {owner}", at))
        if value_at(bundle, context, ("bundle_id",))[0] is ABSENT:
            return Reading(FALSE)
    return Reading(UNKNOWN, missing=("the bundle's id does not show who made it",))
