"""What the catalogue costs: CPU time to load its tables and to annotate 100 findings, in a fresh interpreter.

Run: python benchmarks/annotation.py [--repeat 7]

The findings are 100 resources of 25 types, half of them decided by configuration: entry, model, sides, sentences and
duty for each, and the entry of a Checkov check beside it. The least of several runs counts, each in a process of its
own; the imports of the package (the policy language above all) are told apart, since a scan pays for them anyway.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys

LIMIT_MS = 20.0  # for loading and annotating

PROBE = """
import json, time
begin = time.process_time()
from srm_checks.catalogue import checks, models, types
from srm_checks.model import Domain, Resource, SourceRange, Stack, Unit, UnitKind
from srm_checks.policy.access import StackIndex
imported = time.process_time()
KINDS = [
    ("aws_ecs_service", {"launch_type": "FARGATE"}), ("aws_ecs_service", {}), ("aws_ecs_task_definition", {}),
    ("aws_lambda_function", {"runtime": "python3.13"}), ("aws_db_instance", {"engine": "postgres"}),
    ("aws_eks_cluster", {}), ("aws_eks_node_group", {"ami_type": "CUSTOM"}), ("aws_emr_cluster", {}),
    ("aws_elastic_beanstalk_environment", {}), ("aws_batch_compute_environment", {"type": "UNMANAGED"}),
    ("aws_codebuild_project", {"environment": [{"image": "aws/codebuild/standard:7.0"}]}), ("aws_kms_key", {}),
    ("aws_workspaces_workspace", {"bundle_id": "wsb-1"}), ("aws_s3_bucket", {}), ("aws_instance", {}),
    ("aws_iam_role", {}), ("aws_security_group", {}), ("aws_sqs_queue", {}), ("aws_dynamodb_table", {}),
    ("AWS::S3::Bucket", {}), ("AWS::ECS::Service", {"LaunchType": "EC2"}), ("AWS::RDS::DBInstance", {}),
    ("AWS::Lambda::Function", {}), ("AWS::EC2::Instance", {}), ("AWS::Logs::LogGroup", {}),
]
resources = [
    Resource(type=kind, address=f"r{n}", base=f"r{n}", attributes=attributes, block=SourceRange("main.tf", n, n))
    for n, (kind, attributes) in enumerate(KINDS * 4, start=1)
]
index = StackIndex(Stack(unit=Unit(UnitKind.TERRAFORM, "."), resources=resources))
ready = time.process_time()
for number, resource in enumerate(resources, start=1):
    entry = types.describe(resource.type)
    decision = models.decide(resource, index)
    types.sides(resource.type, decision)
    models.duty(Domain.OS_HOST, resource.type, decision)
    if decision.service_model:
        for domain in Domain:
            types.sentence(domain, decision.service_model)
    checks.describe(f"CKV_AWS_{number}")
done = time.process_time()
print(json.dumps([(imported - begin) * 1000, (done - ready) * 1000]))
"""


def measure() -> tuple[float, float]:
    """Milliseconds of one run: imports, and loading with annotating."""
    run = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True, check=True)
    imported, annotated = json.loads(run.stdout)
    return imported, annotated


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeat", type=int, default=7)
    runs = [measure() for _ in range(parser.parse_args().repeat)]
    annotated = min(run[1] for run in runs)
    print(f"imports {min(run[0] for run in runs):.1f} ms, loading and annotating 100 findings {annotated:.1f} ms")
    print(f"limit {LIMIT_MS:.0f} ms: {'kept' if annotated <= LIMIT_MS else 'MISSED'}")
    return 0 if annotated <= LIMIT_MS else 1


if __name__ == "__main__":
    sys.exit(main())
