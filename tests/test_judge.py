"""From verdicts to findings: the service model's say, words, identity."""

from __future__ import annotations

import datetime
import os
import subprocess
from pathlib import Path

import pytest

from srm_checks.identity import fingerprint, repository_path
from srm_checks.judge import judge_stack
from srm_checks.model import Choice, Outcome, Resource, Unknown
from srm_checks.model import Test as Condition
from tests.policy.making import HEAD, stack, thing

TODAY = datetime.date(2026, 11, 21)


def host_policy() -> object:
    from srm_checks.policy.load import Draft, build
    from srm_checks.policy.source import parse

    text = HEAD.replace("SRM-DAR-900", "SRM-HOS-900").replace("data-at-rest", "os-host") + (
        "resources: {terraform: aws_ecs_service, cloudformation: {not_expressible: not here}}\n"
        "require: {attribute: cluster, exists: yes}\n"
    )
    return build(Draft(parse("policy.yaml", text), "0" * 64))


def service(**attributes: object) -> Resource:
    return thing("web", type="aws_ecs_service", **attributes)


@pytest.mark.parametrize(
    ("launch_type", "outcome", "cause"),
    [
        ("EC2", "met", None),
        ("FARGATE", "not-applicable", None),
        (Unknown("var.launch_type"), "unknown", "undetermined-model"),
    ],
)
def test_a_duty_on_the_host_hangs_on_the_launch_type(launch_type: object, outcome: str, cause: str | None) -> None:
    judged = judge_stack(stack(service(cluster="main", launch_type=launch_type)), [host_policy()], today=TODAY)  # type: ignore[list-item]
    (finding,) = judged.findings
    assert (str(finding.outcome), str(finding.cause) if finding.cause else None) == (outcome, cause)
    assert finding.side == "customer"


def test_an_undetermined_model_is_never_given_to_aws() -> None:
    open_choice = Choice(Condition("|var.e", "x", "var.e"), "EC2", "FARGATE")
    judged = judge_stack(stack(service(cluster="main", launch_type=open_choice)), [host_policy()], today=TODAY)  # type: ignore[list-item]
    (finding,) = judged.findings
    assert finding.outcome is Outcome.UNKNOWN
    assert finding.service_model is None or finding.side != "aws"


def test_fingerprints_hold_from_any_folder_of_a_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / "envs" / "prod").mkdir(parents=True)
    marks = []
    for folder, root in ((".", "envs/prod"), ("envs", "prod"), ("envs/prod", ".")):
        monkeypatch.chdir(tmp_path / folder)
        assert repository_path(root) == "envs/prod"
        marks.append(fingerprint("SRM-DAR-005", "terraform", repository_path(root), "aws_db_instance.x"))
    assert len(set(marks)) == 1
    assert os.sep not in marks[0]
