"""The plan twin of a Terraform root: what `terraform show -json` would print for it, without running Terraform.

The values come from the root's Stack, the configuration from its syntax tree, so that the plan engine has to find by
itself what the Terraform engine knows: which references lead through variables and outputs to which resource, which
values are unknown, which attributes nobody wrote. A twin has no provider schema: it knows of an attribute when some
resource of its type sets it, it prints the values as they are written ("true" stays a text), it brings no defaults, and
it leaves out the constant of an expression that calculates. What a provider leaves unknown inside a block that a
`dynamic` makes, and the sets that are wholly unknown for one unknown element, only a real plan shows.
"""

from __future__ import annotations

import enum
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from srm_checks.engines.terraform import modules, nodes
from srm_checks.engines.terraform.modules import ModuleSource
from srm_checks.engines.terraform.nodes import Block, Body, Expression, Literal
from srm_checks.model import ABSENT, Choice, Encoded, Options, Repeated, Resource, Stack, Unknown

Json: TypeAlias = "dict[str, Any]"

PROVIDER: Final = "registry.terraform.io/hashicorp/aws"
POLICY_DOCUMENT: Final = "data.aws_iam_policy_document"
_SETTINGS: Final = ("terraform", "provider.")
_META_ARGUMENTS: Final = frozenset({"count", "for_each", "provider", "depends_on"})
_MODULE_ARGUMENTS: Final = frozenset({"source", "version", "providers", "count", "for_each", "depends_on"})
_NO_CONFIGURATION: Final = frozenset({"lifecycle", "provisioner", "connection", "dynamic"})
_SINGLE_BLOCKS: Final = frozenset({"timeouts"})
# The provider declares these as attributes though they may be written as blocks, so a plan prints one expression.
_BLOCKS_AS_ATTRIBUTES: Final = {
    "aws_default_network_acl": frozenset({"ingress", "egress"}),
    "aws_default_route_table": frozenset({"route"}),
    "aws_default_security_group": frozenset({"ingress", "egress"}),
    "aws_network_acl": frozenset({"ingress", "egress"}),
    "aws_route_table": frozenset({"route"}),
    "aws_security_group": frozenset({"ingress", "egress"}),
}
_MODULE_STEP: Final = re.compile(r'\.?(module\.[\w-]+(?:\[(?:\d+|"(?:[^"\\]|\\.)*")\])?)')
_NO_INSTANCES: Final = frozenset({"each", "count", "path", "terraform", "tofu", "self", "var", "local"})


_RESULTS: Final = {
    ("data.aws_caller_identity", "account_id"): "111122223333",
    ("data.aws_partition", "dns_suffix"): "amazonaws.com",
    ("data.aws_partition", "partition"): "aws",
    ("data.aws_region", "name"): "eu-west-1",
    ("data.aws_region", "region"): "eu-west-1",
}
"""What planning reads of data sources that every account answers; other sources are left to apply."""


class Unset(enum.Enum):
    """How attributes show that nobody wrote, or for which null is written.

    It is the provider's choice: null, or unknown because apply brings a value ("Optional, Computed"). An expression
    that comes out null shows as null in both: as an unknown value it would look like any other.
    """

    NULL = "null"
    COMPUTED = "known after apply"


@dataclass(frozen=True, slots=True)
class PlanTwin:
    """`document` is the plan; `left_out` are the addresses whose existence the configuration leaves open."""

    document: Json
    left_out: frozenset[str]


def plan_twin(stack: Stack, *, variables: Mapping[str, Any], unset: Unset) -> PlanTwin:
    """The plan of a Terraform Stack; `variables` are the values given to the root's variables.

    A condition that the Stack leaves open cannot stand in a plan: such a value is known after apply here.
    """
    root = _Configuration().module(modules.load_module(stack.unit.path), "", {"aws": "aws"})
    declared = [resource for resource in stack.resources if not resource.type.startswith(_SETTINGS)]
    certain = [resource for resource in declared if resource.exists is True]
    planned = _Planned(certain, unset, root)
    configuration = {"provider_config": root.providers, "root_module": root.module}
    read = [resource for resource in certain if planned.is_read(resource)]
    made = [resource for resource in certain if not planned.is_read(resource)]
    document = {
        "format_version": "1.2",
        "terraform_version": "1.11.4",
        "variables": {name: {"value": value} for name, value in variables.items()},
        "planned_values": {"root_module": planned.tree(made)},
        "resource_changes": [planned.change(resource) for resource in made],
        "prior_state": {
            "format_version": "1.0",
            "terraform_version": "1.11.4",
            "values": {"root_module": planned.tree(read)},
        },
        "configuration": configuration,
        "timestamp": "2026-11-21T00:00:00Z",
        "applyable": True,
        "complete": True,
        "errored": False,
    }
    return PlanTwin(document, frozenset(resource.address for resource in declared if resource.exists is not True))


# ------------------------------------------------------------------ planned values


class _Planned:
    """The resources as planned_values, resource_changes and prior_state show them."""

    def __init__(self, resources: Sequence[Resource], unset: Unset, root: _Module) -> None:
        self._unset = unset
        self._mentioned = {ref.target for resource in resources for _, ref in resource.references}
        self._known: dict[str, dict[str, bool]] = {}  # attribute names of each type, and whether they are blocks
        self._blocks = {(module, type_, name): block for module, type_, name, block in root.blocks()}
        for (_module, type_, _name), block in self._blocks.items():
            self._known.setdefault(type_, {}).update(_attribute_names(block.body))

    def is_read(self, resource: Resource) -> bool:
        """Whether planning reads a data source; otherwise apply does.

        What a read data source gives is known to a plan but not to the Stack, so those that are used are not read;
        a policy document is read where it holds nothing unknown.
        """
        if resource.type == POLICY_DOCUMENT:
            return _split(resource.attributes["json"])[1] is False
        is_answered = any(type_ == resource.type for type_, _ in _RESULTS)
        return resource.type.startswith("data.") and (is_answered or resource.base not in self._mentioned)

    def tree(self, resources: Iterable[Resource]) -> Json:
        """A root_module with its child modules."""
        root: Json = {}
        for resource in resources:
            module, address = root, ""
            for step in _MODULE_STEP.findall(resource.module):
                address = f"{address}.{step}" if address else step
                children = module.setdefault("child_modules", [])
                child = next((child for child in children if child["address"] == address), None)
                if child is None:
                    child = {"address": address}
                    children.append(child)
                module = child
            values, _unknown = self._states(resource)
            entry = {**_identity(resource), "schema_version": 0, "sensitive_values": {}}
            if values:
                entry["values"] = values
            module.setdefault("resources", []).append(entry)
        return root

    def change(self, resource: Resource) -> Json:
        """An entry of resource_changes: a creation, or for a data source a reading."""
        values, unknown = self._states(resource)
        entry = _identity(resource)
        if resource.module:
            entry["module_address"] = resource.module
        for address in resource.former_addresses[:1]:
            entry["previous_address"] = address
        entry["change"] = {
            "actions": ["read" if resource.type.startswith("data.") else "create"],
            "before": None,
            "after": values,
            "after_unknown": unknown,
            "before_sensitive": False,
            "after_sensitive": {},
        }
        return entry

    def _states(self, resource: Resource) -> tuple[Json, Json]:
        """The known attributes, and the marks of the unknown ones."""
        values, unknown = _split(resource.attributes)
        is_data = resource.type.startswith("data.")
        for name, is_block in self._known.get(resource.type, {}).items():
            if name in resource.attributes:
                continue
            if self._unset is Unset.COMPUTED and not is_data and not self._is_worked_out(resource, name):
                unknown[name] = True
            else:
                values[name] = [] if is_block else None
        for name in ("id",) if is_data else ("id", "arn"):
            if self.is_read(resource):
                values.setdefault(name, "read")
            else:
                unknown[name] = True
                values.pop(name, None)
        tags, open_tags = _split(resource.tags)
        if not is_data and (tags is None or tags):
            if open_tags is True:
                unknown["tags_all"] = True
            else:
                values["tags_all"] = tags
                unknown["tags_all"] = open_tags or {}
        return values, unknown

    def _is_worked_out(self, resource: Resource, name: str) -> bool:
        """Whether an attribute is written as anything but a plain null."""
        block = self._blocks.get((re.sub(r"\[[^\]]*\]", "", resource.module), resource.type, resource.name))
        attribute = block.body.attributes.get(name) if block else None
        return attribute is not None and not isinstance(attribute.value, Literal)


def _identity(resource: Resource) -> Json:
    mode, _, type_ = resource.type.rpartition(".")
    entry: Json = {"address": resource.address, "mode": mode or "managed", "type": type_, "name": resource.name}
    if resource.key is not None:
        entry["index"] = resource.key
    return {**entry, "provider_name": PROVIDER}


def _split(value: Any) -> tuple[Any, Any]:
    """What is known of a value, and where it is unknown: True for all of it, False for nothing of a scalar."""
    if value is ABSENT:
        return None, False
    if isinstance(value, Encoded):
        known, unknown = _split(value.value)
        return (None, True) if _is_open(unknown) else (json.dumps(known), False)
    if isinstance(value, dict):
        parts = {key: _split(item) for key, item in value.items()}
        known = {key: known for key, (known, unknown) in parts.items() if unknown is not True}
        return known, {key: unknown for key, (_, unknown) in parts.items() if unknown is not False}
    if isinstance(value, list):
        if any(_may_be_missing(item) for item in value):
            return None, True
        pairs = [_split(item) for item in value]
        return [known for known, _ in pairs], [unknown for _, unknown in pairs]
    if isinstance(value, Unknown):
        known = _read_result(value)
        return known, known is None
    if isinstance(value, (Choice, Options)):
        return None, True
    return value, False


def _read_result(value: Unknown) -> str | None:
    """A text whose holes are all the same well-known result."""
    if len(value.refs) != 1:
        return None
    ref = value.refs[0]
    result = _RESULTS.get((".".join(ref.target.split(".")[-3:-1]), ref.attribute))
    if result is None:
        return None
    return "".join(part if part is not None else result for part in value.parts or (None,))


def _may_be_missing(element: Any) -> bool:
    return isinstance(element, Repeated) or (
        isinstance(element, Choice) and (element.then is ABSENT or element.otherwise is ABSENT)
    )


def _is_open(unknown: Any) -> bool:
    inner = unknown.values() if isinstance(unknown, dict) else unknown if isinstance(unknown, list) else ()
    return unknown is True or any(_is_open(item) for item in inner)


# ------------------------------------------------------------------ configuration


@dataclass(slots=True)
class _Module:
    """A module's part of the configuration, and the provider configurations in it and below it.

    `address` is without instance keys.
    """

    address: str
    module: Json
    providers: Json
    source: ModuleSource
    children: list[_Module] = field(default_factory=list)

    def blocks(self) -> Iterator[tuple[str, str, str, Block]]:
        """The resources and data sources of the module and those below: module without keys, type, name and block."""
        for prefix, table in (("", self.source.resources), ("data.", self.source.data)):
            for (type_, name), blocks in table.items():
                for block in blocks:
                    yield self.address, prefix + type_, name, block
        for child in self.children:
            yield from child.blocks()


def _attribute_names(body: Body) -> dict[str, bool]:
    names = {name: False for name in body.attributes if name not in _META_ARGUMENTS}
    for block in body.blocks:
        kind = block.labels[0] if block.kind == "dynamic" else block.kind
        if kind not in _NO_CONFIGURATION:
            names[kind] = True
    return names


class _Configuration:
    """Turns the syntax tree of a module and of the local modules below it into a plan's configuration."""

    def module(self, source: ModuleSource, address: str, inherited: Mapping[str, str]) -> _Module:
        """`inherited` gives for each provider that the caller passes the key of its configuration."""
        providers: Json = {}
        keys = dict(inherited)
        for block in source.providers:
            name, alias = block.labels[0], modules.provider_alias(block)
            local = f"{name}.{alias}" if alias else name
            keys[local] = f"{address}:{local}" if address else local
            providers[keys[local]] = self._provider(block, name, alias, address)
        content: Json = {}
        if source.outputs:
            content["outputs"] = {
                name: {"expression": _expression(block.body.attributes["value"].value)}
                for name, block in source.outputs.items()
            }
        resources = [
            self._resource(mode, type_, name, block, keys)
            for mode, table in (("managed", source.resources), ("data", source.data))
            for (type_, name), blocks in table.items()
            for block in blocks
        ]
        if resources:
            content["resources"] = resources
        found = _Module(address, content, providers, source)
        for name, block in source.calls.items():
            content.setdefault("module_calls", {})[name] = self._call(name, block, address, keys, found)
        if source.variables:
            content["variables"] = {name: self._variable(block) for name, block in source.variables.items()}
        return found

    def _provider(self, block: Block, name: str, alias: str, address: str) -> Json:
        config: Json = {"name": name, "full_name": f"registry.terraform.io/hashicorp/{name}"}
        if alias:
            config["alias"] = alias
        if address:
            config["module_address"] = address
        expressions = _expressions(block.body, skip=frozenset({"alias", "version"}))
        return {**config, **({"expressions": expressions} if expressions else {})}

    def _resource(self, mode: str, type_: str, name: str, block: Block, keys: Mapping[str, str]) -> Json:
        provider = block.body.attributes.get("provider")
        local = provider.value.text if provider else type_.partition("_")[0]
        address = f"data.{type_}.{name}" if mode == "data" else f"{type_}.{name}"
        config: Json = {"address": address, "mode": mode, "type": type_, "name": name}
        config["provider_config_key"] = keys.get(local, local)
        expressions = _expressions(
            block.body, skip=_META_ARGUMENTS, as_attributes=_BLOCKS_AS_ATTRIBUTES.get(type_, frozenset())
        )
        if expressions:
            config["expressions"] = expressions
        return {**config, "schema_version": 0, **_repetition(block.body)}

    def _call(self, name: str, block: Block, address: str, keys: Mapping[str, str], parent: _Module) -> Json:
        attributes = block.body.attributes
        written = attributes["source"].value
        path = written.value if isinstance(written, Literal) else ""
        call: Json = {"source": path}
        expressions = {key: _expression(a.value) for key, a in attributes.items() if key not in _MODULE_ARGUMENTS}
        if expressions:
            call["expressions"] = expressions
        call |= _repetition(block.body)
        source = modules.load_module(modules.join(parent.source.directory, path))
        inner = f"{address}.module.{name}" if address else f"module.{name}"
        child = self.module(source, inner, _passed(block, keys))
        parent.children.append(child)
        parent.providers.update(child.providers)
        return {**call, "module": child.module}

    def _variable(self, block: Block) -> Json:
        default = block.body.attributes.get("default")
        return {"default": _constant(default.value)} if default and _is_constant(default.value) else {}


def _passed(call: Block, keys: Mapping[str, str]) -> dict[str, str]:
    """The provider configurations of a called module: the default ones, or what `providers` says."""
    written = call.body.attributes.get("providers")
    passed = {name: key for name, key in keys.items() if "." not in name}
    if written and isinstance(written.value, nodes.ObjectNode):
        for item in written.value.items:
            name = str(item.key.value) if isinstance(item.key, Literal) else item.key.text
            passed[name] = keys.get(item.value.text, item.value.text)
    return passed


def _repetition(body: Body) -> Json:
    found: Json = {}
    for name in ("count", "for_each"):
        expression = _expression(body.attributes[name].value) if name in body.attributes else {}
        if expression:
            found[f"{name}_expression"] = expression
    depends_on = body.attributes.get("depends_on")
    if depends_on and isinstance(depends_on.value, nodes.TupleNode):
        found["depends_on"] = [item.text for item in depends_on.value.items]
    return found


def _expressions(
    body: Body, *, skip: frozenset[str] = frozenset(), as_attributes: frozenset[str] = frozenset()
) -> Json:
    """The expressions of a body; what a `dynamic` block makes is not in a plan's configuration."""
    found: Json = {name: _expression(a.value) for name, a in body.attributes.items() if name not in skip}
    for block in body.blocks:
        if block.kind in _NO_CONFIGURATION:
            continue
        if block.kind in as_attributes:
            references = [*_references_in(block.body)]
            before = found.get(block.kind, {}).get("references", [])
            found[block.kind] = {"references": [*before, *references]} if before or references else {}
        elif block.kind in _SINGLE_BLOCKS:
            found[block.kind] = _expressions(block.body)
        else:
            found.setdefault(block.kind, []).append(_expressions(block.body))
    return found


def _references_in(body: Body) -> Iterator[str]:
    for attribute in body.attributes.values():
        yield from _references(attribute.value, frozenset())
    for block in body.blocks:
        yield from _references_in(block.body)


def _expression(node: Expression) -> Json:
    """What a plan says of an expression: the names that it reads, else its value unless that has to be worked out."""
    references = list(_references(node, frozenset()))
    if references:
        return {"references": references}
    return {"constant_value": _constant(node)} if _is_constant(node) else {}


def _is_constant(node: Expression) -> bool:
    if isinstance(node, nodes.TupleNode):
        return all(_is_constant(item) for item in node.items)
    if isinstance(node, nodes.ObjectNode):
        return all(isinstance(item.key, Literal) and _is_constant(item.value) for item in node.items)
    return isinstance(node, Literal)


def _constant(node: Expression) -> Any:
    if isinstance(node, nodes.TupleNode):
        return [_constant(item) for item in node.items]
    if isinstance(node, nodes.ObjectNode):
        return {str(item.key.value): _constant(item.value) for item in node.items if isinstance(item.key, Literal)}
    assert isinstance(node, Literal)
    return None if node.value is ABSENT else node.value


# ------------------------------------------------------------------ references


def _references(node: Any, bound: frozenset[str]) -> Iterator[str]:
    """The names that an expression reads, each followed by the shorter ones that it starts with.

    `bound` are the names that a `for` around it binds.
    """
    if isinstance(node, nodes.Traversal):
        yield from _traversal(node, bound)
        return
    if isinstance(node, (nodes.ForNode, nodes.TemplateFor)):
        yield from _references(node.collection, bound)
        names = {name for name in (node.key_name, node.value_name) if name}
        bound |= names
    for child in _children(node):
        yield from _references(child, bound)


def _children(node: Any) -> Iterable[Any]:
    if isinstance(node, (nodes.Template, nodes.TemplateFor)):
        return node.parts
    if isinstance(node, nodes.TemplateIf):
        return (node.condition, *node.then, *node.otherwise)
    if isinstance(node, nodes.Call):
        return node.arguments
    if isinstance(node, nodes.TupleNode):
        return node.items
    if isinstance(node, nodes.ObjectNode):
        return [part for item in node.items for part in (item.key, item.value)]
    if isinstance(node, nodes.ForNode):
        return [part for part in (node.key, node.value, node.condition) if part is not None]
    if isinstance(node, nodes.Conditional):
        return (node.condition, node.then, node.otherwise)
    if isinstance(node, nodes.Binary):
        return (node.left, node.right)
    return (node.operand,) if isinstance(node, nodes.Unary) else ()


def _traversal(node: nodes.Traversal, bound: frozenset[str]) -> Iterator[str]:
    """A name with its steps up to the first that is no literal, then what the other steps read."""
    texts: list[str] = []
    rest = list(node.steps)
    while rest:
        step = rest[0]
        if isinstance(step, nodes.AttributeStep):
            texts.append(f".{step.name}")
        elif isinstance(step, nodes.IndexStep) and isinstance(step.key, Literal):
            key = step.key.value
            texts.append(f"[{json.dumps(key)}]")
        else:
            break
        rest.pop(0)
    if not isinstance(node.root, str):
        yield from _references(node.root, bound)
    elif node.root not in bound:
        yield from _shortened(node.root, texts)
    yield from _in_steps(rest, bound)


def _in_steps(steps: Iterable[nodes.Step], bound: frozenset[str]) -> Iterator[str]:
    for step in steps:
        if isinstance(step, nodes.IndexStep):
            yield from _references(step.key, bound)
        elif isinstance(step, nodes.SplatStep):
            yield from _in_steps(step.steps, bound)


def _shortened(root: str, steps: Sequence[str]) -> Iterator[str]:
    """A reference and its beginnings, down to what can be referred to alone."""
    if root == "module":
        yield from _output(steps)
        return
    whole = 2 if root == "data" else 1  # the steps that name something: `data.TYPE.NAME`, `TYPE.NAME`, `var.NAME`
    is_instance = root not in _NO_INSTANCES and steps[whole : whole + 1] and steps[whole].startswith("[")
    for end in range(len(steps), whole if is_instance else whole - 1, -1):
        yield root + "".join(steps[:end])
    if is_instance:
        yield root + "".join(steps[:whole])


def _output(steps: Sequence[str]) -> Iterator[str]:
    """`module.m["a"].arn` and the module instance that it belongs to."""
    instance = 2 if steps[1:2] and steps[1].startswith("[") else 1
    for end in range(len(steps), instance - 1, -1):
        yield "module" + "".join(steps[:end])
    if len(steps) == instance == 2:
        yield "module" + steps[0]
