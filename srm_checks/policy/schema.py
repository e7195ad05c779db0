"""JSON Schema (2020-12) of policy files and pack manifests, for editors; made from the same tables as the loader."""

from __future__ import annotations

from typing import Any, Final

from srm_checks.model import Cause, Domain, Outcome, Severity, Side
from srm_checks.policy import packs
from srm_checks.policy.conditions import NODES
from srm_checks.policy.load import OPTIONAL, PARAMETER_TYPES, REQUIRED
from srm_checks.policy.operators import OPERATORS, PRESENCE
from srm_checks.policy.reference import KEYS

_TEXT: Final = {"type": "string", "minLength": 1}
_TEXTS: Final = {"type": "array", "items": _TEXT}
_ONE_OR_MORE: Final = {"anyOf": [_TEXT, {**_TEXTS, "minItems": 1}]}
_CONDITION: Final = {"$ref": "#/$defs/condition"}
_ATTRIBUTE: Final = {"$ref": "#/$defs/attribute"}


def json_schema() -> dict[str, Any]:
    """The schema of a policy file; `$defs/pack` is that of a pack.yaml."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:srm-checks:policy:1",
        "title": "srm-checks policy",
        "type": "object",
        "properties": {key: {**_properties()[key], "description": KEYS[key]} for key in (*REQUIRED, *OPTIONAL)},
        "required": list(REQUIRED),
        "oneOf": [{"required": ["require"]}, {"required": ["absence"]}],
        "additionalProperties": False,
        "$defs": {
            "attribute": _by_type({"anyOf": [_TEXT, {**_TEXTS, "minItems": 1}]}),
            "outcome": _by_type({"enum": [str(word) for word in Outcome]}),
            "condition": _condition(),
            "parameter": {
                "type": "object",
                "properties": {"parameter": _TEXT},
                "required": ["parameter"],
                "additionalProperties": False,
            },
            "pack": _pack(),
        },
    }


def _properties() -> dict[str, dict[str, Any]]:
    per_language = {
        "type": "object",
        "properties": {"terraform": _TEXT, "cloudformation": _TEXT},
        "additionalProperties": False,
    }
    types = {
        "anyOf": [
            *_ONE_OR_MORE["anyOf"],
            {
                "type": "object",
                "properties": {"not_expressible": _TEXT},
                "required": ["not_expressible"],
                "additionalProperties": False,
            },
        ]
    }
    by_language = {"type": "object", "properties": {"terraform": _ONE_OR_MORE, "cloudformation": _ONE_OR_MORE}}
    return {
        "id": {"type": "string", "pattern": "^[A-Z]{2,8}-[A-Z]{3}-[0-9]{3}$"},
        "name": {"type": "string", "pattern": "^[a-z0-9]+(-[a-z0-9]+)*$"},
        "title": _TEXT,
        "domain": {"enum": [str(word) for word in Domain]},
        "side": {"enum": [str(word) for word in Side]},
        "severity": {"enum": [str(word) for word in Severity]},
        "aws_does": _TEXT,
        "customer_does": _TEXT,
        "why": _TEXT,
        "fix": {"anyOf": [_TEXT, per_language]},
        "resources": {
            "type": "object",
            "properties": {"terraform": types, "cloudformation": types},
            "required": ["terraform", "cloudformation"],
            "additionalProperties": False,
        },
        "require": _CONDITION,
        "applies_when": _CONDITION,
        "absence": {
            "type": "object",
            "properties": {
                "where": _CONDITION,
                "because_of": by_language,
                "account_wide": {"type": "boolean"},
                "each": {"type": "boolean"},
            },
            "additionalProperties": False,
        },
        "unknown_when": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "when": _CONDITION,
                    "cause": {"enum": [str(word) for word in Cause]},
                    "for": _ONE_OR_MORE,
                },
                "required": ["when", "cause"],
                "additionalProperties": False,
            },
        },
        "parameters": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "properties": {"type": {"enum": list(PARAMETER_TYPES)}, "default": True, "description": _TEXT},
                "required": ["type", "default"],
                "additionalProperties": False,
            },
        },
        "frameworks": {"type": "object", "additionalProperties": {**_TEXTS, "minItems": 1}},
        "equivalents": _TEXTS,
    }


def _by_type(schema: dict[str, Any]) -> dict[str, Any]:
    """The value itself, a parameter, or a map by framework or resource type."""
    return {"anyOf": [schema, {"type": "object"}]}


def _condition() -> dict[str, Any]:
    operators: dict[str, Any] = {
        name: {"anyOf": [operator.operand, {"type": "object"}], "description": " ".join(operator.doc.split())}
        for name, operator in OPERATORS.items()
    }
    operators |= {name: {"const": True, "description": text} for name, text in PRESENCE.items()}
    operators["absent"] = {"$ref": "#/$defs/outcome"}
    leaf_heads: dict[str, dict[str, Any]] = {
        "attribute": _ATTRIBUTE,
        "tag": {},
        "context": {"const": "region"},
        "parameter": _TEXT,
    }
    leaves = [_node(head, schema, operators) for head, schema in leaf_heads.items()]
    element = {
        "type": "object",
        "properties": {"in": _ATTRIBUTE, "values_of": _ATTRIBUTE, "statements": _ATTRIBUTE, "where": _CONDITION},
        "required": ["where"],
        "oneOf": [{"required": [key]} for key in ("in", "values_of", "statements")],
        "additionalProperties": False,
    }
    several = {"type": "array", "items": _CONDITION, "minItems": 1}
    related = {
        "type": "object",
        "properties": {
            "resources": _ATTRIBUTE, "by": _ATTRIBUTE, "through": _ATTRIBUTE, "identity": _ATTRIBUTE,
            "anywhere": {"const": True},
            "absent": {"$ref": "#/$defs/outcome"}, "missing": {"$ref": "#/$defs/outcome"},
            "some": _CONDITION, "every": _CONDITION, "none": _CONDITION,
        },
        "required": ["resources", "missing"],
        "additionalProperties": False,
    }  # fmt: skip
    ports = {
        "type": "object",
        "properties": {"from": _ATTRIBUTE, "to": _ATTRIBUTE, "protocol": _ATTRIBUTE},
        "required": ["from", "to", "protocol"],
        "additionalProperties": False,
    }
    branches = [
        _node("all", several),
        _node("any", several),
        _node("not", _CONDITION),
        *(_node(head, element, {"absent": {"$ref": "#/$defs/outcome"}}) for head in ("every", "some", "none")),
        _node("case", {"type": "object", "additionalProperties": _CONDITION, "minProperties": 1}),
        _node("related", related),
        _node("port_range", ports, {"includes_any": {}, "includes_all": {"const": True}}),
        _node("outcome", {"$ref": "#/$defs/outcome"}),
    ]
    return {"type": "object", "oneOf": [*leaves, *branches]}


def _node(head: str, schema: dict[str, Any], further: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "properties": {head: {**schema, "description": NODES[head]}, **(further or {})},
        "required": [head],
        "additionalProperties": False,
    }


def _pack() -> dict[str, Any]:
    override = {
        "type": "object",
        "properties": {
            "policy": _TEXT, "reason": _TEXT, "severity": {"enum": [str(word) for word in Severity]},
            "undeclared": {"const": "gap"},
        },
        "required": ["policy", "reason"],
        "additionalProperties": False,
    }  # fmt: skip
    properties: dict[str, Any] = {
        "name": {"type": "string", "pattern": "^[a-z0-9][a-z0-9.-]*$"},
        "version": _TEXT,
        "title": _TEXT,
        "id_prefix": {"type": "string", "pattern": "^[A-Z]{2,8}$"},
        "extends": _ONE_OR_MORE,
        "select": _ONE_OR_MORE,
        "frameworks": _ONE_OR_MORE,
        "ignore": _ONE_OR_MORE,
        "mandatory": _ONE_OR_MORE,
        "parameters": {"type": "object", "additionalProperties": {"type": "object"}},
        "overrides": {"type": "array", "items": override},
        "undeclared": {"const": "gap"},
    }
    assert set(properties) == set(packs.KEYS)
    return {"type": "object", "properties": properties, "required": ["name", "version"], "additionalProperties": False}
