"""Mutants of a policy: its YAML data with one small change each, as a careless author might have written it.

What is changed, by kind:

* `operator`: to its opposite (`is_true` to `is_false`, `within` to `not_within`) and to its neighbour (`greater_than`
  to `greater_than_or_equal`, `is_true` to `exists`); one that has no opposite is put under `not`.
* `threshold`: a number that is compared with, one up and one down; the default of a parameter too.
* `absent`, `missing`, `outcome`: to each other outcome.
* `connective`: `all` to `any` and back, a `not` taken away.
* `branch`: one condition of an `all` or `any`, or one entry of a `case`, left out.
* `quantifier`: `some`, `every`, `none` to each other; a `related` without one of them to `none`.
* `name`: an attribute in one framework becomes another one that its types have and no fixture sets, so that the loader
  has nothing to say against it.
* `applies_when`, `unknown_when`, `absence`: left out, or one entry of it.

What an anchor and its aliases share is one text, and so one mutant. Dead text (a branch of a `case` that no type comes
to) is changed as well: such a mutant survives until the text is taken out.
"""

from __future__ import annotations

import copy
import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from srm_checks.catalogue.attributes import known
from srm_checks.model import Outcome
from srm_checks.policy import naming
from srm_checks.policy.conditions import QUANTIFIERS, Compiler
from srm_checks.policy.operators import OPERATORS, PRESENCE
from srm_checks.policy.quantifiers import COLLECTIONS
from srm_checks.policy.source import Place, Source

OUTCOMES: Final = tuple(str(word) for word in Outcome)
_LEAVES: Final = ("attribute", "tag", "context", "parameter")
_MEASURES: Final = frozenset(
    {"greater_than", "greater_than_or_equal", "less_than", "less_than_or_equal", "version_at_least"}
    | {name for name in OPERATORS if name.startswith("length_")}
)


def _opposites() -> dict[str, str]:
    pairs = [(name, operator.negates) for name, operator in OPERATORS.items() if operator.negates is not None]
    pairs += [
        ("is_true", "is_false"),
        ("exists", "not_exists"),
        ("greater_than", "less_than_or_equal"),
        ("less_than", "greater_than_or_equal"),
        ("length_greater_than", "length_less_than_or_equal"),
        ("length_less_than", "length_greater_than_or_equal"),
    ]
    return dict(pairs) | {right: left for left, right in pairs}


OPPOSITES: Final = _opposites()
# Of two neighbours each is what the other could have been meant for. `exists` takes `yes` only.
NEIGHBOURS: Final = {
    "greater_than": "greater_than_or_equal",
    "greater_than_or_equal": "greater_than",
    "less_than": "less_than_or_equal",
    "less_than_or_equal": "less_than",
    "length_greater_than": "length_greater_than_or_equal",
    "length_greater_than_or_equal": "length_greater_than",
    "length_less_than": "length_less_than_or_equal",
    "length_less_than_or_equal": "length_less_than",
    "cidr_covers": "cidr_intersects",
    "cidr_intersects": "cidr_covers",
    "not_cidr_covers": "not_cidr_intersects",
    "not_cidr_intersects": "not_cidr_covers",
    "equals_ignore_case": "equals",
    "not_equals_ignore_case": "not_equals",
    "contains": "intersects",
    "not_contains": "not_intersects",
    "intersects": "contains",
    "not_intersects": "not_contains",
    "is_true": "exists",
    "is_false": "exists",
    "in_support": "exists",
    "version_at_least": "exists",
}


@dataclass(frozen=True, slots=True)
class Mutant:
    """A changed policy.

    `place` leads to what was changed, `line` is where that stands in the file. `change` says what was done, in words
    that stay the same while other parts of the policy change. `data` and `parameters` are what is to be built.
    """

    place: Place
    line: int
    kind: str
    change: str
    data: Mapping[str, Any]
    parameters: Mapping[str, Any]

    @property
    def where(self) -> str:
        return ".".join(str(step) for step in self.place)


@dataclass(frozen=True, slots=True)
class _Edit:
    """What stands at a place afterwards; `_GONE` takes the entry of a mapping away."""

    place: Place
    value: Any


@dataclass(frozen=True, slots=True)
class _Site:
    """One change at one place; `written` is the place whose mark in the file tells where its text stands."""

    place: Place
    kind: str
    change: str
    edits: tuple[_Edit, ...]
    written: Place


_GONE: Final = object()
Types = frozenset[str]


def mutants(source: Source, parameters: Mapping[str, Any], taken: Mapping[str, frozenset[str]]) -> Iterator[Mutant]:
    """All mutants of a policy.

    `parameters` are the values in force; `taken` gives for a resource type the attributes that fixtures set.
    """
    sites: dict[Any, list[_Site]] = {}
    for site in _Walk(source, parameters, taken).sites():
        mark = source.marks.get(site.written, site.written)
        sites.setdefault((mark, site.written[-1], site.kind, site.change), []).append(site)
    for group in sites.values():
        first = group[0]
        data = copy.deepcopy(source.data)
        for site in group:
            for edit in site.edits:
                _apply(data, edit)
        values = dict(parameters)
        if first.kind in ("threshold", "value", "outcome") and first.place[0] == "parameters":
            name = str(first.place[1])
            values[name] = data["parameters"][name]["default"]
        if data != source.data or values != parameters:
            line = source.marks.get(first.written, (1, 1))[0]
            _forget_unread(data, values)
            yield Mutant(first.place, line, first.kind, first.change, data, values)


def _apply(data: Any, edit: _Edit) -> None:
    target = data
    for step in edit.place[:-1]:
        target = target[step]
    if edit.value is _GONE:
        del target[edit.place[-1]]
    else:
        target[edit.place[-1]] = copy.deepcopy(edit.value)


def _forget_unread(data: dict[str, Any], values: dict[str, Any]) -> None:
    """Take out parameters that nothing reads any more, lest the loader refuse the mutant for them alone."""
    declared = data.get("parameters")
    if not isinstance(declared, dict):
        return
    read = set(_parameters_read({key: part for key, part in data.items() if key != "parameters"}))
    for name in [name for name in declared if name not in read]:
        del declared[name]
        values.pop(name, None)


def _parameters_read(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        name = node.get("parameter")
        if isinstance(name, str):
            yield name
        for inner in node.values():
            yield from _parameters_read(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from _parameters_read(inner)


class _Walk:
    """Goes through a policy as the compiler does, with the types that come to each condition."""

    def __init__(self, source: Source, parameters: Mapping[str, Any], taken: Mapping[str, frozenset[str]]) -> None:
        self.data = source.data
        self.parameters = parameters
        self.taken = taken
        self.types: Types = frozenset(
            name
            for types in self.data["resources"].values()
            if not isinstance(types, dict)
            for name in (types if isinstance(types, list) else [types])
        )
        self.named = frozenset(_words(self.data))

    def sites(self) -> Iterator[_Site]:
        data = self.data
        if "require" in data:
            yield from self._condition(data["require"], ("require",), self.types, duty=True)
        if "absence" in data:
            yield from self._absence(data["absence"])
        if "applies_when" in data:
            place: Place = ("applies_when",)
            yield _Site(place, "applies_when", "left out", (_Edit(place, _GONE),), place)
            yield from self._condition(data["applies_when"], place, self.types)
        yield from self._doubts()
        yield from self._parameters()

    def _absence(self, body: Mapping[str, Any]) -> Iterator[_Site]:
        for key in ("where", "because_of"):
            if key in body:
                place = ("absence", key)
                yield _Site(place, "absence", "left out", (_Edit(place, _GONE),), place)
        if "where" in body:
            yield from self._condition(body["where"], ("absence", "where"), self.types, duty=True)

    def _doubts(self) -> Iterator[_Site]:
        entries = self.data.get("unknown_when", [])
        for index, entry in enumerate(entries):
            place: Place = ("unknown_when", index)
            rest = [other for at, other in enumerate(entries) if at != index]
            yield _Site(place, "unknown_when", "left out", (_Edit(("unknown_when",), rest),), place)
            concerned = entry.get("for")
            listed = concerned if isinstance(concerned, list) else [concerned]
            types = frozenset(
                name for name in self.types if concerned is None or name in listed or naming.language_of(name) in listed
            )
            yield from self._condition(entry["when"], (*place, "when"), types)

    def _parameters(self) -> Iterator[_Site]:
        for name, value in self.parameters.items():
            place: Place = ("parameters", name, "default")
            if isinstance(value, bool):
                yield _Site(place, "threshold", f"{value} -> {not value}", (_Edit(place, not value),), place)
            elif isinstance(value, (int, float)):
                yield from _around(value, place)
            elif value in OUTCOMES:
                yield from _other_outcomes(value, place, "outcome")

    # ------------------------------------------------------------ conditions

    def _condition(self, node: Mapping[str, Any], place: Place, types: Types, *, duty: bool = False) -> Iterator[_Site]:
        """`duty` is true where an attribute's absence may be `not-applicable`."""
        if not types:
            return
        head = next(key for key in node if key in (*_LEAVES, *_HEADS))
        if head in _LEAVES:
            yield from self._leaf(node, head, place, types, duty=duty)
        elif head in ("all", "any"):
            yield from self._several(node, head, place, types, duty=duty)
        elif head == "not":
            yield _Site((*place, "not"), "connective", "taken away", (_Edit(place, node["not"]),), (*place, "not"))
            yield from self._condition(node["not"], (*place, "not"), types, duty=duty)
        elif head == "case":
            yield from self._case(node["case"], (*place, "case"), types, duty=duty)
        elif head in QUANTIFIERS:
            yield from self._quantifier(node, head, place, types)
        elif head == "related":
            yield from self._related(node["related"], (*place, "related"), types)
        elif head == "port_range":
            for key in ("from", "to", "protocol"):
                yield from self._names(node["port_range"][key], (*place, "port_range", key), types)
        else:
            yield from self._outcomes(node["outcome"], (*place, "outcome"), types)

    def _several(
        self, node: Mapping[str, Any], head: str, place: Place, types: Types, *, duty: bool
    ) -> Iterator[_Site]:
        branches, inner = node[head], (*place, head)
        if len(branches) > 1:
            other = "any" if head == "all" else "all"
            yield _Site(inner, "connective", f"{head} -> {other}", (_Edit(place, {other: branches}),), inner)
            for index in range(len(branches)):
                rest = [branch for at, branch in enumerate(branches) if at != index]
                # The list names the written place: a branch may be an alias of what stands elsewhere.
                yield _Site((*inner, index), "branch", f"{index} left out", (_Edit(inner, rest),), inner)
        for index, branch in enumerate(branches):
            yield from self._condition(branch, (*inner, index), types, duty=duty)

    def _case(self, cases: Mapping[str, Any], place: Place, types: Types, *, duty: bool) -> Iterator[_Site]:
        for key, node in cases.items():
            inner = (*place, key)
            if len(cases) > 1:
                yield _Site(inner, "branch", "left out", (_Edit(inner, _GONE),), inner)
            yield from self._condition(node, inner, _coming_to(key, cases, types), duty=duty)

    def _quantifier(self, node: Mapping[str, Any], head: str, place: Place, types: Types) -> Iterator[_Site]:
        inner = (*place, head)
        for other in QUANTIFIERS:
            if other != head:
                changed = {other if key == head else key: part for key, part in node.items()}
                yield _Site(inner, "quantifier", f"{head} -> {other}", (_Edit(place, changed),), inner)
        if "absent" in node:
            yield from self._outcomes(node["absent"], (*place, "absent"), types, duty=True)
        kind = next(key for key in COLLECTIONS if key in node[head])
        yield from self._names(node[head][kind], (*inner, kind), types)
        yield from self._condition(node[head]["where"], (*inner, "where"), types)

    def _related(self, spec: Mapping[str, Any], place: Place, types: Types) -> Iterator[_Site]:
        others = frozenset(name for type_name in types for name in self._resolved(spec["resources"], type_name))
        head = next((key for key in QUANTIFIERS if key in spec), None)
        if head is None:
            changed = {**spec, "none": {"outcome": "met"}}
            yield _Site(place, "quantifier", "some -> none", (_Edit(place, changed),), (*place, "resources"))
        else:
            inner = (*place, head)
            for other in QUANTIFIERS:
                if other != head:
                    changed = {other if key == head else key: part for key, part in spec.items()}
                    yield _Site(inner, "quantifier", f"{head} -> {other}", (_Edit(place, changed),), inner)
            yield from self._condition(spec[head], inner, others)
        yield from self._outcomes(spec["missing"], (*place, "missing"), types)
        if "absent" in spec:
            yield from self._outcomes(spec["absent"], (*place, "absent"), types, duty=True)
        if "by" in spec:
            yield from self._names(spec["by"], (*place, "by"), others)
        if "through" in spec:
            yield from self._names(spec["through"], (*place, "through"), types)
        if "identity" in spec:
            yield from self._names(spec["identity"], (*place, "identity"), types if "by" in spec else others)

    def _leaf(self, node: Mapping[str, Any], head: str, place: Place, types: Types, *, duty: bool) -> Iterator[_Site]:
        name = next(key for key in node if key in OPERATORS or key in PRESENCE)
        operand, inner = node[name], (*place, name)
        if head == "attribute":
            yield from self._names(node["attribute"], (*place, "attribute"), types)
        elif head == "tag" and isinstance(node["tag"], str):
            at = (*place, "tag")
            yield _Site(at, "name", "renamed", (_Edit(at, f"{node['tag']}-renamed"),), at)
        changes = [OPPOSITES[name]] if name in OPPOSITES else []
        neighbour = NEIGHBOURS.get(name)
        if neighbour and not (name in _ON_SEVERAL and (not isinstance(operand, list) or len(operand) < 2)):
            changes.append(neighbour)
        for other in changes:
            value = True if other in PRESENCE else operand
            changed = {other if key == name else key: value if key == name else part for key, part in node.items()}
            yield _Site(inner, "operator", f"{name} -> {other}", (_Edit(place, changed),), inner)
        if name not in OPPOSITES:
            yield _Site(inner, "operator", f"{name} -> not {name}", (_Edit(place, {"not": node}),), inner)
        if name in _MEASURES:
            yield from self._measure(operand, inner)
        if name == "in_support" and isinstance(operand.get("warn_days"), int):
            yield from _around(operand["warn_days"], (*inner, "warn_days"))
        if "absent" in node:
            yield from self._outcomes(node["absent"], (*place, "absent"), types, duty=duty)

    def _measure(self, operand: Any, place: Place) -> Iterator[_Site]:
        if isinstance(operand, dict):
            for key, value in operand.items():
                if key != "parameter":
                    yield from self._measure(value, (*place, key))
        elif isinstance(operand, str):
            front, dot, last = operand.rpartition(".")
            if last.isdigit():
                for other in (int(last) + 1, int(last) - 1):
                    value = f"{front}{dot}{other}"
                    yield _Site(place, "threshold", f"{operand} -> {value}", (_Edit(place, value),), place)
        elif isinstance(operand, float):
            for step in (0.1, -0.1):  # a version such as 1.2
                value = round(operand + step, 6)
                yield _Site(place, "threshold", f"{operand} -> {value}", (_Edit(place, value),), place)
        else:
            yield from _around(operand, place)

    # ------------------------------------------------------------ outcomes

    def _outcomes(self, word: Any, place: Place, types: Types, *, duty: bool = False) -> Iterator[_Site]:
        if isinstance(word, dict):
            if set(word) == {"parameter"}:
                return  # the parameter's value is changed instead
            for key, value in word.items():
                if _coming_to(key, word, types):
                    yield from self._outcomes(value, (*place, key), types, duty=duty)
            return
        kind = next(str(step) for step in reversed(place) if step in ("absent", "missing", "outcome"))
        for site in _other_outcomes(word, place, kind):
            if kind != "absent" or duty or not site.change.endswith(str(Outcome.NOT_APPLICABLE)):
                yield site

    # ------------------------------------------------------------ names

    def _names(self, spec: Any, place: Place, types: Types) -> Iterator[_Site]:
        if isinstance(spec, dict):
            for key, value in spec.items():
                yield from self._names(value, (*place, key), _coming_to(key, spec, types))
        elif isinstance(spec, list):
            for index, name in enumerate(spec):
                yield from self._names(name, (*place, index), types)
        elif isinstance(spec, str) and spec.strip() != ".":
            for language in naming.LANGUAGES:
                spoken = [name for name in sorted(types) if naming.language_of(name) == language]
                if spoken:
                    change = f"renamed in {language}"
                    yield _Site(place, "name", change, (_Edit(place, self._renamed(spec, language, spoken)),), place)

    def _renamed(self, spec: str, language: str, types: Iterable[str]) -> str:
        """The spec with another name for one framework, and the same as before for the other."""
        names = {each: ".".join(naming.segments(spec, each)) for each in naming.LANGUAGES}
        front, dot, last = names[language].rpartition(".")
        lists = [known(type_name) for type_name in types]
        free = frozenset.intersection(*[names or frozenset() for names in lists])
        free -= self.named.union(*(self.taken.get(type_name, frozenset()) for type_name in types))
        if not dot and free:
            last = difflib.get_close_matches(last, sorted(free), n=1, cutoff=0.0)[0]
        else:
            last += "_renamed" if language == naming.TERRAFORM else "Renamed"
        names[language] = f"{front}{dot}{last}"
        return f"{names[naming.TERRAFORM]} / {names[naming.CLOUDFORMATION]}"

    def _resolved(self, listed: Any, type_name: str) -> list[str]:
        """The types that `related` names for one type."""
        compiler = Compiler(type_name, Source("", {}, {}), self.types, self.parameters)
        names = compiler.variant(listed, ())
        return names if isinstance(names, list) else [names]


_HEADS: Final = ("all", "any", "not", "case", *QUANTIFIERS, "related", "port_range", "outcome")
# What differs for several operands only.
_ON_SEVERAL: Final = ("contains", "not_contains", "intersects", "not_intersects")


def _coming_to(key: str, cases: Mapping[str, Any], types: Types) -> Types:
    """The types for which an entry of a `case`, or of a map by framework or type, is the one that counts."""
    if key == "otherwise":
        return frozenset(name for name in types if name not in cases and naming.language_of(name) not in cases)
    if key in naming.LANGUAGES:
        return frozenset(name for name in types if name not in cases and naming.language_of(name) == key)
    return types & {key}


def _around(value: float, place: Place) -> Iterator[_Site]:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return
    for other in (value + 1, value - 1):
        yield _Site(place, "threshold", f"{value} -> {other}", (_Edit(place, other),), place)


def _other_outcomes(word: str, place: Place, kind: str) -> Iterator[_Site]:
    for other in OUTCOMES:
        if other != word:
            yield _Site(place, kind, f"{word} -> {other}", (_Edit(place, other),), place)


def _words(node: Any) -> Iterator[str]:
    """Every name that a policy uses, in both frameworks' spelling."""
    if isinstance(node, str):
        for part in node.split(" / "):
            for step in part.strip().split("."):
                yield step
                yield naming.to_property(step)
    elif isinstance(node, dict):
        for inner in node.values():
            yield from _words(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from _words(inner)
