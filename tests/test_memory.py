"""What a judged unit leaves behind: nothing that waits for the garbage collector, and so no template is kept long."""

from __future__ import annotations

import datetime
import gc
from pathlib import Path

import pytest

from srm_checks.model import EngineOptions, Unit, UnitKind
from srm_checks.policy.packs import load_packs
from srm_checks.unit_report import Task
from srm_checks.units import judge_unit

OPEN = """\
Parameters:
  Env: {Type: String, AllowedValues: [dev, test, prod]}
  Key: {Type: String, Default: ""}
  Encrypt: {Type: String}
Rules:
  Prod: {Assertions: [{Assert: !Not [!Equals [!Ref Env, test]]}]}
Conditions:
  IsProd: !Equals [!Ref Env, prod]
  HasKey: !Not [!Equals [!Ref Key, ""]]
  Encrypts: !And [!Condition HasKey, !Equals [!Ref Encrypt, "true"]]
Resources:
"""
SOME = """\
  Bucket{n}:
    Type: AWS::S3::Bucket
    Properties:
      BucketName: !Sub "${{Env}}-{n}"
      PublicAccessBlockConfiguration:
        BlockPublicAcls: !If [IsProd, true, false]
        BlockPublicPolicy: !If [HasKey, true, !Ref "AWS::NoValue"]
  Policy{n}:
    Type: AWS::S3::BucketPolicy
    Condition: IsProd
    Properties:
      Bucket: !If [IsProd, !Ref Bucket{n}, !Ref Key]
      PolicyDocument: {{Statement: [{{Effect: !If [IsProd, Deny, Allow], Action: "s3:*", Principal: "*"}}]}}
  Db{n}:
    Type: AWS::RDS::DBInstance
    Properties:
      StorageEncrypted: !If [Encrypts, true, !If [IsProd, true, false]]
      BackupRetentionPeriod: !FindInMap [Days, !Ref Env, backup]
  Group{n}:
    Type: AWS::EC2::SecurityGroup
    Properties:
      SecurityGroupIngress:
        - {{IpProtocol: tcp, FromPort: 22, ToPort: 22, CidrIp: !If [IsProd, 10.0.0.0/8, 0.0.0.0/0]}}
        - !If [HasKey, {{IpProtocol: tcp, FromPort: 3389, ToPort: 3389, CidrIp: 0.0.0.0/0}}, !Ref "AWS::NoValue"]
"""


@pytest.mark.parametrize("conditions", [True, False])
def test_a_template_is_let_go_once_it_is_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, conditions: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    text = OPEN + "".join(SOME.format(n=number) for number in range(10))
    Path("t.yaml").write_text(text if conditions else text.replace("!If", "!Select"))
    policies = load_packs(["aws-all"]).policies
    task = Task(EngineOptions(), datetime.date(2026, 11, 22))

    def judge() -> int:
        return len(judge_unit(Unit(UnitKind.CLOUDFORMATION, "t.yaml"), policies, task).findings)

    assert judge() > 50  # once before: what is imported and remembered for good is not meant
    gc.collect()
    gc.disable()
    try:
        judge()
        left = gc.collect()
    finally:
        gc.enable()
    assert left < 20
