"""Finds the resources that a plan's configuration mentions, through module inputs and outputs.

A plan gives no expressions, only the names that each expression reads. Locals are not in a plan at all, so what
comes through one is lost here; the value is then unknown without a source.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from srm_checks.model import Ref

_STEP = re.compile(r'\.?([^\W\d][\w-]*)|\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]|\.(\d+)')
_ESCAPE = re.compile(r'\\(["\\])')

# Heads of references that name no resource and lead to none.
_NO_RESOURCE: Final = frozenset({"count", "each", "local", "module", "path", "self", "terraform", "var"})

# What picks, in another resource, the instance that belongs to the one at hand.
_OWN_INDEX: Final = (("count", "index"), ("each", "key"), ("each", "value"))

Step: TypeAlias = "str | tuple[str | int]"
"""A step of a reference: a name, or an index in a tuple of one."""


@dataclass(frozen=True, slots=True)
class Mention:
    """The resources that an expression reads.

    `sole` is the one reference that all of it comes down to, where it reads nothing else; the expression may still
    work on that value.
    """

    refs: tuple[Ref, ...] = ()
    sole: Ref | None = None


NOTHING: Final = Mention()


@dataclass(frozen=True, slots=True)
class Repetition:
    """What `each` and `count` stand for in a block.

    The expression of its for_each, the key of the instance at hand, and the keys of all its instances.
    """

    for_each: Any = None
    key: str | int | None = None
    keys: frozenset[str | int | None] = frozenset()


@dataclass(slots=True)
class Scope:
    """A module instance: its address ("" for the root), its part of the configuration, who calls it and how.

    `instances` gives the instance keys that are planned for each resource.
    """

    address: str
    module: dict[str, Any]
    parent: Scope | None = None
    call: dict[str, Any] = field(default_factory=dict)
    key: str | int | None = None
    instances: Mapping[str, frozenset[str | int | None]] = field(default_factory=dict)
    _blocks: dict[tuple[Any, Any, Any], dict[str, Any]] | None = None
    _children: dict[tuple[str, str | int | None], Scope | None] = field(default_factory=dict)
    _memo: dict[tuple[str, str], Mention] = field(default_factory=dict)

    def child(self, name: str, key: str | int | None) -> Scope | None:
        """The instance of a called module, or None where the configuration does not have it."""
        if (name, key) not in self._children:
            call = as_object(as_object(self.module.get("module_calls")).get(name))
            module = call.get("module")
            self._children[name, key] = (
                Scope(join(self.address, f"module.{name}{render_key(key)}"), module, self, call, key, self.instances)
                if isinstance(module, dict)
                else None
            )
        return self._children[name, key]

    def descend(self, address: str) -> Scope | None:
        """The scope of a module address, from the root; None where it is none."""
        steps = module_steps(address)
        scope: Scope | None = self if steps else None
        for name, key in steps:
            scope = scope.child(name, key) if scope else None
        return scope

    def block(self, mode: str, type_: str, name: str) -> dict[str, Any] | None:
        """The configuration of a resource or data source."""
        if self._blocks is None:
            blocks = [block for block in as_list(self.module.get("resources")) if isinstance(block, dict)]
            self._blocks = {
                (block["mode"], block["type"], block["name"]): block
                for block in blocks
                if all(isinstance(block.get(part), str) for part in ("mode", "type", "name"))
            }
        return self._blocks.get((mode, type_, name))

    # ---------------------------------------------------------------- resolution

    def mention(self, expression: Any, repetition: Repetition) -> Mention:
        """The resources that an expression of this module reads; `expression` is as the configuration shows it."""
        read = _longest(as_list(as_object(expression).get("references")))
        if len(read) == 2 and (index := next((steps for steps in read if steps in _OWN_INDEX), None)):
            read.remove(index)
            found = [self._same_instance(self._resolve(read[0], repetition), repetition)]
        else:
            found = [self._resolve(steps, repetition) for steps in read]
        refs = tuple(dict.fromkeys(ref for mention in found for ref in mention.refs))
        return Mention(refs, found[0].sole if len(found) == 1 else None)

    def _resolve(self, steps: Sequence[Step], repetition: Repetition) -> Mention:
        match steps[0], steps[1:]:
            case "var", [str(name), *_]:
                return self._input(name)
            case "module", [str(name), (key,), str(output), *_]:
                return self._output(name, key, output)
            case "module", [str(name), str(output), *_]:
                return self._output(name, None, output)  # all instances at once show without an output: `module.m`
            case "each", ["value", *rest]:
                return self._each(repetition, rest)
            case head, _ if head in _NO_RESOURCE:
                return NOTHING
        ref = _resource(steps, self.address)
        return Mention((ref,), ref) if ref else NOTHING

    def _input(self, name: str) -> Mention:
        """What the caller passes for a variable; the root's variables come from outside."""
        if self.parent is None:
            return NOTHING
        memo = ("var", name)
        if memo not in self._memo:
            expression = as_object(self.call.get("expressions")).get(name)
            repetition = Repetition(self.call.get("for_each_expression"), self.key)
            self._memo[memo] = self.parent.mention(expression, repetition)
        return self._memo[memo]

    def _output(self, module: str, key: str | int | None, name: str) -> Mention:
        child = self.child(module, key)
        if child is None:
            return NOTHING
        memo = ("output", name)
        if memo not in child._memo:
            child._memo[memo] = NOTHING  # ends a ring, which only a broken plan can have
            output = as_object(as_object(child.module.get("outputs")).get(name))
            child._memo[memo] = child.mention(output.get("expression"), Repetition())
        return child._memo[memo]

    def _same_instance(self, mention: Mention, repetition: Repetition) -> Mention:
        """`a[each.key]` shows as `a` and `each.key`: the instance of the same key, where each key has one.

        `a[count.index + 1]` looks like `a[count.index]`, so numbers must also be as many.
        """
        whole = mention.sole
        if whole is None or whole.key is not None or whole.attribute or repetition.key is None:
            return Mention(mention.refs)
        keys = self.instances.get(whole.target, frozenset())
        if not (repetition.keys <= keys if isinstance(repetition.key, str) else repetition.keys == keys):
            return Mention(mention.refs)
        own = Ref(whole.target, repetition.key)
        return Mention((own,), own)

    def _each(self, repetition: Repetition, rest: Sequence[Step]) -> Mention:
        """`each.value` comes from the for_each; chained over one resource's instances, it is that of the same key."""
        mention = self.mention(repetition.for_each, Repetition())
        source = mention.sole
        if source is None or source.attribute or repetition.key not in self.instances.get(source.target, ()):
            return Mention(mention.refs)
        attribute = next((step for step in rest[:1] if isinstance(step, str)), "")
        chained = Ref(source.target, repetition.key, attribute)
        return Mention((chained,), chained)


def _longest(references: Iterable[Any]) -> list[tuple[Step, ...]]:
    """References in steps, without those that only repeat the start of the one before (`a.b.id`, `a.b`)."""
    kept: list[tuple[Step, ...]] = []
    for text in references:
        steps = parse(text) if isinstance(text, str) else ()
        if steps and not (kept and kept[-1][: len(steps)] == steps) and steps not in kept:
            kept.append(steps)
    return kept


def parse(reference: str) -> tuple[Step, ...]:
    """`module.m["a"].id` as ("module", "m", ("a",), "id"); () where it is no reference."""
    steps: list[Step] = []
    at = 0
    while at < len(reference):
        match = _STEP.match(reference, at)
        if match is None:
            return ()
        name, number, text, old_number = match.groups()
        if name is not None:
            steps.append(name)
        elif text is not None:
            steps.append((_ESCAPE.sub(r"\1", text),))
        else:
            steps.append((int(number or old_number),))
        at = match.end()
    return tuple(steps)


def module_steps(address: str) -> list[tuple[str, str | int | None]]:
    """Names and instance keys of a module address, outermost first; [] where it is none."""
    steps = parse(address)
    found: list[tuple[str, str | int | None]] = []
    at = 0
    while at < len(steps):
        match steps[at : at + 3]:
            case ("module", str(name), (key,)):
                found.append((name, key))
                at += 3
            case ("module", str(name), *_):
                found.append((name, None))
                at += 2
            case _:
                return []
    return found


def _resource(steps: Sequence[Step], module: str) -> Ref | None:
    names = list(steps)
    prefix = ""
    if names[0] in ("data", "ephemeral"):
        prefix = f"{names.pop(0)}."
    elif names[0] == "resource":
        names.pop(0)
    key: str | int | None = None
    match names:
        case [str(type_), str(name), (index,), *rest]:
            key = index
        case [str(type_), str(name), *rest]:
            pass
        case _:
            return None
    attribute = next((step for step in rest[:1] if isinstance(step, str)), "")
    return Ref(join(module, f"{prefix}{type_}.{name}"), key, attribute)


def render_key(key: str | int | None) -> str:
    """An instance key as it stands in an address: `[0]`, `["a"]`, or nothing."""
    if key is None:
        return ""
    if isinstance(key, int):
        return f"[{key}]"
    escaped = key.replace("\\", "\\\\").replace('"', '\\"')
    return f'["{escaped}"]'


def join(module: str, local: str) -> str:
    """An address within a module, seen from the root."""
    return f"{module}.{local}" if module else local


def as_object(value: Any) -> dict[str, Any]:
    """The value if it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def as_list(value: Any) -> list[Any]:
    """The value if it is a JSON array, else an empty one."""
    return value if isinstance(value, list) else []
