"""Reports of real runs of Checkov and cfn-lint: recognised, annotated, and still what their readers expect."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from srm_checks.api import code_of
from srm_checks.errors import UsageError
from srm_checks.foreign.code import Code
from srm_checks.foreign.report import KEY, ForeignReport, read
from srm_checks.model import Outcome

SARIF_SCHEMA = Path(__file__).resolve().parent.parent / "data" / "sarif-2.1.0-rtm.5.json"
CHECKOV_JSON = ("several.json", "single-compact.json", "quiet.json", "nothing.json")
SARIF = ("checkov.sarif", "cfn-lint.sarif")
ALL = (*CHECKOV_JSON, *SARIF, "cfn-lint.json")
GROUPS = ("failed_checks", "skipped_checks", "passed_checks")


@pytest.fixture(autouse=True)
def _in_project(real: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(real)


def load(name: str) -> tuple[Any, ForeignReport]:
    data = Path("reports", name).read_bytes()
    return json.loads(data), read(data, name)


def records(document: Any) -> Iterator[dict[str, Any]]:
    """The results of a report of any of the formats."""
    if isinstance(document, dict) and "runs" in document:
        yield from (result for run in document["runs"] for result in run["results"])
    elif isinstance(document, list) and document and "Rule" in document[0]:
        yield from document
    else:
        for part in document if isinstance(document, list) else [document]:
            for group in GROUPS:
                yield from part.get("results", {}).get(group, [])


def annotated(name: str, *, code: bool = True) -> Any:
    report = load(name)[1]
    return json.loads(report.render(code_of(report) if code else Code()))


def named(document: Any, check_id: str, resource: str) -> dict[str, Any]:
    """The annotation of a check on a resource in a JSON report of Checkov."""
    found = [entry for entry in records(document) if (entry["check_id"], entry["resource"]) == (check_id, resource)]
    assert found, (check_id, resource)
    return dict(found[0][KEY])


@pytest.mark.parametrize("name", ALL)
def test_every_result_stays_and_is_annotated(name: str) -> None:
    before, report = load(name)
    after = annotated(name)
    assert len(list(records(after))) == len(list(records(before))) == len(report.entries())
    for entry in records(after):
        properties = entry.get("properties", entry)
        assert {"side", "domain", "service_model", "classified"} <= properties[KEY].keys()


@pytest.mark.parametrize("name", ALL)
def test_nothing_is_taken_away(name: str) -> None:
    def missing(old: Any, new: Any, where: str) -> Iterator[str]:
        if isinstance(old, dict):
            for key, value in old.items():
                if key not in new:
                    yield f"{where}/{key}"
                else:
                    yield from missing(value, new[key], f"{where}/{key}")
        elif isinstance(old, list):
            if len(old) > len(new):
                yield where
            for number, value in enumerate(old):
                yield from missing(value, new[number], f"{where}/{number}")
        elif old != new and not (isinstance(old, str) and str(new).startswith(old)) and old is not None:
            yield f"{where}: {old!r} became {new!r}"

    assert list(missing(load(name)[0], annotated(name), "")) == []


@pytest.mark.parametrize("name", ALL)
def test_annotating_twice_is_as_good_as_once(name: str) -> None:
    report = load(name)[1]
    once = report.render(code_of(report))
    again = read(once.encode(), name)
    assert again.render(code_of(again)) == once
    assert [entry.title for entry in again.entries()] == [entry.title for entry in report.entries()]


@pytest.mark.parametrize("name", ALL)
def test_an_annotation_without_the_code_can_be_renewed_with_it(name: str) -> None:
    report = load(name)[1]
    without = read(report.render(Code()).encode(), name)
    assert without.render(code_of(report)) == report.render(code_of(report))


class TestReaders:
    @pytest.mark.parametrize("name", SARIF)
    def test_sarif_is_valid(self, name: str) -> None:
        schema = json.loads(SARIF_SCHEMA.read_text())
        jsonschema.Draft7Validator(schema).validate(load(name)[0])
        jsonschema.Draft7Validator(schema).validate(annotated(name))

    @pytest.mark.parametrize("name", SARIF)
    def test_tags_of_a_rule_are_few_and_the_responsibility_comes_first(self, name: str) -> None:
        for rule in annotated(name)["runs"][0]["tool"]["driver"]["rules"]:
            tags = rule["properties"]["tags"]
            assert len(tags) <= 20
            assert tags[0] in ("security", "unclassified")

    @pytest.mark.parametrize("name", CHECKOV_JSON)
    def test_checkovs_own_reader_takes_its_json(self, name: str, tmp_path: Path) -> None:
        """Checkov reads records back in the platform's shape; in a process of its own, as its import is heavy."""
        path = tmp_path / "report.json"
        path.write_text(json.dumps(annotated(name)))
        script = (
            "import json, sys\n"
            "from checkov.common.output.report import Report\n"
            "from checkov.common.models.enums import CheckResult\n"
            "document = json.load(open(sys.argv[1]))\n"
            "count = 0\n"
            "for part in document if isinstance(document, list) else [document]:\n"
            "    if 'check_type' not in part: continue\n"
            "    groups = ('passed_checks', 'failed_checks', 'skipped_checks')\n"
            "    checks = {group: part['results'].get(group, []) for group in groups}\n"
            "    for records in checks.values():\n"
            "        for record in records:\n"
            "            record['check_result']['result'] = CheckResult[record['check_result']['result']]\n"
            "    report = Report.from_reduced_json({'checks': checks, 'image_cached_results': []}, part['check_type'])\n"
            "    count += len(report.get_all_records())\n"
            "print(count)\n"
        )
        read_back = subprocess.run([sys.executable, "-c", script, path], capture_output=True, text=True, check=True)
        assert int(read_back.stdout.split()[-1]) == len(list(records(load(name)[0])))

    def test_cfn_lints_json_keeps_its_shape(self) -> None:
        before, _ = load("cfn-lint.json")
        for old, new in zip(before, annotated("cfn-lint.json"), strict=True):
            assert {key: value for key, value in new.items() if key not in (KEY, "Message")} == {
                key: value for key, value in old.items() if key != "Message"
            }
            assert new["Message"].startswith(old["Message"])


class TestAnnotation:
    def test_side_domain_and_severity_come_from_the_catalogue(self) -> None:
        found = named(annotated("several.json"), "CKV_AWS_16", "aws_db_instance.main")
        assert (found["side"], found["domain"], found["severity"]) == ("customer", "data-at-rest", "high")
        assert found["policies"] == ["SRM-DAR-005"]
        assert found["aws_does"]
        assert found["customer_does"]

    def test_the_code_decides_the_model(self) -> None:
        found = named(annotated("several.json"), "CKV_AWS_333", "module.web.aws_ecs_service.web[0]")
        assert found["service_model"] == "CaaS"
        assert found["model_decided_by"] == "launch_type = FARGATE, infra/web/main.tf:4"

    def test_without_the_code_the_model_stays_open(self) -> None:
        found = named(annotated("several.json", code=False), "CKV_AWS_333", "module.web.aws_ecs_service.web[0]")
        assert found["service_model"] is None
        assert found["model_decided_by"] == "the configuration of aws_ecs_service decides, and its code is not at hand"

    def test_a_data_source_and_a_provider(self) -> None:
        document = annotated("several.json")
        assert named(document, "CKV_AWS_1", "aws_iam_policy_document.wide")["service"] == "iam"
        provider = named(document, "CKV_AWS_41", "aws.default")
        assert provider["service_model"] is None
        assert provider["model_decided_by"] == "it stands in a provider block, not in a resource"

    def test_a_check_that_is_not_classified_says_so(self) -> None:
        document = annotated("several.json")
        secrets = [entry for entry in records(document) if entry["check_id"].startswith("CKV_SECRET")]
        assert secrets
        for entry in secrets:
            assert entry[KEY]["classified"] is False
            assert entry[KEY]["side"] is None
            assert entry["check_name"].endswith("(unclassified, undetermined)")

    def test_names_carry_the_responsibility_for_viewers_that_show_nothing_else(self) -> None:
        names = {entry["check_name"] for entry in records(annotated("single-compact.json"))}
        assert "Ensure all data stored in the RDS is securely encrypted at rest (customer, PaaS, data-at-rest)" in names

    def test_a_severity_that_checkov_does_not_give_is_filled_in(self) -> None:
        assert {entry["severity"] for entry in records(load("several.json")[0])} == {None}
        by_id = {entry["check_id"]: entry["severity"] for entry in records(annotated("several.json"))}
        assert by_id["CKV_AWS_16"] == "HIGH"

    def test_the_types_of_cfn_lints_resources_are_read_from_the_template(self) -> None:
        by_rule = {match["Rule"]["Id"]: match for match in annotated("cfn-lint.json")}
        assert by_rule["E2531"][KEY]["service_model"] == "FaaS"
        assert by_rule["E2531"]["Message"].endswith("(shared, FaaS, platform)")
        assert by_rule["W2501"][KEY]["model_decided_by"] == "it stands in a section of the template, not in a resource"

    def test_sarif_knows_resources_by_their_source(self) -> None:
        results = annotated("checkov.sarif")["runs"][0]["results"]
        models = Counter(result["properties"][KEY]["service_model"] for result in results)
        assert models["PaaS"] > 0
        assert models["CaaS"] > 0
        ecs = next(result for result in results if result["ruleId"] == "CKV_AWS_333")
        assert ecs["message"]["text"].endswith("(customer, CaaS, network)")

    def test_sarif_of_cfn_lint(self) -> None:
        results = annotated("cfn-lint.sarif")["runs"][0]["results"]
        lambda_runtime = next(result for result in results if result["ruleId"] == "E2531")
        assert lambda_runtime["properties"][KEY]["service_model"] == "FaaS"

    def test_a_run_of_another_tool_in_the_same_file_stays_as_it_is(self) -> None:
        document = load("checkov.sarif")[0]
        other = {"tool": {"driver": {"name": "tfsec"}}, "results": [{"ruleId": "x", "message": {"text": "y"}}]}
        report = read(json.dumps({**document, "runs": [*document["runs"], other]}).encode(), "both.sarif")
        assert report.annotated(Code())["runs"][1] == other
        assert len(report.entries()) == len(document["runs"][0]["results"])


class TestEntries:
    def test_of_checkov(self) -> None:
        entries = load("several.json")[1].entries()
        found = next(
            entry for entry in entries if (entry.check_id, entry.address) == ("CKV_AWS_18", "aws_s3_bucket.logs")
        )
        assert found.reason == "it holds the logs"
        assert found.outcome is Outcome.GAP
        assert (found.root, found.block.path, found.block.start_line) == (".", "infra/main.tf", 11)
        assert {entry.outcome for entry in entries} == {Outcome.GAP, Outcome.MET}

    def test_of_cfn_lint(self) -> None:
        entries = {entry.check_id: entry for entry in load("cfn-lint.json")[1].entries()}
        runtime = entries["E2531"]
        assert (runtime.type_name, runtime.address, runtime.attribute) == ("AWS::Lambda::Function", "Fn", "Runtime")
        assert (runtime.place.start_line, runtime.block.start_line) == (17, 14)
        assert entries["E3002"].title, "a rule that is not about security is kept too"


class TestForeign:
    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("", "is empty"),
            ("{", "r.json:1:2: is not JSON"),
            ("[]x", "is not JSON"),
            ("{}", "is JSON that neither Checkov nor cfn-lint wrote"),
            ("3", "is JSON that neither Checkov nor cfn-lint wrote"),
            ('{"schema": "srm-checks/report/1"}', "is a report of srm-checks"),
            ('[{"rule_id": "x"}]', "is JSON that neither Checkov nor cfn-lint wrote"),
            ('{"version": "2.1.0", "runs": []}', "is SARIF of no tool"),
            ('{"version": "2.0.0", "runs": []}', "is SARIF 2.0.0"),
            ('{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "tfsec"}}}]}', "is SARIF of tfsec"),
            ('{"version": "2.1.0", "runs": [3]}', "run 0 must be an object"),
            ('{"check_type": "terraform", "results": []}', "results of terraform must be an object"),
            (
                '{"check_type": "terraform", "results": {"failed_checks": {}}}',
                "failed_checks of terraform must be a list",
            ),
            ('{"check_type": "x", "results": {"failed_checks": [{}]}}', "entry 0 in failed_checks of x must be"),
            ('{"a": 1}\n--- OUTPUT DELIMITER ---\n{}', "it holds several reports of Checkov"),
            ("[" * 100_000, "is nested too deeply"),
        ],
    )
    def test_a_clear_error(self, text: str, words: str) -> None:
        with pytest.raises(UsageError) as raised:
            read(text.encode(), "r.json")
        assert words in str(raised.value)
        assert str(raised.value).startswith("r.json")

    def test_a_report_that_a_windows_shell_redirected(self) -> None:
        text = Path("reports/nothing.json").read_text()
        assert read(text.encode("utf-16"), "r.json").entries() == []
        assert read(text.encode("utf-8-sig"), "r.json").entries() == []

    def test_bytes_that_are_no_text(self) -> None:
        with pytest.raises(UsageError, match="is not UTF-8 text"):
            read(b"\xff{}", "r.json")

    def test_a_cfn_lint_report_without_matches(self) -> None:
        assert read(b"[]", "r.json").render(Code()) == "[]\n"

    def test_a_report_that_names_files_elsewhere_opens_none_of_them(self, tmp_path: Path) -> None:
        outside = tmp_path / "t.yaml"
        outside.write_text("Resources:\n  Fn:\n    Type: AWS::Lambda::Function\n")
        match = json.loads(Path("reports/cfn-lint.json").read_text())[0]
        match["Filename"], match["Location"]["Path"] = str(outside), ["Resources", "Fn"]
        report = read(json.dumps([match]).encode(), "r.json")
        assert report.annotated(code_of(report))[0][KEY]["service_model"] is None
