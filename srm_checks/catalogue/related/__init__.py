"""Clauses of model_conditions.tsv that other resources answer: `related: <words>`.

Each clause is a function of the scene; `CLAUSES` gives it the words under which the data names it. What cannot be
followed to a declared resource leaves the clause open and is said in `missing`; it never counts as an absence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from srm_checks.catalogue.related.bundles import bundle_of_aws
from srm_checks.catalogue.related.ecs_providers import fargate_alone, instances_behind, managed_behind, no_strategy
from srm_checks.catalogue.related.ecs_tasks import (
    ec2_service_runs_it,
    external_service_runs_it,
    hostless_services_run_it,
)
from srm_checks.catalogue.related.eks import joins_a_cluster, node_group_uses_it, template_has_image
from srm_checks.catalogue.related.emr_on_eks import hostless_nodes, nodes_of_aws_image, own_nodes
from srm_checks.catalogue.related.fleets import fleet_is
from srm_checks.catalogue.related.runtimes import runtime_updates
from srm_checks.catalogue.scene import Reading, Scene

CLAUSES: Final[Mapping[str, Callable[[Scene], Reading]]] = {
    "Fargate alone behind its capacity providers": fargate_alone,
    "an Auto Scaling group behind its capacity providers": instances_behind,
    "managed instances behind its capacity providers": managed_behind,
    "no default strategy of its cluster": no_strategy,
    "an EC2 service that runs it": ec2_service_runs_it,
    "a service outside AWS that runs it": external_service_runs_it,
    "services without hosts that run it": hostless_services_run_it,
    "an image in its launch template": template_has_image,
    "an EKS node group that refers to it": node_group_uses_it,
    "an EKS bootstrap call in it, and no EKS node group that refers to it": joins_a_cluster,
    "nodes with an own image in its EKS cluster": own_nodes,
    "nodes with an image of AWS in its EKS cluster": nodes_of_aws_image,
    "Fargate or Auto Mode alone in its EKS cluster": hostless_nodes,
    "no runtime management other than Auto": runtime_updates("Auto"),
    "a runtime management on function update": runtime_updates("FunctionUpdate"),
    "a manual runtime management": runtime_updates("Manual"),
    "a customer-managed fleet": fleet_is("customer-managed-fleet"),
    "a service-managed fleet": fleet_is("service-managed-fleet"),
    "a bundle of AWS": bundle_of_aws,
}
