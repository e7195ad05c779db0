"""`explain`: a policy, a check of Checkov or cfn-lint, a resource type, and what to do with any other word."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from srm_checks.cli import run
from srm_checks.config import ENVIRONMENT_VARIABLE


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(ENVIRONMENT_VARIABLE, raising=False)


@pytest.fixture
def explain(capsys: pytest.CaptureFixture[str]) -> Any:
    """Explains a word; gives exit code, standard output and standard error."""

    def call(target: str, *arguments: str) -> tuple[int, str, str]:
        code = run(["explain", target, *arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


def section(text: str, title: str) -> str:
    """The part of an explanation below a line that begins with the title, up to the next such line."""
    return re.split(r"\n(?=\S)", text[text.index(f"\n{title}") + 1 :])[0]


def cell(text: str, label: str) -> str:
    """What stands beside a label, with its wrapped lines put together."""
    match = re.search(rf"^  {re.escape(label):24}(.*(?:\n {{26}}.*)*)", text, re.MULTILINE)
    assert match, label
    return " ".join(match.group(1).split())


class TestPolicy:
    @pytest.mark.parametrize("target", ["SRM-DAR-005", "rds-instance-unencrypted", "E906005"])
    def test_by_any_of_its_names(self, explain: Any, target: str) -> None:
        code, out, _ = explain(target)
        assert code == 0
        assert out.startswith("SRM-DAR-005  RDS instance storage is not encrypted\n")
        for label in ("severity", "side", "domain", "AWS does", "you do", "fix (terraform)", "fsbp", "E906005"):
            assert label in out

    def test_equivalents_by_tool(self, explain: Any) -> None:
        _, out, _ = explain("SRM-DAR-005")
        assert cell(out, "Checkov") == "CKV_AWS_16"
        assert cell(out, "cfn-lint") == "E3720"
        assert cell(out, "CloudFormation Guard") == "rds_storage_encrypted"
        assert cell(out, "AWS Config") == "rds-storage-encrypted"

    def test_packs_that_hold_it(self, explain: Any) -> None:
        _, out, _ = explain("SRM-DAR-005")
        assert cell(out, "pack") == "aws-baseline"
        assert cell(out, "in packs").startswith("aws-baseline, aws-strict, aws-all, cis-aws, fsbp")

    def test_sides_by_service_model_where_they_differ(self, explain: Any) -> None:
        _, out, _ = explain("SRM-DAR-005")
        assert cell(out, "as IaaS").startswith("customer (aws_db_instance (custom-engine")
        assert cell(out, "as PaaS").startswith("shared (aws_db_instance (standard-engine)")
        assert "\n  as " not in explain("SRM-DAR-009")[1]

    def test_parameters_with_meaning_and_default(self, explain: Any) -> None:
        meaning = "The days for which automated backups must be kept."
        assert cell(explain("SRM-BCK-001")[1], "parameter minimum_days") == f"7: {meaning}"
        Path("srm-checks.yaml").write_text("policy_parameters: {SRM-BCK-001: {minimum_days: 30}}\n", encoding="utf-8")
        assert cell(explain("SRM-BCK-001")[1], "parameter minimum_days") == f"30 (default 7): {meaning}"

    def test_why_a_language_cannot_say_it(self, explain: Any) -> None:
        _, out, _ = explain("SRM-GOV-003")
        assert cell(out, "not in CloudFormation").startswith("CloudFormation has no resource type")


class TestCheck:
    def test_of_checkov(self, explain: Any) -> None:
        code, out, _ = explain("CKV_AWS_16")
        assert code == 0
        assert out.startswith("CKV_AWS_16  Ensure all data stored in the RDS is securely encrypted at rest\n")
        assert (cell(out, "engine"), cell(out, "side"), cell(out, "domain")) == ("Checkov", "customer", "data-at-rest")
        assert cell(out, "judges") == "AWS::RDS::DBInstance, aws_db_instance"
        assert cell(out, "AWS does")
        assert cell(out, "you do")
        assert "SRM-DAR-005" in section(out, "Policies that ask for the same")

    def test_of_checkov_over_several_resources(self, explain: Any) -> None:
        code, out, _ = explain("CKV2_AWS_5")
        assert code == 0
        assert cell(out, "policies") == "none asks for the same"

    def test_of_cfn_lint(self, explain: Any) -> None:
        code, out, _ = explain("E2531")
        assert code == 0
        assert (cell(out, "engine"), cell(out, "side"), cell(out, "domain")) == ("cfn-lint", "shared", "platform")
        assert "SRM-PLT-001" in section(out, "Policies that ask for the same")

    def test_policies_that_are_not_active_are_named(self, explain: Any) -> None:
        Path("org").mkdir()
        Path("org/pack.yaml").write_text("name: org\nversion: 1.0.0\nid_prefix: ACME\n", encoding="utf-8")
        code, out, _ = explain("CKV_AWS_16", "--pack", "./org")
        assert code == 0
        assert cell(out, "not in active packs") == "SRM-DAR-005"


class TestType:
    @pytest.mark.parametrize("target", ["aws_db_instance", "AWS::RDS::DBInstance"])
    def test_in_both_frameworks(self, explain: Any, target: str) -> None:
        code, out, _ = explain(target)
        assert code == 0
        assert out.startswith(f"{target}\n")
        assert cell(out, "service") == "Amazon RDS and Aurora"
        assert "PaaS" in cell(out, "service model")
        assert "SRM-DAR-005" in section(out, "Policies that judge it")

    def test_every_domain_has_side_parts_and_policies(self, explain: Any) -> None:
        _, out, _ = explain("aws_s3_bucket")
        table = section(out, "Who answers")
        assert cell(table, "physical") == "aws"
        assert cell(table, "application") == "does not apply"
        assert re.match(r"shared; watched by (SRM-DIT-\d{3}(, )?)+$", cell(table, "data-in-transit"))
        assert table.count("\n    AWS  ") == table.count("\n    you  ") == 11

    def test_domains_that_nothing_watches_are_named(self, explain: Any) -> None:
        _, out, _ = explain("aws_budgets_budget")
        assert "none of the active packs" in cell(out, "policies")
        unwatched = cell(section(out, "Who answers"), "nothing watches").split(", ")
        assert "identity" in unwatched
        assert "physical" not in unwatched, "AWS answers for it alone"

    def test_what_decides_the_model(self, explain: Any) -> None:
        _, out, _ = explain("aws_ecs_service")
        assert cell(out, "service model") == "IaaS or CaaS: its configuration decides"
        decides = section(out, "What decides")
        assert re.search(r"CaaS +fargate-launch-type +launch_type == FARGATE", decides)
        assert re.search(r"IaaS +ec2-launch-type +launch_type == EC2", decides)

    def test_each_way_of_sharing_has_its_table(self, explain: Any) -> None:
        _, out, _ = explain("aws_ecs_service")
        titles = [line for line in out.splitlines() if line.startswith("Who answers as ")]
        hosts = section(out, next(title for title in titles if "ec2-launch-type" in title))
        fargate = section(out, next(title for title in titles if "fargate-launch-type" in title))
        assert cell(hosts, "os-host") == "customer"
        assert cell(fargate, "os-host") == "aws"

    def test_a_further_table_tells_what_differs_from_the_first(self, explain: Any) -> None:
        _, out, _ = explain("aws_ecs_service")
        first, *others = [section(out, line) for line in out.splitlines() if line.startswith("Who answers as ")]
        assert first.count("\n  identity  ") == 1
        for table in others:
            assert "\n  identity  " not in table
            assert cell(table, "all else") == "as in the first table"

    def test_a_data_source(self, explain: Any) -> None:
        code, out, _ = explain("data.aws_lb")
        assert code == 0
        assert out.startswith("data.aws_lb\n")


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("SRM-DAR-0005", "did you mean 'SRM-DAR-005'"),
        ("aws_db_instanc", "did you mean 'aws_db_instance'"),
        ("AWS::RDS::DbInstance", "did you mean 'AWS::RDS::DBInstance'"),
        ("CKV_AWS_1600", "looks like an id of Checkov, and the catalogue does not classify it; did you mean"),
        ("CKV_AWS_353x", "did you mean 'CKV_AWS_353'"),
        ("E3012", "looks like an id of cfn-lint, and the catalogue does not classify it"),
        ("zzzzzzzz", "is no policy, check or resource type\n"),
    ],
)
def test_an_unknown_word_is_2(explain: Any, target: str, words: str) -> None:
    code, out, err = explain(target)
    assert (code, out) == (2, "")
    assert words in err
