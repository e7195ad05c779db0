"""How a policy names attributes and types in both frameworks."""

from __future__ import annotations

from typing import Final

TERRAFORM: Final = "terraform"
CLOUDFORMATION: Final = "cloudformation"
LANGUAGES: Final = (TERRAFORM, CLOUDFORMATION)


def language_of(type_name: str) -> str:
    """The language that a resource type belongs to; a plan is Terraform."""
    return CLOUDFORMATION if "::" in type_name else TERRAFORM


def to_property(attribute: str) -> str:
    """The CloudFormation name of a Terraform attribute by rule: `storage_encrypted` is `StorageEncrypted`."""
    return ".".join("".join(word[:1].upper() + word[1:] for word in step.split("_")) for step in attribute.split("."))


def segments(spec: str, language: str) -> tuple[str, ...]:
    """The path that an attribute's name means in a language.

    `a_b.c` is `AB.C` in CloudFormation by rule; `x / Y` gives both; a name with capitals is taken as it is; `.` is
    the element itself.
    """
    both = [part.strip() for part in spec.split(" / ")]
    if len(both) == 2:
        name = both[0] if language == TERRAFORM else both[1]
    elif language == CLOUDFORMATION and spec == spec.lower():
        name = to_property(spec)
    else:
        name = spec
    return () if name == "." else tuple(name.split("."))
