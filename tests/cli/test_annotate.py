"""`annotate` on the command line."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from srm_checks.cli import run

REPORT = {
    "check_type": "terraform",
    "results": {
        "passed_checks": [
            {
                "check_id": "CKV_AWS_17",
                "check_name": "Ensure all data stored in RDS is not publicly accessible",
                "check_result": {"result": "PASSED"},
                "file_path": "/main.tf",
                "repo_file_path": "/main.tf",
                "file_line_range": [1, 3],
                "resource": "aws_db_instance.main",
            }
        ],
        "failed_checks": [
            {
                "check_id": "CKV_AWS_16",
                "check_name": "Ensure all data stored in the RDS is securely encrypted at rest",
                "check_result": {"result": "FAILED"},
                "file_path": "/main.tf",
                "repo_file_path": "/main.tf",
                "file_line_range": [1, 3],
                "resource": "aws_db_instance.main",
                "severity": None,
            },
            {
                "check_id": "CKV_NEW_1",
                "check_name": "Ensure something new",
                "check_result": {"result": "FAILED"},
                "file_path": "/main.tf",
                "repo_file_path": "/main.tf",
                "file_line_range": [1, 3],
                "resource": "aws_db_instance.main",
            },
        ],
        "skipped_checks": [],
        "parsing_errors": ["/broken.tf"],
    },
    "summary": {
        "passed": 1,
        "failed": 2,
        "skipped": 0,
        "parsing_errors": 1,
        "resource_count": 1,
        "checkov_version": "3",
    },
}


@pytest.fixture(autouse=True)
def _report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("ck.json").write_text(json.dumps(REPORT), encoding="utf-8")
    Path("main.tf").write_text('resource "aws_db_instance" "main" {\n  engine = "postgres"\n}\n', encoding="utf-8")


@pytest.fixture
def srm(capsysbinary: pytest.CaptureFixture[bytes]) -> Any:
    """Runs a command; gives exit code, standard output and standard error."""

    def call(*arguments: str) -> tuple[int, str, str]:
        code = run(arguments)
        captured = capsysbinary.readouterr()
        return code, captured.out.decode(), captured.err.decode()

    return call


def test_the_same_format_goes_to_standard_output(srm: Any) -> None:
    code, out, err = srm("annotate", "ck.json")
    assert (code, err) == (0, "")
    failed = json.loads(out)["results"]["failed_checks"][0]
    assert failed["shared_responsibility"]["domain"] == "data-at-rest"
    assert failed["shared_responsibility"]["service_model"] == "PaaS"
    assert failed["severity"] == "HIGH"


def test_standard_input(srm: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = srm("annotate", "ck.json")[1]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(Path("ck.json").read_bytes())))
    assert srm("annotate", "-") == (0, expected, "")


def test_the_report_itself_may_be_the_output(srm: Any) -> None:
    expected = srm("annotate", "ck.json")[1]
    assert srm("annotate", "ck.json", "--output", "ck.json") == (0, "", "")
    assert Path("ck.json").read_text(encoding="utf-8") == expected


def test_output_into_a_new_folder(srm: Any) -> None:
    assert srm("annotate", "ck.json", "-o", "out/deep/ck.json")[0] == 0
    assert json.loads(Path("out/deep/ck.json").read_text(encoding="utf-8"))["check_type"] == "terraform"


def test_without_the_code(srm: Any) -> None:
    out = json.loads(srm("annotate", "ck.json", "--no-code")[1])
    assert out["results"]["failed_checks"][0]["shared_responsibility"]["service_model"] is None


class TestFormats:
    def test_json(self, srm: Any) -> None:
        code, out, _ = srm("annotate", "ck.json", "-f", "json")
        report = json.loads(out)
        assert code == 0
        assert [entry["policy_id"] for entry in report["findings"]] == ["CKV_AWS_16", "CKV_NEW_1"]
        assert {key: report["summary"][key] for key in ("gap", "met")} == {"gap": 2, "met": 1}
        assert report["summary"]["gate"]["failed"] is False
        assert [error["path"] for error in report["errors"]] == ["broken.tf"]

    def test_an_unclassified_finding_has_no_side_and_no_domain(self, srm: Any) -> None:
        report = json.loads(srm("annotate", "ck.json", "-f", "json")[1])
        found = report["findings"][1]
        assert (found["name"], found["side"], found["domain"]) == ("unclassified", None, None)
        assert found["title"] == "Unclassified: Ensure something new"
        for table in ("by_side", "by_domain"):
            assert sum(tally["gap"] for tally in report["summary"][table].values()) == 1

    def test_what_passed_is_listed_on_request(self, srm: Any) -> None:
        report = json.loads(srm("annotate", "ck.json", "-f", "json", "--all")[1])
        assert sorted(entry["policy_id"] for entry in report["findings"]) == ["CKV_AWS_16", "CKV_AWS_17", "CKV_NEW_1"]

    @pytest.mark.parametrize(
        "name",
        ["text", "sarif", "junit", "markdown", "html", "csv", "github", "gitlab-codequality", "gitlab-sast"],
    )
    def test_every_format_of_scan(self, srm: Any, name: str) -> None:
        code, out, err = srm("annotate", "ck.json", "-f", name)
        assert (code, err) == (0, "")
        assert "CKV_AWS_16" in out
        assert "Unclassified" in out

    def test_both_at_once(self, srm: Any) -> None:
        code, out, _ = srm("annotate", "ck.json", "-o", "same.json", "-f", "text", "-f", "csv=r.csv")
        assert code == 0
        assert "customer | PaaS | data at rest" in out
        assert Path("same.json").is_file()
        assert Path("r.csv").is_file()


class TestErrors:
    @pytest.mark.parametrize(
        ("text", "words"),
        [("{", "is not JSON"), ("", "is empty"), ('{"a": 1}', "neither Checkov nor cfn-lint wrote")],
    )
    def test_a_broken_or_foreign_report_is_2(self, srm: Any, text: str, words: str) -> None:
        Path("ck.json").write_text(text, encoding="utf-8")
        code, out, err = srm("annotate", "ck.json", "-o", "ck.json")
        assert (code, out) == (2, "")
        assert words in err
        assert Path("ck.json").read_text(encoding="utf-8") == text, "it is left as it was"

    def test_a_report_that_is_not_there_is_2(self, srm: Any) -> None:
        code, _, err = srm("annotate", "missing.json")
        assert code == 2
        assert "missing.json: the report cannot be read" in err

    def test_a_place_that_cannot_be_written_is_2(self, srm: Any) -> None:
        code, _, err = srm("annotate", "ck.json", "-o", ".")
        assert code == 2
        assert "cannot be written" in err
