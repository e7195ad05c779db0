"""What other resources tell of a resource's service model: branches, open names, modules that were not read."""

from __future__ import annotations

from typing import Any

from srm_checks.catalogue.models import Duty, ModelDecision, decide, depends, duty
from srm_checks.catalogue.types import sides
from srm_checks.model import (
    ABSENT,
    Choice,
    Cond,
    Domain,
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
    UnreadModule,
)
from srm_checks.policy.access import StackIndex

PROD = Test("var.prod", True, "var.prod")


def resource(
    type_: str,
    label: str,
    /,
    refs: list[tuple[tuple[str | int, ...], str]] | None = None,
    exists: Cond = True,
    **values: Any,
) -> Resource:
    base = label if "::" in type_ else f"{type_}.{label}"
    return Resource(
        type=type_,
        address=base,
        base=base,
        attributes=values,
        block=SourceRange("main.tf", 1, 9),
        exists=exists,
        references=[(path, Ref(target)) for path, target in refs or ()],
    )


def decided(first: Resource, *others: Resource, unread: bool = False) -> ModelDecision:
    module = UnreadModule("module.m", "registry/m", "main.tf", 1)
    stack = Stack(
        unit=Unit(UnitKind.TERRAFORM, "."), resources=[first, *others], unread_modules=[module] if unread else []
    )
    return decide(first, StackIndex(stack))


def cases(decision: ModelDecision) -> set[str]:
    return {case.name for case in decision.cases}


def of(address: str) -> Unknown:
    return Unknown(f"{address}.arn", refs=(Ref(address),), present=True)


OWN = resource("aws_ecs_capacity_provider", "own", name="own", auto_scaling_group_provider=[{}])


def strategy(*providers: Any) -> list[dict[str, Any]]:
    return [{"capacity_provider": provider} for provider in providers]


# ------------------------------------------------------------------ by name and by reference


def test_a_provider_is_found_by_reference_and_by_name() -> None:
    by_reference = resource(
        "aws_ecs_service", "s", capacity_provider_strategy=strategy(of("aws_ecs_capacity_provider.own"))
    )
    by_name = resource("aws_ecs_service", "s", capacity_provider_strategy=strategy("own"))
    for service in (by_reference, by_name):
        found = decided(service, OWN)
        assert found.service_model == "IaaS"
        assert found.decided_by == "aws_ecs_capacity_provider.own: auto_scaling_group_provider is set, main.tf:1"


def test_the_same_open_name_on_both_sides_is_one_name() -> None:
    name = Unknown("var.name", subject="var.name")
    provider = resource("aws_ecs_capacity_provider", "own", name=name, auto_scaling_group_provider=[{}])
    service = resource("aws_ecs_service", "s", capacity_provider_strategy=strategy(name))
    assert decided(service, provider).service_model == "IaaS"
    other = Unknown("var.other", subject="var.other")
    service = resource("aws_ecs_service", "s", capacity_provider_strategy=strategy(other))
    assert decided(service, provider).service_model is None


def test_a_reference_in_the_other_branch_does_not_count() -> None:
    path = ("capacity_provider_strategy", 0, "capacity_provider")
    service = resource(
        "aws_ecs_service",
        "s",
        refs=[(path, "aws_ecs_capacity_provider.own")],
        capacity_provider_strategy=strategy(Choice(PROD, "own", "elsewhere")),
    )
    found = decided(service, OWN)
    assert found.service_model is None
    assert found.decided_by == "IaaS when var.prod; undetermined when var.prod is false"


def test_a_provider_that_is_not_created_in_a_branch_is_not_there() -> None:
    provider = resource("aws_ecs_capacity_provider", "own", exists=PROD, name="own", auto_scaling_group_provider=[{}])
    service = resource("aws_ecs_service", "s", capacity_provider_strategy=strategy("own"))
    assert decided(service, provider).decided_by == "IaaS when var.prod; undetermined when var.prod is false"


def test_branches_in_which_the_resource_is_not_created_do_not_count() -> None:
    service = resource("aws_ecs_service", "s", exists=PROD, launch_type=Choice(PROD, "FARGATE", "EC2"))
    found = decided(service)
    assert (found.service_model, cases(found)) == ("CaaS", {"fargate-launch-type"})


def test_the_branches_of_both_resources_are_the_same_ones() -> None:
    provider = resource(
        "aws_ecs_capacity_provider",
        "own",
        name="own",
        auto_scaling_group_provider=Choice(PROD, [{}], ABSENT),
        managed_instances_provider=Choice(PROD, ABSENT, [{}]),
    )
    name = Choice(PROD, "own", "FARGATE")
    service = resource("aws_ecs_service", "s", capacity_provider_strategy=strategy(name))
    assert decided(service, provider).decided_by == "IaaS when var.prod; CaaS when var.prod is false"


# ------------------------------------------------------------------ what is open


def test_a_strategy_of_open_length_is_open() -> None:
    service = resource("aws_ecs_service", "s", capacity_provider_strategy=[Repeated({"capacity_provider": "FARGATE"})])
    found = decided(service)
    assert found.service_model is None  # none at all would be EC2
    assert cases(found) == {"ec2-by-default", "fargate-strategy"}


def test_an_external_deployment_controller_leaves_the_launch_type_to_task_sets() -> None:
    service = resource("aws_ecs_service", "s", deployment_controller=[{"type": "EXTERNAL"}])
    found = decided(service)
    assert found.service_model is None
    assert "its task sets have the launch type" in found.decided_by


def test_an_unread_module_may_give_the_cluster_a_default_strategy() -> None:
    cluster = resource("aws_ecs_cluster", "c", name="c")
    service = resource("aws_ecs_service", "s", cluster=of("aws_ecs_cluster.c"))
    assert decided(service, cluster).service_model == "IaaS"
    found = decided(service, cluster, unread=True)
    assert found.service_model is None
    assert "module.m could not be read" in found.decided_by


def test_a_task_that_some_services_run_on_fargate_and_one_openly() -> None:
    task = resource("aws_ecs_task_definition", "t", family="t")
    name = of("aws_ecs_task_definition.t")
    ref: list[tuple[tuple[str | int, ...], str]] = [(("task_definition",), "aws_ecs_task_definition.t")]
    fargate = resource("aws_ecs_service", "a", refs=ref, task_definition=name, launch_type="FARGATE")
    opened = resource("aws_ecs_service", "b", refs=ref, task_definition=name, launch_type=Unknown("var.type"))
    ec2 = resource("aws_ecs_service", "c", refs=ref, task_definition=name, launch_type="EC2")
    assert decided(task, fargate).service_model == "CaaS"
    found = decided(task, fargate, opened)
    assert found.service_model is None
    assert "aws_ecs_service.b: launch_type is var.type" in found.decided_by
    assert decided(task, fargate, opened, ec2).service_model == "IaaS"  # one EC2 service is enough


def test_a_service_that_may_run_the_task_leaves_it_open() -> None:
    task = resource("aws_ecs_task_definition", "t", family="t")
    service = resource("aws_ecs_service", "s", task_definition=Unknown("var.task"), launch_type="FARGATE")
    found = decided(task, service)
    assert found.service_model is None
    assert "aws_ecs_service.s may name aws_ecs_task_definition.t" in found.decided_by


def test_an_open_image_of_a_launch_template_leaves_the_node_group_open() -> None:
    template = resource("aws_launch_template", "t", image_id=Unknown("var.image"))
    group = resource("aws_eks_node_group", "g", launch_template=[{"id": of("aws_launch_template.t")}])
    found = decided(group, template)
    assert found.service_model is None
    assert found.decided_by == "aws_launch_template.t: image_id is var.image"


def test_an_open_runtime_management_keeps_the_model_and_opens_the_platform() -> None:
    function = resource("aws_lambda_function", "f", function_name="f", runtime="python3.13")
    management = resource(
        "aws_lambda_runtime_management_config", "f", function_name="f", update_runtime_on=Unknown("var.mode")
    )
    found = decided(function, management)
    assert found.service_model == "FaaS"
    assert Domain.PLATFORM not in sides("aws_lambda_function", found)  # the customer's alone, or shared


# ------------------------------------------------------------------ sides of types that decide the model alone


def test_a_case_moves_a_side_where_the_type_has_the_model() -> None:
    plain = decided(resource("aws_kms_key", "k"))
    stored = decided(resource("aws_kms_key", "k", custom_key_store_id="cks-1"))
    opened = decided(resource("aws_kms_key", "k", custom_key_store_id=Unknown("var.store")))
    assert {found.service_model for found in (plain, stored, opened)} == {"Control"}
    assert {found.decided_by for found in (plain, stored, opened)} == {"aws_kms_key"}
    assert sides("aws_kms_key", plain)[Domain.PHYSICAL] is Side.AWS
    assert sides("aws_kms_key", stored)[Domain.PHYSICAL] is Side.SHARED
    assert Domain.PHYSICAL not in sides("aws_kms_key", opened)


def test_what_no_case_fits_has_the_sides_of_the_type() -> None:
    outpost = decided(resource("aws_subnet", "s", outpost_arn="arn"))
    region = decided(resource("aws_subnet", "s"))
    assert sides("aws_subnet", outpost)[Domain.PHYSICAL] is Side.SHARED
    assert sides("aws_subnet", region)[Domain.PHYSICAL] is Side.AWS


# ------------------------------------------------------------------ duties


def host_duty(type_: str, **values: Any) -> Duty:
    one = resource(type_, "it", **values)
    return duty(Domain.OS_HOST, type_, decided(one))


def test_a_duty_stands_goes_or_is_open_by_the_configuration() -> None:
    assert host_duty("aws_ecs_service", launch_type="EC2") is Duty.STANDS
    assert host_duty("aws_ecs_service", launch_type="FARGATE") is Duty.GONE
    assert host_duty("aws_ecs_service", launch_type=Unknown("var.type")) is Duty.OPEN
    assert host_duty("aws_db_instance", engine="postgres") is Duty.GONE
    assert host_duty("aws_db_instance", engine=Unknown("var.engine")) is Duty.OPEN


def test_a_duty_that_no_case_touches_stands() -> None:
    opened = decided(resource("aws_db_instance", "it", engine=Unknown("var.engine")))
    assert duty(Domain.DATA_AT_REST, "aws_db_instance", opened) is Duty.STANDS
    assert host_duty("aws_s3_bucket") is Duty.STANDS  # AWS's in every case: the catalogue does not overrule a policy
    assert host_duty("aws_no_such_thing") is Duty.STANDS


def test_a_duty_of_an_undetermined_model_without_cases_is_open() -> None:
    elsewhere = ModelDecision(None, None, "data.aws_ecs_service.it is configured elsewhere")
    assert duty(Domain.OS_HOST, "aws_ecs_service", elsewhere) is Duty.OPEN


def test_which_domains_depend_on_the_configuration() -> None:
    assert {domain for domain in Domain if depends(domain, "aws_ecs_service")} == {Domain.PHYSICAL, Domain.OS_HOST}
    assert {domain for domain in Domain if depends(domain, "aws_lambda_function")} == set()
    assert not depends(Domain.OS_HOST, "aws_instance")
