"""Reading an attribute of a resource in either framework."""

from __future__ import annotations

from typing import Any

from srm_checks.model import Path, Resource
from srm_checks.policy.access import Context, Segments


def is_cloudformation(resource: Resource) -> bool:
    """Whether a resource is one of CloudFormation."""
    return "::" in resource.type


def attribute_of(resource: Resource, terraform: str, cloudformation: str) -> Segments:
    """The attribute path, by its name in the framework of the resource."""
    return tuple((cloudformation if is_cloudformation(resource) else terraform).split("."))


def value_at(resource: Resource, context: Context, attribute: Segments) -> tuple[Any, Path]:
    """The first value at an attribute path, and its path; ABSENT where it is not set."""
    return context.lookup(resource.attributes, attribute, ())[0]


def said_at(resource: Resource, words: str, path: Path) -> str:
    """What another resource says, with its address and the place: `aws_x.y: image_id is set, main.tf:3`."""
    place = resource.place(path)
    return f"{resource.address}: {words}, {place.path}:{place.start_line}"
