"""Real reports: Checkov and cfn-lint run once over a small project, and each test reads what they wrote."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

BIN = Path(sys.executable).parent
RECORDED = Path(__file__).resolve().parent.parent / "data" / "foreign"

PROJECT = {
    "infra/main.tf": """\
variable "stage" {
  type = string
}

resource "aws_db_instance" "main" {
  engine              = "postgres"
  storage_encrypted   = false
  deletion_protection = var.stage == "prod"
}

resource "aws_s3_bucket" "logs" {
  #checkov:skip=CKV_AWS_18:it holds the logs
  bucket = "logs"
}

data "aws_iam_policy_document" "wide" {
  statement {
    actions   = ["*"]
    resources = ["*"]
  }
}

provider "aws" {
  region     = "eu-west-1"
  access_key = "AKIAIOSFODNN7EXAMPLE"
  secret_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
}

module "web" {
  source = "./web"
}
""",
    "infra/web/main.tf": """\
resource "aws_ecs_service" "web" {
  count       = 2
  name        = "web"
  launch_type = "FARGATE"
  network_configuration {
    assign_public_ip = true
    subnets          = []
  }
}
""",
    "infra/other/main.tf": """\
resource "aws_sns_topic" "t" {
}
""",
    "stack.yaml": """\
AWSTemplateFormatVersion: "2010-09-09"
Parameters:
  Password:
    Type: String
Resources:
  Db:
    Type: AWS::RDS::DBInstance
    Properties:
      Engine: postgres
      DBInstanceClass: db.t3.micro
      MasterUsername: admin
      MasterUserPassword: !Ref Password
      StorageEncrypted: false
  Fn:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: python3.7
      Handler: a.b
      Unknown: 1
      Role: arn:aws:iam::123456789012:role/x
      Code: {ZipFile: "x"}
""",
}


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def _checkov(folder: Path, *arguments: str) -> bytes:
    quiet = {"CKV_SKIP_PACKAGE_UPDATE_CHECK": "TRUE", "BC_SKIP_MAPPING": "TRUE"}
    done = subprocess.run(
        [str(BIN / "checkov"), "--skip-download", *arguments],
        cwd=folder,
        env={**os.environ, **quiet},
        capture_output=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr.decode()
    return done.stdout


@pytest.fixture(scope="session")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project with the reports of both engines beside it, in `reports`."""
    folder = write(tmp_path_factory.mktemp("real"), PROJECT)
    reports = folder / "reports"
    (folder / "empty").mkdir()
    reports.mkdir()
    everything = ("-d", ".", "-o", "json", "-o", "sarif", "--output-file-path", str(reports))
    _checkov(folder, *everything)
    (reports / "results_json.json").rename(reports / "several.json")
    (reports / "results_sarif.sarif").rename(reports / "checkov.sarif")
    (reports / "single-compact.json").write_bytes(
        _checkov(folder, "-d", "infra", "-o", "json", "--framework", "terraform", "--compact")
    )
    (reports / "quiet.json").write_bytes(
        _checkov(folder, "-d", ".", "-o", "json", "--framework", "terraform", "cloudformation", "--quiet")
    )
    (reports / "nothing.json").write_bytes(_checkov(folder, "-d", "empty", "-o", "json"))
    linted = subprocess.run(
        [str(BIN / "cfn-lint"), "-t", "stack.yaml", "-f", "json", "-c", "I"],
        cwd=folder,
        capture_output=True,
        check=False,
    )
    (reports / "cfn-lint.json").write_bytes(linted.stdout)
    shutil.copy(RECORDED / "cfn-lint.sarif", reports)
    return folder


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, str]], Path]:
    """Writes files into a fresh working directory."""

    def make(files: dict[str, str]) -> Path:
        monkeypatch.chdir(tmp_path)
        return write(tmp_path, files)

    return make
