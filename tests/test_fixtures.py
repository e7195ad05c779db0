"""Fixtures: the parameters that hold for a unit."""

from __future__ import annotations

from pathlib import Path

import pytest

from srm_checks import fixtures
from srm_checks.policy.load import build, read_policy
from tests.policy.making import HEAD

POLICY = f"""{HEAD}resources:
  terraform: aws_thing
  cloudformation: "AWS::Acme::Thing"
parameters:
  limit: {{type: integer, default: 1, description: The least size.}}
require: {{attribute: size / Size, greater_than_or_equal: {{parameter: limit}}, absent: gap}}
"""
ROOT = """
resource "aws_thing" "small" {{
  # expect: {small}
  size = 2
}}
resource "aws_thing" "large" {{
  # expect: {large}
  size = 8
}}
"""
TEMPLATE = """
Resources:
  Small:
    # expect: {small}
    Type: AWS::Acme::Thing
    Properties: {{Size: 2}}
  Large:
    # expect: {large}
    Type: AWS::Acme::Thing
    Properties: {{Size: 8}}
"""


def test_a_folder_below_has_parameters_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("policy.yaml").write_text(POLICY)
    policy = build(read_policy("policy.yaml"))
    for name, limit, expected in (
        ("top", 5, {"small": "gap", "large": "met"}),
        ("top/none", None, {"small": "gap", "large": "met"}),
        ("top/own", 9, {"small": "gap", "large": "gap"}),
        ("top/own/deeper", 2, {"small": "met", "large": "met"}),
    ):
        folder = Path(name)
        folder.mkdir(parents=True)
        (folder / "main.tf").write_text(ROOT.format(**expected))
        (folder / "template.yaml").write_text(TEMPLATE.format(**expected))
        if limit is not None:
            (folder / "parameters.yaml").write_text(f"limit: {limit}\n")
    Path("parameters.yaml").write_text("limit: 100\n")  # above the fixture folder: it does not count
    report = fixtures.test_policy(policy, Path("top"))
    assert report.problems == ()
    assert report.compared == 16
