"""Clauses of model_conditions.tsv that other resources answer: `related: <words>`.

Each clause is a function of the scene; `CLAUSES` gives it the words under which the data names it. What cannot be
followed to a declared resource leaves the clause open and is said in `missing`; it never counts as an absence.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple

from srm_checks.catalogue.neighbours import Identities, meant_by, named, naming, not_in_view
from srm_checks.catalogue.scene import Reading, Scene
from srm_checks.model import ABSENT, Path, Resource, Unknown
from srm_checks.policy.access import Context, Segments
from srm_checks.policy.truth import FALSE, TRUE, UNKNOWN


def is_cloudformation(resource: Resource) -> bool:
    """Whether a resource is one of CloudFormation."""
    return "::" in resource.type


def _attribute(resource: Resource, terraform: str, cloudformation: str) -> Segments:
    return tuple((cloudformation if is_cloudformation(resource) else terraform).split("."))


def _value(resource: Resource, context: Context, attribute: Segments) -> tuple[Any, Path]:
    return context.lookup(resource.attributes, attribute, ())[0]


def _at(resource: Resource, words: str, path: Path) -> str:
    place = resource.place(path)
    return f"{resource.address}: {words}, {place.path}:{place.start_line}"


# ------------------------------------------------------------------ ECS: what stands behind a service

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
    attribute = _attribute(resource, "capacity_provider_strategy", "CapacityProviderStrategy")
    own = _providers(scene, resource, attribute)
    if any(provider.certain for provider in own.providers):
        return own
    launch_type = _attribute(resource, "launch_type", "LaunchType")
    if _value(resource, context, launch_type)[0] is not ABSENT:
        return own
    controller = _attribute(resource, "deployment_controller.type", "DeploymentController.Type")
    if _value(resource, context, controller)[0] == "EXTERNAL":
        return own._replace(missing=(*own.missing, "its task sets have the launch type"))
    default = _default_strategy(scene)
    return _Strategy(own.providers + default.providers, own.missing + default.missing)


def _default_strategy(scene: Scene) -> _Strategy:
    resource, context = scene.resource, scene.context
    clusters = named(resource, context, _attribute(resource, "cluster", "Cluster"), _CLUSTERS)
    if clusters.missing:
        return _Strategy(missing=tuple(f"{words} and may have a default strategy" for words in clusters.missing))
    found = _Strategy()
    for cluster in clusters.found:
        holders = naming(cluster, context, _ASSOCIATIONS, _CLUSTERS[cluster.type])
        found = found._replace(missing=found.missing + holders.missing)
        for holder in (cluster, *holders.found):
            name = _attribute(holder, "default_capacity_provider_strategy", "DefaultCapacityProviderStrategy")
            more = _providers(scene, holder, name)
            found = _Strategy(found.providers + more.providers, found.missing + more.missing)
    return found


def _providers(scene: Scene, holder: Resource, attribute: Segments) -> _Strategy:
    """The providers of a strategy block; an empty list where there is none."""
    context = scene.context
    name = "CapacityProvider" if is_cloudformation(holder) else "capacity_provider"
    dotted = ".".join((*attribute, name))
    value, path = _value(holder, context, attribute)
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


def _fargate_alone(scene: Scene) -> Reading:
    providers = _strategy(scene)
    kinds = {provider.kind for provider in providers.providers}
    if kinds - {_FARGATE, None} or not (kinds or providers.missing):
        return Reading(FALSE)
    sure = any(provider.certain for provider in providers.providers)
    if providers.open_words or not sure:
        return Reading(UNKNOWN, missing=providers.open_words)
    return Reading(TRUE, decided_by=providers.providers[0].decided_by)


def _instances_behind(scene: Scene) -> Reading:
    return _one_behind(_strategy(scene), _INSTANCES)


def _managed_behind(scene: Scene) -> Reading:
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


def _no_strategy(scene: Scene) -> Reading:
    strategy = _strategy(scene)
    if any(provider.certain for provider in strategy.providers):
        return Reading(FALSE)
    if strategy.providers or strategy.missing:
        return Reading(UNKNOWN, missing=strategy.open_words)
    return Reading(TRUE)


# ------------------------------------------------------------------ ECS: what runs a task definition

_TASKS: Final = {"aws_ecs_task_definition": ("family",), "AWS::ECS::TaskDefinition": ("Family",)}
_SERVICES: Final[Mapping[str, Segments]] = {
    "aws_ecs_service": ("task_definition",),
    "AWS::ECS::Service": ("TaskDefinition",),
}


def _run_by(scene: Scene, wanted: Callable[[Iterable[str]], bool], *, all_of_them: bool) -> Reading:
    """Whether services of a kind run the task definition; open where none is in view."""
    resource, context = scene.resource, scene.context
    services = naming(resource, context, _SERVICES, _TASKS[resource.type])
    missing = list(services.missing)
    yes: list[str] = []
    no = 0
    for service in services.found:
        judged = scene.judge(service, context)
        fits = {wanted([case.name]) for case in judged.cases}
        if fits == {True}:
            yes.append(f"{service.address}: {judged.decided_by}" if judged.decided_by else service.address)
        elif fits == {False}:
            no += 1
        else:
            missing.extend(f"{service.address}: {words}" for words in judged.missing or ("its launch type is open",))
    if (yes and not all_of_them) or (yes and not no and not missing):
        return Reading(TRUE, decided_by=yes[0])
    if no and (all_of_them or not missing):
        return Reading(FALSE)
    return Reading(UNKNOWN, missing=tuple(missing) or ("no service that runs it is in view",))


_ON_FARGATE: Final = frozenset({"fargate-launch-type", "fargate-strategy"})
_ON_MANAGED: Final = frozenset({"managed-instances-launch-type", "own-provider-managed"})


def _ec2_service_runs_it(scene: Scene) -> Reading:
    return _run_by(scene, lambda names: not (_ON_FARGATE | _ON_MANAGED).intersection(names), all_of_them=False)


def _fargate_services_run_it(scene: Scene) -> Reading:
    return _run_by(scene, lambda names: bool((_ON_FARGATE | _ON_MANAGED).intersection(names)), all_of_them=True)


# ------------------------------------------------------------------ EKS

_TEMPLATES: Final[Identities] = {"aws_launch_template": ("name",), "AWS::EC2::LaunchTemplate": ("LaunchTemplateName",)}
_EKS_CLUSTERS: Final[Identities] = {"aws_eks_cluster": ("name",), "AWS::EKS::Cluster": ("Name",)}
_NODE_GROUPS: Final[Mapping[str, Segments]] = {
    "aws_eks_node_group": ("cluster_name",),
    "AWS::EKS::Nodegroup": ("ClusterName",),
}
_FARGATE_PROFILES: Final[Mapping[str, Segments]] = {
    "aws_eks_fargate_profile": ("cluster_name",),
    "AWS::EKS::FargateProfile": ("ClusterName",),
}
_TEMPLATE_USERS: Final[tuple[Mapping[str, Segments], ...]] = (
    {"aws_eks_node_group": ("launch_template", "id"), "AWS::EKS::Nodegroup": ("LaunchTemplate", "Id")},
    {"aws_eks_node_group": ("launch_template", "name"), "AWS::EKS::Nodegroup": ("LaunchTemplate", "Name")},
)
# How a machine becomes a node of a cluster: the script of the AL2 image, nodeadm of AL2023, Bottlerocket's settings.
_JOINS_A_CLUSTER: Final = ("/etc/eks/bootstrap.sh", "kind: NodeConfig", "nodeadm", "[settings.kubernetes]")


def _template_has_image(scene: Scene) -> Reading:
    """Whether the launch template of a node group names an image."""
    resource, context = scene.resource, scene.context
    found: dict[int, Resource] = {}
    missing: list[str] = []
    for name in ("id", "name"):
        attribute = _attribute(resource, f"launch_template.{name}", f"LaunchTemplate.{name.title()}")
        templates = named(resource, context, attribute, _TEMPLATES)
        found.update((id(template), template) for template in templates.found)
        missing.extend(templates.missing)
    if not found:
        return Reading(UNKNOWN, missing=tuple(dict.fromkeys(missing)) or ("its launch template is not in view",))
    template = next(iter(found.values()))
    attribute = _attribute(template, "image_id", "LaunchTemplateData.ImageId")
    value, path = _value(template, context, attribute)
    if value is ABSENT:
        return Reading(FALSE)
    if isinstance(value, Unknown) and not value.present:
        return Reading(UNKNOWN, missing=(f"{template.address}: {'.'.join(attribute)} is {value.text or 'not known'}",))
    return Reading(TRUE, decided_by=_at(template, f"{'.'.join(attribute)} is set", path))


def _node_group_uses_it(scene: Scene) -> Reading:
    """Whether a node group of EKS refers to the launch template."""
    missing: dict[str, None] = {}
    for links in _TEMPLATE_USERS:
        users = naming(scene.resource, scene.context, links, _TEMPLATES[scene.resource.type])
        if users.found:
            return Reading(TRUE, decided_by=users.found[0].address)
        missing.update(dict.fromkeys(users.missing))
    return Reading(UNKNOWN, missing=tuple(missing)) if missing else Reading(FALSE)


def _joins_a_cluster(scene: Scene) -> Reading:
    """Whether the user data of a launch template makes the machine a node, without a node group of EKS."""
    attribute = _attribute(scene.resource, "user_data", "LaunchTemplateData.UserData")
    value, path = _value(scene.resource, scene.context, attribute)
    if value is ABSENT:
        return Reading(FALSE)
    known = value.parts or () if isinstance(value, Unknown) else (_decoded(str(value)),)
    if not any(mark in part for part in known if part is not None for mark in _JOINS_A_CLUSTER):
        if isinstance(value, Unknown):
            return Reading(UNKNOWN, missing=(f"{'.'.join(attribute)} is {value.text or 'not known'}",))
        return Reading(FALSE)
    managed = _node_group_uses_it(scene)
    if managed.truth != FALSE:
        return Reading(FALSE if managed.truth == TRUE else UNKNOWN, missing=managed.missing)
    return Reading(TRUE, decided_by=_at(scene.resource, f"{'.'.join(attribute)} joins a cluster", path))


def _decoded(text: str) -> str:
    """User data as text; it may stand in base64."""
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return text


# ------------------------------------------------------------------ EMR on EKS

_OWN_NODES: Final = frozenset({"managed-nodes-custom-image", "managed-nodes-own-template"})


class _Nodes(NamedTuple):
    """The nodes of the EKS cluster of a virtual cluster."""

    own: tuple[str, ...] = ()
    of_aws_image: tuple[str, ...] = ()
    hostless: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


def _nodes(scene: Scene) -> _Nodes:
    resource, context = scene.resource, scene.context
    clusters = named(
        resource, context, _attribute(resource, "container_provider.id", "ContainerProvider.Id"), _EKS_CLUSTERS
    )
    own: list[str] = []
    of_aws_image: list[str] = []
    hostless: list[str] = []
    missing = list(clusters.missing)
    for cluster in clusters.found:
        if any(case.name == "auto-mode" for case in scene.judge(cluster, context).cases):
            hostless.append(cluster.address)
        identity = _EKS_CLUSTERS[cluster.type]
        groups = naming(cluster, context, _NODE_GROUPS, identity)
        missing.extend(groups.missing)
        hostless.extend(profile.address for profile in naming(cluster, context, _FARGATE_PROFILES, identity).found)
        for group in groups.found:
            judged = scene.judge(group, context)
            if not judged.sure:
                missing.extend(f"{group.address}: {words}" for words in judged.missing)
            else:
                kind = own if judged.cases[0].name in _OWN_NODES else of_aws_image
                kind.append(f"{group.address}: {judged.decided_by}")
    return _Nodes(tuple(own), tuple(of_aws_image), tuple(hostless), tuple(missing))


def _own_nodes(scene: Scene) -> Reading:
    nodes = _nodes(scene)
    if nodes.own:
        return Reading(TRUE, decided_by=nodes.own[0])
    if nodes.missing or not (nodes.of_aws_image or nodes.hostless):
        return Reading(UNKNOWN, missing=nodes.missing or ("no nodes of its EKS cluster are in view",))
    return Reading(FALSE)


def _nodes_of_aws_image(scene: Scene) -> Reading:
    nodes = _nodes(scene)
    if nodes.of_aws_image:
        return Reading(TRUE, decided_by=nodes.of_aws_image[0])
    if nodes.missing or not (nodes.own or nodes.hostless):
        return Reading(UNKNOWN, missing=nodes.missing or ("no nodes of its EKS cluster are in view",))
    return Reading(FALSE)


def _hostless_nodes(scene: Scene) -> Reading:
    nodes = _nodes(scene)
    if nodes.own or nodes.of_aws_image:
        return Reading(FALSE)
    if nodes.missing or not nodes.hostless:
        return Reading(UNKNOWN, missing=nodes.missing or ("no nodes of its EKS cluster are in view",))
    return Reading(TRUE, decided_by=nodes.hostless[0])


# ------------------------------------------------------------------ Lambda

_FUNCTIONS: Final = {"aws_lambda_function": ("function_name",)}
_RUNTIME_MANAGEMENT: Final[Mapping[str, Segments]] = {"aws_lambda_runtime_management_config": ("function_name",)}


def _runtime_updates(mode: str) -> Callable[[Scene], Reading]:
    """Whether a function's runtime is updated in a mode, which Terraform declares beside the function."""

    def read(scene: Scene) -> Reading:
        resource, context = scene.resource, scene.context
        managers = naming(resource, context, _RUNTIME_MANAGEMENT, _FUNCTIONS[resource.type])
        if not managers.found:
            if managers.missing:
                return Reading(UNKNOWN, missing=managers.missing)
            return Reading(TRUE if mode == "Auto" else FALSE)  # AWS's default
        manager = managers.found[0]
        value, path = _value(manager, context, ("update_runtime_on",))
        if isinstance(value, Unknown):
            return Reading(UNKNOWN, missing=(f"{manager.address}: update_runtime_on is {value.text or 'not known'}",))
        given = "Auto" if value is ABSENT else str(value)
        if given != mode:
            return Reading(FALSE)
        return Reading(TRUE, decided_by=_at(manager, f"update_runtime_on = {given}", path))

    return read


# ------------------------------------------------------------------ the others

_FLEETS: Final[Identities] = {"AWS::Deadline::Fleet": ("FleetId",)}
_BUNDLES: Final[Identities] = {"data.aws_workspaces_bundle": ("bundle_id",)}


def _fleet_is(case_name: str) -> Callable[[Scene], Reading]:
    def read(scene: Scene) -> Reading:
        fleets = named(scene.resource, scene.context, ("FleetId",), _FLEETS)
        if len(fleets.found) != 1:
            return Reading(UNKNOWN, missing=fleets.missing or ("its fleet is not in view",))
        fleet = fleets.found[0]
        judged = scene.judge(fleet, scene.context)
        if not judged.sure:
            return Reading(UNKNOWN, missing=tuple(f"{fleet.address}: {words}" for words in judged.missing))
        if judged.cases[0].name != case_name:
            return Reading(FALSE)
        return Reading(TRUE, decided_by=f"{fleet.address}: {judged.decided_by}")

    return read


def _bundle_of_aws(scene: Scene) -> Reading:
    """Whether a WorkSpace's bundle is one that AWS publishes.

    Terraform looks bundles of AWS up by the owner AMAZON and own ones without an owner; an id alone does not tell.
    """
    resource, context = scene.resource, scene.context
    attribute = _attribute(resource, "bundle_id", "BundleId")
    value, path = _value(resource, context, attribute)
    if value is ABSENT:
        return Reading(FALSE)
    for bundle in meant_by(resource, context, value, path, _BUNDLES):
        owner, at = _value(bundle, context, ("owner",))
        if isinstance(owner, Unknown):
            return Reading(UNKNOWN, missing=(f"{bundle.address}: owner is {owner.text or 'not known'}",))
        if str(owner).upper() == "AMAZON":
            return Reading(TRUE, decided_by=_at(bundle, f"owner = {owner}", at))
        if _value(bundle, context, ("bundle_id",))[0] is ABSENT:
            return Reading(FALSE)
    return Reading(UNKNOWN, missing=("the bundle's id does not show who made it",))


# ------------------------------------------------------------------ settings that a template completes

_CONFIGURATIONS: Final[Identities] = {
    "aws_elastic_beanstalk_configuration_template": ("name",),
    "AWS::ElasticBeanstalk::ConfigurationTemplate": ("TemplateName",),
}


def settings_template(scene: Scene) -> tuple[Resource | None, str]:
    """The template whose settings count where the resource has none of its own; else a sentence where one is named
    that is not in view.
    """
    attribute = _attribute(scene.resource, "template_name", "TemplateName")
    templates = named(scene.resource, scene.context, attribute, _CONFIGURATIONS)
    if templates.found:
        return templates.found[0], ""
    return None, templates.missing[0] if templates.missing else ""


CLAUSES: Final[Mapping[str, Callable[[Scene], Reading]]] = {
    "Fargate alone behind its capacity providers": _fargate_alone,
    "an Auto Scaling group behind its capacity providers": _instances_behind,
    "managed instances behind its capacity providers": _managed_behind,
    "no default strategy of its cluster": _no_strategy,
    "an EC2 service that runs it": _ec2_service_runs_it,
    "a Fargate service that runs it": _fargate_services_run_it,
    "an image in its launch template": _template_has_image,
    "an EKS node group that refers to it": _node_group_uses_it,
    "an EKS bootstrap call in it, and no EKS node group that refers to it": _joins_a_cluster,
    "nodes with an own image in its EKS cluster": _own_nodes,
    "nodes with an image of AWS in its EKS cluster": _nodes_of_aws_image,
    "Fargate or Auto Mode alone in its EKS cluster": _hostless_nodes,
    "no runtime management other than Auto": _runtime_updates("Auto"),
    "a runtime management on function update": _runtime_updates("FunctionUpdate"),
    "a manual runtime management": _runtime_updates("Manual"),
    "a customer-managed fleet": _fleet_is("customer-managed-fleet"),
    "a service-managed fleet": _fleet_is("service-managed-fleet"),
    "a bundle of AWS": _bundle_of_aws,
}
