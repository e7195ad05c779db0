"""From a decoded template to a `Stack`."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from srm_checks.engines.cloudformation import sam, suppressions
from srm_checks.engines.cloudformation.branching import feasible, simplify
from srm_checks.engines.cloudformation.conditions import rule_conditions
from srm_checks.engines.cloudformation.intrinsics import Resolver
from srm_checks.engines.cloudformation.loops import Entry
from srm_checks.engines.cloudformation.parameters import PSEUDO, open_allowed, read_parameters
from srm_checks.engines.cloudformation.scope import Scope, Trail
from srm_checks.engines.cloudformation.source import Source, key_of
from srm_checks.engines.cloudformation.tags import either_dict, read_tags
from srm_checks.engines.cloudformation.text import render
from srm_checks.model import (
    ABSENT,
    FURTHER_KEYS,
    Choice,
    Cond,
    EngineOptions,
    Literal,
    Ref,
    Resource,
    ScanError,
    SourceRange,
    Stack,
    Suppression,
    Unit,
    Unknown,
    UnreadModule,
    all_of,
)

SAM: Final = "AWS::Serverless-2016-10-31"
_INCLUDE: Final = "AWS::Include"
_LANGUAGE_EXTENSIONS: Final = "AWS::LanguageExtensions"
_GENERATING: Final = ("Fn::Transform", "Fn::ForEach")  # resources, in their place
_POLICIES: Final = ("CreationPolicy", "DeletionPolicy", "UpdatePolicy", "UpdateReplacePolicy")


def build_stack(
    document: Any, source: Source, unit: Unit, options: EngineOptions, *, globals_merged: bool = False
) -> Stack:
    """The stack that `document` declares. What cannot be read is among the stack's errors.

    `globals_merged` tells that SAM Globals have been merged into the resource bodies already.
    """
    stack = Stack(unit=unit, resources=[], files={source.path}, region=PSEUDO["AWS::Region"])
    if isinstance(document, Mapping) and _is_template(document):
        _Builder(document, source, options, stack).build(globals_merged)
    return stack


def _is_template(document: Mapping[str, Any]) -> bool:
    """Whether this is meant for CloudFormation: other YAML may have a key `Resources` too."""
    if "AWSTemplateFormatVersion" in document or "Transform" in document:
        return True
    section = document.get("Resources")
    bodies = section.values() if isinstance(section, Mapping) else ()
    return any(isinstance(body, Mapping) and "::" in str(body.get("Type")) for body in bodies)


def transform_names(document: Mapping[str, Any]) -> list[str]:
    """The names of the template's transforms, in order."""
    declared = document.get("Transform")
    names = []
    for transform in declared if isinstance(declared, list) else [declared]:
        name = transform.get("Name") if isinstance(transform, Mapping) else transform
        if name is not None:
            names.append(name if isinstance(name, str) else render(name))
    return names


@dataclass(frozen=True, slots=True)
class _Declared:
    """A resource declaration whose shape is sound."""

    entry: Entry
    type: str
    body: dict[str, Any]


class _Builder:
    def __init__(self, document: Mapping[str, Any], source: Source, options: EngineOptions, stack: Stack) -> None:
        self._document = document
        self._source = source
        self._stack = stack
        transforms = transform_names(document)
        # A macro gets the whole template and may put anything anywhere; AWS's own transforms are known.
        self._macros = [name for name in transforms if not name.startswith("AWS::") or name == _INCLUDE]
        self._is_sam = SAM in transforms
        self._parameters = read_parameters(document.get("Parameters"), source, options, stack.errors)
        self._resolver = Resolver(document, source, self._parameters, stack.errors)
        self._generates = any(name != _LANGUAGE_EXTENSIONS for name in transforms) or "Fn::Transform" in document
        self._further_keys: Unknown | None = None
        if self._macros:
            self._further_keys = Unknown(f"Transform: {', '.join(self._macros)}")

    def build(self, globals_merged: bool) -> None:
        self._note_unread_parts()
        declared = list(self._declared())
        self._resolver.may_generate = self._generates or bool(self._stack.unread_modules)
        self._resolver.declared.update({item.entry.name: item.type for item in declared})
        sections = self._document.get("Globals")
        if self._is_sam and not globals_merged and isinstance(sections, Mapping):
            sam.merge_globals(sections, [item.body for item in declared])
        template_wide = suppressions.of_template(self._document, self._source)
        for item in declared:
            resource = self._read(item, template_wide)
            if resource is not None:
                self._stack.resources.append(resource)
        self._stack.feasible = self._feasibility()

    # ------------------------------------------------------------------ what is declared

    def _note_unread_parts(self) -> None:
        """List what brings in resources that the template does not show."""
        key = key_of(self._document, "Transform")
        for name in self._macros:
            self._unread("Transform", str(name), key)
        modules = self._document.get("Modules")
        for name, body in modules.items() if isinstance(modules, Mapping) else ():
            source = body.get("Source") if isinstance(body, Mapping) else None
            self._unread(str(name), str(source) if isinstance(source, str) else render(body), name)

    def _unread(self, address: str, source: str, key: Any) -> None:
        line = self._source.line(key)
        module = UnreadModule(address, source, self._source.path, line.start_line if line else 1)
        self._stack.unread_modules.append(module)

    def _declared(self) -> Iterator[_Declared]:
        """The resources with a readable declaration; of the others, errors or unread modules are noted."""
        section = self._document.get("Resources")
        if not isinstance(section, Mapping):
            key = key_of(self._document, "Resources")
            self._resolver.note(key, "the template has no Resources. Write a mapping of logical ids to resources.")
            return
        seen: set[str] = set()
        for entry in self._resolver.entries(section, Scope()):
            if entry.name.startswith("Fn::"):
                if self._macros or entry.name.startswith(_GENERATING):
                    self._unread(entry.name, render({entry.key: entry.body}), entry.key)
                else:
                    self._skip(entry, "is a function that gives no resources. Write logical ids there.")
                continue
            match entry.body:
                case {"Type": str() as kind} if kind.endswith("::MODULE"):
                    self._unread(entry.name, str(kind), entry.key)
                case {"Type": {"Fn::Rain::Module": module}} | {"Type": {"Rain::Module": module}}:
                    # Named by the preprocessor Rain, as a short form in YAML and in full in JSON.
                    self._unread(entry.name, render(module), entry.key)
                case {"Type": str() as kind} as body if kind and entry.name not in seen:
                    seen.add(entry.name)
                    yield _Declared(entry, entry.scope.name(kind), body)
                case {"Type": str() as kind} if kind:
                    self._skip(entry, "is declared twice. Make the names that the loops give distinct.")
                case {**_others}:
                    self._skip(entry, "has no type. Write its Type as text, such as AWS::S3::Bucket.")
                case _:
                    self._skip(entry, "is not a mapping. Give it a Type and Properties.")

    def _skip(self, entry: Entry, why: str) -> None:
        self._resolver.note(entry.key, f"resource {entry.name} {why} It was left out.")

    # ------------------------------------------------------------------ one resource

    def _read(self, item: _Declared, template_wide: tuple[Suppression, ...]) -> Resource | None:
        """The resource; None where its condition is never true, or, with an error noted, where it cannot be read."""
        try:
            return self._resource(item, template_wide)
        except RecursionError:
            self._skip(item.entry, "is nested too deeply to be read. Flatten it.")
        except Exception as problem:  # noqa: BLE001 - one resource must not cost the others; it is reported
            line = self._block(item).start_line
            what = f"reading resource {item.entry.name} failed ({type(problem).__name__}: {problem})"
            message = f"{self._source.path}:{line}: {what}. Please report this template as a bug."
            self._stack.errors.append(ScanError(self._source.path, "cfn-lint", "crash", message))
        return None

    def _block(self, item: _Declared) -> SourceRange:
        return self._source.key_range(item.entry.key, item.body) or SourceRange(self._source.path, 1, 1)

    def _resource(self, item: _Declared, template_wide: tuple[Suppression, ...]) -> Resource | None:
        trail = Trail()
        scope = replace(item.entry.scope, trail=trail)
        exists = self._existence(item, scope)
        if exists is False:
            return None
        scope = scope.given(exists, True)
        block = self._block(item)
        attributes = self._attributes(item, scope)
        self._depends_on(item, scope)
        properties = self._source.line(key_of(item.body, "Properties")) if "Properties" in item.body else None
        trail.lines[()] = properties or SourceRange(self._source.path, block.start_line, block.start_line)
        return Resource(
            type=str(item.type),
            address=item.entry.name,
            base=item.entry.name,
            attributes=attributes,
            block=block,
            lines=trail.lines,
            exists=exists,
            references=tuple(dict.fromkeys(trail.references)),
            tags=read_tags(attributes),
            suppressions=(*suppressions.of_resource(item.body, block, self._source), *template_wide),
            trace=trail.trace,
        )

    def _existence(self, item: _Declared, scope: Scope) -> Cond:
        """The condition under which the resource is created; open where it names one that is not declared."""
        name = item.body.get("Condition")
        cond: Cond = True
        if isinstance(name, str):
            found = self._resolver.conditions.get(scope.name(name), name)
            cond = found[0] if found else self._resolver.conditions.opaque(str(name))
        elif name is not None:
            key = key_of(item.body, "Condition")
            self._resolver.note(key, f"the Condition of {item.entry.name} is not text. Write the name of a condition.")
            cond = self._resolver.conditions.opaque(f"Condition of {item.entry.name}")
        return all_of((simplify(item.entry.exists, scope.facts), cond))

    def _attributes(self, item: _Declared, scope: Scope) -> dict[str, Any]:
        attributes = self._as_attributes(self._resolver.resolve(item.body.get("Properties"), (), scope), item)
        for name in _POLICIES:
            if name not in item.body:
                if name in attributes:  # a few types have a property of such a name
                    continue
                # It would stand beside Properties, not in them.
                scope.trail.mark((name,), self._source.line(item.entry.key))
                continue
            key = key_of(item.body, name)
            value = self._resolver.resolve(item.body[name], (name,), scope)
            scope.trail.mark((name,), self._source.key_range(key, item.body[name]))
            if value is not ABSENT:
                attributes[name] = value
        if self._further_keys is not None:
            attributes.setdefault(FURTHER_KEYS, self._further_keys)
        return attributes

    def _as_attributes(self, value: Any, item: _Declared) -> dict[str, Any]:
        """Properties as a dict, also where an Fn::If gives them as a whole."""
        match value:
            case dict():
                return value
            case Choice(cond=cond, then=then, otherwise=otherwise):
                return either_dict(cond, self._as_attributes(then, item), self._as_attributes(otherwise, item))
            case Unknown():
                return {FURTHER_KEYS: value}
            case _ if value is ABSENT:
                return {}
            case _:
                key = key_of(item.body, "Properties")
                self._resolver.note(key, f"the Properties of {item.entry.name} are not a mapping. Write one.")
                return {FURTHER_KEYS: Unknown("Properties")}

    def _depends_on(self, item: _Declared, scope: Scope) -> None:
        names = item.body.get("DependsOn")
        if names is None:
            return
        key = key_of(item.body, "DependsOn")
        scope.trail.mark(("DependsOn",), self._source.key_range(key, names))
        for name in names if isinstance(names, list) else [names]:
            if isinstance(name, str):
                scope.trail.references.append((("DependsOn",), Ref(scope.name(name))))

    # ------------------------------------------------------------------ which branches can be

    def _feasibility(self) -> Callable[[Iterable[tuple[str, Literal, bool]]], bool]:
        rules = self._document.get("Rules")
        allowed = open_allowed(self._parameters)
        constraints = {parameter.subject: parameter.constraints for parameter in self._parameters.values()}
        resolver = self._resolver  # the function goes into the stack, which is not to hold on to its builder

        def refuses(subject: str, value: Literal) -> bool:
            return subject in constraints and constraints[subject].refuse(value)

        @functools.cache
        def demands() -> list[Cond]:
            return rule_conditions(resolver, rules)

        @functools.lru_cache(maxsize=4096)
        def judge(decided: tuple[tuple[str, Literal, bool], ...]) -> bool:
            return feasible(decided, demands(), allowed, refuses)

        return lambda decided: judge(tuple(decided))
