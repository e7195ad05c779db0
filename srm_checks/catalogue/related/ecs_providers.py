"""What stands behind an ECS service: its capacity providers, or those of its cluster."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from srm_checks.catalogue.neighbours import Identities, meant_by, named, naming, not_in_view
from srm_checks.catalogue.related.reading import attribute_of, is_cloudformation, value_at
from srm_checks.catalogue.scene import Reading, Scene
from srm_checks.model import ABSENT, Path, Resource, Unknown
from srm_checks.policy.access import Segments
from srm_checks.policy.truth import FALSE, TRUE, UNKNOWN

_FARGATE: Final = "fargate"
_INSTANCES: Final = "instances"
_MANAGED: Final = "managed instances"
_KINDS: Final = {"ec2-capacity-provider": _INSTANCES, "managed-instances": _MANAGED}
_PROVIDERS: Final[Identities] = {"aws_ecs_capacity_provider": ("name",), "AWS::ECS::CapacityProvider": ("Name",)}
_CLUSTERS: Final[Identities] = {"aws_ecs_cluster": ("name",), "AWS::ECS::Cluster": ("ClusterName",)}
_ASSOCIATIONS: Final[Mapping[str, Segments]] = {
    "aws_ecs_cluster_capacity_providers": ("cluster_name",),
    "AWS::ECS::ClusterCapacityProviderAssociations": ("Cluster",),
}


class _Provider(NamedTuple):
    """A capacity provider of a strategy: its kind, None where open; `certain` where it surely is in the list."""

    kind: str | None
    certain: bool
    decided_by: str = ""
    missing: tuple[str, ...] = ()


class _Strategy(NamedTuple):
    """The capacity providers that a service uses; `missing` where its strategy cannot be found."""

    providers: tuple[_Provider, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def open_words(self) -> tuple[str, ...]:
        return (*self.missing, *(words for provider in self.providers for words in provider.missing))


def _strategy(scene: Scene) -> _Strategy:
    """A service's own strategy; where it has neither that nor a launch type, the default one of its cluster."""
    resource, context = scene.resource, scene.context
    attribute = attribute_of(resource, "capacity_provider_strategy", "CapacityProviderStrategy")
    own = _providers(scene, resource, attribute)
    if any(provider.certain for provider in own.providers):
        return own
    launch_type = attribute_of(resource, "launch_type", "LaunchType")
    if value_at(resource, context, launch_type)[0] is not ABSENT:
        return own
    controller = attribute_of(resource, "deployment_controller.type", "DeploymentController.Type")
    if value_at(resource, context, controller)[0] == "EXTERNAL":
        return own._replace(missing=(*own.missing, "its task sets have the launch type"))
    default = _default_strategy(scene)
    return _Strategy(own.providers + default.providers, own.missing + default.missing)


def _default_strategy(scene: Scene) -> _Strategy:
    resource, context = scene.resource, scene.context
    clusters = named(resource, context, attribute_of(resource, "cluster", "Cluster"), _CLUSTERS)
    if clusters.missing:
        return _Strategy(missing=tuple(f"{words} and may have a default strategy" for words in clusters.missing))
    found = _Strategy()
    for cluster in clusters.found:
        holders = naming(cluster, context, _ASSOCIATIONS, _CLUSTERS[cluster.type])
        found = found._replace(missing=found.missing + holders.missing)
        for holder in (cluster, *holders.found):
            name = attribute_of(holder, "default_capacity_provider_strategy", "DefaultCapacityProviderStrategy")
            more = _providers(scene, holder, name)
            found = _Strategy(found.providers + more.providers, found.missing + more.missing)
    return found


def _providers(scene: Scene, holder: Resource, attribute: Segments) -> _Strategy:
    """The providers of a strategy block; an empty list where there is none."""
    context = scene.context
    name = "CapacityProvider" if is_cloudformation(holder) else "capacity_provider"
    dotted = ".".join((*attribute, name))
    value, path = value_at(holder, context, attribute)
    found: list[_Provider] = []
    for element, index, certain in context.elements(value):
        inner = path if index is None else (*path, index)
        if isinstance(element, Unknown):
            words = f"{'.'.join(attribute)} is {element.text or 'not known'}"
            found.append(_Provider(None, certain, missing=(words,)))
            continue
        provider, at = context.lookup(element, (name,), inner)[0]
        found.append(_provider(scene, holder, provider, at, dotted)._replace(certain=certain))
    return _Strategy(tuple(found))


def _provider(scene: Scene, holder: Resource, value: Any, path: Path, dotted: str) -> _Provider:
    if value in ("FARGATE", "FARGATE_SPOT"):
        place = holder.place(path)
        words = f"{dotted} = {value}, {place.path}:{place.start_line}"
        return _Provider(_FARGATE, True, words if holder is scene.resource else f"{holder.address}: {words}")
    declared = meant_by(holder, scene.context, value, path, _PROVIDERS)
    if len(declared) != 1:
        return _Provider(None, True, missing=(not_in_view(dotted, value),))
    judged = scene.judge(declared[0], scene.context)
    if not judged.sure:
        return _Provider(None, True, missing=tuple(f"{declared[0].address}: {words}" for words in judged.missing))
    return _Provider(_KINDS[judged.cases[0].name], True, f"{declared[0].address}: {judged.decided_by}")


def fargate_alone(scene: Scene) -> Reading:
    """Whether all providers of the service are those of Fargate."""
    providers = _strategy(scene)
    kinds = {provider.kind for provider in providers.providers}
    if kinds - {_FARGATE, None} or not (kinds or providers.missing):
        return Reading(FALSE)
    sure = any(provider.certain for provider in providers.providers)
    if providers.open_words or not sure:
        return Reading(UNKNOWN, missing=providers.open_words)
    return Reading(TRUE, decided_by=providers.providers[0].decided_by)


def instances_behind(scene: Scene) -> Reading:
    """Whether at least one provider has an Auto Scaling group of the customer."""
    return _one_behind(_strategy(scene), _INSTANCES)


def managed_behind(scene: Scene) -> Reading:
    """Whether a provider has managed instances, and none has instances of the customer."""
    strategy = _strategy(scene)
    found, other = _one_behind(strategy, _MANAGED), _one_behind(strategy, _INSTANCES)
    if other.truth == TRUE or found.truth == FALSE:
        return Reading(FALSE)
    return found if other.truth == FALSE else Reading(UNKNOWN, missing=other.missing or found.missing)


def _one_behind(strategy: _Strategy, kind: str) -> Reading:
    """Whether at least one provider is of a kind."""
    perhaps = False
    for provider in strategy.providers:
        if provider.kind == kind:
            if provider.certain:
                return Reading(TRUE, decided_by=provider.decided_by)
            perhaps = True
    if strategy.open_words or perhaps:
        return Reading(UNKNOWN, missing=strategy.open_words)
    return Reading(FALSE)


def no_strategy(scene: Scene) -> Reading:
    """Whether neither the service nor its cluster has a strategy."""
    strategy = _strategy(scene)
    if any(provider.certain for provider in strategy.providers):
        return Reading(FALSE)
    if strategy.providers or strategy.missing:
        return Reading(UNKNOWN, missing=strategy.open_words)
    return Reading(TRUE)
