"""The service model of resources whose configuration decides, in both frameworks."""

from __future__ import annotations

from typing import Any

import pytest

from srm_checks.catalogue import cases, tables
from srm_checks.catalogue.models import MAX_SCENARIOS, ModelDecision, decide
from srm_checks.catalogue.types import CONFIGURATION, describe, service_models, sides
from srm_checks.model import (
    ABSENT,
    Choice,
    Domain,
    Options,
    Ref,
    Repeated,
    Resource,
    Side,
    SourceRange,
    Stack,
    Test,
    Unit,
    UnitKind,
    Unknown,
)
from srm_checks.policy.access import StackIndex


def decided(type_name: str, **attributes: Any) -> ModelDecision:
    """The decision for one resource, whose attributes stand on lines 11, 12 ... of main.tf."""
    resource = Resource(
        type=type_name,
        address="it",
        base="it",
        attributes=attributes,
        block=SourceRange("main.tf", 10, 30),
        lines={(name,): SourceRange("main.tf", line, line) for line, name in enumerate(attributes, start=11)},
    )
    return decide(resource, StackIndex(Stack(unit=Unit(UnitKind.TERRAFORM, "."), resources=[resource])))


VAR = Unknown("var.x", subject="var.x")

# (type, attributes, service model, family, what decided); None where undetermined
DECIDED: list[tuple[str, dict[str, Any], str, str, str]] = [
    ("aws_s3_bucket", {}, "Abstracted", "PaaS", "aws_s3_bucket"),
    ("AWS::S3::Bucket", {}, "Abstracted", "PaaS", "AWS::S3::Bucket"),
    ("aws_security_group", {}, "Control", "IaaS", "aws_security_group"),
    # RDS
    ("aws_db_instance", {}, "PaaS", "PaaS", "aws_db_instance"),
    ("aws_db_instance", {"engine": "postgres"}, "PaaS", "PaaS", "engine = postgres, main.tf:11"),
    ("aws_db_instance", {"engine": "custom-oracle-ee"}, "IaaS", "IaaS", "engine = custom-oracle-ee, main.tf:11"),
    (
        "aws_db_instance",
        {"engine": "oracle-ee", "custom_iam_instance_profile": "p"},
        "IaaS",
        "IaaS",
        "custom_iam_instance_profile = p, main.tf:12",
    ),
    ("AWS::RDS::DBInstance", {"Engine": "mysql"}, "PaaS", "PaaS", "Engine = mysql, main.tf:11"),
    (
        "AWS::RDS::DBInstance",
        {"Engine": "custom-sqlserver-se"},
        "IaaS",
        "IaaS",
        "Engine = custom-sqlserver-se, main.tf:11",
    ),
    # Lambda
    ("aws_lambda_function", {"runtime": "python3.13"}, "FaaS", "PaaS", "aws_lambda_function"),
    ("aws_lambda_function", {"package_type": "Image"}, "FaaS", "PaaS", "package_type = Image, main.tf:11"),
    ("aws_lambda_function", {"runtime": VAR, "package_type": VAR}, "FaaS", "PaaS", "aws_lambda_function"),
    ("AWS::Lambda::Function", {}, "FaaS", "PaaS", "AWS::Lambda::Function"),
    ("AWS::Lambda::Function", {"PackageType": "Image"}, "FaaS", "PaaS", "PackageType = Image, main.tf:11"),
    ("aws_lambda_runtime_management_config", {}, "FaaS", "PaaS", "aws_lambda_runtime_management_config"),
    (
        "aws_lambda_runtime_management_config",
        {"update_runtime_on": "Manual"},
        "FaaS",
        "PaaS",
        "update_runtime_on = Manual, main.tf:11",
    ),
    # ECS
    ("aws_ecs_service", {}, "IaaS", "IaaS", "aws_ecs_service"),
    ("aws_ecs_service", {"launch_type": "EC2"}, "IaaS", "IaaS", "launch_type = EC2, main.tf:11"),
    ("aws_ecs_service", {"launch_type": "FARGATE"}, "CaaS", "PaaS", "launch_type = FARGATE, main.tf:11"),
    ("aws_ecs_service", {"launch_type": "EXTERNAL"}, "IaaS", "IaaS", "launch_type = EXTERNAL, main.tf:11"),
    (
        "aws_ecs_service",
        {"capacity_provider_strategy": [{"capacity_provider": "FARGATE"}, {"capacity_provider": "FARGATE_SPOT"}]},
        "CaaS",
        "PaaS",
        "capacity_provider_strategy.capacity_provider = FARGATE, main.tf:11",
    ),
    ("AWS::ECS::Service", {"LaunchType": "FARGATE"}, "CaaS", "PaaS", "LaunchType = FARGATE, main.tf:11"),
    ("AWS::ECS::Service", {"LaunchType": "EC2"}, "IaaS", "IaaS", "LaunchType = EC2, main.tf:11"),
    (
        "aws_ecs_task_definition",
        {"requires_compatibilities": ["FARGATE"]},
        "CaaS",
        "PaaS",
        "requires_compatibilities = FARGATE, main.tf:11",
    ),
    (
        "aws_ecs_task_definition",
        {"requires_compatibilities": ["EC2"]},
        "IaaS",
        "IaaS",
        "requires_compatibilities = EC2, main.tf:11",
    ),
    (
        "AWS::ECS::TaskDefinition",
        {"RequiresCompatibilities": ["EC2"]},
        "IaaS",
        "IaaS",
        "RequiresCompatibilities = EC2, main.tf:11",
    ),
    (
        "aws_ecs_capacity_provider",
        {"auto_scaling_group_provider": [{"auto_scaling_group_arn": "a"}]},
        "IaaS",
        "IaaS",
        "auto_scaling_group_provider is set, main.tf:11",
    ),
    (
        "AWS::ECS::CapacityProvider",
        {"ManagedInstancesProvider": {}},
        "CaaS",
        "PaaS",
        "ManagedInstancesProvider is set, main.tf:11",
    ),
    # EKS
    ("aws_eks_cluster", {}, "CaaS", "PaaS", "aws_eks_cluster"),
    ("aws_eks_cluster", {"compute_config": [{"enabled": VAR}]}, "CaaS", "PaaS", "aws_eks_cluster"),
    (
        "aws_eks_cluster",
        {"compute_config": [{"enabled": True}]},
        "CaaS",
        "PaaS",
        "compute_config.enabled = true, main.tf:11",
    ),
    ("aws_eks_cluster", {"remote_network_config": [{}]}, "IaaS", "IaaS", "remote_network_config is set, main.tf:11"),
    (
        "AWS::EKS::Cluster",
        {"ComputeConfig": {"Enabled": "true"}},
        "CaaS",
        "PaaS",
        "ComputeConfig.Enabled = true, main.tf:11",
    ),
    ("AWS::EKS::Cluster", {"OutpostConfig": {}}, "IaaS", "IaaS", "OutpostConfig is set, main.tf:11"),
    ("aws_eks_node_group", {}, "CaaS", "PaaS", "aws_eks_node_group"),
    ("aws_eks_node_group", {"ami_type": "CUSTOM"}, "IaaS", "IaaS", "ami_type = CUSTOM, main.tf:11"),
    (
        "aws_eks_node_group",
        {"ami_type": "AL2023_x86_64_STANDARD"},
        "CaaS",
        "PaaS",
        "ami_type = AL2023_x86_64_STANDARD, main.tf:11",
    ),
    ("AWS::EKS::Nodegroup", {"AmiType": "CUSTOM"}, "IaaS", "IaaS", "AmiType = CUSTOM, main.tf:11"),
    # the others
    (
        "aws_apprunner_service",
        {"source_configuration": [{"image_repository": [{}]}]},
        "CaaS",
        "PaaS",
        "source_configuration.image_repository is set, main.tf:11",
    ),
    (
        "AWS::AppRunner::Service",
        {"SourceConfiguration": {"CodeRepository": {}}},
        "FaaS",
        "PaaS",
        "SourceConfiguration.CodeRepository is set, main.tf:11",
    ),
    (
        "aws_batch_compute_environment",
        {"compute_resources": [{"type": "FARGATE_SPOT"}]},
        "CaaS",
        "PaaS",
        "compute_resources.type = FARGATE_SPOT, main.tf:11",
    ),
    (
        "aws_batch_compute_environment",
        {"compute_resources": [{"type": "SPOT"}]},
        "IaaS",
        "IaaS",
        "compute_resources.type = SPOT, main.tf:11",
    ),
    ("aws_batch_compute_environment", {"type": "UNMANAGED"}, "IaaS", "IaaS", "type = UNMANAGED, main.tf:11"),
    (
        "AWS::Batch::ComputeEnvironment",
        {"ComputeResources": {"Type": "FARGATE"}},
        "CaaS",
        "PaaS",
        "ComputeResources.Type = FARGATE, main.tf:11",
    ),
    (
        "aws_codebuild_project",
        {"environment": [{"image": "aws/codebuild/standard:7.0"}]},
        "CaaS",
        "PaaS",
        "environment.image = aws/codebuild/standard:7.0, main.tf:11",
    ),
    ("AWS::CodeBuild::Project", {"Environment": {"Image": VAR}}, "CaaS", "PaaS", "AWS::CodeBuild::Project"),
    (
        "AWS::Deadline::Fleet",
        {"Configuration": {"CustomerManaged": {}}},
        "IaaS",
        "IaaS",
        "Configuration.CustomerManaged is set, main.tf:11",
    ),
    ("aws_emr_cluster", {}, "PaaS", "PaaS", "aws_emr_cluster"),
    ("AWS::EMR::Cluster", {"CustomAmiId": "ami-1"}, "PaaS", "PaaS", "CustomAmiId = ami-1, main.tf:11"),
    ("aws_emrserverless_application", {}, "FaaS", "PaaS", "aws_emrserverless_application"),
    (
        "AWS::EMRServerless::Application",
        {"ImageConfiguration": {}},
        "FaaS",
        "PaaS",
        "ImageConfiguration is set, main.tf:11",
    ),
    ("aws_elastic_beanstalk_environment", {}, "PaaS", "PaaS", "aws_elastic_beanstalk_environment"),
    (
        "AWS::ElasticBeanstalk::Environment",
        {
            "OptionSettings": [
                {
                    "Namespace": "aws:elasticbeanstalk:managedactions",
                    "OptionName": "ManagedActionsEnabled",
                    "Value": "true",
                }
            ]
        },
        "PaaS",
        "PaaS",
        "ManagedActionsEnabled = true, main.tf:11",
    ),
    ("AWS::GameLift::Fleet", {}, "CaaS", "PaaS", "AWS::GameLift::Fleet"),
    ("AWS::GameLift::Fleet", {"ComputeType": "ANYWHERE"}, "IaaS", "IaaS", "ComputeType = ANYWHERE, main.tf:11"),
    (
        "AWS::SageMaker::Cluster",
        {"InstanceGroups": [{"AutoPatchConfig": {}}]},
        "CaaS",
        "PaaS",
        "InstanceGroups.AutoPatchConfig is set, main.tf:11",
    ),
    (
        "AWS::SageMaker::Cluster",
        {"InstanceGroups": [{"AutoPatchConfig": {}}, {}]},
        "CaaS",
        "PaaS",
        "AWS::SageMaker::Cluster",
    ),
    ("aws_sagemaker_model", {"primary_container": [{"image": "x/own"}]}, "CaaS", "PaaS", "aws_sagemaker_model"),
    ("AWS::SageMaker::Model", {"PrimaryContainer": {"Image": VAR}}, "CaaS", "PaaS", "AWS::SageMaker::Model"),
    ("aws_workspaces_workspace", {"bundle_id": "wsb-1"}, "SaaS", "SaaS", "aws_workspaces_workspace"),
    ("AWS::WorkSpaces::Workspace", {"BundleId": VAR}, "SaaS", "SaaS", "AWS::WorkSpaces::Workspace"),
    (
        "aws_ecs_task_definition",
        {"requires_compatibilities": [Choice(Test("c", True, "c"), "FARGATE", ABSENT), "FARGATE"]},
        "CaaS",
        "PaaS",
        "aws_ecs_task_definition",
    ),
    # branches that agree, and what is known of an open text
    (
        "aws_db_instance",
        {"engine": Choice(Test("c", True, "c"), "mysql", "postgres")},
        "PaaS",
        "PaaS",
        "aws_db_instance",
    ),
    ("aws_db_instance", {"engine": Options("P/E", "E", ("mysql", "mariadb"))}, "PaaS", "PaaS", "aws_db_instance"),
    (
        "aws_db_instance",
        {"engine": Unknown('"sqlserver-${var.edition}"', parts=("sqlserver-", None))},
        "PaaS",
        "PaaS",
        "aws_db_instance",
    ),
]

UNDETERMINED: list[tuple[str, dict[str, Any], str]] = [
    ("aws_db_instance", {"engine": Unknown("var.engine", subject="var.engine")}, "engine is var.engine"),
    ("AWS::RDS::DBInstance", {"Engine": Unknown("!Ref Engine")}, "Engine is !Ref Engine"),
    ("aws_ecs_service", {"launch_type": Unknown("var.launch_type")}, "launch_type is var.launch_type"),
    (
        "aws_ecs_service",
        {"launch_type": Choice(Test("var.env", "prod", "var.env"), "FARGATE", "EC2")},
        "CaaS when var.env is prod; IaaS when var.env is not prod",
    ),
    (
        "AWS::ECS::Service",
        {"LaunchType": Options("Parameters/Kind", "Kind", ("EC2", "FARGATE", "EXTERNAL"))},
        "IaaS when Kind is EC2 or when Kind is EXTERNAL; CaaS when Kind is FARGATE",
    ),
    ("aws_ecs_service", {"launch_type": "NEW_KIND"}, "no known case has"),
    (
        "aws_ecs_service",
        {
            "capacity_provider_strategy": [
                {"capacity_provider": Unknown("aws_ecs_capacity_provider.c.name", refs=(Ref("c"),))}
            ]
        },
        "capacity_provider_strategy.capacity_provider is aws_ecs_capacity_provider.c.name, which is not declared in view",
    ),
    (
        "AWS::ECS::Service",
        {"CapacityProviderStrategy": [{"CapacityProvider": "own"}]},
        "CapacityProviderStrategy.CapacityProvider is own, which is not declared in view",
    ),
    (
        "aws_ecs_task_definition",
        {},
        "no service that runs it is in view",
    ),
    (
        "AWS::ECS::TaskDefinition",
        {"RequiresCompatibilities": ["EC2", "FARGATE"]},
        "no service that runs it is in view",
    ),
    ("aws_ecs_task_definition", {"requires_compatibilities": [Repeated(VAR)]}, "requires_compatibilities is"),
    ("aws_ecs_capacity_provider", {}, "no known case has auto_scaling_group_provider not set"),
    ("AWS::ECS::CapacityProvider", {"AutoScalingGroupProvider": VAR, "ManagedInstancesProvider": VAR}, "is var.x"),
    (
        "aws_eks_node_group",
        {"launch_template": [{"id": VAR}]},
        "launch_template.id is var.x, which is not declared in view",
    ),
    (
        "AWS::EKS::Nodegroup",
        {"LaunchTemplate": {"Id": VAR}},
        "LaunchTemplate.Id is var.x, which is not declared in view",
    ),
    ("aws_eks_cluster", {"outpost_config": VAR}, "outpost_config is var.x"),
    ("aws_apprunner_service", {"source_configuration": VAR}, "source_configuration.image_repository is var.x"),
    ("aws_batch_compute_environment", {"compute_resources": [{"type": VAR}]}, "compute_resources.type is var.x"),
    ("AWS::Batch::ComputeEnvironment", {"Type": "MANAGED"}, "no known case has"),
    ("AWS::Deadline::Fleet", {"Configuration": VAR}, "Configuration.CustomerManaged is var.x"),
    ("AWS::Deadline::QueueFleetAssociation", {}, "its fleet is not in view"),
    ("AWS::GameLift::Fleet", {"ComputeType": VAR}, "ComputeType is var.x"),
    ("data.aws_db_instance", {}, "is configured elsewhere"),
    ("aws_no_such_thing", {}, "is not in the catalogue"),
    ("AWS::GammaDilithium::JobDefinition", {}, "the catalogue has no model"),
]


@pytest.mark.parametrize(
    ("type_name", "attributes", "model", "family", "by"), DECIDED, ids=lambda value: str(value)[:50]
)
def test_configuration_decides(type_name: str, attributes: dict[str, Any], model: str, family: str, by: str) -> None:
    found = decided(type_name, **attributes)
    assert (found.service_model, found.model_family, found.decided_by) == (model, family, by)


@pytest.mark.parametrize(("type_name", "attributes", "words"), UNDETERMINED, ids=lambda value: str(value)[:50])
def test_what_cannot_be_read_stays_undetermined(type_name: str, attributes: dict[str, Any], words: str) -> None:
    found = decided(type_name, **attributes)
    assert (found.service_model, found.model_family) == (None, None)
    assert words in found.decided_by


@pytest.mark.parametrize(("type_name", "attributes", "words"), UNDETERMINED, ids=lambda value: str(value)[:50])
def test_an_undetermined_host_is_never_called_the_one_of_aws(
    type_name: str, attributes: dict[str, Any], words: str
) -> None:
    found = decided(type_name, **attributes)
    if {case.sides[Domain.OS_HOST] for case in found.cases} != {Side.AWS}:  # App Runner: AWS's in each case
        assert sides(type_name, found).get(Domain.OS_HOST) is not Side.AWS


def test_the_sides_follow_the_case() -> None:
    on_ec2 = sides("aws_ecs_service", decided("aws_ecs_service", launch_type="EC2"))
    on_fargate = sides("aws_ecs_service", decided("aws_ecs_service", launch_type="FARGATE"))
    assert (on_ec2[Domain.OS_HOST], on_fargate[Domain.OS_HOST]) == (Side.CUSTOMER, Side.AWS)
    assert on_ec2[Domain.NETWORK] is Side.CUSTOMER


def test_a_decided_model_keeps_a_side_open_where_its_cases_differ() -> None:
    found = decided("aws_emr_cluster", custom_ami_id=VAR)
    assert found.service_model == "PaaS"
    assert Domain.OS_HOST not in sides("aws_emr_cluster", found)  # shared without an own image, the customer's with one


def test_without_a_decision_only_the_sides_common_to_all_cases_are_told() -> None:
    found = sides("aws_ecs_service")
    assert Domain.OS_HOST not in found
    assert found[Domain.IDENTITY] is Side.CUSTOMER


def test_a_branch_that_cannot_be_is_not_counted() -> None:
    cond = Test("var.env", "prod", "var.env")
    resource = Resource(
        type="aws_ecs_service",
        address="it",
        base="it",
        attributes={"launch_type": Choice(cond, "FARGATE", "EC2")},
        block=SourceRange("main.tf", 1, 2),
    )
    stack = Stack(unit=Unit(UnitKind.TERRAFORM, "."), resources=[resource])
    stack.feasible = lambda decided: not any(value == "prod" and not holds for _subject, value, holds in decided)
    assert decide(resource, StackIndex(stack)).service_model == "CaaS"


def test_too_many_open_conditions_leave_it_undetermined() -> None:
    providers = [
        {"capacity_provider": Choice(Test(f"c{n}", True, f"c{n}"), "FARGATE", "FARGATE_SPOT")} for n in range(10)
    ]
    found = decided("aws_ecs_service", capacity_provider_strategy=providers)
    assert found.service_model is None
    assert str(MAX_SCENARIOS) in found.decided_by


def test_null_counts_as_absent() -> None:
    assert decided("aws_db_instance", engine=ABSENT).decided_by == "aws_db_instance"


def test_every_configuration_type_has_cases_that_can_be_read() -> None:
    types = [
        row["resource_type"] for row in tables.load("resource_types").rows() if row["model_source"] == CONFIGURATION
    ]
    assert len(types) == 35
    assert {type_name for type_name in types if not cases.of_type(type_name)} == set()


@pytest.mark.parametrize("type_name", sorted(cases.types()))
def test_every_row_of_the_cases_is_in_the_language(type_name: str) -> None:
    assert describe(type_name) is not None
    for case in cases.of_type(type_name):
        assert case.condition.clauses
        assert case.service_model in service_models()
