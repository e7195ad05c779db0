"""`count` and `for_each`: which instances a block has, and under which condition each exists."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from srm_checks.engines.terraform.env import Binding, Env, Origin
from srm_checks.engines.terraform.evaluate import evaluate
from srm_checks.engines.terraform.functions_plain import FunctionError, whole
from srm_checks.engines.terraform.nodes import Attribute, Block
from srm_checks.engines.terraform.site import Site
from srm_checks.engines.terraform.values import (
    FAILED,
    OMITTED,
    ObjectValue,
    OpenMap,
    SetValue,
    choice,
    derived,
    leaves,
    split,
    text_of,
)
from srm_checks.model import ABSENT, Choice, Cond, Options, Repeated, Test, Unknown, all_of, any_of

INSTANCE_LIMIT: Final = 2000


@dataclass(frozen=True, slots=True)
class Slot:
    """An instance: its `key` (None: the block has one instance, or any number of alike ones).

    `exists` is the condition under which it is created; `bindings` are `each` or `count`.
    """

    key: str | int | None
    exists: Cond
    bindings: dict[str, Binding] = field(default_factory=dict)

    @property
    def suffix(self) -> str:
        """The key as Terraform prints it in an address."""
        if self.key is None:
            return ""
        return f"[{self.key}]" if isinstance(self.key, int) else f'["{_escaped(self.key)}"]'


def _escaped(key: str) -> str:
    return key.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


@dataclass(frozen=True, slots=True)
class Entry:
    """An element of a collection that is expanded; `key` and `value` are what the iterator shows.

    `name` is the instance key, None where it is not known; then there may be any number of such elements.
    """

    name: str | int | None
    key: Any
    value: Any
    present: Cond


class TooManyInstances(Exception):
    """A block has more instances than are read."""


def slots_of(block: Block, env: Env) -> tuple[list[Slot], Any]:
    """The instances of a block, and the value of its `count` or `for_each` (None without either).

    Raises TooManyInstances.
    """
    count, for_each = block.body.attributes.get("count"), block.body.attributes.get("for_each")
    if for_each is not None:
        return _each_slots(for_each, env)
    if count is not None:
        return _count_slots(count, env)
    return [Slot(None, True)], None


# ------------------------------------------------------------------ count


def _count_slots(attribute: Attribute, env: Env) -> tuple[list[Slot], Any]:
    value = evaluate(attribute.value, env)
    site = env.site(attribute.value)
    conds: dict[int, list[Cond]] = {}
    open_conds: list[Cond] = []
    for cond, leaf in leaves(value):
        number = count_of(leaf)
        if number is None:
            if leaf is not FAILED:
                open_conds.append(all_of((cond, Test(f"{site.subject} > 0", True, f"{site.text} > 0"))))
            continue
        if number > INSTANCE_LIMIT:
            raise TooManyInstances
        for index in range(number):
            conds.setdefault(index, []).append(cond)
    if value is FAILED:
        open_conds.append(Test(f"{site.subject} > 0", True, f"{site.text} > 0"))
    slots = [Slot(i, any_of(conds[i]), {"count": Binding({"index": i})}) for i in sorted(conds)]
    if open_conds:
        any_index = Unknown(text="count.index", present=True, subject=f"{site.subject}|count.index")
        slots.append(Slot(None, any_of(open_conds), {"count": Binding({"index": any_index})}))
    return slots, value


def count_of(leaf: Any) -> int | None:
    """A branch of a `count` as a number; None where it is none."""
    try:
        return max(0, whole(leaf))
    except FunctionError:
        return None


# ------------------------------------------------------------------ for_each


def _each_slots(attribute: Attribute, env: Env) -> tuple[list[Slot], Any]:
    value = evaluate(attribute.value, env)
    site = env.site(attribute.value)
    conds: dict[str, list[Cond]] = {}
    keyed: dict[str, list[Entry]] = {}
    unkeyed: list[Entry] = []
    for entry in entries_of(value, site, as_keys=True):
        if entry.name is None:
            unkeyed.append(entry)
        else:
            name = str(entry.name)
            conds.setdefault(name, []).append(entry.present)
            keyed.setdefault(name, []).append(entry)
            if len(keyed) > INSTANCE_LIMIT:
                raise TooManyInstances
    slots: list[Slot] = []
    for name in sorted(keyed):
        entries = keyed[name]
        shown = entries[-1].value
        for entry in reversed(entries[:-1]):
            shown = choice(entry.present, entry.value, shown)
        origin = Origin(attribute.value, env, (name,))
        slots.append(
            Slot(name, any_of(conds[name]), {"each": Binding({"key": name, "value": shown}, origin, pair=True)})
        )
    if unkeyed:
        exists = any_of(entry.present for entry in unkeyed)
        key, shown = unkeyed[0].key, unkeyed[0].value
        if len(unkeyed) > 1:
            found = [entry.value for entry in unkeyed]
            subject = _not_empty(site).subject
            keys = [entry.key for entry in unkeyed]
            key = derived("each.key", keys, subject=f"{subject}|each.key", present=True)
            shown = derived("each.value", found, subject=f"{subject}|each.value")
        origin = Origin(attribute.value, env, (None,))
        slots.append(Slot(None, exists, {"each": Binding({"key": key, "value": shown}, origin, pair=True)}))
    return slots, value


def _not_empty(site: Site) -> Test:
    module, _, text = site.subject.partition("|")
    return Test(f"{module}|for_each|{text}", True, f"{site.text} is not empty")


def _open_entry(source: Any, site: Site, cond: Cond, sample: Any = None) -> Entry:
    """Any number of elements of which at most a sample is known."""
    subject = _not_empty(site).subject
    key = derived("each.key", [source], subject=f"{subject}|each.key", present=True)
    value = derived("each.value", [source], subject=f"{subject}|each.value") if sample is None else sample
    return Entry(None, key, value, all_of((cond, _not_empty(site))))


def entries_of(value: Any, site: Site, *, as_keys: bool) -> list[Entry]:
    """The elements of a collection that is expanded, in order, over all its branches.

    `as_keys`: the elements of a list or set are instance keys, as in `for_each`; else they have positions, as in a
    `dynamic` block.
    """
    entries: list[Entry] = []
    if value is FAILED:
        return [_open_entry(ABSENT, site, True)]
    for cond, leaf in leaves(value):
        if isinstance(leaf, dict):
            entries += _map_entries(leaf, cond)
        elif isinstance(leaf, OpenMap):
            entries += _map_entries(dict(leaf.known), cond)
            entries.append(_open_entry(leaf.rest, site, cond, leaf.rest))
        elif isinstance(leaf, list):
            entries += _list_entries(leaf, site, cond, as_keys)
        elif isinstance(leaf, (Unknown, ObjectValue)):
            entries.append(_open_entry(leaf, site, cond))
    return entries


def _map_entries(value: dict[str, Any], cond: Cond) -> list[Entry]:
    entries = []
    for key in sorted(value):
        present, shown = split(value[key], OMITTED)
        entries.append(Entry(key, key, shown, all_of((cond, present))))
    return entries


def _list_entries(value: list[Any], site: Site, cond: Cond, as_keys: bool) -> list[Entry]:
    entries: list[Entry] = []
    for index, element in enumerate(value):
        repeated = isinstance(element, Repeated)
        present, shown = split(element.value if repeated else element, OMITTED)
        there = all_of((cond, present))
        if repeated:
            entry = _open_entry(shown, site, there, shown)
            entries.append(Entry(None, shown, shown, entry.present) if as_keys else entry)
        elif not as_keys:
            key = shown if isinstance(value, SetValue) else index
            entries.append(Entry(index, key, shown, there))
        else:
            entries += _key_entries(shown, there)
    return entries


def _key_entries(element: Any, there: Cond) -> list[Entry]:
    if isinstance(element, (Choice, Options)):
        return [entry for cond, leaf in leaves(element, there) for entry in _key_entries(leaf, cond)]
    name = text_of(element)
    if name is not None:
        return [Entry(name, name, name, there)]
    if isinstance(element, Unknown):
        return [Entry(None, element, element, there)]
    return []  # null, or no key at all: Terraform stops here


# ------------------------------------------------------------------ the value of the whole block


def collection(value: Any, found: Callable[[str | int | None], Any], *, by_count: bool) -> Any:
    """What a reference to the block gives: a list or map of its instances, branch by branch.

    `found` gives the instance with a key; None is the one that stands for any number.
    """
    if isinstance(value, Choice):
        then = collection(value.then, found, by_count=by_count)
        return choice(value.cond, then, collection(value.otherwise, found, by_count=by_count))
    if isinstance(value, Options):
        result = FAILED
        for option in reversed(value.values):
            test = Test(value.subject, option, value.label)
            result = choice(test, collection(option, found, by_count=by_count), result)
        return result
    if by_count:
        number = count_of(value)
        return [Repeated(found(None))] if number is None else [found(index) for index in range(number)]
    members: dict[str, Any] = {}
    rest = False
    for entry in entries_of(value, Site("", ""), as_keys=True):
        if entry.name is None:
            rest = True
        else:
            members[str(entry.name)] = choice(entry.present, found(str(entry.name)), OMITTED)
    return OpenMap(members, found(None)) if rest else members
