"""Nodes of EKS: launch templates, and the node groups that use them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Final

from srm_checks.catalogue.neighbours import Identities, named, naming
from srm_checks.catalogue.related.reading import attribute_of, said_at, value_at
from srm_checks.catalogue.scene import Reading, Scene
from srm_checks.model import ABSENT, Resource, Unknown
from srm_checks.policy.access import Segments
from srm_checks.policy.truth import FALSE, TRUE, UNKNOWN

_TEMPLATES: Final[Identities] = {"aws_launch_template": ("name",), "AWS::EC2::LaunchTemplate": ("LaunchTemplateName",)}
_TEMPLATE_USERS: Final[tuple[Mapping[str, Segments], ...]] = (
    {"aws_eks_node_group": ("launch_template", "id"), "AWS::EKS::Nodegroup": ("LaunchTemplate", "Id")},
    {"aws_eks_node_group": ("launch_template", "name"), "AWS::EKS::Nodegroup": ("LaunchTemplate", "Name")},
)
# How a machine becomes a node of a cluster: the script of the AL2 image, nodeadm of AL2023, Bottlerocket's settings.
_JOINS_A_CLUSTER: Final = ("/etc/eks/bootstrap.sh", "kind: NodeConfig", "nodeadm", "[settings.kubernetes]")


def template_has_image(scene: Scene) -> Reading:
    """Whether the launch template of a node group names an image."""
    resource, context = scene.resource, scene.context
    found: dict[int, Resource] = {}
    missing: list[str] = []
    for name in ("id", "name"):
        attribute = attribute_of(resource, f"launch_template.{name}", f"LaunchTemplate.{name.title()}")
        templates = named(resource, context, attribute, _TEMPLATES)
        found.update((id(template), template) for template in templates.found)
        missing.extend(templates.missing)
    if not found:
        return Reading(UNKNOWN, missing=tuple(dict.fromkeys(missing)) or ("its launch template is not in view",))
    template = next(iter(found.values()))
    attribute = attribute_of(template, "image_id", "LaunchTemplateData.ImageId")
    value, path = value_at(template, context, attribute)
    if value is ABSENT:
        return Reading(FALSE)
    if isinstance(value, Unknown) and not value.present:
        return Reading(UNKNOWN, missing=(f"{template.address}: {'.'.join(attribute)} is {value.text or 'not known'}",))
    return Reading(TRUE, decided_by=said_at(template, f"{'.'.join(attribute)} is set", path))


def node_group_uses_it(scene: Scene) -> Reading:
    """Whether a node group of EKS refers to the launch template."""
    missing: dict[str, None] = {}
    for links in _TEMPLATE_USERS:
        users = naming(scene.resource, scene.context, links, _TEMPLATES[scene.resource.type])
        if users.found:
            return Reading(TRUE, decided_by=users.found[0].address)
        missing.update(dict.fromkeys(users.missing))
    return Reading(UNKNOWN, missing=tuple(missing)) if missing else Reading(FALSE)


def joins_a_cluster(scene: Scene) -> Reading:
    """Whether the user data of a launch template makes the machine a node, without a node group of EKS."""
    attribute = attribute_of(scene.resource, "user_data", "LaunchTemplateData.UserData")
    value, path = value_at(scene.resource, scene.context, attribute)
    if value is ABSENT:
        return Reading(FALSE)
    known = value.parts or () if isinstance(value, Unknown) else (_decoded(str(value)),)
    if not any(mark in part for part in known if part is not None for mark in _JOINS_A_CLUSTER):
        if isinstance(value, Unknown):
            return Reading(UNKNOWN, missing=(f"{'.'.join(attribute)} is {value.text or 'not known'}",))
        return Reading(FALSE)
    managed = node_group_uses_it(scene)
    if managed.truth != FALSE:
        return Reading(FALSE if managed.truth == TRUE else UNKNOWN, missing=managed.missing)
    return Reading(TRUE, decided_by=said_at(scene.resource, f"{'.'.join(attribute)} joins a cluster", path))


def _decoded(text: str) -> str:
    """User data as text; it may stand in base64."""
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return text
