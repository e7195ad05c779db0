"""A Terraform root as a `Stack`: every resource instance of the root and of the local modules below it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, Final

from srm_checks.engines.terraform import moves, origins, providers, variables
from srm_checks.engines.terraform.env import Env
from srm_checks.engines.terraform.expansion import TooManyInstances, slots_of
from srm_checks.engines.terraform.files import RepositoryFiles
from srm_checks.engines.terraform.modules import fetched_modules, provider_alias
from srm_checks.engines.terraform.nodes import Block, Expression
from srm_checks.engines.terraform.resources import META_ARGUMENTS, BodyReader
from srm_checks.engines.terraform.scope import ModuleScope, Project, ResourceInstance
from srm_checks.engines.terraform.source import display_path
from srm_checks.engines.terraform.suppressions import suppressions_in
from srm_checks.engines.terraform.syntax import by_grammar
from srm_checks.engines.terraform.values import conjoin, export
from srm_checks.errors import InputError
from srm_checks.model import (
    ABSENT,
    EngineOptions,
    LazyReferences,
    Path,
    Ref,
    Resource,
    SourceRange,
    Stack,
    Suppression,
    Unit,
)

# Expressions refer to expressions: a chain of local values costs some frames a link.
_RECURSION_LIMIT: Final = 5000


def load(unit: Unit, options: EngineOptions) -> Stack:
    """The stack of a Terraform root.

    Whatever cannot be read is in its `errors`; this raises EnvironmentProblem only, for a broken installation.
    """
    with _deep_recursion(), by_grammar() if options.front_end == "checkov" else nullcontext():
        return _Loader(unit, options).load()


@contextmanager
def _deep_recursion() -> Iterator[None]:
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, _RECURSION_LIMIT))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


class _Loader:
    def __init__(self, unit: Unit, options: EngineOptions) -> None:
        root = display_path(unit.path)
        given = variables.given_variables(root, options.var_files, os.environ)
        self.unit = unit
        self.project = Project(root, options, given, fetched_modules(root), RepositoryFiles(root))
        self.project.errors += given.errors
        if self.project.fetched.error:
            self.project.errors.append(self.project.fetched.error)
        self.scopes: list[ModuleScope] = []
        self.moved: list[tuple[str, str]] = []

    def load(self) -> Stack:
        root = ModuleScope(self.project, self.project.root)
        self._collect(root)
        resources: list[Resource] = list(self._settings(root))
        for scope in self.scopes:
            inherited = _call_suppressions(scope)
            for declaration in scope.all_declarations():
                if not self._matters(declaration.type):
                    continue
                try:
                    for instance in declaration.instances():
                        exists = conjoin((scope.exists, instance.exists))
                        if exists is not False:
                            resources.append(self._resource(instance, inherited))
                except RecursionError:
                    self._report_depth(declaration.block)
        stack = Stack(
            unit=self.unit,
            resources=resources,
            errors=self.project.errors,
            unread_modules=self.project.unread,
            files=self._files(),
        )
        stack.region = providers.region(root)
        return stack

    def _matters(self, type_name: str) -> bool:
        providers = self.project.options.providers
        return providers is None or type_name.partition("_")[0] in providers

    def _collect(self, scope: ModuleScope) -> None:
        self.scopes.append(scope)
        self.moved += moves.moves(scope)
        for name in scope.source.calls:
            try:
                call = scope.module_call(name)
            except RecursionError:
                self._report_depth(scope.source.calls[name])
                continue
            for child in call.scopes.values():
                if child.exists is not False:
                    self._collect(child)

    def _report_depth(self, block: Block) -> None:
        line = block.source.line(block.start)
        message = f"{line}: The expressions of this block are nested too deeply to be evaluated."
        self.project.report(InputError(block.source.path, message, kind="unsupported", line=line))

    def _files(self) -> set[str]:
        files = {path for source in self.project.sources.values() for path in source.files}
        files.update(map(display_path, self.project.given.files))
        files.update(self.project.files.read)
        if self.project.fetched.path:
            files.add(self.project.fetched.path)
        return files

    # -- resources

    def _resource(self, instance: ResourceInstance, inherited: tuple[Suppression, ...]) -> Resource:
        block, env = instance.block, instance.env
        scope = instance.declaration.module
        reader = BodyReader()
        attributes = reader.read(block.body, env, skip=META_ARGUMENTS)
        is_data = instance.declaration.mode == "data"
        if instance.declaration.is_policy_document:
            attributes["json"] = _exported_document(instance)
        provider = providers.provider_of(instance)
        default = ABSENT if provider is None else providers.default_tags(*provider)
        return Resource(
            type=f"data.{instance.declaration.type}" if is_data else instance.declaration.type,
            address=instance.address,
            base=instance.base,
            attributes=attributes,
            block=block.range,
            lines=reader.lines,
            exists=conjoin((scope.exists, instance.exists)),
            references=_references(reader),
            tags=providers.tags_of(instance, default),
            suppressions=(*suppressions_in(block, scope.source), *inherited),
            module=scope.address,
            calls=scope.calls,
            trace=_Trace(reader.sites),
            former_bases=moves.former_bases(instance.address, instance.base, self.moved),
            former_addresses=moves.former_addresses(instance.address, instance.base, self.moved),
            key=instance.slot.key,
            # Since provider 6 a resource may name a Region of its own.
            region=attributes["region"] if "region" in attributes else providers.region_of(provider),
        )

    # -- terraform and provider blocks

    def _settings(self, root: ModuleScope) -> Iterator[Resource]:
        if root.source.terraform:
            yield self._terraform(root)
        for scope in self.scopes:
            for block in scope.source.providers:
                yield from self._provider(scope, block)

    def _terraform(self, root: ModuleScope) -> Resource:
        """All `terraform` blocks of a root as one resource."""
        blocks = root.source.terraform
        reader = BodyReader()
        attributes: dict[str, Any] = {}
        for block in blocks:
            part = BodyReader()
            read = part.read(block.body, root.env)
            for name, value in read.items():
                if isinstance(value, list) and isinstance(attributes.get(name), list):
                    moved_by = len(attributes[name])
                    reader.lines.update(_shifted(part.lines, name, moved_by))
                    reader.sites.update(_shifted(part.sites, name, moved_by))
                    attributes[name] = [*attributes[name], *value]
                else:
                    attributes[name] = value
                    reader.lines.update({path: at for path, at in part.lines.items() if path[0] == name})
                    reader.sites.update({path: at for path, at in part.sites.items() if path[0] == name})
        main = next((b for b in blocks if any(i.kind in ("backend", "cloud") for i in b.body.blocks)), blocks[0])
        return self._setting("terraform", "terraform", main, root, reader, attributes)

    def _provider(self, scope: ModuleScope, block: Block) -> Iterator[Resource]:
        base = scope.qualified(".".join(filter(None, ("provider", block.labels[0], provider_alias(block)))))
        try:
            slots, _ = slots_of(block, scope.env)
        except TooManyInstances:
            scope.report_instances(block)
            return
        for slot in slots:
            env = scope.env.bind(slot.bindings, slot.suffix) if slot.bindings else scope.env
            reader = BodyReader()
            attributes = reader.read(block.body, env, skip=META_ARGUMENTS)
            resource = self._setting(f"provider.{block.labels[0]}", base, block, scope, reader, attributes)
            resource.address, resource.key = base + slot.suffix, slot.key
            resource.exists = conjoin((scope.exists, slot.exists))
            yield resource

    def _setting(
        self, kind: str, base: str, block: Block, scope: ModuleScope, reader: BodyReader, attributes: dict[str, Any]
    ) -> Resource:
        return Resource(
            type=kind,
            address=base,
            base=base,
            attributes=attributes,
            block=block.range,
            lines=reader.lines,
            exists=scope.exists,
            references=_references(reader),
            suppressions=suppressions_in(block, scope.source),
            module=scope.address,
            calls=scope.calls,
            trace=_Trace(reader.sites),
        )


def _exported_document(instance: ResourceInstance) -> Any:
    return export(instance.attribute("json"), f"{instance.declaration.local_address}.json")


def _shifted(table: dict[Path, Any], name: str, by: int) -> dict[Path, Any]:
    """The entries of a list attribute, moved on by some elements."""
    return {
        (name, path[1] + by, *path[2:]): value
        for path, value in table.items()
        if len(path) > 1 and path[0] == name and isinstance(path[1], int)
    }


def _references(reader: BodyReader) -> LazyReferences:
    def find(path: Path) -> tuple[Ref, ...]:
        expression, env = reader.sites[path]
        with _deep_recursion():
            return origins.references(expression, env)

    return LazyReferences(reader.sites, find)


def _call_suppressions(scope: ModuleScope) -> tuple[Suppression, ...]:
    """The suppressions of the module calls on the way to a module instance."""
    found: tuple[Suppression, ...] = ()
    at: ModuleScope | None = scope
    while at is not None and at.call is not None and at.parent is not None:
        found += suppressions_in(at.call, at.parent.source)
        at = at.parent
    return found


class _Trace:
    """The places that decided the value at a path, found when asked for."""

    __slots__ = ("_sites",)

    def __init__(self, sites: dict[Path, tuple[Expression, Env]]) -> None:
        self._sites = sites

    def __call__(self, path: Path) -> tuple[SourceRange, ...]:
        for end in range(len(path), 0, -1):
            site = self._sites.get(path[:end])
            if site is not None:
                with _deep_recursion():
                    return origins.places(site[0], site[1], path[end:])
        return ()
