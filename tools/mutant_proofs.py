"""Which mutants cannot change any outcome, proven from the truth tables alone.

A policy and its mutant are read side by side. For each condition that differs, the set of pairs (its truth in the
policy, its truth in the mutant) is worked out that can come up at all; `all`, `any`, `not` and the quantifiers join
pairs by the tables of srm_checks/policy/truth.py. If at the end every pair of outcomes is a pair of equals, no stack
can tell the two apart. Conditions count as independent of each other, so that the sets may be too large, never too
small. From this follow:

* In an `any` beside a condition that is never `not-applicable`, `absent: gap` and `absent: not-applicable` are the
  same; in an `all`, `absent: met` and `absent: not-applicable`.
* In an `any` beside `{outcome: unknown}`, gap, unknown and not-applicable are the same.
* In `applies_when`, gap and not-applicable are the same; in the `when` of `unknown_when` also met and unknown.

A change of `absent` has a say only where that attribute is absent, one of `missing` only where no such resource is in
view. What else is then known is used too: other conditions on the same attribute (`not_exists`), or on the same
resources by the same link, have the truth that they have then. So `{attribute: x, is_true: yes, absent: gap}` beside
`{all: [{attribute: x, not_exists: yes}, A]}` in an `any` may as well say `absent: unknown` where A is never a gap.
Whether an attribute may be absent in some elements on the way to it, and set in others, is looked up where there is
data on the nesting of the type (tools/attribute_paths.py). A list whose every element falls away counts as absent.

By the same data an attribute that takes one value leads to one resource; of one, `some` and `every` ask the same.

The cause of an unknown is no part of an outcome.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

from srm_checks.model import Outcome
from srm_checks.policy.access import Segments
from srm_checks.policy.conditions import QUANTIFIERS, Compiler
from srm_checks.policy.operators import OPERATORS, PRESENCE
from srm_checks.policy.quantifiers import COLLECTIONS
from srm_checks.policy.source import Place, Source
from srm_checks.policy.truth import FALSE, NA, NEGATED, TRUE, UNKNOWN, Result, all_of, any_of
from tools.attribute_paths import repeats, takes_one_value

Truths: TypeAlias = frozenset[int]
Pairs: TypeAlias = frozenset[tuple[int, int]]

_WORDS: Final = {
    str(Outcome.GAP): FALSE,
    str(Outcome.MET): TRUE,
    str(Outcome.UNKNOWN): UNKNOWN,
    str(Outcome.NOT_APPLICABLE): NA,
}
_LOOKED_UP: Final = frozenset({FALSE, TRUE, UNKNOWN})
_LEAVES: Final = ("attribute", "tag", "context", "parameter")
_HEADS: Final = (*_LEAVES, "all", "any", "not", "case", *QUANTIFIERS, "related", "port_range", "outcome")
_CONDITIONS: Final = ("require", "absence", "applies_when", "unknown_when")
_OF_NOTHING: Final = {"every": TRUE, "some": FALSE, "none": TRUE}


def _table(join: Callable[[Iterable[Result]], Result]) -> dict[tuple[int, int], int]:
    return {
        (left, right): join([Result(left), Result(right)]).truth
        for left, right in itertools.product((FALSE, TRUE, UNKNOWN, NA), repeat=2)
    }


_ALL: Final = _table(all_of)
_ANY: Final = _table(any_of)
_TABLES: Final = {"all": _ALL, "any": _ANY, "every": _ALL, "some": _ANY, "none": _ANY}


@dataclass(frozen=True, slots=True)
class Version:
    """A policy as data, with the parameter values in force."""

    data: Mapping[str, Any]
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Relation:
    """Which resources a `related` means; two that are equal find the same ones."""

    types: tuple[str, ...]
    links: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known where a change has a say.

    `scope` is the place of the quantifier or relation around the changed condition. `absent` are attribute paths that
    are not set there; `partly`: for some elements on the way only (`repeated`: that can be). Or `missing` is a relation
    that finds nothing; then `unread` tells that a module was not read, `strangers` that resources are in view of which
    it is open whether they belong to it.
    """

    scope: Place
    absent: tuple[Segments, ...] = ()
    repeated: bool = False
    partly: bool = False
    missing: _Relation | None = None
    unread: bool = False
    strangers: bool = False


@dataclass(frozen=True, slots=True)
class _Reading:
    """How conditions are read for one resource type at one place."""

    compiler: Compiler
    scope: Place = ()
    base: Segments | None = ()  # what names are looked up in; None where that is no attribute

    def inside(self, place: Place, type_name: str | None = None, path: Segments | None = None) -> _Reading:
        """The same within a quantifier over a path or, with a type, on a related resource."""
        if type_name is None:
            base = None if self.base is None or path is None else self.base + path
            return _Reading(self.compiler, place, base)
        types = self.compiler.types | {type_name}
        return _Reading(Compiler(type_name, self.compiler.source, types, self.compiler.parameters), place)

    def lacking(self, paths: tuple[Segments, ...]) -> _Known:
        """That attributes are not set here."""
        path = paths[0]
        several = len(path) > 1 and (self.base is None or repeats(self.compiler.type_name, path, self.base))
        # Of several attributes one list is made before anything is asked of it.
        return _Known(self.scope, paths, repeated=len(paths) == 1 and several)

    def leads_to_one(self, spec: Any) -> bool:
        """Whether a `related` goes through an attribute that takes one value."""
        if "through" not in spec or self.base is None:
            return False
        paths = self.paths(spec["through"])
        return len(paths) == 1 and takes_one_value(self.compiler.type_name, paths[0], self.base)

    def truth(self, word: Any) -> int:
        return _WORDS[self.compiler.variant(word, ())]

    def paths(self, spec: Any) -> tuple[Segments, ...]:
        return tuple(self.compiler.paths(spec, ()))


def equivalent(policy: Version, mutant: Version) -> bool:
    """Whether no stack can make the two come out differently, by what the tables say."""
    old, new = _filled(policy), _filled(mutant)
    if _but(old, *_CONDITIONS) != _but(new, *_CONDITIONS):
        return False
    if _but(old.get("absence", {}), "where") != _but(new.get("absence", {}), "where"):
        return False
    listed = [names for names in old["resources"].values() if not isinstance(names, dict)]
    types = [name for names in listed for name in (names if isinstance(names, list) else [names])]
    return all(_Proof(old, new, frozenset(types), type_name).holds() for type_name in types)


class _Proof:
    """The pairs of one resource type."""

    def __init__(self, policy: Any, mutant: Any, types: frozenset[str], type_name: str) -> None:
        self.policy, self.mutant = policy, mutant
        self.here = _Reading(Compiler(type_name, Source("", {}, {}), types))
        self.changes: list[_Known] = []
        self.cases: list[_Known] = []

    def holds(self) -> bool:
        if self._same_outcomes(None):
            return True
        found = list(dict.fromkeys(self.changes))
        if len(found) != 1:
            return False  # of several changes nothing common is known
        self.cases = list(self._unfolded(found[0]))
        return all(self._same_outcomes(known) for known in self.cases)

    def _unfolded(self, known: _Known) -> Iterator[_Known]:
        """The cases to tell apart under what is known."""
        if known.absent:
            yield known
            if known.repeated:
                yield replace(known, partly=True)
            return
        for unread, strangers in itertools.product((False, True), repeat=2):
            yield replace(known, unread=unread, strangers=strangers)

    def _same_outcomes(self, known: _Known | None) -> bool:
        always = frozenset({(TRUE, TRUE)})
        applies, require = always, always
        if "applies_when" in self.policy:
            old, new = self.policy["applies_when"], self.mutant.get("applies_when", {"outcome": "met"})
            applies = self._pairs(old, new, ("applies_when",), self.here, known)
        (old, place), (new, _place) = _body(self.policy), _body(self.mutant)
        require = self._pairs(old, new, place, self.here, known)
        doubts = self._doubts(known)
        return all(
            _outcome(left, required, doubt) == _outcome(right, mutated, other)
            for left, right in applies
            for required, mutated in require
            for doubt, other in doubts
        )

    def _doubts(self, known: _Known | None) -> frozenset[tuple[bool, bool]]:
        """Whether one of the doubts speaks up."""
        old, new = (list(data.get("unknown_when", [])) for data in (self.policy, self.mutant))
        states = {(False, False)}
        for index, (entry, other) in enumerate(_aligned(old, new) or []):
            place = ("unknown_when", index, "when")
            concerned = (entry or other).get("for")
            listed = concerned if isinstance(concerned, list) else [concerned]
            compiler = self.here.compiler
            if concerned is not None and compiler.type_name not in listed and compiler.language not in listed:
                continue
            never = {"outcome": "gap"}
            before, after = (each["when"] if each else never for each in (entry, other))
            pairs = self._pairs(before, after, place, self.here, known)
            speaks = {(left in (TRUE, UNKNOWN), right in (TRUE, UNKNOWN)) for left, right in pairs}
            states = {(a or left, b or right) for a, b in states for left, right in speaks}
        return frozenset(states)

    # ------------------------------------------------------------ two conditions side by side

    def _pairs(self, old: Any, new: Any, place: Place, here: _Reading, known: _Known | None) -> Pairs:
        if old == new:
            return frozenset((truth, truth) for truth in _truths(old, place, here, known))
        head, other = _head(old), _head(new)
        if head in ("all", "any") and other in ("all", "any"):
            aligned = _aligned(old[head], new[other])
            if aligned is not None:
                return self._joined(aligned, head, other, (*place, head), here, known)
        if head == "not" and other != "not":
            return frozenset((NEGATED[a], b) for a, b in self._pairs(old["not"], new, place, here, known))
        if other == "not" and head != "not":
            return frozenset((a, NEGATED[b]) for a, b in self._pairs(old, new["not"], place, here, known))
        if head == other == "not":
            inner = self._pairs(old["not"], new["not"], (*place, "not"), here, known)
            return frozenset((NEGATED[a], NEGATED[b]) for a, b in inner)
        if head == other == "case":
            (key, before), (_key, after) = _branch(old["case"], here), _branch(new["case"], here)
            return self._pairs(before, after, (*place, "case", key), here, known)
        if head == other == "outcome":
            return frozenset({(here.truth(old["outcome"]), here.truth(new["outcome"]))})
        if head == other and head in _LEAVES and _but(old, "absent") == _but(new, "absent"):
            return self._leaf(old, new, head, here, known)
        if head == other and head in QUANTIFIERS and _but(old[head], "where") == _but(new[head], "where"):
            return self._quantifier(old, new, head, (*place, head), here, known)
        if head == other == "related":
            found = self._related(old["related"], new["related"], (*place, "related"), here, known)
            if found is not None:
                return found
        return frozenset(itertools.product(_truths(old, place, here, known), _truths(new, place, here, known)))

    def _joined(
        self,
        aligned: Sequence[tuple[Any, Any]],
        head: str,
        other: str,
        place: Place,
        here: _Reading,
        known: _Known | None,
    ) -> Pairs:
        states: set[tuple[int | None, int | None]] = {(None, None)}
        for index, (before, after) in enumerate(aligned):
            inner = (*place, index)
            parts: Iterable[tuple[int | None, int | None]]
            if before is None:
                parts = [(None, truth) for truth in _truths(after, inner, here, known)]
            elif after is None:
                parts = [(truth, None) for truth in _truths(before, inner, here, known)]
            else:
                parts = self._pairs(before, after, inner, here, known)
            states = {
                (_plus(_TABLES[head], a, before_truth), _plus(_TABLES[other], b, after_truth))
                for a, b in states
                for before_truth, after_truth in parts
            }
        return frozenset((a, b) for a, b in states if a is not None and b is not None)

    def _leaf(self, old: Any, new: Any, head: str, here: _Reading, known: _Known | None) -> Pairs:
        paths = _leaf_paths(old, head, here)
        before, after = _at_absence(old, here), _at_absence(new, here)
        if known is not None:
            if _all_absent(paths, here.scope, known):
                return frozenset({(before, after)})
            if known.partly and here.scope == known.scope and known.absent == paths:
                return _beside_others(old, before, after)
        elif before != after:
            self.changes.append(here.lacking(paths))
        same = frozenset((truth, truth) for truth in _LOOKED_UP)
        return same | {(before, after)} | _beside_others(old, before, after)

    def _quantifier(self, old: Any, new: Any, head: str, place: Place, here: _Reading, known: _Known | None) -> Pairs:
        before, after = _at_no_element(old, head, here), _at_no_element(new, head, here)
        paths = _quantified_paths(old, head, here)
        if known is not None and _all_absent(paths, here.scope, known):
            return frozenset({(before, after)})
        if known is None and before != after:
            self.changes.append(here.lacking(paths))
        inner = here.inside(place, path=_element_path(old, head, here))
        elements = self._elements(old[head]["where"], new[head]["where"], (*place, "where"), [inner], known)
        unsure = {(_maybe(a, head), _maybe(b, head)) for a, b in elements}
        nothing = _OF_NOTHING[head]
        absent = (before, after if known is None else before)
        return _closed(elements | unsure, head) | {absent, (nothing, nothing)}

    def _elements(
        self,
        old: Any,
        new: Any,
        place: Place,
        readings: Iterable[_Reading],
        known: _Known | None,
    ) -> Pairs:
        """The pairs that elements, or related resources, can have.

        Where the change has a say inside of them, it may do so differently in each, and in some not at all.
        """
        found: set[tuple[int, int]] = set()
        for inner in readings:
            inside = known is not None and known.scope[: len(inner.scope)] == inner.scope
            for case in self.cases if inside else [known]:
                found |= self._pairs(old, new, place, inner, case)
            if inside:
                found |= {(truth, truth) for truth in _truths(old, place, inner, None)}
        return frozenset(found)

    def _related(self, old: Any, new: Any, place: Place, here: _Reading, known: _Known | None) -> Pairs | None:
        """The pairs of a relation in which one part changed; None where the tables do not help."""
        head = next((key for key in QUANTIFIERS if key in old), "some")
        changed = [key for key in {*old, *new} if old.get(key) != new.get(key)]
        if changed == ["absent"]:
            if "through" not in old:
                return frozenset((truth, truth) for truth in _truths({"related": old}, place[:-1], here, known))
            before, after = here.truth(old["absent"]), here.truth(new["absent"])
            paths = here.paths(old["through"])
            if known is not None and _all_absent(paths, here.scope, known):
                return frozenset({(before, after)})
            if known is None and before != after:
                self.changes.append(here.lacking(paths))
            same = frozenset((truth, truth) for truth in _truths({"related": old}, place[:-1], here, known))
            return same if known is not None else same | {(before, after)}
        if changed == ["missing"]:
            relation = _relation(old, here)
            if known is not None and (here.scope, relation) == (known.scope, known.missing):
                return _nothing_found(old, new, place, here, known)
            if known is None:
                self.changes.append(_Known(here.scope, missing=relation))
                return frozenset(
                    itertools.product(
                        _truths({"related": old}, place[:-1], here, known),
                        _truths({"related": new}, place[:-1], here, known),
                    )
                )
            return frozenset((truth, truth) for truth in _truths({"related": old}, place[:-1], here, known))
        if sorted(changed) == ["every", "some"] and old[head] == new[next(key for key in changed if key != head)]:
            if here.leads_to_one(old):
                return frozenset((truth, truth) for truth in _truths({"related": old}, place[:-1], here, known))
            return None
        if changed != [head]:
            return None
        others = [here.inside(place, type_name) for type_name in _relation(old, here).types]
        elements = self._elements(old[head], new[head], (*place, head), others, known)
        # What is told without a look at the others: that nothing is found, or that the attribute is not set.
        told = {(truth, truth) for truth in (*_without_others(old, here), UNKNOWN)}
        found = _closed(elements, head) | told
        # Resources that may belong to it count where they would change the answer, in one policy or in both.
        doubted = {(_doubted(a, head), _doubted(b, head)) for a, b in found}
        in_one = {(_doubted(a, head), b) for a, b in found} | {(a, _doubted(b, head)) for a, b in found}
        return found | doubted | (in_one if any(a != b for a, b in elements) else frozenset())


# ------------------------------------------------------------------ one condition alone


def _truths(node: Any, place: Place, here: _Reading, known: _Known | None) -> Truths:
    """The truths that a condition can have."""
    head = _head(node)
    if head in ("all", "any"):
        states: set[int | None] = {None}
        for index, branch in enumerate(node[head]):
            parts = _truths(branch, (*place, head, index), here, known)
            states = {_plus(_TABLES[head], state, truth) for state in states for truth in parts}
        return frozenset(state for state in states if state is not None)
    if head == "not":
        return frozenset(NEGATED[truth] for truth in _truths(node["not"], (*place, "not"), here, known))
    if head == "case":
        key, branch = _branch(node["case"], here)
        return _truths(branch, (*place, "case", key), here, known)
    if head == "outcome":
        return frozenset({here.truth(node["outcome"])})
    if head == "port_range":
        return _LOOKED_UP
    if head in QUANTIFIERS:
        return _truths_of_quantifier(node, head, (*place, head), here, known)
    if head == "related":
        return _truths_of_related(node["related"], (*place, "related"), here, known)
    absent = _at_absence(node, here)
    paths = _leaf_paths(node, head, here)
    if known is not None and not known.partly and _all_absent(paths, here.scope, known):
        name = _operator(node)
        if not (name in OPERATORS and OPERATORS[name].on_list and known.absent == paths):
            return frozenset({absent})  # an empty list is absent to others, and a list to these
    return _LOOKED_UP | {absent}


def _truths_of_quantifier(node: Any, head: str, place: Place, here: _Reading, known: _Known | None) -> Truths:
    absent = _at_no_element(node, head, here)
    if known is not None and not known.partly and _all_absent(_quantified_paths(node, head, here), here.scope, known):
        return frozenset({absent})
    inner = here.inside(place, path=_element_path(node, head, here))
    elements = _truths(node[head]["where"], (*place, "where"), inner, known)
    pairs = {(truth, truth) for truth in elements} | {(_maybe(truth, head),) * 2 for truth in elements}
    return frozenset(truth for truth, _same in _closed(frozenset(pairs), head)) | {absent, _OF_NOTHING[head]}


def _truths_of_related(spec: Any, place: Place, here: _Reading, known: _Known | None) -> Truths:
    if known is not None:
        if known.missing is not None and (known.scope, known.missing) == (here.scope, _relation(spec, here)):
            return frozenset(truth for truth, _same in _nothing_found(spec, spec, place, here, known))
        if "through" in spec and _all_absent(here.paths(spec["through"]), here.scope, known):
            return frozenset({here.truth(spec["absent"]) if "absent" in spec else FALSE})
    head = next((key for key in QUANTIFIERS if key in spec), "some")
    found = {truth for truth, _same in _closed(frozenset((t, t) for t in _told(spec, place, here)), head)}
    found |= _without_others(spec, here)
    return frozenset(found | {_doubted(truth, head) for truth in found} | {UNKNOWN})


def _without_others(spec: Any, here: _Reading) -> Truths:
    """The truths of a relation that need no look at other resources."""
    missing = here.truth(spec["missing"])
    if "through" not in spec:
        return frozenset({missing, _unread(missing)})
    return frozenset({missing, here.truth(spec["absent"]) if "absent" in spec else FALSE})


def _told(spec: Any, place: Place, here: _Reading) -> Truths:
    """What related resources can say, each."""
    head = next((key for key in QUANTIFIERS if key in spec), None)
    if head is None:
        return frozenset({TRUE})
    return frozenset(
        truth
        for type_name in _relation(spec, here).types
        for truth in _truths(spec[head], (*place, head), here.inside(place, type_name), None)
    )


def _nothing_found(spec: Any, other: Any, place: Place, here: _Reading, known: _Known) -> Pairs:
    """The pairs of a relation that finds nothing; but for what it makes of that, it is the same in both."""
    before, after = here.truth(spec["missing"]), here.truth(other["missing"])
    if "through" in spec:  # the strangers are here what the attribute's open value may mean
        return frozenset({(UNKNOWN, UNKNOWN) if known.strangers else (before, after)})
    if known.unread:
        before, after = _unread(before), _unread(after)
    if not known.strangers or "by" not in spec:
        return frozenset({(before, after)})
    head = next((key for key in QUANTIFIERS if key in spec), "some")
    # Strangers matter where what one of them says would be another answer.
    said = {NEGATED[truth] if head == "none" else truth for truth in _told(spec, place, here)}
    each = {(before if truth == before else UNKNOWN, after if truth == after else UNKNOWN) for truth in said}
    # One that matters is enough.
    several = {(_one_doubts(a, c), _one_doubts(b, d)) for a, b in each for c, d in each}
    return frozenset(each | several)


def _one_doubts(first: int, second: int) -> int:
    return UNKNOWN if UNKNOWN in (first, second) else first


def _relation(spec: Any, here: _Reading) -> _Relation:
    listed = here.compiler.variant(spec["resources"], ())
    types = tuple(listed) if isinstance(listed, list) else (listed,)
    links: list[Any] = []
    for key in ("by", "through", "identity", "anywhere"):
        if key in spec:
            of_others = key == "by" or (key == "identity" and "by" not in spec)
            readings = [here.inside((), name) for name in types] if of_others else [here]
            links.append((key, spec[key] if key == "anywhere" else tuple(each.paths(spec[key]) for each in readings)))
    return _Relation(types, tuple(links))


def _at_no_element(node: Any, head: str, here: _Reading) -> int:
    return here.truth(node["absent"]) if "absent" in node else _OF_NOTHING[head]


def _at_absence(node: Any, here: _Reading) -> int:
    """The truth of a condition whose attribute is absent."""
    if "absent" in node:
        return here.truth(node["absent"])
    name = _operator(node)
    if name in PRESENCE:
        return FALSE if name == "exists" else TRUE
    return TRUE if OPERATORS[name].negates is not None and name != "is_not_empty" else FALSE


def _beside_others(node: Any, before: int, after: int) -> Pairs:
    """The pairs of a condition on an attribute of several elements, where some lack it."""
    name = _operator(node)
    if name == "exists":
        return frozenset((_ANY[before, truth], _ANY[after, truth]) for truth in _LOOKED_UP)
    if name == "not_exists":
        return frozenset(
            (NEGATED[_ANY[NEGATED[before], truth]], NEGATED[_ANY[NEGATED[after], truth]]) for truth in _LOOKED_UP
        )
    return frozenset((_ALL[before, truth], _ALL[after, truth]) for truth in _LOOKED_UP)


def _leaf_paths(node: Any, head: str, here: _Reading) -> tuple[Segments, ...]:
    """What a condition looks at; tags and the like under a name that no attribute has."""
    if head == "attribute":
        return here.paths(node["attribute"])
    return ((f"{head} {node[head]}",),)


def _quantified_paths(node: Any, head: str, here: _Reading) -> tuple[Segments, ...]:
    return here.paths(next(node[head][key] for key in COLLECTIONS if key in node[head]))


def _element_path(node: Any, head: str, here: _Reading) -> Segments | None:
    """The attribute whose elements a quantifier goes through; None where these are no elements of one attribute."""
    paths = _quantified_paths(node, head, here)
    return paths[0] if "in" in node[head] and len(paths) == 1 else None


def _all_absent(paths: Iterable[Segments], scope: Place, known: _Known) -> bool:
    """Whether it is known of all the attributes that they are not set."""
    return (
        not known.partly
        and scope == known.scope
        and bool(known.absent)
        and all(any(path[: len(lacking)] == lacking for lacking in known.absent) for path in paths)
    )


# ------------------------------------------------------------------ tables


def _outcome(applies: int, require: int, doubt: bool) -> int:
    """As srm_checks/policy/evaluate.py puts the parts of a policy together."""
    if applies in (FALSE, NA):
        return NA
    if require != FALSE:
        return require
    return UNKNOWN if applies == UNKNOWN or doubt else FALSE


def _plus(table: Mapping[tuple[int, int], int], state: int | None, truth: int | None) -> int | None:
    if state is None or truth is None:
        return truth if state is None else state
    return table[state, truth]


def _closed(elements: Pairs, head: str) -> Pairs:
    """All pairs that one or more elements together can have."""
    table = _TABLES[head]
    found = set(elements)
    while True:
        more = {(table[a, c], table[b, d]) for a, b in found for c, d in elements} - found
        if not more:
            break
        found |= more
    return frozenset((NEGATED[a], NEGATED[b]) if head == "none" else (a, b) for a, b in found)


def _maybe(truth: int, head: str) -> int:
    """An element that may not be there cannot decide by itself."""
    decisive = FALSE if head == "every" else TRUE
    return UNKNOWN if truth == decisive else truth


def _unread(truth: int) -> int:
    """A gap by a missing resource, where a module was not read."""
    return UNKNOWN if truth == FALSE else truth


def _doubted(truth: int, head: str) -> int:
    """A relation's truth with one more resource that may belong to it."""
    if head == "none":
        return NEGATED[_ANY[NEGATED[truth], UNKNOWN]]
    return _TABLES[head][truth, UNKNOWN]


# ------------------------------------------------------------------ data


def _body(data: Mapping[str, Any]) -> tuple[Any, Place]:
    if "require" in data:
        return data["require"], ("require",)
    return data["absence"].get("where", {"outcome": "met"}), ("absence", "where")


def _head(node: Mapping[str, Any]) -> str:
    return next(key for key in node if key in _HEADS)


def _operator(node: Mapping[str, Any]) -> str:
    return next(key for key in node if key in OPERATORS or key in PRESENCE)


def _but(node: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    return {key: part for key, part in node.items() if key not in keys}


def _branch(cases: Mapping[str, Any], here: _Reading) -> tuple[str, Any]:
    key = next(key for key in (here.compiler.type_name, here.compiler.language, "otherwise") if key in cases)
    return key, cases[key]


def _aligned(old: Sequence[Any], new: Sequence[Any]) -> list[tuple[Any, Any]] | None:
    """Two lists side by side, with None where one of them lacks an entry; None if more than that differs."""
    if len(old) == len(new):
        return list(zip(old, new, strict=True))
    if len(new) == len(old) - 1:
        for index in range(len(old)):
            if [*old[:index], *old[index + 1 :]] == list(new):
                return [(entry, None if at == index else entry) for at, entry in enumerate(old)]
    return None


def _filled(version: Version) -> dict[str, Any]:
    """The policy's data with the values of parameters in the places where these are read."""

    def fill(node: Any) -> Any:
        if isinstance(node, list):
            return [fill(inner) for inner in node]
        if not isinstance(node, dict):
            return node
        name = node.get("parameter")
        if isinstance(name, str) and name in version.parameters:
            value = version.parameters[name]
            return value if len(node) == 1 else {**_but(node, "parameter"), "parameter": repr(value)}
        return {key: fill(inner) for key, inner in node.items()}

    return {key: fill(part) for key, part in version.data.items() if key != "parameters"}
