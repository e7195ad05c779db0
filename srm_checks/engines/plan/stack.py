"""Builds the Stack of a plan: resources, data sources and providers, with errors for the parts that have no shape."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from srm_checks.engines.plan import policy_documents
from srm_checks.engines.plan.document import Document, LineMap, Located, TooDeep
from srm_checks.engines.plan.references import Repetition, Scope, as_list, as_object, join, parse
from srm_checks.engines.plan.values import Reading, constants
from srm_checks.errors import InputError
from srm_checks.expressions import AFTER_APPLY
from srm_checks.model import EngineOptions, Path, Ref, Resource, ScanError, Stack, Unit, Unknown

ENGINE: Final = "plan"
_KNOWN_FORMATS: Final = frozenset({"0", "1"})
_NO_WORD: Final = re.compile(r"[\W_]+")
_REGION = re.compile(r"[a-z]{2,4}(?:-[a-z]+)+-\d+")
_LAST_KEY = re.compile(r'\[(?:\d+|"(?:[^"\\]|\\.)*")\]\Z')


def load(unit: Unit, options: EngineOptions) -> Stack:
    """The Stack of a plan file. No option applies: a plan has its variables already.

    Raises InputError where the file is not a plan; a part of another shape goes to the Stack's errors.
    """
    return _Loader(Document.open(unit.path), Stack(unit=unit, resources=[], files={unit.path})).load()


@dataclass(frozen=True, slots=True)
class _Planned:
    """A resource as planned_values or prior_state show it, with the module instance that it stands in."""

    located: Located
    value: dict[str, Any]
    address: str
    base: str
    module: str
    is_data: bool


class _Loader:
    def __init__(self, document: Document, stack: Stack) -> None:
        self._document = document
        self._plan = document.value
        self._stack = stack
        self._path = stack.unit.path
        self._changes = self._read_changes()
        self._configuration = as_object(self._plan.get("configuration"))
        self._default_tags: dict[str, Any] = {}
        self._regions: dict[str, Any] = {}
        self._sources: dict[str, dict[Path, Ref]] = {}
        self._among: dict[str, set[Path]] = {}

    def load(self) -> Stack:
        self._check_format()
        planned = self._planned()
        instances: dict[str, set[str | int | None]] = {}
        for item in planned:
            instances.setdefault(item.base, set()).add(_instance_key(item.value))
        root = Scope(
            "",
            as_object(self._configuration.get("root_module")),
            instances={base: frozenset(keys) for base, keys in instances.items()},
        )
        self._read_providers(root)
        for item in planned:
            try:
                self._stack.resources.append(self._resource(item, root))
            except RecursionError:
                self._report(f"{item.address} is nested too deeply to be read.", "unsupported")
        self._drop_other_branches()
        self._fill_policy_documents()
        return self._stack

    # ---------------------------------------------------------------- shape

    def _report(self, message: str, kind: str = "parse") -> None:
        self._stack.errors.append(ScanError(self._path, ENGINE, kind, message))

    def _check_format(self) -> None:
        version = self._plan.get("format_version")
        if not isinstance(version, str) or version.partition(".")[0] not in _KNOWN_FORMATS:
            self._report(
                f"The plan's format version is {_brief(version)}; it was read as version 1, so parts may be missing.",
                "unsupported",
            )
        if self._plan.get("errored") is True:
            self._report("Planning ended with an error, so the plan does not hold all resources.", "unsupported")
        deferred = as_list(self._plan.get("deferred_changes"))
        if deferred:
            self._report(f"{len(deferred)} resources are deferred to a later plan and are not judged.", "unsupported")
        configuration = self._plan.get("configuration")
        if configuration is not None and not isinstance(configuration, dict):
            self._report(f"configuration is {_kind(configuration)} instead of an object.")

    def _read_changes(self) -> dict[str, dict[str, Any]]:
        """The changes of current objects by address; deposed objects have a change of their own and are left out."""
        changes = self._plan.get("resource_changes")
        if changes is not None and not isinstance(changes, list):
            self._report(f"resource_changes is {_kind(changes)} instead of a list.")
        return {
            change["address"]: change
            for change in as_list(changes)
            if isinstance(change, dict) and isinstance(change.get("address"), str) and "deposed" not in change
        }

    def _planned(self) -> list[_Planned]:
        """All planned resources and the data sources that were read, by address; the planned ones win."""
        values = self._plan.get("planned_values")
        if not isinstance(values, dict):
            raise InputError(self._path, f"The plan's planned_values is {_kind(values)} instead of an object.")
        root = values.get("root_module")
        if not isinstance(root, dict):
            raise InputError(self._path, f"The plan's root_module is {_kind(root)} instead of an object.")
        found: dict[str, _Planned] = {}
        prior = as_object(as_object(as_object(self._plan.get("prior_state")).get("values")).get("root_module"))
        for item in self._resources(prior):
            if item.is_data:
                found[item.address] = item
        planned: set[str] = set()
        for item in self._resources(root):
            if item.address in planned:
                self._report(f"{item.address} stands twice; the second one was not read.")
                continue
            planned.add(item.address)
            found[item.address] = item
        return sorted(found.values(), key=lambda item: (item.module, item.address))

    def _resources(self, root: dict[str, Any]) -> Iterator[_Planned]:
        waiting: list[tuple[dict[str, Any], str]] = [(root, "")]
        while waiting:
            module, address = waiting.pop()
            label = address or "the root module"
            for located in self._list_of(module, "resources", label):
                planned = self._checked(located, address)
                if planned is not None:
                    yield planned
            for child in self._list_of(module, "child_modules", label):
                child_address = child.get("address") if isinstance(child, dict) else None
                if isinstance(child_address, str):
                    waiting.append((child, child_address))
                else:
                    self._report(f"A child module of {label} has no address.")

    def _list_of(self, module: dict[str, Any], name: str, label: str) -> list[Any]:
        value = module.get(name, [])
        if not isinstance(value, list):
            self._report(f"{name} of {label} is {_kind(value)} instead of a list.")
            return []
        return value

    def _checked(self, located: Any, module: str) -> _Planned | None:
        """The resource if it has the members that name it."""
        value = located.value if isinstance(located, Located) else located
        label = module or "the root module"
        if not isinstance(value, dict):
            self._report(f"A resource of {label} is {_kind(value)} instead of an object.")
            return None
        address = value.get("address")
        if not isinstance(address, str) or not address:
            self._report(f"A resource of {label} has no address.")
            return None
        for name in ("type", "name"):
            if not isinstance(value.get(name), str):
                self._report(f"{address} has a {name} that is {_kind(value.get(name))} instead of a text.")
                return None
        if "values" in value and not isinstance(value["values"], dict):
            self._report(f"{address} has values that are {_kind(value['values'])} instead of an object.")
            return None
        is_data = value.get("mode") == "data"
        base = join(module, f"{'data.' if is_data else ''}{value['type']}.{value['name']}")
        return _Planned(located, value, address, base, module, is_data)

    # ---------------------------------------------------------------- resources

    def _resource(self, item: _Planned, root: Scope) -> Resource:
        scope = root.descend(item.module) if item.module else root
        mode = "data" if item.is_data else "managed"
        type_, name = item.value["type"], item.value["name"]
        block = scope.block(mode, type_, name) if scope else None
        key = _instance_key(item.value)
        change = as_object(self._changes.get(item.address))
        unknown = as_object(change.get("change")).get("after_unknown")
        keys = root.instances.get(item.base, frozenset())
        repetition = Repetition(as_object(block).get("for_each_expression"), key, keys)
        marked = isinstance(unknown, (dict, bool)) or item.is_data
        if not marked:
            self._report(f"The plan does not tell which values of {item.address} are known only after apply.")
        reading = Reading(scope, repetition, computed=item.is_data, marked=marked)
        attributes = reading.attributes(item.value.get("values"), unknown, block)
        self._sources[item.address] = reading.sources
        self._among[item.address] = reading.among
        return Resource(
            type=f"data.{type_}" if item.is_data else type_,
            address=item.address,
            base=item.base,
            attributes=attributes,
            block=self._document.lines(item.located.start, item.located.end),
            lines=LineMap(self._document, item.located, "values", frozenset(reading.dropped)),
            references=tuple(dict.fromkeys(reading.references)),
            tags=self._tags(attributes, unknown, block),
            module=item.module,
            former_bases=_former_bases(change, item.base),
            former_addresses=_former_addresses(change),
            key=key,
            region=self._region(item, attributes, block),
        )

    def _region(self, item: _Planned, attributes: dict[str, Any], block: dict[str, Any] | None) -> Any:
        """The Region that a resource names itself, as it can since provider 6, or that of its provider."""
        if not item.is_data and "region" in attributes:
            return attributes["region"]
        provider = as_object(block).get("provider_config_key")
        return self._regions.get(provider, Unknown("region")) if isinstance(provider, str) else None

    def _tags(self, attributes: dict[str, Any], unknown: Any, block: dict[str, Any] | None) -> Any:
        """The tags that apply, the provider's default tags among them."""
        if "tags_all" in attributes:
            return attributes["tags_all"]
        own = attributes.get("tags", {})
        if as_object(unknown).get("tags_all") is not True:
            return own
        provider = as_object(block).get("provider_config_key")
        defaults = self._default_tags.get(provider, {}) if isinstance(provider, str) else Unknown(AFTER_APPLY)
        if not isinstance(defaults, dict):
            return defaults
        return {**defaults, **own} if isinstance(own, dict) else own

    def _drop_other_branches(self) -> None:
        """Take away references that the planned value does not come from.

        A plan names all that an expression reads, in whatever branch of a condition. Where a text was planned that
        cannot have been made of what a reference reads, it comes from elsewhere.
        """
        declared = {(resource.base, resource.key): resource for resource in self._stack.resources}

        def is_strange(resource: Resource, path: Path, ref: Ref) -> bool:
            if path not in self._among[resource.address] or (ref.target, ref.key) not in declared:
                return False
            value = resource.attributes.get(str(path[0])) if len(path) == 1 else None
            read = declared[ref.target, ref.key].attributes.get(ref.attribute)
            return isinstance(value, str) and isinstance(read, str) and not _may_be_made_of(value, read)

        for resource in self._stack.resources:
            if self._among.get(resource.address):
                kept = tuple(entry for entry in resource.references if not is_strange(resource, *entry))
                resource.references = kept

    def _fill_policy_documents(self) -> None:
        """Put documents that are read during apply where they are used whole.

        A use is taken to be whole where the document's JSON is all that the attribute's expression reads.
        """
        documents = {
            (resource.base, resource.key): resource
            for resource in self._stack.resources
            if resource.type == policy_documents.TYPE
        }
        filled: set[str] = set()

        def fill(resource: Resource) -> None:
            if resource.address in filled:
                return
            filled.add(resource.address)
            for path, ref in self._sources.get(resource.address, {}).items():
                source = documents.get((ref.target, ref.key))
                if source is not None and ref.attribute in policy_documents.TEXTS:
                    fill(source)
                    _replace(resource.attributes, path, source.attributes.get(ref.attribute))
            if resource.type == policy_documents.TYPE:
                document = policy_documents.encoded(resource.attributes)
                for name in policy_documents.TEXTS & resource.attributes.keys():
                    if document is not None and isinstance(resource.attributes[name], Unknown):
                        resource.attributes[name] = document

        for resource in self._stack.resources:
            fill(resource)

    # ---------------------------------------------------------------- providers

    def _read_providers(self, root: Scope) -> None:
        providers = self._configuration.get("provider_config")
        if providers is not None and not isinstance(providers, dict):
            self._report(f"provider_config is {_kind(providers)} instead of an object.")
        for key, located in sorted(as_object(providers).items()):
            value = located.value if isinstance(located, Located) else located
            if not isinstance(value, dict) or not isinstance(value.get("name"), str):
                self._report(f"The provider configuration {key} is not an object with a name.")
                continue
            self._add_provider(key, located, value, root)

    def _add_provider(self, key: str, located: Located, value: dict[str, Any], root: Scope) -> None:
        module = value.get("module_address")
        module = module if isinstance(module, str) else ""
        scope = root.descend(module) if module else root
        alias = value.get("alias")
        references: list[tuple[Path, Ref]] = []

        def unresolved(expression: Any) -> Unknown:
            mention = scope.mention(expression, Repetition()) if scope else None
            names = [name for name in as_list(as_object(expression).get("references")) if isinstance(name, str)]
            return Unknown(names[0] if names else "", refs=mention.refs if mention else ())

        attributes = constants(value.get("expressions"), unresolved)
        region = attributes.get("region")
        if isinstance(region, Unknown):
            attributes["region"] = self._region_of_variable(as_object(value["expressions"]), region)
        for name, item in attributes.items():
            references += [((name,), ref) for ref in (item.refs if isinstance(item, Unknown) else ())]
        address = join(module, f"provider.{value['name']}{f'.{alias}' if isinstance(alias, str) else ''}")
        self._stack.resources.append(
            Resource(
                type=f"provider.{value['name']}",
                address=address,
                base=address,
                attributes=attributes,
                block=self._document.lines(located.start, located.end),
                lines=LineMap(self._document, located, "expressions", frozenset()),
                references=tuple(references),
                module=module,
            )
        )
        self._default_tags[key] = _default_tags(attributes)
        self._regions[key] = attributes.get("region", Unknown("region"))
        if key == "aws":
            self._stack.region = self._regions[key]

    def _region_of_variable(self, expressions: dict[str, Any], region: Unknown) -> Any:
        """The Region, where the expression reads one root variable and that holds the name of a Region."""
        names = as_list(as_object(expressions.get("region")).get("references"))
        steps = [parse(name) for name in names if isinstance(name, str)]
        if len(steps) == 1 and len(steps[0]) == 2 and steps[0][0] == "var":
            variable = as_object(self._plan.get("variables")).get(str(steps[0][1]))
            value = as_object(variable).get("value")
            if isinstance(value, str) and _REGION.fullmatch(value):
                return value
        return replace(region, text=region.text or "region")


def _default_tags(attributes: Mapping[str, Any]) -> Any:
    merged: dict[str, Any] = {}
    for block in as_list(attributes.get("default_tags")):
        tags = as_object(block).get("tags", {})
        if not isinstance(tags, dict):
            return tags
        merged |= tags
    return merged


def _may_be_made_of(text: str, read: str) -> bool:
    """Whether a text holds what was read, or a part of it, in whatever case and with whatever between its words."""
    made, known = (_NO_WORD.sub("", each).lower() for each in (text, read))
    return known in made or made in known


def _replace(attributes: Any, path: Path, value: Any) -> None:
    """Put a known value where an unknown one stands."""
    for step in path[:-1]:
        attributes = attributes[step]
    if value is not None and isinstance(attributes[path[-1]], Unknown):
        attributes[path[-1]] = value


def _instance_key(value: dict[str, Any]) -> str | int | None:
    key = value.get("index")
    return key if isinstance(key, (str, int)) and not isinstance(key, bool) else None


def _former_addresses(change: dict[str, Any]) -> tuple[str, ...]:
    previous = change.get("previous_address")
    return (previous,) if isinstance(previous, str) else ()


def _former_bases(change: dict[str, Any], base: str) -> tuple[str, ...]:
    formers = (_LAST_KEY.sub("", former) for former in _former_addresses(change))
    return tuple(former for former in formers if former != base)


def _kind(value: Any) -> str:
    """What a JSON value is, in words that do not show it."""
    if isinstance(value, TooDeep):
        return "nested too deeply"
    names = {type(None): "missing or null", bool: "a boolean", str: "a text", list: "a list", dict: "an object"}
    return names.get(type(value), "a number")


def _brief(version: Any) -> str:
    return version[:20] if isinstance(version, str) else _kind(version)
