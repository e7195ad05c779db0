"""The table of settings: what each is called, what it may say, and which fields of `Config` it fills."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, TypeAlias, TypeVar

from srm_checks.config.files import relative
from srm_checks.gate import GROUP_KINDS, UNDETERMINED, Budget, Group, GroupKind, Limit
from srm_checks.model import Domain, Severity, Side
from srm_checks.triage import assumptions
from srm_checks.triage.terms import Mistake, path_glob

DEFAULT_PACK: Final = "aws-baseline"
SCOPES: Final = ("stack", "account")
NEVER: Final = "never"
ERROR, FINDING = "error", "finding"
SERVICE_MODELS: Final = ("IaaS", "CaaS", "PaaS", "FaaS", "Abstracted", "SaaS", "Control")

_Value = TypeVar("_Value")

Fields: TypeAlias = dict[str, Any]
Schema: TypeAlias = dict[str, Any]

_TEXT: Final[Schema] = {"type": "string", "minLength": 1}
_DATE: Final[Schema] = {"type": "string", "format": "date"}
_COUNT: Final[Schema] = {"type": "integer", "minimum": 0}
_SEVERITIES: Final = {**{str(severity): severity for severity in Severity}, NEVER: None}
_GROUP_WORDS: Final[Mapping[GroupKind, tuple[str, ...] | None]] = {
    "policy": None,
    "domain": tuple(map(str, Domain)),
    "model": (*SERVICE_MODELS, UNDETERMINED),
    "side": tuple(map(str, Side)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One key of the configuration.

    `read` turns a value and the folder of its file into fields of `Config`; it raises `Mistake`. `default` is the value
    as a user would write it. `from_text` turns the text of an environment variable into such a value, and is None where
    the setting cannot be given so. `effective` is the value with its paths made relative to the working directory.
    """

    key: str
    help: str
    schema: Schema
    read: Callable[[Any, str], Fields]
    default: Any = None
    from_text: Callable[[str], Any] | None = None
    effective: Callable[[Any, str], Any] = lambda value, folder: value


# ------------------------------------------------------------------ readers


def _texts(name: str, located: Callable[[str, str], str] | None = None) -> Callable[[Any, str], Fields]:
    def read(value: Any, folder: str) -> Fields:
        items = _listed(value)
        return {name: tuple(located(folder, item) for item in items) if located else tuple(items)}

    return read


def _listed(value: Any) -> list[str]:
    if isinstance(value, str) and value:
        return [value]
    if isinstance(value, list) and all(isinstance(item, str) and item for item in value):
        return value
    raise Mistake("must be a list of texts")


def _word(name: str, meanings: Mapping[str, Any]) -> Callable[[Any, str], Fields]:
    return lambda value, folder: {name: _meaning(value, meanings)}


def _meaning(value: Any, meanings: Mapping[str, Any]) -> Any:
    if isinstance(value, str) and value in meanings:
        return meanings[value]
    raise Mistake(f"must be one of {', '.join(meanings)}, not {value!r}{_suggestion(str(value), meanings)}")


def _flag(name: str) -> Callable[[Any, str], Fields]:
    def read(value: Any, folder: str) -> Fields:
        if isinstance(value, bool):
            return {name: value}
        raise Mistake(f"must be yes or no, not {value!r}")

    return read


def _path(name: str) -> Callable[[Any, str], Fields]:
    def read(value: Any, folder: str) -> Fields:
        if isinstance(value, str) and value:
            return {name: _located(folder, value)}
        raise Mistake("must be the path of a file")

    return read


def _count(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise Mistake(f"must be a whole number from 0, not {value!r}")


def _parameters(value: Any, folder: str) -> Fields:
    if isinstance(value, dict) and all(isinstance(inner, dict) for inner in value.values()):
        frozen = {str(policy): MappingProxyType(inner) for policy, inner in value.items()}
        return {"policy_parameters": MappingProxyType(frozen)}
    raise Mistake("must give parameters by policy id, such as {SRM-BCK-001: {minimum_days: 14}}")


def _fail_on(value: Any, folder: str) -> Fields:
    """One severity for all, or severities and budgets by who answers."""
    if not isinstance(value, Mapping):
        return {"fail_on": _meaning(value, _SEVERITIES), "limits": ()}
    fields: Fields = {}
    limits: list[Limit] = []
    for key, inner in value.items():
        if key == "default":
            fields["fail_on"] = _within((key,), _meaning, inner, _SEVERITIES)
        elif key == "unknown":
            fields.update(_budgets(inner))
        elif key in GROUP_KINDS:
            for group, severity in _groups(key, inner, (key,)):
                meaning = _within((key, group.word), _meaning, severity, _SEVERITIES)
                limits.append(Limit(group, meaning))
        else:
            known = ("default", "unknown", *GROUP_KINDS)
            raise Mistake(f"unknown key {key!r}{_suggestion(str(key), known)}", (key,))
    return {**fields, "limits": tuple(limits)}


def _budgets(value: Any) -> Fields:
    place = ("unknown",)
    if not isinstance(value, Mapping):
        return {"max_unknown": _within(place, _count, value)}
    fields: Fields = {}
    budgets: list[Budget] = []
    for key, inner in value.items():
        if key == "total":
            fields["max_unknown"] = _within((*place, key), _count, inner)
        elif key in GROUP_KINDS:
            for group, number in _groups(key, inner, (*place, key)):
                at = (*place, key, group.word)
                budgets.append(Budget(group, _within(at, _count, number)))
        else:
            known = ("total", *GROUP_KINDS)
            raise Mistake(f"unknown key {key!r}{_suggestion(str(key), known)}", (*place, key))
    return {**fields, "budgets": tuple(budgets)}


def _groups(kind: GroupKind, value: Any, place: tuple[str | int, ...]) -> Iterable[tuple[Group, Any]]:
    if not isinstance(value, Mapping):
        raise Mistake(f"must give a value by {kind}", place)
    words = _GROUP_WORDS[kind]
    for word, inner in value.items():
        if words is not None and word not in words:
            raise Mistake(f"unknown {kind} {word!r}{_suggestion(str(word), words)}", (*place, word))
        yield Group(kind, str(word)), inner


def _assume(value: Any, folder: str) -> Fields:
    if not isinstance(value, list):
        raise Mistake("must be a list of assumptions")
    return {"assume": tuple(_within((index,), assumptions.read, entry, folder) for index, entry in enumerate(value))}


def _within(place: tuple[str | int, ...], read: Callable[..., _Value], *arguments: Any) -> _Value:
    """What `read` gives for the arguments; its mistakes are told to lie under `place`."""
    try:
        return read(*arguments)
    except Mistake as error:
        raise Mistake(str(error), (*place, *error.place)) from error


# ------------------------------------------------------------------ environment variables


def _split(text: str) -> list[str]:
    return [item.strip() for item in text.split(",") if item.strip()]


def _number(text: str) -> Any:
    return int(text) if text.strip().isdecimal() else text


def _yes_or_no(text: str) -> Any:
    return {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}.get(text.lower(), text)


# ------------------------------------------------------------------ paths


def _pack(folder: str, pack: str) -> str:
    """A pack given as a path counts from the configuration file's folder; a bare name stays a name."""
    looks_like_path = "/" in pack or os.sep in pack or pack in (".", "..")
    return _located(folder, pack) if looks_like_path else pack


def _located(folder: str, path: str) -> str:
    return relative(os.path.join(folder, path))


def _exclusion(folder: str, glob: str) -> str:
    return path_glob(relative(folder or "."), glob)


def _each(located: Callable[[str, str], str]) -> Callable[[Any, str], Any]:
    return lambda value, folder: [located(folder, item) for item in _listed(value)]


def _suggestion(word: str, known: Iterable[str]) -> str:
    from srm_checks.policy.source import suggest

    return suggest(word, known)


# ------------------------------------------------------------------ the table


def _list_of(items: Schema) -> Schema:
    return {"anyOf": [items, {"type": "array", "items": items}]}


def _by_group(value: Schema) -> Schema:
    def table(kind: GroupKind) -> Schema:
        words = _GROUP_WORDS[kind]
        if words is None:
            return {"type": "object", "additionalProperties": value}
        return {"type": "object", "properties": dict.fromkeys(words, value), "additionalProperties": False}

    return {kind: table(kind) for kind in GROUP_KINDS}


_SEVERITY_SCHEMA: Final[Schema] = {"enum": list(_SEVERITIES)}
_FAIL_ON_SCHEMA: Final[Schema] = {
    "anyOf": [
        _SEVERITY_SCHEMA,
        {
            "type": "object",
            "properties": {
                "default": _SEVERITY_SCHEMA,
                **_by_group(_SEVERITY_SCHEMA),
                "unknown": {
                    "anyOf": [
                        _COUNT,
                        {
                            "type": "object",
                            "properties": {"total": _COUNT, **_by_group(_COUNT)},
                            "additionalProperties": False,
                        },
                    ]
                },
            },
            "additionalProperties": False,
        },
    ]
}
_ASSUME_SCHEMA: Final[Schema] = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {
            "control": _TEXT,
            "by": _TEXT,
            "evidence": _TEXT,
            "expires": _DATE,
            "scope": {
                "type": "object",
                "properties": {"path": _TEXT, "address": _TEXT, "root": _TEXT},
                "minProperties": 1,
                "additionalProperties": False,
            },
        },
        "required": list(assumptions.REQUIRED),
        "additionalProperties": False,
    },
}

_ALL: Final = (
    Setting(
        key="packs",
        help="Policy packs: names, or paths from this file.",
        schema=_list_of(_TEXT),
        read=_texts("packs", _pack),
        default=[DEFAULT_PACK],
        from_text=_split,
        effective=_each(_pack),
    ),
    Setting(
        key="select",
        help="Only these policies: ids or globs; all where empty.",
        schema=_list_of(_TEXT),
        read=_texts("select"),
        default=[],
        from_text=_split,
    ),
    Setting(
        key="ignore",
        help="Not these policies: ids or globs.",
        schema=_list_of(_TEXT),
        read=_texts("ignore"),
        default=[],
        from_text=_split,
    ),
    Setting(
        key="exclude",
        help="Files that are left out: globs from this file; one without a slash holds at any depth.",
        schema=_list_of(_TEXT),
        read=_texts("exclude", _exclusion),
        default=[],
        from_text=_split,
        effective=_each(_exclusion),
    ),
    Setting(
        key="fail_on",
        help="Mildest severity of a new gap that fails the gate, for all or by side, domain, model, policy; "
        "and how many unknowns may pass.",
        schema=_FAIL_ON_SCHEMA,
        read=_fail_on,
        default="medium",
        from_text=str,
    ),
    Setting(
        key="max_unknown",
        help="More new unknowns than this fail the gate; no limit by default.",
        schema=_COUNT,
        read=lambda value, folder: {"max_unknown": _count(value)},
        from_text=_number,
    ),
    Setting(
        key="scope",
        help="Whether the inputs are one stack, or the whole account: then what is absent is a gap.",
        schema={"enum": list(SCOPES)},
        read=_word("scope", {scope: scope for scope in SCOPES}),
        default="stack",
        from_text=str,
    ),
    Setting(
        key="undeclared",
        help="gap: a protective setting that is not declared is a gap.",
        schema={"const": "gap"},
        read=_word("undeclared", {"gap": "gap"}),
        from_text=str,
    ),
    Setting(
        key="parameter_defaults",
        help="strict: the defaults of parameters and variables do not count.",
        schema={"enum": ["use", "strict"]},
        read=_word("strict_parameters", {"use": False, "strict": True}),
        default="use",
        from_text=str,
    ),
    Setting(
        key="policy_parameters",
        help="Values of policies' parameters, by policy id, then by name.",
        schema={"type": "object", "additionalProperties": {"type": "object"}},
        read=_parameters,
        default={},
    ),
    Setting(
        key="baseline",
        help="The file of findings that were known before, as --write-baseline makes it.",
        schema=_TEXT,
        read=_path("baseline"),
        from_text=str,
        effective=lambda value, folder: _located(folder, value),
    ),
    Setting(
        key="waivers",
        help="The file of reviewed exceptions; by default the nearest srm-waivers.yaml.",
        schema=_TEXT,
        read=_path("waivers"),
        from_text=str,
        effective=lambda value, folder: _located(folder, value),
    ),
    Setting(
        key="expired_waivers",
        help="error: an expired waiver or assumption ends the scan (exit 2); finding: what it covered counts again.",
        schema={"enum": [ERROR, FINDING]},
        read=_word("expired_waivers", {ERROR: ERROR, FINDING: FINDING}),
        default=ERROR,
        from_text=str,
    ),
    Setting(
        key="suppress_equivalents",
        help="Whether an inline suppression that names an equivalent of a policy (CKV_AWS_16) silences the policy.",
        schema={"type": "boolean"},
        read=_flag("suppress_equivalents"),
        default=False,
        from_text=_yes_or_no,
    ),
    Setting(
        key="assume",
        help="Controls that another stack or team provides: control (policy id or glob), by whom, evidence, expires.",
        schema=_ASSUME_SCHEMA,
        read=_assume,
        default=[],
    ),
)

SETTINGS: Final[Mapping[str, Setting]] = {setting.key: setting for setting in _ALL}
