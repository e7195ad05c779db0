"""Conditions: from the words of a policy to closures, compiled once for each resource type.

`Compiler.compile` checks as it goes and writes mistakes with their place into the policy's `Source`; what it returns
is called as `condition(context, resource, value, path)` and answers a `Result`. `value` is what attribute names are
looked up in: the resource's attributes, or the element that a quantifier has come to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from srm_checks.model import ABSENT, Cause, Outcome, Path, Resource, Unknown
from srm_checks.policy import naming
from srm_checks.policy.access import Context, Segments, Undecided, decode_json, references_at, same
from srm_checks.policy.documents import statements
from srm_checks.policy.operators import (
    OPERATORS,
    PRESENCE,
    OperandError,
    Operator,
    as_number,
    as_text,
    cause_of,
    on_partial,
    presence,
)
from srm_checks.policy.source import Place, Source
from srm_checks.policy.truth import FALSE, NA, NEGATED, TRUE, UNKNOWN, Fact, Result, all_of, any_of, negate

Condition: TypeAlias = Callable[[Context, Resource, Any, Path], Result]

_OUTCOME_TRUTH: Final = {
    Outcome.GAP.value: FALSE,
    Outcome.MET.value: TRUE,
    Outcome.UNKNOWN.value: UNKNOWN,
    Outcome.NOT_APPLICABLE.value: NA,
}
_QUANTIFIERS: Final = ("every", "some", "none")
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
    "tag": "A tag of the resource, the provider's default tags included, compared by one operator.",
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
        if head in _QUANTIFIERS:
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
        if word not in _OUTCOME_TRUTH:
            self.source.unknown_word(place, "outcome", word, _OUTCOME_TRUTH)
            return UNKNOWN
        return _OUTCOME_TRUTH[word]

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
            undecided: Undecided | None = None
            for part in parts:
                try:
                    results.append(part(context, resource, value, path))
                except Undecided as open_condition:
                    undecided = undecided or open_condition
            if undecided and not any(result.truth == strong for result in results):
                raise undecided
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
            return _presence(read, wanted=name == "exists", at_absent=at_absent)
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
        return _comparison(read, operator, operand, at_absent, hidden=operator.hides)

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

    def _reader(self, node: Mapping[str, Any], head: str, place: Place) -> _Reader:
        if head == "tag":
            name = self.variant(node["tag"], (*place, "tag"))
            if not isinstance(name, str):
                self.source.problem((*place, "tag"), "names one tag")
                name = ""
            return _tag_reader(name)
        if head == "context":
            if node["context"] != "region":
                self.source.unknown_word((*place, "context"), "context", node["context"], ("region",))
            return _read_region
        if head == "parameter":
            given = self.variant({"parameter": node["parameter"]}, place)
            return lambda context, resource, value, path: [(given, ("parameter",))]
        paths = self.paths(node["attribute"], (*place, "attribute"))
        if len(paths) == 1:
            return _attribute_reader(paths[0])
        return _union_reader(paths)

    # ------------------------------------------------------------ elements

    def _quantifier(self, node: Mapping[str, Any], head: str, place: Place) -> Condition:
        spec, inner = node[head], (*place, head)
        if not isinstance(spec, dict) or "where" not in spec or sum(key in spec for key in _COLLECTIONS) != 1:
            self.source.problem(
                inner,
                f"`{head}` takes `where: CONDITION` and one of `in`, `values_of`, `statements`: ATTRIBUTE",
            )
            return _never
        self._only(spec, inner, {*_COLLECTIONS, "where"})
        kind = next(key for key in _COLLECTIONS if key in spec)
        paths = self.paths(spec[kind], (*inner, kind))
        at_absent = self._outcome_truth(node["absent"], (*place, "absent")) if "absent" in node else None
        outer = (self.duty, self.at_resource)
        self.duty, self.at_resource = False, False
        where = self.compile(spec["where"], (*inner, "where"))
        self.duty, self.at_resource = outer
        return _quantified(paths, where, head, at_absent, _COLLECTIONS[kind])

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
        return _port_test(names, ports)

    # ------------------------------------------------------------ other resources

    def _related(self, spec: Any, place: Place) -> Condition:
        if not isinstance(spec, dict):
            self.source.problem(
                place,
                "`related` takes {resources: TYPES, by or through: ATTRIBUTE, some, every or none: CONDITION, "
                "missing: OUTCOME}",
            )
            return _never
        self._only(spec, place, {"resources", "by", "through", "identity", "absent", "missing", *_QUANTIFIERS})
        listed = self.variant(spec.get("resources"), (*place, "resources"))
        types = listed if isinstance(listed, list) else [listed]
        if not types or not all(isinstance(name, str) for name in types):
            self.source.problem(place, "`related` names the types of the other resource under `resources`")
            return _never
        if ("by" in spec) == ("through" in spec):
            self.source.problem(
                place,
                (
                    "`related` takes either `by` (their attribute that names this one) or `through` (our "
                    "attribute that names them)"
                ),
            )
            return _never
        heads = [key for key in _QUANTIFIERS if key in spec]
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
        if "by" in spec:
            identity = self.paths(spec["identity"], (*place, "identity"))[0] if "identity" in spec else None
            return _referred(links, tests, quantifier, missing, identity)
        if self.duty and "absent" not in spec:
            self.source.problem(place, "must say what it means that the attribute of `through` is absent")
        at_absent = self._outcome_truth(spec["absent"], (*place, "absent")) if "absent" in spec else FALSE
        return _referring(
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
    | {"DeletionPolicy", "UpdateReplacePolicy", "DependsOn"}
)  # fmt: skip


def _never(context: Context, resource: Resource, value: Any, path: Path) -> Result:
    raise AssertionError("a condition with a mistake must not be judged")


# ------------------------------------------------------------------ readers

_Reader: TypeAlias = Callable[[Context, Resource, Any, Path], list[tuple[Any, Path]]]


def _attribute_reader(segments: Segments) -> _Reader:
    if len(segments) == 1:
        name = segments[0]

        def read_one(context: Context, resource: Resource, value: Any, path: Path) -> list[tuple[Any, Path]]:
            if type(value) is dict:
                if name in value:
                    return [(context.read(value[name]), (*path, name))]
                if "*" not in value:
                    return [(ABSENT, (*path, name))]
            return context.lookup(value, segments, path)

        return read_one
    return lambda context, resource, value, path: context.lookup(value, segments, path)


def _union_reader(paths: list[Segments]) -> _Reader:
    """Several attributes as one list, those that are set; ABSENT if none is."""

    def read_union(context: Context, resource: Resource, value: Any, path: Path) -> list[tuple[Any, Path]]:
        joined: list[Any] = []
        first: Path | None = None
        for segments in paths:
            for found, at in context.lookup(value, segments, path):
                if found is ABSENT:
                    continue
                first = first or at
                joined.extend(found if isinstance(found, list) else [found])
        return [(joined, first)] if first is not None else [(ABSENT, path + paths[0])]

    return read_union


def _read_region(context: Context, resource: Resource, value: Any, path: Path) -> list[tuple[Any, Path]]:
    region = context.index.stack.region if resource.region is None else resource.region
    return [(context.read(region), ("region",))]


def _tag_reader(name: str) -> _Reader:
    def read_tag(context: Context, resource: Resource, value: Any, path: Path) -> list[tuple[Any, Path]]:
        tags = context.read(resource.tags)
        key = "tags" if "::" not in resource.type else "Tags"
        if isinstance(tags, dict):
            if name in tags:
                return [(context.read(tags[name]), (key, name))]
            return [(context.read(tags["*"]) if "*" in tags else ABSENT, (key, name))]
        return [(tags, (key,))]

    return read_tag


# ------------------------------------------------------------------ leaves


def _at_absent(resource: Resource, at: Path, truth: int) -> Result:
    return Result(truth, (Fact(resource, at, ABSENT, at),), Cause.PROVIDER_DEFAULT if truth == UNKNOWN else None)


def _presence(read: _Reader, *, wanted: bool, at_absent: int | None) -> Condition:
    def judge(context: Context, resource: Resource, value: Any, path: Path) -> Result:
        found = read(context, resource, value, path)
        # Through a list, one element that has it is enough for "exists".
        results = [_one(resource, item, at) for item, at in found]
        result = results[0] if len(results) == 1 else any_of(results)
        return result if wanted else negate(result)

    def _one(resource: Resource, item: Any, at: Path) -> Result:
        truth = presence(item)
        if truth == FALSE and at_absent is not None:
            return _at_absent(resource, at, at_absent if wanted else NEGATED[at_absent])
        detail = item.text if truth == UNKNOWN else ""
        return Result(truth, (Fact(resource, at, item, at),), cause_of(item) if truth == UNKNOWN else None, detail)

    return judge


def _comparison(read: _Reader, operator: Operator, operand: Any, at_absent: int | None, *, hidden: bool) -> Condition:
    base = operator.negates or operator.name
    negated = operator.negates is not None
    test = operator.test
    absent_truth = FALSE if at_absent is None else at_absent

    def one(context: Context, resource: Resource, item: Any, at: Path) -> Result:
        if item is ABSENT:
            return _at_absent(resource, at, absent_truth)
        shown: Any = item if not hidden else HIDDEN
        if operator.on_list:
            elements = [(element, certain) for element, _index, certain in context.elements(item)]
            truth = test(elements, operand, context)
            if truth == UNKNOWN:
                opener = next((element for element, _certain in elements if isinstance(element, Unknown)), item)
                return Result(truth, (Fact(resource, at, shown, at),), cause_of(opener), getattr(opener, "text", ""))
            return Result(truth, (Fact(resource, at, shown, at),))
        kind = type(item)
        if kind is list and not operator.reads_open:
            return elementwise(context, resource, item, at)
        if kind is Unknown and not operator.reads_open:
            truth = on_partial(base, item, operand)
            if negated:
                truth = NEGATED[truth]
        else:
            truth = UNKNOWN if kind is dict and not operator.reads_open else test(as_text(item), operand, context)
        if truth == UNKNOWN:
            return Result(truth, (Fact(resource, at, shown, at),), cause_of(item), getattr(item, "text", ""))
        return Result(truth, (Fact(resource, at, shown, at),))

    def elementwise(context: Context, resource: Resource, items: Any, at: Path) -> Result:
        results = []
        for element, index, certain in context.elements(items):
            inner = at if index is None else (*at, index)
            result = one(context, resource, element, inner)
            results.append(
                result
                if certain or result.truth != FALSE
                else result._replace(truth=UNKNOWN, cause=Cause.UNRESOLVED_VALUE)
            )
        return all_of(results) if results else _at_absent(resource, at, absent_truth)

    def judge(context: Context, resource: Resource, value: Any, path: Path) -> Result:
        found = read(context, resource, value, path)
        if len(found) == 1:
            return one(context, resource, found[0][0], found[0][1])
        return all_of([one(context, resource, item, at) for item, at in found])

    return judge


class Hidden:
    """Stands for a secret's value in evidence."""

    def __str__(self) -> str:
        return "(hidden)"


HIDDEN: Final = Hidden()


# ------------------------------------------------------------------ quantifiers


_Elements: TypeAlias = Callable[[Context, Any, Path], Iterable[tuple[Any, Path, bool]]]


def _list_elements(context: Context, item: Any, at: Path) -> Iterator[tuple[Any, Path, bool]]:
    """The elements of a list, also of one written as JSON text."""
    for element, index, certain in context.elements(context.read(decode_json(item))):
        yield element, at if index is None else (*at, index), certain


def _map_values(context: Context, item: Any, at: Path) -> Iterator[tuple[Any, Path, bool]]:
    """The values of a map; what is not known of it is one value that may not be there."""
    data = context.read(decode_json(item))
    if not isinstance(data, dict):
        yield data if isinstance(data, Unknown) else Unknown("a value that is no map"), at, False
        return
    for key, inner in data.items():
        value = context.read(inner)
        if value is not ABSENT:
            yield value, (*at, key), key != "*"


# What a quantifier can go through, by the key that names it.
_COLLECTIONS: Final[dict[str, _Elements]] = {
    "in": _list_elements,
    "values_of": _map_values,
    "statements": statements,
}


def _quantified(
    paths: list[Segments], where: Condition, head: str, at_absent: int | None, elements_of: _Elements
) -> Condition:
    def judge(context: Context, resource: Resource, value: Any, path: Path) -> Result:
        results: list[Result] = []
        declared = False
        undecided: Undecided | None = None
        for segments in paths:
            for item, at in context.lookup(value, segments, path):
                if item is ABSENT or item == []:
                    continue
                declared = True
                for element, inner, certain in elements_of(context, item, at):
                    try:
                        results.append(_element(where, context, resource, element, inner, certain=certain))
                    except Undecided as open_condition:
                        undecided = undecided or open_condition
        if not declared and at_absent is not None:
            return _at_absent(resource, path + paths[0], at_absent)
        if head == "every":
            if undecided and not any(result.truth == FALSE for result in results):
                raise undecided
            return (
                all_of(_maybe(result, FALSE) for result in results)
                if results
                else _empty(resource, path + paths[0], TRUE)
            )
        if undecided and not any(result.truth == TRUE for result in results):
            raise undecided
        found = (
            any_of(_maybe(result, TRUE) for result in results) if results else _empty(resource, path + paths[0], FALSE)
        )
        return found if head == "some" else negate(found)

    return judge


class _Uncertain(Result):
    """The result of an element that may not be there."""

    __slots__ = ()


def _element(
    where: Condition, context: Context, resource: Resource, element: Any, at: Path, *, certain: bool
) -> Result:
    result = where(context, resource, element, at)
    focus = next((fact.focus for fact in result.facts if fact.resource is resource and fact.focus[: len(at)] == at), at)
    hidden = any(fact.value is HIDDEN for fact in result.facts)
    facts = (
        Fact(resource, at, HIDDEN if hidden else element, focus),
        *(fact for fact in result.facts if fact.resource is not resource),
    )
    result = result._replace(facts=facts)
    return result if certain else _Uncertain(*result)


def _maybe(result: Result, decisive: int) -> Result:
    """An element that may not be there cannot decide by itself."""
    if isinstance(result, _Uncertain) and result.truth == decisive:
        return Result(UNKNOWN, result.facts, Cause.UNRESOLVED_VALUE, "a list whose length is not known")
    return result


def _empty(resource: Resource, at: Path, truth: int) -> Result:
    return Result(truth, (Fact(resource, at, ABSENT, at),))


# ------------------------------------------------------------------ ports

_ALL_PROTOCOLS: Final = {"-1", "all"}
_PORT_PROTOCOLS: Final = {"tcp", "udp", "6", "17"}


def _port_test(names: dict[str, Segments], ports: tuple[int, ...] | None) -> Condition:
    def judge(context: Context, resource: Resource, value: Any, path: Path) -> Result:
        (low, at), (high, _), (protocol, at_protocol) = (
            context.lookup(value, names[key], path)[0] for key in ("from", "to", "protocol")
        )
        fact = (Fact(resource, at, low, at),)
        if protocol is ABSENT:
            protocol = "-1"  # both languages: a rule without a protocol speaks of all
        if isinstance(protocol, Unknown):  # it may be "all", which opens every port
            return Result(UNKNOWN, (Fact(resource, at_protocol, protocol, at_protocol),), protocol.cause, protocol.text)
        word = str(protocol).lower()
        if word in _ALL_PROTOCOLS:
            return Result(TRUE, (Fact(resource, at_protocol, protocol, at_protocol),))
        if word not in _PORT_PROTOCOLS:
            return Result(FALSE, fact)
        truth = _covers(low, high, ports)
        if truth == UNKNOWN:
            opener = next((item for item in (low, high) if isinstance(item, Unknown)), low)
            return Result(truth, fact, cause_of(opener), getattr(opener, "text", ""))
        return Result(truth, fact)

    return judge


def _covers(low: Any, high: Any, ports: tuple[int, ...] | None) -> int:
    """Whether the range from `low` to `high` has one of the ports, or all ports where `ports` is None."""
    first, last = as_number(low), as_number(high)
    if low is ABSENT and high is ABSENT:
        first, last = 0, 65535
    if first == -1 and last in (-1, None):
        first, last = 0, 65535
    if ports is None:
        if (first is not None and first > 0) or (last is not None and last < 65535):
            return FALSE
        return UNKNOWN if first is None or last is None else TRUE
    if first is not None and last is not None:
        return TRUE if any(first <= port <= last for port in ports) else FALSE
    reachable = any((first is None or first <= port) and (last is None or port <= last) for port in ports)
    return UNKNOWN if reachable else FALSE


# ------------------------------------------------------------------ related resources


def _quantify(results: list[Result], head: str) -> Result:
    if head == "every":
        return all_of(results)
    found = any_of(results)
    return found if head == "some" else negate(found)


def _judge_other(context: Context, other: Resource, tests: Mapping[str, Condition]) -> Result:
    test = tests.get(other.type)
    if test is None:
        return Result(TRUE, (Fact(other, (), ABSENT, ()),))
    return test(context, other, other.attributes, ())


def _missing(resource: Resource, truth: int, types: Iterable[str]) -> Result:
    cause = Cause.OTHER_STACK if truth == UNKNOWN else None
    return Result(truth, (Fact(resource, (), ABSENT, ()),), cause, f"no {' or '.join(types)} for it in view")


def _referred(
    links: Mapping[str, Segments], tests: Mapping[str, Condition], head: str, missing: int, identity: Segments | None
) -> Condition:
    """Resources whose attribute names this one."""

    def judge(context: Context, resource: Resource, value: Any, path: Path) -> Result:
        results: list[Result] = []
        perhaps: list[Resource] = []
        for type_name, link in links.items():
            for other in context.index.referrers(type_name, link, resource):
                if other is not resource and context.holds(other.exists):
                    results.append(_judge_other(context, other, tests))
            for other in context.index.loose(type_name, link):
                named = [item for item, _at in context.lookup(other.attributes, link, ()) if item is not ABSENT]
                meant = _names(context, named, resource, identity)
                if meant != FALSE and other is not resource and context.holds(other.exists):
                    if meant == TRUE:
                        results.append(_judge_other(context, other, tests))
                    else:
                        perhaps.append(other)
        if not results and not perhaps:
            if missing == FALSE and context.index.stack.unread_modules:
                return _missing(resource, UNKNOWN, links)
            return _missing(resource, missing, links)
        for other in perhaps:
            results.append(
                Result(
                    UNKNOWN,
                    (Fact(resource, (), ABSENT, ()),),
                    Cause.MISSING_REFERENCE,
                    f"{other.address} may refer to it",
                )
            )
        return _quantify(results, head)

    return judge


def _names(context: Context, named: list[Any], resource: Resource, identity: Segments | None) -> int:
    """Whether a value without references means this resource: by its declared name, where `identity` gives one."""
    answer = FALSE
    for item in named:
        if identity is None:
            answer = UNKNOWN if isinstance(item, Unknown) else answer
            continue
        for own, _at in context.lookup(resource.attributes, identity, ()):
            if own is ABSENT:
                continue  # the name is made by AWS, and only a reference can mean it
            if isinstance(own, Unknown) and isinstance(item, Unknown) and own.subject and own.subject == item.subject:
                return TRUE
            if isinstance(own, Unknown) or isinstance(item, Unknown):
                answer = UNKNOWN
            elif any(same(own, element) for element, _index, _certain in context.elements(item)):
                return TRUE
    return answer


def _says_a_name(value: Unknown) -> bool:
    """Whether enough of a text is known to tell that it names something outside, such as an ARN with open Region."""
    return any(len(part) > len("arn:") for part in value.parts or () if part is not None)


def _referring(
    link: Segments,
    types: list[str],
    tests: Mapping[str, Condition],
    head: str,
    missing: int,
    at_absent: int,
    identities: Mapping[str, Segments],
) -> Condition:
    """Resources that an attribute of this one names."""

    def judge(context: Context, resource: Resource, value: Any, path: Path) -> Result:
        named = context.lookup(value, link, path)
        if all(item is ABSENT for item, _at in named):
            return _at_absent(resource, path + link, at_absent)
        results: list[Result] = []
        seen: set[int] = set()
        for ref in references_at(resource, link, path):
            for other in context.index.targets(ref):
                if other.type in types and id(other) not in seen and context.holds(other.exists):
                    seen.add(id(other))
                    results.append(_judge_other(context, other, tests))
        if results:
            return _quantify(results, head)
        values = [item for item, _at in named if item is not ABSENT]
        for type_name, identity in identities.items():
            for other in context.index.by_type.get(type_name, ()):
                if _names(context, values, other, identity) == TRUE and context.holds(other.exists):
                    results.append(_judge_other(context, other, tests))
        if results:
            return _quantify(results, head)
        at = named[0][1]
        opener = next((item for item in values if isinstance(item, Unknown) and not _says_a_name(item)), None)
        if missing != UNKNOWN and opener is None:
            return Result(missing, (Fact(resource, at, values[0], at),))
        cause = (
            opener.cause
            if opener is not None and opener.cause is not Cause.UNRESOLVED_VALUE
            else Cause.MISSING_REFERENCE
        )
        return Result(UNKNOWN, (Fact(resource, at, values[0], at),), cause, opener.text if opener else str(values[0]))

    return judge
