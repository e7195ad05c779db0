"""No report shows the text of a secret that it tells of, in any format, from any kind of input."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from srm_checks.report import FORMATS

SECRET = "hunter2-Hunter2!"
TERRAFORM = f"""
resource "aws_db_instance" "x" {{
  engine   = "postgres"
  password = "{SECRET}"
}}

resource "aws_codebuild_project" "b" {{
  source {{
    type     = "GITHUB"
    location = "https://builder:{SECRET}@github.com/a/b"
  }}
}}

resource "aws_lambda_function" "f" {{
  runtime = "python3.13"
  environment {{
    variables = {{ DB_PASSWORD = "{SECRET}", OTHER = "y" }}
  }}
}}
"""
TEMPLATE = f"""
AWSTemplateFormatVersion: "2010-09-09"
Resources:
  Db:
    Type: AWS::RDS::DBInstance
    Properties: {{Engine: postgres, MasterUserPassword: {SECRET}}}
  Fn:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: python3.13
      Environment:
        Variables:
          DB_PASSWORD: {SECRET}
"""
PLAN = {
    "format_version": "1.2",
    "terraform_version": "1.11.4",
    "planned_values": {
        "root_module": {
            "resources": [
                {
                    "address": "aws_db_instance.x",
                    "mode": "managed",
                    "type": "aws_db_instance",
                    "name": "x",
                    "values": {"engine": "postgres", "password": SECRET},
                }
            ]
        }
    },
    "resource_changes": [
        {"address": "aws_db_instance.x", "change": {"actions": ["create"], "after_unknown": {"id": True}}}
    ],
    "configuration": {"root_module": {"resources": []}},
}


@pytest.mark.parametrize("name", FORMATS)
def test_no_format_shows_a_secret(name: str, tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text(TERRAFORM)
    (tmp_path / "template.yaml").write_text(TEMPLATE)
    (tmp_path / "plan.json").write_text(json.dumps(PLAN))
    result = subprocess.run(
        [sys.executable, "-m", "srm_checks", "scan", ".", "--select", "SRM-IAM-04*", "-f", name],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert result.returncode == 1, result.stderr
    assert "SRM-IAM-045" in result.stdout
    assert SECRET not in result.stdout + result.stderr
