"""`data.aws_iam_policy_document`: the policy that its blocks describe, in the words of IAM."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from srm_checks.engines.terraform.evaluate import further_entries
from srm_checks.engines.terraform.operations import could_be
from srm_checks.engines.terraform.resources import Element, argument, elements
from srm_checks.engines.terraform.site import Site
from srm_checks.engines.terraform.values import OMITTED, OpenMap, choice, derived, same
from srm_checks.model import ABSENT, Choice, Encoded, Options, Repeated, Unknown

if TYPE_CHECKING:
    from srm_checks.engines.terraform.scope import ResourceInstance

_DEFAULT_VERSION: Final = "2012-10-17"
_STATEMENT_LISTS: Final = {
    "actions": "Action",
    "not_actions": "NotAction",
    "resources": "Resource",
    "not_resources": "NotResource",
}


def document(instance: ResourceInstance) -> Encoded:
    """The `json` of a policy document data source.

    Documents that it takes in but that are not known stand as any number of unknown statements.
    """
    block, env = instance.block, instance.env
    statements: list[Any] = []
    for name in ("source_json", "source_policy_documents"):
        for source in _documents(argument(block, name, env)):
            statements += source
    own = [
        _presence(element, _statement(element)) for element in elements(block.body, env) if element.kind == "statement"
    ]
    statements = _overridden(statements, own)
    for name in ("override_json", "override_policy_documents"):
        for override in _documents(argument(block, name, env)):
            statements = _overridden(statements, override)
    version = argument(block, "version", env)
    policy: dict[str, Any] = {"Version": _DEFAULT_VERSION if version is ABSENT else version}
    identifier = argument(block, "policy_id", env)
    if identifier is not ABSENT:
        policy["Id"] = identifier
    policy["Statement"] = statements
    return Encoded(policy)


def _presence(element: Element, value: Any) -> Any:
    return Repeated(value) if element.repeated else choice(element.present, value, OMITTED)


def _overridden(statements: list[Any], others: list[Any]) -> list[Any]:
    """`others` after `statements`; one with the Sid of an earlier one takes its place."""
    result = list(statements)
    for other in others:
        sid = _sid(other)
        place = next((at for at, one in enumerate(result) if sid and _sid(one) == sid), None)
        if place is None:
            result.append(other)
        else:
            result[place] = other
    return result


def _sid(statement: Any) -> str | None:
    sid = statement.get("Sid") if isinstance(statement, dict) else None
    return sid if isinstance(sid, str) and sid else None


# ------------------------------------------------------------------ documents taken in


def _documents(value: Any) -> list[list[Any]]:
    """The statements of each document in a list, or of a single one."""
    if value is ABSENT:
        return []
    if isinstance(value, list):
        return [_statements_of(element) for element in value]
    return [_statements_of(value)]


def _statements_of(value: Any) -> list[Any]:
    if isinstance(value, Encoded):
        return _statement_list(value.value)
    if isinstance(value, str):
        return _parsed(value)
    if isinstance(value, Choice):
        then = [_conditional(value, statement, OMITTED) for statement in _statements_of(value.then)]
        return then + [_conditional(value, OMITTED, statement) for statement in _statements_of(value.otherwise)]
    if isinstance(value, Repeated):
        return [s if isinstance(s, Repeated) else Repeated(s) for s in _statements_of(value.value)]
    if isinstance(value, (Unknown, Options)):
        return [Repeated(value)] if isinstance(value, Unknown) else [Repeated(Unknown(text=value.label))]
    return []


def _conditional(source: Choice, then: Any, otherwise: Any) -> Any:
    for branch in (then, otherwise):
        if isinstance(branch, Repeated):
            return branch  # any number, also none
    return choice(source.cond, then, otherwise)


def _parsed(text: str) -> list[Any]:
    if not text.strip():
        return []
    try:
        return _statement_list(json.loads(text))
    except (ValueError, RecursionError):
        return [Repeated(Unknown(text="a document that is not JSON"))]


def _statement_list(policy: Any) -> list[Any]:
    statements = policy.get("Statement", []) if isinstance(policy, dict) else [Repeated(derived("policy", [policy]))]
    if isinstance(statements, list):
        return statements
    return [Repeated(statements)] if isinstance(statements, Unknown) else [statements]


# ------------------------------------------------------------------ statements


def _statement(element: Element) -> dict[str, Any]:
    block, env = element.block, element.env
    statement: dict[str, Any] = {}
    sid = argument(block, "sid", env)
    if sid is not ABSENT and sid != "":
        statement["Sid"] = sid
    effect = argument(block, "effect", env)
    statement["Effect"] = "Allow" if effect is ABSENT else effect
    for name, key in _STATEMENT_LISTS.items():
        value = argument(block, name, env)
        if value is not ABSENT and value != []:
            statement[key] = value
    inner = list(elements(block.body, env))
    for kind, key in (("principals", "Principal"), ("not_principals", "NotPrincipal")):
        found = [one for one in inner if one.kind == kind]
        if found:
            statement[key] = _certain(found, _principals)
    conditions = [one for one in inner if one.kind == "condition"]
    if conditions:
        statement["Condition"] = _certain(conditions, _conditions)
    return statement


def _certain(found: list[Element], build: Any) -> Any:
    """What blocks make together; where one may not be there, all that is open about it."""
    if all(one.present is True and not one.repeated for one in found):
        return build(found)
    if len(found) == 1 and not found[0].repeated:
        return choice(found[0].present, build(found), ABSENT)
    return derived(f'dynamic "{found[0].kind}"', [build(found)])


def _principals(found: list[Element]) -> Any:
    members: dict[str, Any] = {}
    for one in found:
        kind = argument(one.block, "type", one.env)
        identifiers = argument(one.block, "identifiers", one.env)
        if not isinstance(kind, str):
            return derived("principals", [kind, identifiers], present=True)
        members[kind] = _together(members.get(kind), identifiers)
    if len(members) == 1 and same(members.get("*"), ["*"]):
        return "*"
    return members


def _conditions(found: list[Element]) -> Any:
    members: dict[str, dict[str, Any]] = {}
    opened: dict[str, list[tuple[Unknown, Any]]] = {}
    for one in found:
        test, variable = argument(one.block, "test", one.env), argument(one.block, "variable", one.env)
        values = argument(one.block, "values", one.env)
        if not isinstance(test, str) or not isinstance(variable, (str, Unknown)):
            return derived("condition", [test, variable, values], present=True)
        group = members.setdefault(test, {})
        if isinstance(variable, Unknown):
            opened.setdefault(test, []).append((variable, values))
        else:
            group[variable] = _together(group.get(variable), values)
    return {test: _with_open_keys(group, opened[test]) if test in opened else group for test, group in members.items()}


def _with_open_keys(group: dict[str, Any], opened: list[tuple[Unknown, Any]]) -> OpenMap:
    """Tests of which some have an open key, which may also be one of the known ones and add its values to it."""
    known = dict(group)
    for variable, values in opened:
        more = derived(variable.text, [values])
        for key in known:
            if variable.parts is None or could_be(variable.parts, key):
                known[key] = _together(known[key], more)
    site = Site(opened[0][0].text, "")
    return OpenMap(known, further_entries(group, opened, site))


def _together(before: Any, values: Any) -> Any:
    """Two lists as one; an unknown one is any number of elements."""
    if before is None:
        return values
    lists = [one if isinstance(one, list) else [Repeated(one)] for one in (before, values)]
    return [*lists[0], *lists[1]]
