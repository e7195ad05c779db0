"""Policies from YAML: strict, with the place of each mistake and a suggestion."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from srm_checks.errors import PackError
from srm_checks.model import DOMAIN_CODES, Cause, Domain, Severity, Side
from srm_checks.policy import naming
from srm_checks.policy.document import Absence, Compiled, Lazily, Policy
from srm_checks.policy.source import Place, Source, read

if TYPE_CHECKING:
    from srm_checks.policy.access import Condition
    from srm_checks.policy.conditions import Compiler

REQUIRED: Final = (
    "id", "name", "title", "domain", "side", "severity", "aws_does", "customer_does", "why", "fix", "resources",
)  # fmt: skip
OPTIONAL: Final = (
    "require", "absence", "applies_when", "unknown_when", "parameters", "frameworks", "equivalents",
)  # fmt: skip
PARAMETER_TYPES: Final = {"integer": int, "number": (int, float), "string": str, "boolean": bool, "list": list}
_Word = TypeVar("_Word", Domain, Side, Severity)
_ID: Final = re.compile(r"([A-Z]{2,8})-([A-Z]{3})-(\d{3})")
_NAME: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_ABSENCE_KEYS: Final = ("where", "because_of", "account_wide", "each")
_FRAMEWORK: Final = re.compile(r"[a-z0-9][a-z0-9.-]*")


@dataclass(slots=True)
class Draft:
    """A policy's file as read, before a pack's parameters and overrides are applied.

    `proven`: this very text has been built without a mistake before, by this code. Its conditions are then compiled
    when they are needed.
    """

    source: Source
    digest: str
    proven: bool = False

    @property
    def id(self) -> str:
        return str(self.source.data.get("id", ""))


def read_policy(path: str) -> Draft:
    """Read one policy file; raises `PackError` where it is no YAML mapping."""
    source = read(path)
    with open(path, "rb") as stream:
        return Draft(source, digest_of(stream.read()))


def digest_of(content: bytes) -> str:
    """The mark of a policy's text."""
    return hashlib.sha256(content).hexdigest()


def build(
    draft: Draft,
    *,
    pack: str = "",
    prefix: str | None = None,
    parameters: Mapping[str, Any] | None = None,
    severity: str | None = None,
    mandatory: bool = False,
    undeclared_is_gap: bool = False,
) -> Policy:
    """The policy that a draft describes, compiled. Raises `PackError` with all its mistakes.

    `prefix` is the id prefix that the pack may use. `parameters` replace the defaults of the policy's own.
    """
    return _Builder(draft, pack, prefix, dict(parameters or {}), severity, mandatory, undeclared_is_gap).build()


class _Builder:
    def __init__(
        self,
        draft: Draft,
        pack: str,
        prefix: str | None,
        parameters: dict[str, Any],
        severity: str | None,
        mandatory: bool,
        undeclared_is_gap: bool,
    ) -> None:
        self.draft, self.pack, self.prefix = draft, pack, prefix
        self.given = parameters
        self.severity, self.mandatory, self.undeclared_is_gap = severity, mandatory, undeclared_is_gap
        self.source = Source(draft.source.path, draft.source.data, draft.source.marks)
        self.data: dict[str, Any] = draft.source.data
        # Other parameters are other conditions: those were never proven.
        self.lazily = draft.proven and not parameters

    def build(self) -> Policy:
        source, data = self.source, self.data
        for key in data:
            if key not in REQUIRED and key not in OPTIONAL:
                source.unknown_word((key,), "key", key, (*REQUIRED, *OPTIONAL))
        for key in REQUIRED:
            if key not in data:
                source.problem((), f"lacks the key {key!r}")
        if ("require" in data) == ("absence" in data):
            source.problem((), "takes either `require` (judged on each resource) or `absence` (judged on the whole)")
        if source.problems:
            raise PackError(source.problems)
        policy_id, domain = self._identity()
        resources, not_expressible = self._resources()
        parameters = self._parameters()
        compiled, absence = self._conditions(resources, parameters)
        policy = Policy(
            id=policy_id,
            name=str(data["name"]),
            title=self._text("title"),
            domain=domain,
            side=self._word("side", Side),
            severity=self._word("severity", Severity) if self.severity is None else Severity(self.severity),
            aws_does=self._text("aws_does"),
            customer_does=self._text("customer_does"),
            why=self._text("why"),
            fix=self._fix(),
            frameworks=self._frameworks(),
            equivalents=tuple(sorted(self._texts("equivalents"))),
            resources=resources,
            not_expressible=not_expressible,
            compiled=compiled,
            absence=absence,
            parameters=parameters,
            mandatory=self.mandatory,
            undeclared_is_gap=self.undeclared_is_gap,
            pack=self.pack,
            path=source.path,
            digest=self.draft.digest,
            body=self.data,
        )
        if source.problems:
            raise PackError(list(dict.fromkeys(source.problems)))
        return policy

    # ------------------------------------------------------------ plain fields

    def _text(self, key: str) -> str:
        value = self.data[key]
        if not isinstance(value, str) or not value.strip():
            self.source.problem((key,), f"{key!r} takes a sentence")
            return ""
        return " ".join(value.split())

    def _texts(self, key: str) -> list[str]:
        value = self.data.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            self.source.problem((key,), f"{key!r} takes a list of texts")
            return []
        return value

    def _word(self, key: str, words: type[_Word]) -> _Word:
        value = self.data[key]
        known = [str(word) for word in words]
        if value not in known:
            self.source.unknown_word((key,), key, value, known)
            return next(iter(words))
        return words(value)

    def _identity(self) -> tuple[str, Domain]:
        domain = self._word("domain", Domain)
        policy_id, name = str(self.data["id"]), self.data["name"]
        match = _ID.fullmatch(policy_id)
        if not match:
            self.source.problem(("id",), "an id is PREFIX-DOM-NNN, such as SRM-DAR-005")
        elif match.group(2) != DOMAIN_CODES[domain]:
            self.source.problem(
                ("id",), f"the id's letters {match.group(2)} are not those of {domain}: {DOMAIN_CODES[domain]}"
            )
        elif self.prefix is not None and match.group(1) != self.prefix:
            self.source.problem(("id",), f"this pack's ids begin with {self.prefix}-")
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            self.source.problem(("name",), "a name is lower-case words with hyphens, and says the flaw")
        return policy_id, domain

    def _fix(self) -> dict[str, str]:
        value = self.data["fix"]
        if isinstance(value, str):
            text = self._text("fix")
            return dict.fromkeys(naming.LANGUAGES, text)
        if not isinstance(value, dict) or not value or not all(isinstance(text, str) for text in value.values()):
            self.source.problem(("fix",), "`fix` takes a sentence, or one for terraform and one for cloudformation")
            return {}
        for key in value:
            if key not in naming.LANGUAGES:
                self.source.unknown_word(("fix", key), "framework", key, naming.LANGUAGES)
        texts = {key: " ".join(text.split()) for key, text in value.items()}
        return {language: texts.get(language, next(iter(texts.values()))) for language in naming.LANGUAGES}

    def _frameworks(self) -> dict[str, tuple[str, ...]]:
        value = self.data.get("frameworks", {})
        if not isinstance(value, dict):
            self.source.problem(("frameworks",), "`frameworks` takes lists of control ids by framework")
            return {}
        found: dict[str, tuple[str, ...]] = {}
        for key, ids in value.items():
            if not _FRAMEWORK.fullmatch(str(key)):
                self.source.problem(("frameworks", key), "a framework's key is lower-case, such as nist-800-53-r5")
            if not isinstance(ids, list) or not ids or not all(isinstance(item, str) for item in ids):
                self.source.problem(("frameworks", key), "takes a list of control ids as text (quote numbers)")
                continue
            found[str(key)] = tuple(sorted(ids))
        return found

    def _resources(self) -> tuple[dict[str, tuple[str, ...]], dict[str, str]]:
        value = self.data["resources"]
        resources: dict[str, tuple[str, ...]] = {}
        reasons: dict[str, str] = {}
        if not isinstance(value, dict):
            self.source.problem(
                ("resources",), '`resources` takes types by framework: {terraform: aws_x, cloudformation: "AWS::X::Y"}'
            )
            return resources, reasons
        for key in value:
            if key not in naming.LANGUAGES:
                self.source.unknown_word(("resources", key), "framework", key, naming.LANGUAGES)
        for language in naming.LANGUAGES:
            types = value.get(language)
            place: Place = ("resources", language)
            if isinstance(types, dict):
                reason = types.get("not_expressible")
                if set(types) != {"not_expressible"} or not isinstance(reason, str):
                    self.source.problem(place, "takes types, or {not_expressible: why}")
                    continue
                reasons[language] = " ".join(reason.split())
            elif types is None:
                self.source.problem(
                    ("resources",), f"says nothing of {language}: name its types, or say {{not_expressible: why}}"
                )
            else:
                names = tuple(types) if isinstance(types, list) else (types,)
                if not names or not all(isinstance(name, str) for name in names):
                    self.source.problem(place, "takes a type or a list of types")
                    continue
                for index, name in enumerate(names):
                    if naming.language_of(name) != language:
                        at = (*place, index) if isinstance(types, list) else place
                        self.source.problem(at, f"{name} is not a {language} type")
                resources[language] = names
        return resources, reasons

    def _parameters(self) -> dict[str, Any]:
        declared = self.data.get("parameters", {})
        values: dict[str, Any] = {}
        if not isinstance(declared, dict):
            self.source.problem(
                ("parameters",), "`parameters` takes {name: {type: ..., default: ..., description: ...}}"
            )
            return values
        for name, spec in declared.items():
            place: Place = ("parameters", name)
            if (
                not isinstance(spec, dict)
                or not {"type", "default", "description"} >= set(spec)
                or "default" not in spec
            ):
                self.source.problem(place, "takes {type: ..., default: ..., description: ...}")
                continue
            kind = PARAMETER_TYPES.get(str(spec.get("type")))
            if kind is None:
                self.source.unknown_word((*place, "type"), "type", spec.get("type"), PARAMETER_TYPES)
                continue
            value = self.given.pop(name, spec["default"])
            # A boolean is an int to Python, but no number to an author.
            if not isinstance(value, kind) or (isinstance(value, bool) and spec["type"] != "boolean"):  # type: ignore[arg-type]
                self.source.problem(place, f"the value {value!r} is no {spec['type']}")
            values[str(name)] = value
        for name in self.given:
            self.source.unknown_word(
                ("id",), f"parameter of {self.data['id']} in the pack or configuration:", name, declared
            )
        return values

    # ------------------------------------------------------------ conditions

    def _conditions(
        self, resources: Mapping[str, tuple[str, ...]], parameters: Mapping[str, Any]
    ) -> tuple[Mapping[str, Compiled], Absence | None]:
        types = frozenset(name for names in resources.values() for name in names)
        body = self.data.get("absence") if "absence" in self.data else self.data.get("require")
        if "absence" in self.data and not self._absence_shape(body):
            return {}, None
        if "require" in self.data and not self.lazily and not can_fail(body):
            self.source.problem(("require",), "can never be anything but met")
        if "require" in self.data and not types and not self.source.problems:
            self.source.problem(("resources",), "names no type to judge; a duty that no resource shows is an `absence`")
        if "absence" in self.data and "unknown_when" in self.data:
            self.source.problem(("unknown_when",), "`unknown_when` has no meaning beside `absence`")
        compiled: Mapping[str, Compiled]
        if self.lazily:
            compiled = Lazily(sorted(types), lambda type_name: self._compiled(type_name, types, parameters)[0])
        else:
            reads: set[str] = set()
            compiled = {}
            for type_name in sorted(types):
                compiled[type_name], read = self._compiled(type_name, types, parameters)
                reads |= read
            for name in parameters:
                if name not in reads and types:
                    self.source.problem(("parameters", name), f"no condition reads the parameter {name!r}")
        if "absence" in self.data:
            assert isinstance(body, dict)
            return {}, Absence(
                compiled, self._because(body), bool(body.get("account_wide", False)), bool(body.get("each", False))
            )
        return compiled, None

    def _compiled(
        self, type_name: str, types: frozenset[str], parameters: Mapping[str, Any]
    ) -> tuple[Compiled, set[str]]:
        """The conditions for a type, and the parameters that they read."""
        from srm_checks.catalogue.attributes import known
        from srm_checks.policy.conditions import Compiler

        compiler = Compiler(type_name, self.source, types, parameters, known)
        compiler.duty, compiler.undeclared_is_gap = True, self.undeclared_is_gap
        if "absence" in self.data:
            body = self.data["absence"]
            where = body.get("where") if isinstance(body, dict) else None
            require = compiler.compile(where, ("absence", "where")) if where is not None else _declared
        else:
            require = compiler.compile(self.data["require"], ("require",))
        compiler.duty = False
        applies = None
        if "applies_when" in self.data:
            applies = compiler.compile(self.data["applies_when"], ("applies_when",))
        return Compiled(require, applies, tuple(self._doubts(compiler))), compiler.reads

    def _absence_shape(self, body: Any) -> bool:
        place: Place = ("absence",)
        if not isinstance(body, dict):
            self.source.problem(
                place,
                (
                    "takes {where: CONDITION, because_of: {terraform: [...], cloudformation: [...]}, "
                    "account_wide: yes or no, each: yes or no}"
                ),
            )
            return False
        for key in body:
            if key not in _ABSENCE_KEYS:
                self.source.unknown_word((*place, key), "key", key, _ABSENCE_KEYS)
        for key in ("account_wide", "each"):
            if not isinstance(body.get(key, False), bool):
                self.source.problem((*place, key), "takes yes or no")
        return True

    def _because(self, body: Mapping[str, Any]) -> frozenset[str]:
        value = body.get("because_of", {})
        if not isinstance(value, dict):
            self.source.problem(("absence", "because_of"), "takes lists of types by framework")
            return frozenset()
        names: set[str] = set()
        for language, types in value.items():
            if language not in naming.LANGUAGES:
                self.source.unknown_word(("absence", "because_of", language), "framework", language, naming.LANGUAGES)
            listed = types if isinstance(types, list) else [types]
            for name in listed:
                if not isinstance(name, str) or naming.language_of(name) != language:
                    self.source.problem(("absence", "because_of", language), f"{name} is not a {language} type")
                else:
                    names.add(name)
        return frozenset(names)

    def _doubts(self, compiler: Compiler) -> list[tuple[Condition, Cause]]:
        entries = self.data.get("unknown_when", [])
        if not isinstance(entries, list):
            self.source.problem(("unknown_when",), "takes a list of {when: CONDITION, cause: CAUSE}")
            return []
        doubts: list[tuple[Condition, Cause]] = []
        causes = [str(cause) for cause in Cause]
        for index, entry in enumerate(entries):
            place: Place = ("unknown_when", index)
            if not isinstance(entry, dict) or set(entry) - {"for"} != {"when", "cause"}:
                self.source.problem(
                    place, "takes {when: CONDITION, cause: CAUSE}, and `for` where it concerns one framework or type"
                )
                continue
            if entry["cause"] not in causes:
                self.source.unknown_word((*place, "cause"), "cause", entry["cause"], causes)
                continue
            concerned = entry.get("for")
            listed = concerned if isinstance(concerned, list) else [concerned]
            if concerned is not None and compiler.type_name not in listed and compiler.language not in listed:
                continue
            doubts.append((compiler.compile(entry["when"], (*place, "when")), Cause(entry["cause"])))
        return doubts


def _declared(context: Any, resource: Any, value: Any, path: Any) -> Any:
    """Without a `where`, that the resource is declared is enough."""
    from srm_checks.policy.truth import TRUE, Result

    return Result(TRUE)


def can_fail(node: Any) -> bool:
    """Whether a condition can come out false at all; guards against policies that are always met."""
    return _possible(node)[0]


def _possible(node: Any) -> tuple[bool, bool]:
    """(can be false, can be true), as far as the words alone show it."""
    if not isinstance(node, dict):
        return True, True
    if "outcome" in node:
        outcome = node["outcome"]
        return (outcome == "gap", outcome == "met") if isinstance(outcome, str) else (True, True)
    for head, join in (("all", any), ("any", all)):
        if head in node and isinstance(node[head], list) and node[head]:
            parts = [_possible(part) for part in node[head]]
            falses, trues = [part[0] for part in parts], [part[1] for part in parts]
            return (any(falses), all(trues)) if join is any else (all(falses), any(trues))
    if "not" in node:
        false, true = _possible(node["not"])
        return true, false
    if "case" in node and isinstance(node["case"], dict) and node["case"]:
        parts = [_possible(part) for part in node["case"].values()]
        return any(part[0] for part in parts), any(part[1] for part in parts)
    for head in ("every", "some", "none"):
        if head in node and isinstance(node[head], dict) and "where" in node[head]:
            false, true = _possible(node[head]["where"])
            return {"every": (false, True), "some": (True, true), "none": (true, True)}[head]
    if "exists" in node and node.get("absent") not in (None, "gap"):
        return False, True
    for key, length in (("length_greater_than_or_equal", 0), ("length_greater_than", -1)):
        if isinstance(node.get(key), (int, float)) and node[key] <= length and node.get("absent") != "gap":
            return False, True
    if node.get("regex_match") in (".*", "^.*$", "") and node.get("absent") != "gap":
        return False, True
    if (
        any(key in node and node[key] in ("", [""]) for key in ("starting_with", "ending_with"))
        and node.get("absent") != "gap"
    ):
        return False, True
    return True, True


__all__ = ["Draft", "build", "can_fail", "read_policy"]
