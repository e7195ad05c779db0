"""`scan --with-builtins` on real input: whose finding is shown, what it says, and what may go wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from srm_checks import scan
from srm_checks.errors import UsageError
from srm_checks.foreign.builtins import BuiltinChecks, merge
from srm_checks.model import Disposition, EngineOptions, Finding, Outcome, Unit, UnitKind
from srm_checks.units import load_unit

Project = Callable[[dict[str, str]], Path]
MakeFinding = Callable[..., Finding]


# Policies that ask what a check of Checkov asks: left out, so that Checkov is the one to say it.
SAID_BY_CHECKOV = ["SRM-NET-017", "SRM-BCK-011"]


@pytest.fixture(scope="module")
def scanned(real: Path) -> dict[str, Any]:
    """The report on the project, as JSON data."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(real)
        return scan(["infra", "stack.yaml"], with_builtins=True, ignore=SAID_BY_CHECKOV)


def one(report: dict[str, Any], policy_id: str, address: str) -> dict[str, Any]:
    found = [
        entry
        for entry in report["findings"]
        if (entry["policy_id"], entry["resource"]["address"]) == (policy_id, address)
    ]
    assert len(found) == 1, (policy_id, address, found)
    return dict(found[0])


class TestScan:
    def test_all_three_sources(self, scanned: dict[str, Any]) -> None:
        assert {entry["source"] for entry in scanned["findings"]} == {"srm", "checkov", "cfn-lint"}
        assert scanned["errors"] == []

    def test_a_finding_of_checkov_is_fully_labelled(self, scanned: dict[str, Any]) -> None:
        found = one(scanned, "CKV_AWS_333", "module.web.aws_ecs_service.web[0]")
        assert (found["side"], found["domain"], found["service_model"]) == ("customer", "network", "CaaS")
        assert found["model_decided_by"] == "launch_type = FARGATE, infra/web/main.tf:4"
        assert found["location"] == {
            "path": "infra/web/main.tf",
            "start_line": 6,
            "end_line": 6,
            "block_start_line": 1,
            "block_end_line": 9,
        }
        assert found["attribute"] == "network_configuration.0.assign_public_ip"
        assert found["resource"]["root"] == "infra"
        assert [call["address"] for call in found["call_chain"]] == ["module.web"]
        assert found["customer_does"]

    def test_a_finding_of_cfn_lint(self, scanned: dict[str, Any]) -> None:
        found = one(scanned, "W2501", "Parameters/Password")
        assert (found["source"], found["side"], found["domain"]) == ("cfn-lint", "customer", "identity")
        assert found["location"]["start_line"] == 3

    def test_rules_of_cfn_lint_that_are_not_about_security_stay_out(self, scanned: dict[str, Any]) -> None:
        assert not [entry for entry in scanned["findings"] if entry["policy_id"] == "E3002"]

    @pytest.mark.parametrize(
        ("policy_id", "address", "other"),
        [
            ("SRM-DAR-005", "aws_db_instance.main", "CKV_AWS_16"),
            ("SRM-DAR-005", "Db", "CKV_AWS_16"),
            ("SRM-PLT-001", "Fn", "E2531"),
            ("SRM-IAM-047", "provider.aws", "CKV_AWS_41"),
        ],
    )
    def test_what_a_policy_says_too_is_told_once(
        self, scanned: dict[str, Any], policy_id: str, address: str, other: str
    ) -> None:
        assert other in one(scanned, policy_id, address)["equivalents"]
        twins = [entry["policy_id"] for entry in scanned["findings"] if entry["resource"]["address"] == address]
        assert other not in twins

    def test_a_skip_comment_is_honoured_with_its_reason(self, scanned: dict[str, Any]) -> None:
        found = one(scanned, "CKV_AWS_18", "aws_s3_bucket.logs")
        assert found["disposition"] == "suppressed"
        assert found["suppression"]["reason"] == "it holds the logs"

    def test_a_value_that_checkov_guessed_is_unknown(self, scanned: dict[str, Any]) -> None:
        found = one(scanned, "CKV_AWS_293", "aws_db_instance.main")
        assert (found["outcome"], found["cause"]) == ("unknown", "unresolved-value")
        assert "it depends on var.stage" in found["message"]

    def test_a_root_inside_another_is_told_once(self, scanned: dict[str, Any]) -> None:
        topics = [entry for entry in scanned["findings"] if entry["resource"]["address"] == "aws_sns_topic.t"]
        assert topics
        assert {entry["resource"]["root"] for entry in topics} == {"infra/other"}

    def test_fingerprints_are_unique(self, scanned: dict[str, Any]) -> None:
        marks = [entry["fingerprint"] for entry in scanned["findings"]]
        assert len(marks) == len(set(marks))

    def test_what_checkov_passes_does_not_count_as_met(self, scanned: dict[str, Any]) -> None:
        assert not [e for e in scanned["findings"] if e["source"] != "srm" and e["outcome"] not in ("gap", "unknown")]

    def test_two_scans_give_the_same_bytes(self, scanned: dict[str, Any], real: Path, monkeypatch: Any) -> None:
        monkeypatch.chdir(real)
        assert json.dumps(scan(["infra", "stack.yaml"], with_builtins=True, ignore=SAID_BY_CHECKOV)) == json.dumps(
            scanned
        )

    def test_without_the_option_nothing_of_it_runs(self, real: Path, monkeypatch: Any) -> None:
        monkeypatch.chdir(real)
        assert {entry["source"] for entry in scan(["infra", "stack.yaml"])["findings"]} == {"srm"}


class TestSelection:
    MAIN = 'resource "aws_sns_topic" "t" {\n}\n'

    def test_a_check_can_be_selected(self, project: Project) -> None:
        project({"main.tf": self.MAIN})
        report = scan(["."], with_builtins=True, select=["CKV_AWS_26"])
        assert [entry["policy_id"] for entry in report["findings"]] == ["CKV_AWS_26"]

    def test_a_check_can_be_ignored(self, project: Project) -> None:
        project({"main.tf": self.MAIN})
        report = scan(["."], with_builtins=True, ignore=["CKV*"])
        assert "CKV_AWS_26" not in {entry["policy_id"] for entry in report["findings"]}

    def test_only_with_the_option(self, project: Project) -> None:
        project({"main.tf": self.MAIN})
        with pytest.raises(UsageError, match="'CKV_AWS_26' matches no policy"):
            scan(["."], select=["CKV_AWS_26"])


class TestPlansAndTrouble:
    def test_a_plan(self, project: Project) -> None:
        resource = {
            "address": "aws_sns_topic.t",
            "mode": "managed",
            "type": "aws_sns_topic",
            "name": "t",
            "values": {"name": "t"},
        }
        change = {"actions": ["create"], "before": None, "after": {"name": "t"}, "after_unknown": {}}
        plan = {
            "format_version": "1.2",
            "terraform_version": "1.9.0",
            "planned_values": {"root_module": {"resources": [resource]}},
            "resource_changes": [{**{k: resource[k] for k in ("address", "mode", "type", "name")}, "change": change}],
            "configuration": {"root_module": {}},
        }
        project({"plan.json": json.dumps(plan, indent=1)})
        found = one(scan(["."], with_builtins=True), "CKV_AWS_26", "aws_sns_topic.t")
        assert found["resource"]["framework"] == "terraform_plan"
        assert found["location"]["path"] == "plan.json"

    def test_a_broken_file_is_told_of_once(self, project: Project) -> None:
        project({"main.tf": 'resource "aws_sns_topic" "t" {\n}\n', "broken.tf": "resource {{{\n"})
        report = scan(["."], with_builtins=True)
        assert [error["path"] for error in report["errors"]] == ["broken.tf"]
        assert one(report, "CKV_AWS_26", "aws_sns_topic.t")

    def test_a_time_limit_costs_one_engine_only(self, project: Project) -> None:
        project({"main.tf": 'resource "aws_sns_topic" "t" {\n}\n'})
        stack = load_unit(Unit(UnitKind.TERRAFORM, "."), EngineOptions())
        with BuiltinChecks(EngineOptions(), limit=0.001) as builtins:
            findings, errors = builtins.run(stack)
        assert findings == []
        assert [(error.engine, error.kind) for error in errors] == [("checkov", "timeout")]

    def test_a_template_that_makes_checkov_crash(self, project: Project) -> None:
        project({"t.yaml": "Resources:\n  A:\n    Type: AWS::RDS::DBInstance\n    Metadata: text\n"})
        report = scan(["."], with_builtins=True)
        assert ("checkov", "crash") in {(error["engine"], error["kind"]) for error in report["errors"]}
        assert report["inputs"]["cloudformation_templates"] == 1
        assert any(entry["source"] == "srm" for entry in report["findings"]), "ours are still there"


class TestMerge:
    def foreign(self, make_finding: MakeFinding, **changes: Any) -> Finding:
        fields = {"policy_id": "CKV_AWS_16", "source": "checkov", "equivalents": ("SRM-DAR-005",), "fingerprint": "x"}
        return make_finding(**{**fields, **changes})

    def test_ours_stays(self, make_finding: MakeFinding) -> None:
        ours = make_finding()
        assert merge([ours], [self.foreign(make_finding)]) == [ours]

    def test_ours_lists_an_id_that_only_the_catalogue_knows(self, make_finding: MakeFinding) -> None:
        ours = make_finding(equivalents=())
        (merged,) = merge([ours], [self.foreign(make_finding)])
        assert merged.policy_id == "SRM-DAR-005"
        assert merged.equivalents == ("CKV_AWS_16",)

    def test_an_unknown_of_ours_stays_too(self, make_finding: MakeFinding) -> None:
        ours = make_finding(outcome=Outcome.UNKNOWN)
        assert merge([ours], [self.foreign(make_finding)]) == [ours]

    def test_a_suppressed_one_of_ours_stays_alone(self, make_finding: MakeFinding) -> None:
        ours = make_finding(disposition=Disposition.SUPPRESSED)
        assert merge([ours], [self.foreign(make_finding)]) == [ours]

    @pytest.mark.parametrize("outcome", [Outcome.MET, Outcome.NOT_APPLICABLE])
    def test_where_we_see_no_gap_both_are_shown(self, make_finding: MakeFinding, outcome: Outcome) -> None:
        both = [make_finding(outcome=outcome), self.foreign(make_finding)]
        assert merge(both[:1], both[1:]) == both

    @pytest.mark.parametrize(
        "elsewhere", [{"address": "aws_db_instance.other"}, {"root": "other"}, {"framework": "terraform_plan"}]
    )
    def test_another_resource(self, make_finding: MakeFinding, elsewhere: dict[str, str]) -> None:
        both = [make_finding(), self.foreign(make_finding, **elsewhere)]
        assert merge(both[:1], both[1:]) == both
