"""`count` and `for_each`: which instances a block has, and under which condition each exists."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final

from srm_checks.engines.terraform.env import Binding, Env, Origin
from srm_checks.engines.terraform.evaluate import evaluate
from srm_checks.engines.terraform.functions_plain import FunctionError, whole
from srm_checks.engines.terraform.nodes import Attribute, Binary, Block, Conditional, Expression
from srm_checks.engines.terraform.site import Site
from srm_checks.engines.terraform.values import (
    FAILED,
    OMITTED,
    ObjectValue,
    OpenMap,
    SetValue,
    choice,
    conjoin,
    derived,
    element_of,
    leaves,
    map_branches,
    split,
    text_of,
    when,
)
from srm_checks.model import Choice, Cond, Options, Repeated, Test, Unknown, any_of

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
    sizes = map_branches(value, lambda leaf: leaf if leaf is FAILED else count_of(leaf))
    known = [leaf for _, leaf in leaves(sizes) if isinstance(leaf, int)]
    if max(known, default=0) > INSTANCE_LIMIT:
        raise TooManyInstances
    slots = [_count_slot(index, sizes) for index in range(max(known, default=0))]
    text = f"({site.text})" if isinstance(attribute.value, (Binary, Conditional)) else site.text
    positive = Test(f"{site.subject} > 0", True, f"{text} > 0")
    any_number = when(sizes, lambda size: False if isinstance(size, int) else positive)
    if any_number is not False:
        index = Unknown(text="count.index", present=True, subject=f"{site.subject}|count.index")
        slots.append(Slot(None, any_number, _count(index)))
    return slots, value


def _count_slot(index: int, sizes: Any) -> Slot:
    return Slot(index, when(sizes, lambda size: isinstance(size, int) and size > index), _count(index))


def _count(index: Any) -> dict[str, Binding]:
    return {"count": Binding({"index": index})}


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
    tree = map_branches(value, lambda leaf: _named(leaf, site, whole=leaf is value))
    found = [leaf for _, leaf in leaves(tree) if leaf is not FAILED]
    names = dict.fromkeys(name for leaf in found for name in leaf)
    if len(names) > INSTANCE_LIMIT:
        raise TooManyInstances
    keys = sorted(name for name in names if name is not None)
    slots = [_each_slot(key, tree, attribute.value, env) for key in keys]
    if None in names:
        unkeyed = [entry for leaf in found for entry in leaf.get(None, [])]
        each = Binding(_alike(unkeyed, site), Origin(attribute.value, env, (None,)), pair=True)
        slots.append(Slot(None, when(tree, lambda leaf: _present(leaf.get(None, []))), {"each": each}))
    return slots, value


def _each_slot(name: str, tree: Any, for_each: Expression, env: Env) -> Slot:
    _, shown = split(
        map_branches(tree, lambda leaf: OMITTED if leaf is FAILED else _shown(leaf.get(name, []))), OMITTED
    )
    each = Binding({"key": name, "value": _rejoined(shown)}, Origin(for_each, env, (name,)), pair=True)
    return Slot(name, when(tree, lambda leaf: _present(leaf.get(name, []))), {"each": each})


def _rejoined(value: Any) -> Any:
    """A tree of Choices in its simplest form."""
    if isinstance(value, Choice):
        return choice(value.cond, _rejoined(value.then), _rejoined(value.otherwise))
    return value


def _named(leaf: Any, site: Site, *, whole: bool) -> Any:
    """The entries of a branch by key; a branch that fails is none, unless all of the value does."""
    if leaf is FAILED and not whole:
        return FAILED
    return _by_name(_leaf_entries(leaf, site, as_keys=True))


def _by_name(entries: list[Entry]) -> dict[str | None, list[Entry]]:
    found: dict[str | None, list[Entry]] = {}
    for entry in entries:
        found.setdefault(None if entry.name is None else str(entry.name), []).append(entry)
    return found


def _present(entries: list[Entry]) -> Cond:
    return any_of(entry.present for entry in entries)


def _shown(entries: list[Entry]) -> Any:
    """The value under a key for which a branch has these entries."""
    shown: Any = OMITTED
    for entry in reversed(entries):
        shown = entry.value if shown is OMITTED else choice(entry.present, entry.value, shown)
    return shown


def _alike(entries: list[Entry], site: Site) -> dict[str, Any]:
    """What `each` shows in an instance that stands for all elements without a known key."""
    if len(entries) == 1:
        return {"key": entries[0].key, "value": entries[0].value}
    subject = _not_empty(site).subject
    keys, found = [entry.key for entry in entries], [entry.value for entry in entries]
    return {
        "key": derived("each.key", keys, subject=f"{subject}|each.key", present=True),
        "value": derived("each.value", found, subject=f"{subject}|each.value"),
    }


def _not_empty(site: Site) -> Test:
    module, _, text = site.subject.partition("|")
    return Test(f"{module}|for_each|{text}", True, f"{site.text} is not empty")


def _open_entry(source: Any, site: Site, sample: Any = None) -> Entry:
    """Any number of elements of which at most a sample is known."""
    subject = _not_empty(site).subject
    key = derived("each.key", [source], subject=f"{subject}|each.key", present=True)
    value = sample
    if sample is None:
        value = element_of(source, derived("each.value", [source], subject=f"{subject}|each.value"))
    return Entry(None, key, value, _not_empty(site))


def entries_of(value: Any, site: Site, *, as_keys: bool) -> list[Entry]:
    """The elements of a collection that is expanded, in order, over all its branches.

    `as_keys`: the elements of a list or set are instance keys, as in `for_each`; else they have positions, as in a
    `dynamic` block.
    """
    return [
        replace(entry, present=conjoin((cond, entry.present)))
        for cond, leaf in leaves(value)
        if leaf is not FAILED or value is FAILED
        for entry in _leaf_entries(leaf, site, as_keys=as_keys)
    ]


def _leaf_entries(leaf: Any, site: Site, *, as_keys: bool) -> list[Entry]:
    """The elements of a branch. What fails is any number of them, as Terraform's error may be for want of a value."""
    if isinstance(leaf, dict):
        return _map_entries(leaf)
    if isinstance(leaf, OpenMap):
        return [*_map_entries(dict(leaf.known)), _open_entry(leaf.rest, site, leaf.rest)]
    if isinstance(leaf, list):
        return _list_entries(leaf, site, as_keys)
    if isinstance(leaf, (Unknown, ObjectValue)) or leaf is FAILED:
        return [_open_entry(leaf, site)]
    return []


def _map_entries(value: dict[str, Any]) -> list[Entry]:
    entries = []
    for key in sorted(value):
        present, shown = split(value[key], OMITTED)
        entries.append(Entry(key, key, shown, present))
    return entries


def _list_entries(value: list[Any], site: Site, as_keys: bool) -> list[Entry]:
    entries: list[Entry] = []
    for index, element in enumerate(value):
        repeated = isinstance(element, Repeated)
        present, shown = split(element.value if repeated else element, OMITTED)
        if repeated:
            entry = _open_entry(shown, site, shown)
            entries.append(replace(entry, key=shown) if as_keys else entry)
        elif not as_keys:
            key = shown if isinstance(value, SetValue) else index
            entries.append(Entry(index, key, shown, present))
        else:
            entries += _key_entries(shown, present)
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
