"""Provider configurations: which one a resource uses, and the tags that it adds."""

from __future__ import annotations

from typing import Any

from srm_checks.engines.terraform.evaluate import evaluate
from srm_checks.engines.terraform.functions_open import OPEN_FUNCTIONS
from srm_checks.engines.terraform.functions_plain import FunctionError
from srm_checks.engines.terraform.modules import provider_alias
from srm_checks.engines.terraform.nodes import AttributeStep, Block, Expression, Literal, ObjectNode, Traversal
from srm_checks.engines.terraform.resources import argument
from srm_checks.engines.terraform.scope import ModuleScope, ResourceInstance
from srm_checks.engines.terraform.site import Site
from srm_checks.engines.terraform.values import FAILED, Reach, TooManyBranches, export, lift
from srm_checks.model import ABSENT, Unknown


def provider_name(node: Expression) -> tuple[str, str]:
    """The local name and alias that `aws.east` (or `"aws.east"`, as JSON has it) means."""
    if isinstance(node, Literal):
        name, _, alias = str(node.value).partition(".")
        return name, alias
    if isinstance(node, Traversal) and isinstance(node.root, str):
        steps = [step.name for step in node.steps if isinstance(step, AttributeStep)]
        return node.root, steps[0] if steps else ""
    return "", ""


def configuration(scope: ModuleScope, name: str, alias: str) -> tuple[ModuleScope, Block] | None:
    """The provider block that `name.alias` means in a module instance, and the instance that it stands in."""
    at: ModuleScope | None = scope
    while at is not None:
        for block in at.source.providers:
            if block.labels[0] == name and provider_alias(block) == alias:
                return at, block
        passed = _passed(at, name, alias)
        if passed is not None:
            name, alias = passed
        elif alias:
            return None  # an alias is passed on only by name
        at = at.parent
    return None


def _passed(scope: ModuleScope, name: str, alias: str) -> tuple[str, str] | None:
    """What the `providers` map of the call says of a provider."""
    attribute = scope.call.body.attributes.get("providers") if scope.call else None
    if attribute is None or not isinstance(attribute.value, ObjectNode):
        return None
    wanted = f"{name}.{alias}" if alias else name
    for item in attribute.value.items:
        key = str(item.key.value) if isinstance(item.key, Literal) else item.key.text
        if key == wanted:
            return provider_name(item.value)
    return None


def provider_of(instance: ResourceInstance) -> tuple[ModuleScope, Block] | None:
    """The provider block of a resource; None where the code shows none."""
    declaration = instance.declaration
    attribute = instance.block.body.attributes.get("provider")
    if attribute is not None:
        name, alias = provider_name(attribute.value)
    else:
        name, alias = declaration.type.partition("_")[0], ""
    return configuration(declaration.module, name, alias)


def default_tags(scope: ModuleScope, provider: Block) -> Any:
    """The tags of the `default_tags` block of a provider."""
    for block in provider.body.named("default_tags"):
        return argument(block, "tags", scope.env)
    return ABSENT


def tags_of(instance: ResourceInstance, default: Any) -> Any:
    """The tags that apply to a resource: its own over the default ones, as a dict, with branches, or Unknown."""
    attribute = instance.block.body.attributes.get("tags")
    own = ABSENT if attribute is None else evaluate(attribute.value, instance.env)
    if own is FAILED:
        own = Unknown(text=attribute.value.text if attribute else "tags")
    site = Site("tags", f"{instance.address}|tags")
    merge = OPEN_FUNCTIONS["merge"]
    try:
        merged = lift(lambda *maps: _merge(merge, site, maps), [default, own], Reach.TOP)
    except TooManyBranches:
        merged = site.unknown(default, own)
    result = export(merged, "tags")
    return result if result is not ABSENT else {}


def _merge(merge: Any, site: Site, maps: tuple[Any, ...]) -> Any:
    try:
        return merge(site, *maps)
    except FunctionError:  # tags that are no map
        return site.unknown(*maps)


def region(root: ModuleScope) -> Any:
    """The Region of the root's default AWS provider."""
    return region_of(configuration(root, "aws", ""))


def region_of(provider: tuple[ModuleScope, Block] | None) -> Any:
    """The Region that a provider block is set to; Unknown where it is not set in code."""
    value = argument(provider[1], "region", provider[0].env) if provider else ABSENT
    return Unknown("region") if value is ABSENT else export(value, "region")
