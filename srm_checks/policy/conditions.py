"""Conditions: from the words of a policy to closures, compiled once for each resource type.

`Compiler.compile` checks as it goes and writes mistakes with their place into the policy's `Source`; what it returns
is called as `condition(context, resource, value, path)` and answers a `Result`. `value` is what attribute names are
looked up in: the resource's attributes, or the element that a quantifier has come to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from srm_checks.model import Cause, Path, Resource
from srm_checks.policy import naming
from srm_checks.policy.access import Condition, Context, Decision, Segments, Undecided
from srm_checks.policy.leaves import (
    Reader,
    attribute_reader,
    comparison,
    presence_test,
    read_region,
    tag_reader,
    union_reader,
)
from srm_checks.policy.operands import OperandError
from srm_checks.policy.operators import OPERATORS, PRESENCE
from srm_checks.policy.ports import port_test
from srm_checks.policy.quantifiers import COLLECTIONS, quantified
from srm_checks.policy.relations import anywhere, referred, referring
from srm_checks.policy.source import Place, Source
from srm_checks.policy.truth import FALSE, NA, OUTCOME_TRUTH, TRUE, UNKNOWN, Result, all_of, any_of, negate

QUANTIFIERS: Final = ("every", "some", "none")
LINKS: Final = ("by", "through", "anywhere")
NODES: Final = {
    "all": "All of the conditions hold.",
    "any": "At least one of the conditions holds.",
    "not": "The condition does not hold.",
    "every": (
        "`{in: ATTRIBUTE, where: CONDITION}`: each element of the list, or each repeated block, meets the "
        "condition; so does an empty list."
    ),
    "some": "`{in: ATTRIBUTE, where: CONDITION}`: at least one element meets the condition.",
    "none": "`{in: ATTRIBUTE, where: CONDITION}`: no element meets the condition.",
    "case": (
        "One condition for each framework (`terraform`, `cloudformation`) or resource type; the type wins "
        "over the framework, and `otherwise` serves the rest."
    ),
    "related": "Another resource of the stack that refers to this one (`by`), or that this one refers to (`through`).",
    "attribute": "An attribute, compared by one operator; `absent` says what it means that it is not set.",
    "tag": (
        "A tag of the resource, the provider's default tags included, compared by one operator; a list of tags means "
        "their values as one list."
    ),
    "context": "`region`: the Region that the resource's provider or template is set to, compared by one operator.",
    "parameter": (
        "A parameter of the policy, compared by one operator: to leave a policy aside until the parameter "
        "is set."
    ),
    "port_range": (
        "The ports that a rule opens: `{from: ATTRIBUTE, to: ATTRIBUTE, protocol: ATTRIBUTE}` with "
        "`includes_any: [PORTS]` or `includes_all: yes`."
    ),
    "outcome": "The outcome itself, for a case that needs no look.",
}  # fmt: skip


@dataclass(slots=True)
class Compiler:
    """Compiles the conditions of one policy for one resource type.

    `parameters` are the values that `{parameter: NAME}` stands for. `known_attributes` are the type's top-level
    names where there is data about them. `duty` is true inside `require`, where every attribute must say what its
    absence means.
    """

    type_name: str
    source: Source
    types: frozenset[str]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    known_attributes: Callable[[str], frozenset[str] | None] = lambda type_name: None
    duty: bool = False
    undeclared_is_gap: bool = False
    at_resource: bool = True
    hides: bool = False
    reads: set[str] = field(default_factory=set)

    @property
    def language(self) -> str:
        return naming.language_of(self.type_name)

    # ------------------------------------------------------------ dispatch

    def compile(self, node: Any, place: Place) -> Condition:
        if not isinstance(node, dict):
            self.source.problem(place, "a condition is a mapping, such as {attribute: x, is_true: yes, absent: gap}")
            return _never
        heads = [key for key in node if key in NODES]
        if not heads:
            word = next(iter(node), "")
            self.source.unknown_word((*place, word) if node else place, "condition", word, (*NODES, *OPERATORS))
            return _never
        head = heads[0]
        if len(heads) > 1:
            self.source.problem(
                (*place, heads[1]),
                f"{heads[0]!r} and {heads[1]!r} cannot stand in one condition; put them under `all` or `any`",
            )
            return _never
        if head in ("attribute", "tag", "context", "parameter"):
            return self._leaf(node, head, place)
        if head in QUANTIFIERS:
            self._only(node, place, {head, "absent"})
            return self._quantifier(node, head, place)
        if head == "port_range":
            return self._ports(node, place)
        self._only(node, place, {head})
        inner = (*place, head)
        if head in ("all", "any"):
            return self._several(node[head], head, inner)
        if head == "not":
            return self._negation(self.compile(node[head], inner))
        if head == "case":
            return self._case(node[head], inner)
        if head == "related":
            return self._related(node[head], inner)
        return self._outcome(node[head], inner)

    def _only(self, node: Mapping[str, Any], place: Place, allowed: Iterable[str]) -> None:
        for key in node:
            if key not in allowed:
                self.source.unknown_word((*place, key), "key", key, allowed)

    def _outcome(self, word: Any, place: Place) -> Condition:
        truth = self._outcome_truth(word, place)
        result = Result(truth, (), Cause.PROVIDER_DEFAULT if truth == UNKNOWN else None)
        return lambda context, resource, value, path: result

    def _outcome_truth(self, word: Any, place: Place) -> int:
        word = self.variant(word, place)
        if word not in OUTCOME_TRUTH:
            self.source.unknown_word(place, "outcome", word, OUTCOME_TRUTH)
            return UNKNOWN
        return OUTCOME_TRUTH[word]

    def variant(self, value: Any, place: Place) -> Any:
        """The value for this type where it is a map by framework or type; and the value of a parameter."""
        if isinstance(value, dict) and value:
            if set(value) == {"parameter"}:
                name = value["parameter"]
                if name not in self.parameters:
                    self.source.unknown_word((*place, "parameter"), "parameter", name, self.parameters)
                    return None
                self.reads.add(name)
                return self.parameters[name]
            if all(
                key in naming.LANGUAGES or key in self.types or "::" in str(key) or str(key).startswith("aws_")
                for key in value
            ):
                for key in (self.type_name, self.language):
                    if key in value:
                        return self.variant(value[key], (*place, key))
                self.source.problem(place, f"says nothing for {self.type_name}")
                return None
        return value

    # ------------------------------------------------------------ connectives

    def _several(self, nodes: Any, head: str, place: Place) -> Condition:
        if not isinstance(nodes, list) or not nodes:
            self.source.problem(place, f"`{head}` takes a list of conditions")
            return _never
        parts = [self.compile(node, (*place, index)) for index, node in enumerate(nodes)]
        if len(parts) == 1:
            return parts[0]
        join = all_of if head == "all" else any_of
        strong = FALSE if head == "all" else TRUE

        def several(context: Context, resource: Resource, value: Any, path: Path) -> Result:
            results: list[Result] = []
            forks: tuple[Decision, ...] = ()
            for part in parts:
                try:
                    results.append(part(context, resource, value, path))
                except Undecided as undecided:
                    forks = forks or undecided.forks
            if forks and not any(result.truth == strong for result in results):
                raise Undecided(forks)
            return join(results)

        return several

    @staticmethod
    def _negation(inner: Condition) -> Condition:
        return lambda context, resource, value, path: negate(inner(context, resource, value, path))

    def _case(self, cases: Any, place: Place) -> Condition:
        if not isinstance(cases, dict) or not cases:
            self.source.problem(place, "`case` takes a condition for each framework or resource type")
            return _never
        for key in cases:
            if key not in naming.LANGUAGES and key not in self.types and key != "otherwise":
                self.source.unknown_word((*place, key), "framework or type", key, (*naming.LANGUAGES, *self.types))
        for key in (self.type_name, self.language, "otherwise"):
            if key in cases:
                return self.compile(cases[key], (*place, key))
        self.source.problem(place, f"`case` says nothing for {self.type_name}")
        return _never

    # ------------------------------------------------------------ attributes

    def paths(self, spec: Any, place: Place) -> list[Segments]:
        """The attribute paths that a spec names; several for a list."""
        spec = self.variant(spec, place)
        names = spec if isinstance(spec, list) else [spec]
        found: list[Segments] = []
        for name in names:
            if not isinstance(name, str) or not name.strip():
                self.source.problem(place, "an attribute is a name such as `storage_encrypted` or `engine / Engine`")
                continue
            path = naming.segments(name, self.language)
            self._check_name(path, place)
            found.append(path)
        return found or [()]

    def _check_name(self, path: Segments, place: Place) -> None:
        if not self.at_resource or not path:
            return
        known = self.known_attributes(self.type_name)
        if known is not None and path[0] not in known and path[0] not in _META_ATTRIBUTES:
            self.source.unknown_word(place, f"attribute of {self.type_name}:", path[0], known)

    def _leaf(self, node: Mapping[str, Any], head: str, place: Place) -> Condition:
        words = [key for key in node if key not in (head, "absent")]
        operators = [key for key in words if key in OPERATORS or key in PRESENCE]
        for key in words:
            if key not in operators:
                self.source.unknown_word((*place, key), "operator", key, (*OPERATORS, *PRESENCE))
        if len(operators) != 1:
            if len(operators) > 1 or len(operators) == len(words):
                self.source.problem(place, f"takes exactly one operator, not {len(operators)}")
            return _never
        name = operators[0]
        at_absent = self._absent(node, name, place)
        read = self._reader(node, head, place)
        if name in PRESENCE:
            if node[name] is not True:
                self.source.problem((*place, name), f"`{name}` takes `yes`; there is an operator for the opposite")
            return presence_test(read, wanted=name == "exists", at_absent=at_absent)
        operator = OPERATORS[name]
        self.hides = self.hides or operator.hides
        try:
            operand = self.variant(node[name], (*place, name))
            if operand is None:
                return _never
            if isinstance(operand, dict):  # parameters may stand inside an operand that is a map
                operand = {key: self.variant(inner, (*place, name, key)) for key, inner in operand.items()}
            operand = operator.prepare(operand)
        except OperandError as error:
            self.source.problem((*place, name), f"`{name}` {error}")
            return _never
        return comparison(read, operator, operand, at_absent, hidden=operator.hides)

    def _absent(self, node: Mapping[str, Any], operator: str, place: Place) -> int | None:
        """The truth that absence has; None where the operator itself speaks of presence."""
        if "absent" in node:
            truth = self._outcome_truth(node["absent"], (*place, "absent"))
            if not self.duty and truth == NA:
                self.source.problem((*place, "absent"), "`not-applicable` has a meaning in `require` only")
            if self.undeclared_is_gap and self.duty and truth != NA:
                return FALSE
            return truth
        if operator in PRESENCE:
            return None
        if self.duty and "parameter" not in node:
            self.source.problem(
                place,
                "must say what it means that the attribute is absent: `absent: gap`, met, unknown or not-applicable",
            )
        negative = operator in OPERATORS and OPERATORS[operator].negates is not None and operator != "is_not_empty"
        return TRUE if negative else FALSE

    def _reader(self, node: Mapping[str, Any], head: str, place: Place) -> Reader:
        if head == "tag":
            spec = self.variant(node["tag"], (*place, "tag"))
            names = spec if isinstance(spec, list) else [spec]
            if not names or not all(isinstance(name, str) for name in names):
                self.source.problem((*place, "tag"), "names a tag, or several in a list")
                names = [""]
            return tag_reader(names)
        if head == "context":
            if node["context"] != "region":
                self.source.unknown_word((*place, "context"), "context", node["context"], ("region",))
            return read_region
        if head == "parameter":
            given = self.variant({"parameter": node["parameter"]}, place)
            return lambda context, resource, value, path: [(given, ())]
        paths = self.paths(node["attribute"], (*place, "attribute"))
        if len(paths) == 1:
            return attribute_reader(paths[0])
        return union_reader(paths)

    # ------------------------------------------------------------ elements

    def _quantifier(self, node: Mapping[str, Any], head: str, place: Place) -> Condition:
        spec, inner = node[head], (*place, head)
        if not isinstance(spec, dict) or "where" not in spec or sum(key in spec for key in COLLECTIONS) != 1:
            self.source.problem(
                inner,
                f"`{head}` takes `where: CONDITION` and one of `in`, `values_of`, `statements`: ATTRIBUTE",
            )
            return _never
        self._only(spec, inner, {*COLLECTIONS, "where"})
        kind = next(key for key in COLLECTIONS if key in spec)
        paths = self.paths(spec[kind], (*inner, kind))
        at_absent = self._outcome_truth(node["absent"], (*place, "absent")) if "absent" in node else None
        outer = (self.duty, self.at_resource)
        self.duty, self.at_resource = False, False
        where = self.compile(spec["where"], (*inner, "where"))
        self.duty, self.at_resource = outer
        return quantified(paths, where, head, at_absent, COLLECTIONS[kind])

    def _ports(self, node: Mapping[str, Any], place: Place) -> Condition:
        self._only(node, place, {"port_range", "includes_any", "includes_all"})
        spec = node["port_range"]
        if not isinstance(spec, dict) or not {"from", "to", "protocol"} <= set(spec) or len(spec) != 3:
            self.source.problem((*place, "port_range"), "takes {from: ATTRIBUTE, to: ATTRIBUTE, protocol: ATTRIBUTE}")
            return _never
        names = {key: self.paths(spec[key], (*place, "port_range", key))[0] for key in ("from", "to", "protocol")}
        if ("includes_any" in node) == ("includes_all" in node):
            self.source.problem(place, "takes either `includes_any: [PORTS]` or `includes_all: yes`")
            return _never
        ports: tuple[int, ...] | None = None
        if "includes_any" in node:
            wanted = self.variant(node["includes_any"], (*place, "includes_any"))
            if not isinstance(wanted, list) or not all(isinstance(port, int) for port in wanted):
                self.source.problem((*place, "includes_any"), "takes a list of port numbers")
                return _never
            ports = tuple(wanted)
        return port_test(names, ports)

    # ------------------------------------------------------------ other resources

    def _related(self, spec: Any, place: Place) -> Condition:
        if not isinstance(spec, dict):
            self.source.problem(
                place,
                "`related` takes {resources: TYPES, by or through: ATTRIBUTE, some, every or none: CONDITION, "
                "missing: OUTCOME}",
            )
            return _never
        self._only(spec, place, {"resources", *LINKS, "identity", "absent", "missing", *QUANTIFIERS})
        listed = self.variant(spec.get("resources"), (*place, "resources"))
        types = listed if isinstance(listed, list) else [listed]
        if not types or not all(isinstance(name, str) for name in types):
            self.source.problem(place, "`related` names the types of the other resource under `resources`")
            return _never
        if sum(key in spec for key in LINKS) != 1:
            self.source.problem(
                place,
                "`related` takes one of `by` (their attribute that names this one), `through` (our attribute that "
                "names them), `anywhere: yes` (all of the stack)",
            )
            return _never
        heads = [key for key in QUANTIFIERS if key in spec]
        if len(heads) > 1 or "missing" not in spec:
            self.source.problem(
                place,
                "`related` takes one of some, every, none, and `missing: OUTCOME` for a stack without such a resource",
            )
            return _never
        missing = self._outcome_truth(spec["missing"], (*place, "missing"))
        tests: dict[str, Condition] = {}
        links: dict[str, Segments] = {}
        identities: dict[str, Segments] = {}
        for type_name in types:
            other = Compiler(type_name, self.source, self.types | set(types), self.parameters, self.known_attributes)
            if heads:
                tests[type_name] = other.compile(spec[heads[0]], (*place, heads[0]))
            if "by" in spec:
                links[type_name] = other.paths(spec["by"], (*place, "by"))[0]
            elif "identity" in spec:
                identities[type_name] = other.paths(spec["identity"], (*place, "identity"))[0]
            self.hides = self.hides or other.hides
            self.reads |= other.reads
        quantifier = heads[0] if heads else "some"
        if "anywhere" in spec:
            if spec["anywhere"] is not True:
                self.source.problem((*place, "anywhere"), "`anywhere` takes `yes`")
            return anywhere(types, tests, quantifier, missing)
        if "by" in spec:
            identity = self.paths(spec["identity"], (*place, "identity"))[0] if "identity" in spec else None
            return referred(links, tests, quantifier, missing, identity)
        if self.duty and "absent" not in spec:
            self.source.problem(place, "must say what it means that the attribute of `through` is absent")
        at_absent = self._outcome_truth(spec["absent"], (*place, "absent")) if "absent" in spec else FALSE
        return referring(
            self.paths(spec["through"], (*place, "through"))[0],
            types,
            tests,
            quantifier,
            missing,
            at_absent,
            identities,
        )


# Names that every resource has besides those of its type.
_META_ATTRIBUTES: Final = frozenset(
    {"lifecycle", "provider", "depends_on", "count", "for_each", "provisioner", "connection", "tags", "tags_all"}
    | {"CreationPolicy", "DeletionPolicy", "UpdatePolicy", "UpdateReplacePolicy", "DependsOn"}
)  # fmt: skip


def _never(context: Context, resource: Resource, value: Any, path: Path) -> Result:
    raise AssertionError("a condition with a mistake must not be judged")
