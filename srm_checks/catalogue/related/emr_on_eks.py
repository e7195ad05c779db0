"""The nodes on which a virtual cluster of EMR runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from srm_checks.catalogue.neighbours import Identities, named, naming
from srm_checks.catalogue.related.reading import attribute_of
from srm_checks.catalogue.scene import Reading, Scene
from srm_checks.policy.access import Segments
from srm_checks.policy.truth import FALSE, TRUE, UNKNOWN

_EKS_CLUSTERS: Final[Identities] = {"aws_eks_cluster": ("name",), "AWS::EKS::Cluster": ("Name",)}
_NODE_GROUPS: Final[Mapping[str, Segments]] = {
    "aws_eks_node_group": ("cluster_name",),
    "AWS::EKS::Nodegroup": ("ClusterName",),
}
_FARGATE_PROFILES: Final[Mapping[str, Segments]] = {
    "aws_eks_fargate_profile": ("cluster_name",),
    "AWS::EKS::FargateProfile": ("ClusterName",),
}
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
        resource, context, attribute_of(resource, "container_provider.id", "ContainerProvider.Id"), _EKS_CLUSTERS
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


def own_nodes(scene: Scene) -> Reading:
    """Whether a node group with an image of the customer serves the virtual cluster."""
    nodes = _nodes(scene)
    if nodes.own:
        return Reading(TRUE, decided_by=nodes.own[0])
    if nodes.missing or not (nodes.of_aws_image or nodes.hostless):
        return Reading(UNKNOWN, missing=nodes.missing or ("no nodes of its EKS cluster are in view",))
    return Reading(FALSE)


def nodes_of_aws_image(scene: Scene) -> Reading:
    """Whether a node group with an image of AWS serves the virtual cluster."""
    nodes = _nodes(scene)
    if nodes.of_aws_image:
        return Reading(TRUE, decided_by=nodes.of_aws_image[0])
    if nodes.missing or not (nodes.own or nodes.hostless):
        return Reading(UNKNOWN, missing=nodes.missing or ("no nodes of its EKS cluster are in view",))
    return Reading(FALSE)


def hostless_nodes(scene: Scene) -> Reading:
    """Whether the virtual cluster has nodes, all of them of Fargate or Auto Mode."""
    nodes = _nodes(scene)
    if nodes.own or nodes.of_aws_image:
        return Reading(FALSE)
    if nodes.missing or not nodes.hostless:
        return Reading(UNKNOWN, missing=nodes.missing or ("no nodes of its EKS cluster are in view",))
    return Reading(TRUE, decided_by=nodes.hostless[0])
