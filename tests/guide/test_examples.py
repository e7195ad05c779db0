"""Examples are the smallest pieces of fixtures that stand alone."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path

import pytest

from srm_checks.guide.examples import Pair, causes, examples
from srm_checks.model import Cause
from srm_checks.policy.document import Policy
from srm_checks.policy.packs import load_packs

LIBRARY = load_packs(["aws-all"]).by_id()


Cut = Callable[..., dict[str, Pair]]


@pytest.fixture
def cut(tmp_path: Path) -> Cut:
    """Cuts examples of a policy out of the texts of files."""

    def call(policy: Policy, **files: str) -> dict[str, Pair]:
        folder, scratch = tmp_path / "fixtures", tmp_path / "scratch"
        scratch.mkdir()
        for name, text in files.items():
            path = folder / name.replace("_in_", "/").replace("_tf", ".tf").replace("_yaml", ".yaml")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return examples(policy, folder, str(scratch))

    return call


ENCRYPTED = LIBRARY["SRM-DAR-005"]


class TestTerraform:
    def test_the_smallest_of_each_without_what_is_expected(self, cut: Cut) -> None:
        pair = cut(
            ENCRYPTED,
            main_tf="""
# A long one.
resource "aws_db_instance" "long" {
  # expect: gap
  engine            = "postgres"
  engine_version    = "16"
  instance_class    = "db.t4g.small"
  username          = "shop"
  port              = 5432
  storage_encrypted = false
}

# expect: gap
resource "aws_db_instance" "short" {
  # Kept for its data.
  engine = "postgres"
}

resource "aws_db_instance" "on" {
  # expect: met
  engine            = "postgres"
  storage_encrypted = true
}
""",
        )["terraform"]
        assert pair.avoid
        assert pair.prefer
        assert pair.avoid.text == (
            'resource "aws_db_instance" "short" {\n  # Kept for its data.\n  engine = "postgres"\n}\n'
        )
        assert [(each.path, each.value) for each in pair.avoid.evidence] == [("storage_encrypted", None)]
        assert pair.prefer.text.startswith('resource "aws_db_instance" "on" {\n  engine ')
        assert pair.avoid.day is None

    @pytest.mark.parametrize(
        "block",
        [
            '# expect: gap when var.stage is dev\n  storage_encrypted = var.stage == "prod"',
            '# expect ["a"]: gap\n  for_each = {a = 1}',
            "# expect: unknown (unresolved-value)\n  storage_encrypted = var.on",
            "# expect: gap\n  storage_encrypted = module.settings.encrypted",
        ],
        ids=["a branch", "an instance", "unknown", "a module"],
    )
    def test_what_is_no_plain_gap_is_no_example(self, cut: Cut, block: str) -> None:
        text = f'module "settings" {{\n  source = "./m"\n}}\n\nresource "aws_db_instance" "x" {{\n  {block}\n}}\n'
        assert cut(ENCRYPTED, main_tf=text)["terraform"] == Pair(None, None)

    def test_a_block_that_is_something_else_alone_is_no_example(self, cut: Cut) -> None:
        wrong = 'resource "aws_db_instance" "x" {\n  # expect: gap\n  storage_encrypted = true\n}\n'
        assert cut(ENCRYPTED, main_tf=wrong)["terraform"].avoid is None

    def test_what_a_block_needs_comes_along(self, cut: Cut) -> None:
        pair = cut(
            LIBRARY["SRM-APP-007"],
            main_tf="""
resource "aws_lb" "bare" {
  # expect: gap
  name = "bare"
}

resource "aws_lb" "guarded" {
  # expect: met
  name = "guarded"
}

resource "aws_wafv2_web_acl" "main" {
  name = "main"
}

resource "aws_wafv2_web_acl_association" "guarded" {
  resource_arn = aws_lb.guarded.arn
  web_acl_arn  = aws_wafv2_web_acl.main.arn
}
""",
        )["terraform"]
        assert pair.avoid
        assert pair.prefer
        assert pair.avoid.text.count("resource ") == 1
        assert [line.split()[1] for line in pair.prefer.text.splitlines() if line.startswith("resource ")] == [
            '"aws_lb"',
            '"aws_wafv2_web_acl"',
            '"aws_wafv2_web_acl_association"',
        ]

    def test_what_hangs_on_the_day_says_so(self, cut: Cut) -> None:
        pair = cut(
            LIBRARY["SRM-PLT-001"],
            main_tf='# today: 2026-01-01\nresource "aws_lambda_function" "f" {\n  # expect: gap\n  runtime = "python3.8"\n}\n',
        )["terraform"]
        assert pair.avoid is not None
        assert pair.avoid.day == datetime.date(2026, 1, 1)


class TestCloudFormation:
    def test_one_entry_with_its_head(self, cut: Cut) -> None:
        pair = cut(
            ENCRYPTED,
            template_yaml="""\
AWSTemplateFormatVersion: "2010-09-09"
Parameters:
  Encrypted: {Type: String}
Resources:
  # expect: gap
  "Disabled":
    Type: AWS::RDS::DBInstance
    Properties: {StorageEncrypted: false}

  # expect: met
  Enabled:
    Type: AWS::RDS::DBInstance
    Properties: {StorageEncrypted: true}
  # On the way.
  Open:
    # expect: unknown (unresolved-value)
    Type: AWS::RDS::DBInstance
    Properties: {StorageEncrypted: !Ref Encrypted}
Outputs:
  Id: {Value: !Ref Enabled}
""",
        )["cloudformation"]
        assert pair.avoid
        assert pair.prefer
        assert pair.avoid.text == (
            'Resources:\n  "Disabled":\n    Type: AWS::RDS::DBInstance\n    Properties: {StorageEncrypted: false}\n'
        )
        assert pair.prefer.text.endswith("    Properties: {StorageEncrypted: true}\n")

    def test_what_rests_on_a_parameter_is_no_example(self, cut: Cut) -> None:
        template = (
            "Parameters:\n  Engine: {Type: String}\nResources:\n  Off:\n    # expect: gap\n"
            "    Type: AWS::RDS::DBInstance\n    Properties: {Port: !Ref Engine, StorageEncrypted: false}\n"
        )
        assert cut(ENCRYPTED, template_yaml=template)["cloudformation"].avoid is None


def test_a_duty_of_the_whole_shows_a_whole_root(cut: Cut) -> None:
    trail = 'resource "aws_cloudtrail" "all" {\n%s  name                  = "all"\n  is_multi_region_trail = true\n}\n'
    bucket = 'resource "aws_s3_bucket" "b" {\n}\n'
    pair = cut(
        LIBRARY["SRM-MON-001"],
        none_in_main_tf=f"# expect-absent: unknown (other-stack)\n# expect-absent account: gap\n{bucket}",
        declared_in_main_tf=trail % "  # expect: met\n",
    )["terraform"]
    assert pair.avoid
    assert pair.prefer
    assert pair.avoid.text == bucket
    assert pair.prefer.text == trail % ""


def test_the_causes_that_occur(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text("# expect: unknown (other-stack)\n# expect: gap\n", encoding="utf-8")
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "template.yaml").write_text("# expect: unknown (unresolved-value)\n", encoding="utf-8")
    assert causes(tmp_path) == [Cause.UNRESOLVED_VALUE, Cause.OTHER_STACK]
