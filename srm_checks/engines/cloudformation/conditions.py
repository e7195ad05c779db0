"""The Conditions and Rules of a template as conditions of the model."""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from srm_checks.engines.cloudformation.branching import TooManyBranches, lift
from srm_checks.engines.cloudformation.loops import Entry
from srm_checks.engines.cloudformation.scope import Scope
from srm_checks.engines.cloudformation.source import start_line
from srm_checks.engines.cloudformation.text import brief, can_equal, literal_text
from srm_checks.model import ABSENT, Choice, Cond, Options, SourceRange, Test, Unknown, all_of, any_of, negate

if TYPE_CHECKING:
    from srm_checks.engines.cloudformation.intrinsics import Resolver

FUNCTIONS: Final = ("Fn::Equals", "Fn::Not", "Fn::And", "Fn::Or", "Condition", "Fn::Contains")


class Conditions:
    """The named conditions, each evaluated once, when it is first asked for."""

    def __init__(self, resolver: Resolver, section: Any) -> None:
        # The resolver holds its conditions; held in turn, it would outlive its template until the collector comes by.
        self._resolver: Resolver = weakref.proxy(resolver)
        self._entries: dict[str, Entry] = {}
        self._known: dict[str, tuple[Cond, tuple[SourceRange, ...]]] = {}
        self._under_way: list[str] = []
        if section is not None and not isinstance(section, Mapping):
            resolver.note(None, "Conditions is not a mapping. Write each condition under its name.")
        if isinstance(section, Mapping):
            for entry in resolver.entries(section, Scope()):
                self._entries[entry.name] = entry

    def get(self, name: str, where: Any) -> tuple[Cond, tuple[SourceRange, ...]] | None:
        """A condition and the places that decide it; None, with an error noted, where it is not declared.

        `where` is the node that names it.
        """
        entry = self._entries.get(name)
        if entry is None:
            self._resolver.note(where, f'condition "{name}" is not declared. Add it to Conditions.')
            return None
        if name in self._under_way:
            self._resolver.note(entry.key, f'condition "{name}" rests on itself. Break the circle.')
            return self.opaque(name), ()
        if name not in self._known:
            self._under_way.append(name)
            try:
                scope = entry.scope.quiet()
                cond = self.evaluate(entry.body, scope, label=name)
                places = [self._resolver.source.line(entry.key), *(place for _, place in scope.trail.origins)]
                self._known[name] = (cond, tuple(dict.fromkeys(place for place in places if place)))
            finally:
                self._under_way.pop()
        return self._known[name]

    @staticmethod
    def opaque(name: str) -> Cond:
        """The condition of that name where nothing more is known of it."""
        return Test(f"Conditions/{name}", True, name)

    def evaluate(self, node: Any, scope: Scope, label: str = "") -> Cond:
        """A condition expression; what cannot be read is an opaque test with its text."""
        match node:
            case {"Fn::Equals": [left, right], **rest} if not rest:
                return self._equals(left, right, scope)
            case {"Fn::Not": [inner], **rest} if not rest:
                return negate(self.evaluate(inner, scope))
            case {"Fn::And": [*parts], **rest} if not rest:
                return all_of([self.evaluate(part, scope) for part in parts])
            case {"Fn::Or": [*parts], **rest} if not rest:
                return any_of([self.evaluate(part, scope) for part in parts])
            case {"Fn::Contains": [[*options], value], **rest} if not rest:
                return any_of([self._equals(option, value, scope) for option in options])
            case {"Condition": str() as name, **rest} if not rest:
                found = self.get(scope.name(name), name)
                if found is not None:
                    scope.trail.decided_at((), *found[1])
                    return found[0]
            case bool():
                return node
            case {**mapping} if len(mapping) == 1 and str(next(iter(mapping))).startswith("Fn::"):
                pass  # a function of Rules or of a macro: opaque, but no mistake
            case _:
                self._resolver.note(
                    node if start_line(node) else None,
                    f"{f'condition {label}' if label else 'a condition'} cannot be read: {scope.text(node)}. "
                    "Use Fn::Equals, Fn::And, Fn::Or, Fn::Not or Condition.",
                )
        text = scope.text(node)
        return Test(scope.subject(text), True, brief(text))

    def _equals(self, left: Any, right: Any, scope: Scope) -> Cond:
        values = [self._resolver.resolve(side, (), scope) for side in (left, right)]
        for value, other in (values, reversed(values)):
            literal = literal_text(other)
            if isinstance(value, Options) and literal is not None:
                same = next((option for option in value.values if literal_text(option) == literal), None)
                return False if same is None else Test(value.subject, same, value.label)
        text = " == ".join(sorted(map(scope.text, (left, right))))
        try:
            subject = scope.subject(text)
            return as_condition(lift(values, lambda sides: self._compare(sides[0], sides[1], subject, text)))
        except TooManyBranches:
            return Test(scope.subject(text), True, brief(text))

    def _compare(self, left: Any, right: Any, subject: str, text: str) -> Any:
        """Whether two values without branches are equal: True, False, or a Choice between these."""
        if isinstance(right, Unknown) and not isinstance(left, Unknown):
            left, right = right, left
        literal = literal_text(right)
        if isinstance(left, Unknown):
            if literal is not None:
                return self._compare_open(left, literal, text)
            if isinstance(right, Unknown) and left.subject and left.subject == right.subject:
                return True
            return _undecided(Test(subject, True, brief(text)))
        known = literal_text(left)
        if known is not None and literal is not None:
            return known == literal
        if left is ABSENT or right is ABSENT or _has_unknown(left) or _has_unknown(right):
            return _undecided(Test(subject, True, brief(text)))
        return bool(left == right)

    def _compare_open(self, value: Unknown, literal: str, text: str) -> Any:
        if value.parts is not None and not can_equal(value.parts, literal):
            return False
        if literal == "" and value.present:
            return False
        if not value.subject:
            return _undecided(Test(text, True, brief(text)))
        return _undecided(Test(value.subject, self._resolver.typed(value.subject, literal), value.text))


def as_condition(value: Any) -> Cond:
    """The condition under which a value that is True, False or a Choice between such is True."""
    match value:
        case Choice(cond=cond, then=then, otherwise=otherwise):
            return any_of((all_of((cond, as_condition(then))), all_of((negate(cond), as_condition(otherwise)))))
        case bool():
            return value
        case _:
            raise TypeError(f"not a truth value: {value!r}")


def rule_conditions(resolver: Resolver, section: Any) -> list[Cond]:
    """What each assertion of the template's Rules demands; assertions that cannot be read demand nothing."""
    demands: list[Cond] = []
    if not isinstance(section, Mapping):
        return demands
    for rule in section.values():
        if not isinstance(rule, Mapping) or not isinstance(rule.get("Assertions"), list):
            continue
        scope = Scope()
        when = resolver.conditions.evaluate(rule["RuleCondition"], scope) if "RuleCondition" in rule else True
        for assertion in rule["Assertions"]:
            demand = assertion.get("Assert") if isinstance(assertion, Mapping) else None
            if isinstance(demand, Mapping) and any(name in FUNCTIONS for name in demand):
                demands.append(any_of((negate(when), resolver.conditions.evaluate(demand, scope))))
    return demands


def _undecided(test: Test) -> Choice:
    return Choice(test, True, False)


def _has_unknown(value: Any) -> bool:
    match value:
        case dict():
            return any(map(_has_unknown, value.values()))
        case list():
            return any(map(_has_unknown, value))
        case str() | bool() | int() | float():
            return False
        case _:
            return True
