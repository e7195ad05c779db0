"""Globals of SAM templates, merged into resources as the SAM transform does it.

Source: AWS Serverless Application Model Developer Guide, "Globals section of the AWS SAM template", read 2026-11-22.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

_TYPES: Final = {
    f"AWS::Serverless::{section}": section
    for section in (
        "Api",
        "CapacityProvider",
        "Function",
        "HttpApi",
        "LayerVersion",
        "SimpleTable",
        "StateMachine",
        "WebSocketApi",
    )
}


def merge_globals(sections: Mapping[Any, Any], bodies: Iterable[dict[Any, Any]]) -> None:
    """Give each resource body, in place, the properties of its type's section; each body once, however often it comes.

    A text or number of the resource's own replaces the section's, mappings are merged, lists are joined.
    """
    for body in {id(body): body for body in bodies}.values():
        kind = body.get("Type")
        shared = sections.get(_TYPES.get(kind)) if isinstance(kind, str) else None
        ignored = body.get("IgnoreGlobals")
        if not isinstance(shared, Mapping) or ignored == "*":
            continue
        if isinstance(ignored, list):
            shared = {key: value for key, value in shared.items() if key not in ignored}
        own = body.get("Properties")
        body["Properties"] = _merged(shared, own) if isinstance(own, Mapping) else dict(shared)


def _merged(shared: Any, own: Any) -> Any:
    if isinstance(shared, list) and isinstance(own, list):
        return [*shared, *own]
    if not isinstance(shared, Mapping) or not isinstance(own, Mapping) or _is_call(shared) or _is_call(own):
        return own
    # Keys are the resource's own where it has them: they say on which line a value was written.
    merged = {key: value for key, value in shared.items() if key not in own}
    return merged | {key: _merged(shared[key], value) if key in shared else value for key, value in own.items()}


def _is_call(value: Mapping[Any, Any]) -> bool:
    """Whether this is a function, whose result is not known here."""
    return len(value) == 1 and all(str(key).startswith("Fn::") or key in ("Ref", "Condition") for key in value)
