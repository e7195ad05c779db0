"""The tags of a resource as one dict, however its type writes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from srm_checks.engines.cloudformation.branching import choice
from srm_checks.engines.cloudformation.text import literal_text
from srm_checks.model import ABSENT, FURTHER_KEYS, Choice, Repeated, Unknown

# Where types keep their tags: nearly all in the first, the others are those of EFS, Cognito and Route 53.
PROPERTIES: Final = ("Tags", "FileSystemTags", "UserPoolTags", "HostedZoneTags")


def read_tags(attributes: Mapping[str, Any]) -> Any:
    """Tag values by key; the key `*` where further tags may exist; Unknown where nothing can be told."""
    for name in PROPERTIES:
        if name in attributes:
            return _tags(attributes[name])
    return attributes.get(FURTHER_KEYS, {})


def _tags(value: Any) -> Any:
    match value:
        case Choice(cond=cond, then=then, otherwise=otherwise):
            return _either(cond, _tags(then), _tags(otherwise))
        case dict():
            return dict(value)
        case list():
            tags: dict[str, Any] = {}
            for element in value:
                tags.update(_element(element))
            return tags
        case _ if value is ABSENT:
            return {}
        case Unknown():
            return value
        case _:
            return Unknown("Tags")


def _element(element: Any) -> dict[str, Any]:
    match element:
        case {"Key": key, **rest} if (name := literal_text(key)) is not None:
            return {name: rest.get("Value", ABSENT)} if "Value" in rest else {name: Unknown("Value")}
        case Choice(cond=cond, then=then, otherwise=otherwise):
            both = _either(cond, _element(then), _element(otherwise))
            return both if isinstance(both, dict) else {FURTHER_KEYS: both}
        case Repeated(value=inner):
            return {FURTHER_KEYS: inner if isinstance(inner, Unknown) else Unknown("Tags")}
        case _ if element is ABSENT:
            return {}
        case Unknown():
            return {FURTHER_KEYS: element}
        case _:
            return {FURTHER_KEYS: Unknown("Tags")}


def _either(cond: Any, then: Any, otherwise: Any) -> Any:
    if not isinstance(then, dict) or not isinstance(otherwise, dict):
        return choice(cond, then, otherwise)
    return either_dict(cond, then, otherwise)


def either_dict(cond: Any, then: Mapping[str, Any], otherwise: Mapping[str, Any]) -> dict[str, Any]:
    """One dict for two that depend on a condition: the choice is made key by key."""
    joined: dict[str, Any] = {}
    for key in {**then, **otherwise}:
        if key == FURTHER_KEYS:
            joined[key] = then.get(key) or otherwise[key]
            continue
        joined[key] = choice(cond, *(side.get(key, side.get(FURTHER_KEYS, ABSENT)) for side in (then, otherwise)))
    return joined
