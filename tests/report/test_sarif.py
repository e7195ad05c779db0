"""SARIF: valid against the official schema, within GitHub's limits, and telling what people need beside an alert."""

from __future__ import annotations

import datetime
import functools
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema.validators import validator_for

from srm_checks.model import Call, Cause, Disposition, Finding, Outcome, ScanError, Severity, SourceRange, UnreadModule
from srm_checks.pipeline import InputsReport, ScanRequest, scan
from srm_checks.policy.packs import load_packs
from srm_checks.report import Page, Report
from srm_checks.report import sarif as sarif_format
from srm_checks.report.line_hash import line_hashes
from srm_checks.report.sarif import Profile, category, document, render, render_full
from tests.report.hostile import HOSTILE

MakeFinding = Callable[..., Finding]
MakeReport = Callable[..., Report]

MAIN = 'resource "aws_db_instance" "main" {\n\tstorage_encrypted = false # \U0001f600\n}\n'
SCHEMA = Path(__file__).parent.parent / "data" / "sarif-2.1.0-rtm.5.json"


@functools.cache
def validator() -> Any:
    schema = json.loads(SCHEMA.read_text("utf-8-sig"))
    return validator_for(schema)(schema)


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("main.tf").write_text(MAIN, encoding="utf-8")


def run_of(report: Report, profile: Profile = Profile.GITHUB) -> dict[str, Any]:
    """The one run of the document, after the schema has accepted it."""
    data = json.loads(json.dumps(document(report, profile)))
    problems = [f"{list(error.absolute_path)}: {error.message}" for error in validator().iter_errors(data)]
    assert problems == []
    (run,) = data["runs"]
    assert isinstance(run, dict)
    return run


def test_an_empty_report(make_report: MakeReport) -> None:
    run = run_of(make_report())
    assert run["tool"]["driver"]["rules"] == []
    assert run["results"] == []
    assert run["invocations"] == [{"executionSuccessful": True, "toolExecutionNotifications": []}]
    assert run["properties"]["leftOut"] == {}


class TestResult:
    def test_it_stands_at_the_attributes_line(self, make_finding: MakeFinding, make_report: MakeReport) -> None:
        (result,) = run_of(make_report([make_finding()]))["results"]
        place = result["locations"][0]["physicalLocation"]
        assert place["artifactLocation"] == {"uri": "main.tf", "uriBaseId": "%SRCROOT%"}
        # 29 characters of code, one of which is two UTF-16 units.
        assert place["region"] == {"startLine": 2, "startColumn": 2, "endLine": 2, "endColumn": 32}

    def test_fingerprints(self, make_finding: MakeFinding, make_report: MakeReport) -> None:
        (result,) = run_of(make_report([make_finding()]))["results"]
        assert result["partialFingerprints"] == {
            "primaryLocationLineHash": line_hashes(MAIN, [2])[2],
            "srmFinding/v1": "f" * 16,
        }

    def test_a_file_that_is_gone_costs_only_hash_and_width(
        self, make_finding: MakeFinding, make_report: MakeReport
    ) -> None:
        Path("main.tf").unlink()
        (result,) = run_of(make_report([make_finding()]))["results"]
        assert result["partialFingerprints"] == {"srmFinding/v1": "f" * 16}
        region = result["locations"][0]["physicalLocation"]["region"]
        assert region == {"startLine": 2, "startColumn": 1, "endLine": 2, "endColumn": 1}

    @pytest.mark.parametrize(
        ("changes", "level", "kind"),
        [
            ({"severity": Severity.CRITICAL}, "error", "fail"),
            ({"severity": Severity.HIGH}, "error", "fail"),
            ({"severity": Severity.MEDIUM}, "warning", "fail"),
            ({"severity": Severity.LOW}, "note", "fail"),
            ({"severity": Severity.INFO}, "note", "fail"),
            ({"outcome": Outcome.UNKNOWN, "cause": Cause.OTHER_STACK}, "note", "review"),
        ],
    )
    def test_level_and_kind(
        self, changes: dict[str, Any], level: str, kind: str, make_finding: MakeFinding, make_report: MakeReport
    ) -> None:
        (result,) = run_of(make_report([make_finding(**changes)]))["results"]
        assert (result["level"], result["kind"]) == (level, kind)

    def test_annotation(self, make_finding: MakeFinding, make_report: MakeReport) -> None:
        (result,) = run_of(make_report([make_finding(service_model=None, when="Env is dev")]))["results"]
        told = {name: result["properties"][name] for name in ("side", "service_model", "domain", "outcome", "when")}
        assert told == {
            "side": "customer",
            "service_model": None,
            "domain": "data-at-rest",
            "outcome": "gap",
            "when": "Env is dev",
        }

    def test_the_message_leads_to_where_the_value_is_written(
        self, make_finding: MakeFinding, make_report: MakeReport
    ) -> None:
        finding = make_finding(
            origin=SourceRange("envs/[a]/x.tfvars", 4, 4), call_chain=(Call("module.db", "envs/a/main.tf", 9),)
        )
        (result,) = run_of(make_report([finding]))["results"]
        assert result["message"]["text"].endswith("The value is written at [envs/\\[a\\]/x.tfvars:4](1).")
        related = [
            (place["id"], place["physicalLocation"]["artifactLocation"]["uri"], place["physicalLocation"]["region"])
            for place in result["relatedLocations"]
        ]
        assert related == [(1, "envs/%5Ba%5D/x.tfvars", {"startLine": 4}), (2, "envs/a/main.tf", {"startLine": 9})]

    def test_what_a_baseline_knows_is_unchanged(self, make_finding: MakeFinding, make_report: MakeReport) -> None:
        (result,) = run_of(make_report([make_finding(disposition=Disposition.BASELINED)]))["results"]
        assert result["baselineState"] == "unchanged"

    @pytest.mark.parametrize(
        ("path", "uri"),
        [
            ("a b/100% (x), y:z.tf", "a%20b/100%25%20%28x%29%2C%20y%3Az.tf"),
            ("caf\u00e9/t.yaml", "caf%C3%A9/t.yaml"),
            ("\udc80.tf", "%80.tf"),
            ("../up/main.tf", "../up/main.tf"),
        ],
    )
    def test_paths_are_encoded(self, path: str, uri: str, make_finding: MakeFinding, make_report: MakeReport) -> None:
        (result,) = run_of(make_report([make_finding(location=SourceRange(path, 1, 1))]))["results"]
        assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == uri


class TestLeftOut:
    def silenced(self, make_finding: MakeFinding) -> list[Finding]:
        return [
            make_finding(disposition=Disposition.SUPPRESSED, suppression={"reason": "accepted"}, address="a"),
            make_finding(
                disposition=Disposition.WAIVED,
                waiver={"reason": "later", "owner": "team", "expiry": "2030-01-01"},
                address="b",
            ),
            make_finding(outcome=Outcome.MET, address="c"),
        ]

    def test_excepted_results_are_counted_only(self, make_finding: MakeFinding, make_report: MakeReport) -> None:
        run = run_of(make_report(self.silenced(make_finding)))
        assert run["results"] == []
        assert run["properties"]["leftOut"] == {"suppressed": 1, "waived": 1}

    def test_the_full_profile_keeps_them(self, make_finding: MakeFinding, make_report: MakeReport) -> None:
        run = run_of(make_report(self.silenced(make_finding)), Profile.FULL)
        assert [result.get("suppressions") for result in run["results"]] == [
            [{"kind": "inSource", "status": "accepted", "justification": "suppressed: accepted"}],
            [{"kind": "external", "status": "accepted", "justification": "waived: later, by team, until 2030-01-01"}],
            None,
        ]
        assert [(result["kind"], result["level"]) for result in run["results"]][2] == ("pass", "none")

    def test_the_full_profile_has_all_active_rules(self, make_report: MakeReport) -> None:
        policies = load_packs().by_id()
        report = make_report(policies=policies)
        assert [rule["id"] for rule in run_of(report, Profile.FULL)["tool"]["driver"]["rules"]] == sorted(policies)
        assert json.loads(render_full(report, Page())) == document(report, Profile.FULL)

    def test_over_the_limit_the_worst_stay(
        self, make_finding: MakeFinding, make_report: MakeReport, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sarif_format, "MAX_RESULTS", 2)
        findings = [
            make_finding(address=name, severity=severity)
            for name, severity in (("a", Severity.LOW), ("b", Severity.HIGH), ("c", Severity.CRITICAL))
        ]
        run = run_of(make_report(findings))
        names = [result["locations"][0]["logicalLocations"][0]["fullyQualifiedName"] for result in run["results"]]
        assert names == ["b", "c"]
        assert run["properties"]["leftOut"] == {"over-the-limit": 1}


class TestRule:
    def rule(self, report: Report) -> dict[str, Any]:
        (rule,) = run_of(report)["tool"]["driver"]["rules"]
        assert isinstance(rule, dict)
        return rule

    def test_help_tells_the_whole_story(self, make_finding: MakeFinding, make_report: MakeReport) -> None:
        policy = load_packs().by_id()["SRM-DAR-005"]
        rule = self.rule(make_report([make_finding()], policies={policy.id: policy}))
        markdown = rule["help"]["markdown"]
        for label in ("What is wrong", "Why it matters", "Who answers", "AWS does", "You do"):
            assert f"**{label}:** " in markdown
        assert "**Fix in Terraform:** Set storage_encrypted = true." in markdown
        assert "**Fix in CloudFormation:** Set StorageEncrypted: true." in markdown
        assert "fsbp RDS.3" in markdown
        assert rule["helpUri"] == policy.url
        assert policy.why in rule["help"]["text"]

    def test_tags_say_the_side_first_and_every_framework(
        self, make_finding: MakeFinding, make_report: MakeReport
    ) -> None:
        frameworks = {"cis": tuple(f"1.{number:02}" for number in range(30)), "fsbp": ("RDS.3",)}
        rule = self.rule(make_report([make_finding(frameworks=frameworks)]))
        tags = rule["properties"]["tags"]
        assert tags[:6] == ["security", "customer", "PaaS", "data-at-rest", "cis/1.00", "fsbp/RDS.3"]
        assert len(tags) == 20

    @pytest.mark.parametrize("severity", Severity)
    def test_security_severity(self, severity: Severity, make_finding: MakeFinding, make_report: MakeReport) -> None:
        number = self.rule(make_report([make_finding(severity=severity)]))["properties"]["security-severity"]
        least, most = {"critical": (9.1, 10), "high": (7, 8.9), "medium": (4, 6.9)}.get(str(severity), (0.1, 3.9))
        assert isinstance(number, str)
        assert least <= float(number) <= most

    def test_frameworks_are_taxonomies(self, make_finding: MakeFinding, make_report: MakeReport) -> None:
        run = run_of(make_report([make_finding(frameworks={"nist": ("SC-28", "AC-3"), "fsbp": ("RDS.3",)})]))
        assert run["taxonomies"] == [
            {"name": "fsbp", "taxa": [{"id": "RDS.3"}]},
            {"name": "nist", "taxa": [{"id": "AC-3"}, {"id": "SC-28"}]},
        ]
        (rule,) = run["tool"]["driver"]["rules"]
        for relation in rule["relationships"]:
            target = relation["target"]
            taxonomy = run["taxonomies"][target["toolComponent"]["index"]]
            assert taxonomy["name"] == target["toolComponent"]["name"]
            assert taxonomy["taxa"][target["index"]]["id"] == target["id"]
        assert len(rule["relationships"]) == 3

    def test_long_texts_are_cut_to_what_github_takes(self, make_finding: MakeFinding, make_report: MakeReport) -> None:
        rule = self.rule(make_report([make_finding(title="t" * 5000, name="n" * 300)]))
        lengths = (len(rule["name"]), *(len(rule[part]["text"]) for part in ("shortDescription", "fullDescription")))
        assert lengths == (255, 1024, 1024)

    def test_every_shipped_policy_makes_a_rule_that_github_takes(self, make_report: MakeReport) -> None:
        rules = run_of(make_report(policies=load_packs().by_id()), Profile.FULL)["tool"]["driver"]["rules"]
        for rule in rules:
            texts = (rule["shortDescription"]["text"], rule["fullDescription"]["text"], rule["help"]["text"])
            assert all(texts), rule["id"]
            assert len(set(rule["properties"]["tags"])) == len(rule["properties"]["tags"]) <= 20


def test_what_was_not_seen_is_told(make_report: MakeReport) -> None:
    run = run_of(
        make_report(
            errors=(ScanError("a.tf", "terraform", "parse", "line 2: a value is missing"),),
            inputs=InputsReport(1, 1, 0, 0, 0, (UnreadModule("module.vpc", "example/vpc/aws", "main.tf", 3),)),
        )
    )
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is False
    told = [(note["level"], note["descriptor"]["id"]) for note in invocation["toolExecutionNotifications"]]
    assert told == [("error", "parse"), ("warning", "unread-module")]


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        ((".",), "srm-checks/"),
        (("envs/prod",), "srm-checks/envs/prod/"),
        (("./envs/prod/",), "srm-checks/envs/prod/"),
        (("b", "a", "a/"), "srm-checks/a+b/"),
    ],
)
def test_the_category_is_that_of_the_scanned_paths(paths: tuple[str, ...], expected: str) -> None:
    assert category(paths) == expected


def test_an_absolute_path_gives_the_same_category(tmp_path: Path) -> None:
    assert category([str(tmp_path / "a")]) == category(["a"])


def test_a_long_list_of_paths_gives_a_short_category() -> None:
    assert len(category([f"file-{number}.tf" for number in range(500)])) < 50


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_inert(name: str, make_finding: MakeFinding, make_report: MakeReport) -> None:
    finding = make_finding(address=name, message=f"{name} is open.", root=name, attribute=name, when=name, title=name)
    report = make_report([finding], errors=(ScanError("a.tf", "terraform", "parse", name),))
    run = run_of(report)
    (result,) = run["results"]
    texts = [result["message"]["text"], result["locations"][0]["logicalLocations"][0]["fullyQualifiedName"]]
    assert all(text.isprintable() for text in texts)
    assert "](http" not in result["message"]["text"].replace("\\](", "")
    assert render(report, Page()).isascii()


def test_a_scan_gives_it_rules_and_paths() -> None:
    result = scan(ScanRequest(paths=("main.tf",), select=("SRM-DAR-005",), today=datetime.date(2030, 1, 1)))
    assert result.paths == ("main.tf",)
    assert list(result.policies) == ["SRM-DAR-005"]


def test_sarif_tools_reads_it(make_finding: MakeFinding, make_report: MakeReport) -> None:
    Path("r.sarif").write_text(render(make_report([make_finding()]), Page()), encoding="utf-8")
    argv = [sys.executable, "-m", "sarif", "csv", "--output", "r.csv", "r.sarif"]
    subprocess.run(argv, check=True, capture_output=True)
    table = Path("r.csv").read_text(encoding="utf-8")
    assert "SRM-DAR-005" in table
    assert "main.tf" in table
