"""The commands that scan nothing: policies, path, doctor, pack."""

from __future__ import annotations

import csv
import importlib.metadata
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest

from srm_checks.cli import run
from srm_checks.config import ENVIRONMENT_VARIABLE
from srm_checks.model import Domain


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(ENVIRONMENT_VARIABLE, raising=False)


@pytest.fixture
def srm(capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs a command; gives exit code, standard output and standard error."""

    def call(*arguments: str) -> tuple[int, str, str]:
        code = run(arguments)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


class TestPolicies:
    def test_all_are_listed_sorted_by_id(self, srm: Any) -> None:
        code, out, _ = srm("policies")
        ids = [line.split()[0] for line in out.splitlines()]
        assert code == 0
        assert "SRM-DAR-005" in ids
        assert ids == sorted(ids)

    def test_filters(self, srm: Any) -> None:
        _, out, _ = srm("policies", "--domain", "data-at-rest", "--side", "customer")
        assert all(re.match(r"SRM-DAR-\d{3} +\w+ +customer +data-at-rest ", line) for line in out.splitlines())
        assert "SRM-DAR-005" in out

    def test_a_pack_that_does_not_exist(self, srm: Any) -> None:
        assert srm("policies", "--pack", "aws-basline")[0] == 2

    def test_for_programs(self, srm: Any) -> None:
        code, out, _ = srm("policies", "-f", "json")
        document = json.loads(out)
        assert code == 0
        assert document["schema"] == "srm-checks/policies/1"
        assert [pack["name"] for pack in document["packs"]] == ["aws-baseline"]
        found = {policy["id"]: policy for policy in document["policies"]}
        assert list(found) == sorted(found)
        policy = found["SRM-DAR-005"]
        assert (policy["name"], policy["severity"], policy["side"]) == ("rds-instance-unencrypted", "high", "customer")
        assert (policy["domain"], policy["pack"], policy["cfn_lint_id"]) == ("data-at-rest", "aws-baseline", "E906005")
        assert policy["languages"]["terraform"] == {"expressible": True, "types": ["aws_db_instance"], "why_not": None}
        assert "CKV_AWS_16" in policy["equivalents"]

    def test_for_a_spreadsheet(self, srm: Any) -> None:
        _, out, _ = srm("policies", "-f", "csv")
        rows = list(csv.DictReader(io.StringIO(out)))
        assert list(rows[0]) == ["id", "severity", "side", "domain", "name", "title"]
        assert "SRM-DAR-005" in [row["id"] for row in rows]

    def test_several_formats_at_once_and_into_files(self, srm: Any) -> None:
        code, out, _ = srm("policies", "-f", "text", "-f", "markdown=made/policies.md")
        assert code == 0
        assert out == srm("policies")[1]
        assert Path("made/policies.md").read_text().startswith("| id | severity | side | domain | name | title |\n")

    def test_a_format_of_scans_only_is_2(self, srm: Any) -> None:
        code, _, err = srm("policies", "-f", "sarif")
        assert code == 2
        assert "'sarif' is not a format" in err


class TestMatrix:
    def test_by_domain_with_a_title_each(self, srm: Any) -> None:
        code, out, _ = srm("policies", "--matrix", "--pack", "aws-all")
        assert code == 0
        table = out.partition("\npolicies: ")[0].splitlines()
        assert re.match("id +severity +side +pack +Terraform +CloudFormation +name +supports$", table[0])
        titles = [line for line in table[1:] if line and not line.startswith("SRM-")]
        assert titles == [str(domain) for domain in Domain if str(domain) in titles]
        assert len(titles) == len(set(titles)) >= 10
        start = table.index("governance")
        assert all(re.match("SRM-GOV-|$", line) for line in table[start + 1 :])

    def test_why_a_language_cannot_say_it(self, srm: Any) -> None:
        _, out, _ = srm("policies", "--matrix", "--domain", "governance")
        assert re.search(
            r"^SRM-GOV-003 +low +customer +aws-baseline +yes +no +no-security-contact +cis", out, re.MULTILINE
        )
        assert re.search(
            r"^SRM-GOV-003 +not in CloudFormation: +CloudFormation has no resource type", out, re.MULTILINE
        )

    def test_totals(self, srm: Any) -> None:
        _, listed, _ = srm("policies")
        _, out, _ = srm("policies", "--matrix")
        assert f"\npolicies: {len(listed.splitlines())}, in Terraform: " in out

    def test_for_a_spreadsheet(self, srm: Any) -> None:
        _, out, _ = srm("policies", "--matrix", "--pack", "aws-all", "-f", "csv")
        rows = {row["id"]: row for row in csv.DictReader(io.StringIO(out))}
        assert len(rows) == len(srm("policies", "--pack", "aws-all")[1].splitlines())
        row = rows["SRM-GOV-003"]
        assert (row["domain"], row["pack"], row["terraform"]) == ("governance", "aws-baseline", "yes")
        assert row["cloudformation"].startswith("not expressible: CloudFormation has no resource type")
        assert "fsbp Account.1" in row["frameworks"]

    def test_as_markdown(self, srm: Any) -> None:
        _, out, _ = srm("policies", "--matrix", "-f", "markdown")
        lines = out.splitlines()
        assert lines[0].startswith(
            "| domain | id | name | title | severity | side | pack | terraform | cloudformation |"
        )
        assert {line.replace("\\|", "").count("|") for line in lines} == {lines[0].count("|")}

    def test_for_programs_in_the_same_order(self, srm: Any) -> None:
        _, out, _ = srm("policies", "--matrix", "-f", "json")
        order = list(map(str, Domain))
        places = [order.index(policy["domain"]) for policy in json.loads(out)["policies"]]
        assert places == sorted(places)

    def test_the_configuration_names_the_packs(self, srm: Any) -> None:
        Path("srm-checks.yaml").write_text("packs: [gdpr]\n", encoding="utf-8")
        _, out, _ = srm("policies", "--matrix", "-f", "json")
        policies = json.loads(out)["policies"]
        assert policies
        assert all("gdpr" in policy["frameworks"] for policy in policies)

    def test_no_policy_is_an_empty_table(self, srm: Any) -> None:
        code, out, _ = srm("policies", "--matrix", "--domain", "physical")
        assert (code, out) == (0, "")


def test_path_prints_one_folder_that_exists(srm: Any) -> None:
    code, out, _ = srm("path", "checkov")
    assert code == 0
    assert out.count("\n") == 1
    assert Path(out.rstrip("\n")).is_dir()


class TestDoctor:
    def test_a_sound_installation(self, srm: Any) -> None:
        code, out, _ = srm("doctor")
        assert code == 0
        assert all(line.startswith("ok    ") for line in out.splitlines())
        for word in ("Python 3.", "checkov 3.", "cfn-lint 1.", "hcl2", "aws-baseline"):
            assert word in out

    @pytest.fixture
    def versions(self, monkeypatch: pytest.MonkeyPatch) -> dict[str, str | None]:
        """Versions that the environment claims to have; None hides a package."""
        claimed: dict[str, str | None] = {}
        real = importlib.metadata.version

        def version(name: str) -> str:
            if name not in claimed:
                return real(name)
            found = claimed[name]
            if found is None:
                raise importlib.metadata.PackageNotFoundError(name)
            return found

        monkeypatch.setattr(importlib.metadata, "version", version)
        return claimed

    def test_an_engine_that_is_missing(self, srm: Any, versions: dict[str, str | None]) -> None:
        versions["checkov"] = None
        code, out, _ = srm("doctor")
        assert code == 3
        assert "FAIL  checkov is not installed; run `pip install" in out
        assert "ok    cfn-lint" in out

    def test_an_engine_that_is_too_new(
        self, srm: Any, versions: dict[str, str | None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(importlib.metadata, "requires", lambda name: ["cfn-lint<2,>=1.58", "checkov>=3"])
        versions["cfn-lint"] = "99.0"
        code, out, _ = srm("doctor")
        assert code == 3
        assert "FAIL  cfn-lint 99.0 is not one that srm-checks works with" in out

    def test_the_clash_over_hcl2(self, srm: Any, versions: dict[str, str | None]) -> None:
        versions["python-hcl2"] = "7.3.1"
        code, out, _ = srm("doctor")
        assert code == 3
        assert "python-hcl2 7.3.1 is installed over the parser" in out
        assert "pip uninstall python-hcl2 bc-python-hcl2" in out

    def test_a_broken_configuration(self, srm: Any) -> None:
        Path("srm-checks.yaml").write_text("fial_on: high\n", encoding="utf-8")
        code, out, _ = srm("doctor")
        assert code == 3
        assert "FAIL  srm-checks.yaml:1:1: unknown setting 'fial_on'" in out


class TestPack:
    def test_schema_is_a_json_schema(self, srm: Any) -> None:
        code, out, _ = srm("pack", "schema")
        assert code == 0
        assert "$schema" in json.loads(out)

    def test_check_tells_what_is_in_force(self, srm: Any) -> None:
        code, out, _ = srm("pack", "check")
        assert code == 0
        assert re.fullmatch(r"aws-baseline \S+: policies in force: \d+, sha256:[0-9a-f]{64}\n", out)

    def test_check_tells_a_mistake_with_its_place(self, srm: Any) -> None:
        Path("org").mkdir()
        Path("org/pack.yaml").write_text("name: org\nversion: 1.0.0\nextend: [aws-baseline]\n", encoding="utf-8")
        code, _, err = srm("pack", "check", "./org")
        assert code == 2
        assert "org/pack.yaml:3:1" in err
        assert "did you mean 'extends'" in err


POLICY = """\
id: ACME-DAR-001
name: rds-without-key
title: RDS instance has no key of ours
domain: data-at-rest
side: customer
severity: low
aws_does: AWS encrypts with the key that is named.
customer_does: You name a key of yours.
why: The key decides who can read a snapshot.
fix: Name a key.
resources:
  terraform: {not_expressible: "this test has one language"}
  cloudformation: "AWS::RDS::DBInstance"
require: {attribute: kms_key_id / KmsKeyId, exists: yes, absent: gap}
"""

FIXTURE = """\
AWSTemplateFormatVersion: "2010-09-09"
Resources:
  # expect: gap
  Bad: {Type: "AWS::RDS::DBInstance"}
  # expect: %s
  Good: {Type: "AWS::RDS::DBInstance", Properties: {KmsKeyId: alias/ours}}
"""


class TestPackTest:
    @pytest.fixture
    def pack(self) -> Path:
        """A pack of one policy with its fixture, in the working directory."""
        Path("org/rds").mkdir(parents=True)
        Path("org/pack.yaml").write_text("name: org\nversion: 1.0.0\nid_prefix: ACME\n", encoding="utf-8")
        Path("org/rds/rds-without-key.yaml").write_text(POLICY, encoding="utf-8")
        fixture = Path("org/fixtures/rds/rds-without-key")
        fixture.mkdir(parents=True)
        return fixture / "template.yaml"

    def test_all_agree(self, srm: Any, pack: Path) -> None:
        pack.write_text(FIXTURE % "met", encoding="utf-8")
        code, out, err = srm("pack", "test", "./org")
        assert (code, err) == (0, "")
        assert out == "policies: 1, outcomes compared: 2, policies that do not agree: 0\n"

    def test_a_difference_is_1_with_its_place(self, srm: Any, pack: Path) -> None:
        pack.write_text(FIXTURE % "unknown", encoding="utf-8")
        code, out, _ = srm("pack", "test", "./org")
        assert code == 1
        assert "template.yaml:5: ACME-DAR-001 Good: expected unknown, got met" in out
        assert out.endswith("policies that do not agree: 1\n")
