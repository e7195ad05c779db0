"""The document of a `data.aws_iam_policy_document` that is read only during apply.

Its JSON is then unknown, but for the reason that one ARN is: the statements themselves are in the plan.
"""

from __future__ import annotations

import json
from typing import Any, Final

from srm_checks.model import Encoded, Repeated, Unknown

TYPE: Final = "data.aws_iam_policy_document"
TEXTS: Final = frozenset({"json", "minified_json"})
"""The attributes that hold the whole document."""

_LISTS = {"actions": "Action", "not_actions": "NotAction", "resources": "Resource", "not_resources": "NotResource"}
_PRINCIPALS = {"principals": "Principal", "not_principals": "NotPrincipal"}
_SOURCES = ("source_json", "source_policy_documents")
_OVERRIDES = ("override_json", "override_policy_documents")


def encoded(attributes: dict[str, Any]) -> Encoded | None:
    """The document as AWS would read it, unknowns inside; `attributes` are those of the data source.

    None where other documents override parts of it, or its statements cannot be listed.
    """
    written = attributes.get("statement", [])
    if any(attributes.get(name, []) not in ([], "") for name in _OVERRIDES) or not isinstance(written, list):
        return None
    own = [_statement(block) if isinstance(block, dict) else block for block in written]
    sids = [statement["Sid"] for statement in own if isinstance(statement, dict) and "Sid" in statement]
    sources = [
        statement
        for name in _SOURCES
        for document in _elements(attributes.get(name, []))
        for statement in _statements_of(document)
        if not (isinstance(statement, dict) and statement.get("Sid") in sids)  # a statement replaces its namesake
    ]
    return Encoded({"Version": attributes.get("version", "2012-10-17"), "Statement": [*sources, *own]})


def _statements_of(document: Any) -> list[Any]:
    """The statements of a document that this one is built upon; unknown ones may be any number."""
    if isinstance(document, Repeated):
        return [document]
    if isinstance(document, str):
        try:
            document = json.loads(document)
        except (ValueError, RecursionError):
            return [Repeated(Unknown("a source policy document that is not valid JSON"))]
    if isinstance(document, Encoded):
        document = document.value
    if not isinstance(document, dict):
        return [Repeated(document if isinstance(document, Unknown) else Unknown("a source policy document"))]
    statements = document.get("Statement", [])
    return list(statements) if isinstance(statements, list) else [statements]


def _statement(block: dict[str, Any]) -> dict[str, Any]:
    statement: dict[str, Any] = {"Effect": block.get("effect", "Allow")}
    if "sid" in block and block["sid"] != "":
        statement["Sid"] = block["sid"]
    for name, key in _LISTS.items():
        if block.get(name, []) != []:
            statement[key] = block[name]
    for name, key in _PRINCIPALS.items():
        if block.get(name, []) != []:
            statement[key] = _principals(block[name])
    if block.get("condition", []) != []:
        statement["Condition"] = _conditions(block["condition"])
    return statement


def _principals(blocks: Any) -> Any:
    if not isinstance(blocks, list) or not all(isinstance(block, dict) for block in blocks):
        return blocks
    joined: dict[str, list[Any]] = {}
    for block in blocks:
        kind = block.get("type")
        if not isinstance(kind, str):
            return Unknown("principals whose type is unknown")
        identifiers = block.get("identifiers", [])
        joined.setdefault(kind, []).extend(_elements(identifiers))
    return "*" if joined == {"*": ["*"]} else joined


def _conditions(blocks: Any) -> Any:
    if not isinstance(blocks, list) or not all(isinstance(block, dict) for block in blocks):
        return blocks
    joined: dict[str, dict[str, list[Any]]] = {}
    for block in blocks:
        test, variable = block.get("test"), block.get("variable")
        if not isinstance(test, str) or not isinstance(variable, str):
            return Unknown("conditions whose test or variable is unknown")
        joined.setdefault(test, {}).setdefault(variable, []).extend(_elements(block.get("values", [])))
    return joined


def _elements(value: Any) -> list[Any]:
    """The elements of a list, of a text standing alone, or of a list that is unknown."""
    if isinstance(value, list):
        return list(value)
    return [value] if isinstance(value, str) else [Repeated(value)]
