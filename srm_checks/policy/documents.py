"""IAM policy documents in one shape, however they are written.

A normalised statement is a dict with Sid, Effect, Action, NotAction, Resource, NotResource (lists of texts),
Principal and NotPrincipal (as maps from kind to list; a bare `*` is `{"*": ["*"]}`), and what policies ask for most:
Principals (all principals in one list), Conditions (a list of {Operator, Key, Values}) and ConditionKeys (the keys,
in lower case). Parts that are not there are left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from srm_checks.model import ABSENT, FURTHER_KEYS, Path, Repeated, Unknown
from srm_checks.policy.access import Context, decode_json

_LISTS: Final = ("Action", "NotAction", "Resource", "NotResource")
# The statement blocks of the Terraform data source, by their document names.
_BLOCK_NAMES: Final = {
    "sid": "Sid", "effect": "Effect", "actions": "Action", "not_actions": "NotAction", "resources": "Resource",
    "not_resources": "NotResource",
}  # fmt: skip


def statements(context: Context, value: Any, path: Path) -> Iterator[tuple[Any, Path, bool]]:
    """The statements of a document as (statement, path, certain); Unknown where one cannot be read."""
    document = decode_json(context.read(value))
    document = context.read(document)
    if document is ABSENT or document == "":
        return
    if isinstance(document, list):  # a list of documents, such as the inline policies of a role
        for element, index, certain in context.elements(document):
            inner = path if index is None else (*path, index)
            for statement, at, sure in statements(context, element, inner):
                yield statement, at, certain and sure
        return
    if not isinstance(document, dict):
        yield _of_an_open_document(document), path, False
        return
    name = next((key for key in ("Statement", "statement") if key in document), None)
    if name is None:
        if FURTHER_KEYS in document:
            yield Unknown("a policy document of which a part is not known"), path, False
        return
    listed = decode_json(context.read(document[name]))
    for element, index, certain in context.elements(listed):
        inner = (*path, name) if index is None else (*path, name, index)
        yield _statement(context, element), inner, certain


def _of_an_open_document(document: Any) -> Unknown:
    """Any statement of a document that is not known: the references of the whole are not those of each part."""
    if isinstance(document, Unknown):
        return Unknown(document.text, document.cause)
    return Unknown("a policy document that cannot be read")


def _statement(context: Context, value: Any) -> Any:
    if not isinstance(value, dict):
        return value if isinstance(value, Unknown) else Unknown("a statement that cannot be read")
    if any(key in value for key in ("actions", "not_actions", "effect", "principals")):
        value = _from_block(context, value)
    result: dict[str, Any] = {}
    for key, inner in value.items():
        inner = context.read(inner)
        if inner is ABSENT:
            continue
        if key in _LISTS:
            result[key] = _listed(context, inner)
        elif key in ("Principal", "NotPrincipal"):
            result[key] = _principal(context, inner)
        elif key == "Condition":
            result[key] = inner
            result["Conditions"], result["ConditionKeys"] = _conditions(context, inner)
        else:
            result[key] = inner
    if "Principal" in result:
        principal = result["Principal"]
        if isinstance(principal, dict):
            result["Principals"] = [item for kind in principal.values() for item in kind]
        else:
            result["Principals"] = [principal]
    result.setdefault("Effect", Unknown("Effect"))
    return result


def _from_block(context: Context, block: dict[str, Any]) -> dict[str, Any]:
    statement: dict[str, Any] = {"Effect": "Allow"}
    for key, value in block.items():
        if key in _BLOCK_NAMES:
            statement[_BLOCK_NAMES[key]] = value
        elif key in ("principals", "not_principals"):
            kinds: dict[str, list[Any]] = {}
            for element, _index, certain in context.elements(value):
                if not isinstance(element, dict):
                    kinds.setdefault("?", []).append(element)
                    continue
                kind = context.read(element.get("type", ABSENT))
                items = _listed(context, context.read(element.get("identifiers", ABSENT)))
                kinds.setdefault(str(kind) if isinstance(kind, str) else "?", []).extend(
                    items if certain else [Repeated(item) for item in items]
                )
            statement["Principal" if key == "principals" else "NotPrincipal"] = kinds
        elif key == "condition":
            operators: dict[str, Any] = {}
            for element, _index, certain in context.elements(value):
                if not isinstance(element, dict) or not certain:
                    operators["*"] = Unknown("condition")
                    continue
                test, variable = (
                    context.read(element.get("test", ABSENT)),
                    context.read(element.get("variable", ABSENT)),
                )
                name = test if isinstance(test, str) else "*"
                keys = operators.setdefault(name, {})
                if isinstance(keys, dict):
                    keys[variable if isinstance(variable, str) else FURTHER_KEYS] = element.get("values", ABSENT)
            statement["Condition"] = operators
    return statement


def _listed(context: Context, value: Any) -> list[Any]:
    """A list with its conditional elements read; a single value becomes a list of one."""
    if value is ABSENT:
        return []
    items: list[Any] = []
    for element, _index, certain in context.elements(value):
        items.append(element if certain or isinstance(element, Unknown) else Repeated(element))
    return items


def _principal(context: Context, value: Any) -> Any:
    if isinstance(value, dict):
        return {kind: _listed(context, context.read(items)) for kind, items in value.items()}
    if value == "*":
        return {"*": ["*"]}
    return value if isinstance(value, Unknown) else {"?": _listed(context, value)}


def _lower(key: Any) -> Any:
    if isinstance(key, Unknown) and key.parts is not None:
        return replace(key, parts=tuple(part and part.lower() for part in key.parts))
    return key.lower() if isinstance(key, str) else key


def _conditions(context: Context, value: Any) -> tuple[Any, Any]:
    if not isinstance(value, dict):
        open_value = value if isinstance(value, Unknown) else Unknown("Condition")
        return [Repeated(open_value)], [Repeated(open_value)]
    entries: list[Any] = []
    keys: list[Any] = []
    for operator, tests in value.items():
        tests = context.read(tests)
        if not isinstance(tests, dict) or operator == "*":
            entries.append(Repeated(Unknown("Condition")))
            keys.append(Repeated(Unknown("Condition")))
            continue
        for key, values in tests.items():
            values = context.read(values)
            if key == FURTHER_KEYS and isinstance(values, Unknown) and values.entries:
                for open_key, listed in values.entries:
                    name = _lower(context.read(open_key))
                    entries.append(
                        {"Operator": operator, "Key": name, "Values": _listed(context, context.read(listed))}
                    )
                    keys.append(name)
                continue
            entry = {"Operator": operator, "Key": key.lower(), "Values": _listed(context, values)}
            if key == FURTHER_KEYS:
                entry["Key"] = Unknown(getattr(values, "text", "Condition"))
                entries.append(Repeated(entry))
                keys.append(Repeated(entry["Key"]))
            else:
                entries.append(entry)
                keys.append(key.lower())
    return entries, keys
