"""What runs an ECS task definition."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from srm_checks.catalogue.neighbours import naming
from srm_checks.catalogue.scene import Reading, Scene
from srm_checks.policy.access import Segments
from srm_checks.policy.truth import FALSE, TRUE, UNKNOWN

_TASKS: Final = {"aws_ecs_task_definition": ("family",), "AWS::ECS::TaskDefinition": ("Family",)}
_SERVICES: Final[Mapping[str, Segments]] = {
    "aws_ecs_service": ("task_definition",),
    "AWS::ECS::Service": ("TaskDefinition",),
}
# The cases of a service by what they mean for its tasks. Managed instances are hosts of AWS, as Fargate's are.
_ON_EC2: Final = frozenset({"ec2-launch-type", "ec2-by-default", "own-provider-ec2"})
_HOSTLESS: Final = frozenset({"fargate-launch-type", "fargate-strategy", "own-provider-managed"})
_ANYWHERE: Final = frozenset({"anywhere"})


class _Runners(NamedTuple):
    """The services that run a task: those of a kind, in words; how many are of another; what is open."""

    of_the_kind: tuple[str, ...]
    others: int
    missing: tuple[str, ...]


def _runners(scene: Scene, kind: frozenset[str]) -> _Runners:
    services = naming(scene.resource, scene.context, _SERVICES, _TASKS[scene.resource.type])
    missing = list(services.missing)
    of_the_kind: list[str] = []
    others = 0
    for service in services.found:
        judged = scene.judge(service, scene.context)
        fits = {case.name in kind for case in judged.cases}
        if fits == {True}:
            of_the_kind.append(": ".join(filter(None, (service.address, judged.decided_by))))
        elif fits == {False}:
            others += 1
        else:
            missing.extend(f"{service.address}: {words}" for words in judged.missing)
    if not (of_the_kind or others or missing):
        missing.append("no service that runs it is in view")
    return _Runners(tuple(of_the_kind), others, tuple(missing))


def _one_of(scene: Scene, kind: frozenset[str]) -> Reading:
    """Whether at least one service of the kind runs the task."""
    runners = _runners(scene, kind)
    if runners.of_the_kind:
        return Reading(TRUE, decided_by=runners.of_the_kind[0])
    return Reading(UNKNOWN, missing=runners.missing) if runners.missing else Reading(FALSE)


def ec2_service_runs_it(scene: Scene) -> Reading:
    """Whether a service on the customer's instances runs the task; one is enough to have hosts."""
    return _one_of(scene, _ON_EC2)


def external_service_runs_it(scene: Scene) -> Reading:
    """Whether a service on machines outside AWS runs the task; one is enough."""
    return _one_of(scene, _ANYWHERE)


def hostless_services_run_it(scene: Scene) -> Reading:
    """Whether services run the task, all of them on hosts of AWS."""
    runners = _runners(scene, _HOSTLESS)
    if runners.others:
        return Reading(FALSE)
    if runners.missing:
        return Reading(UNKNOWN, missing=runners.missing)
    return Reading(TRUE, decided_by=runners.of_the_kind[0])
