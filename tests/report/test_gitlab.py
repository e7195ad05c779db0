"""The two GitLab reports, against the fields that GitLab publishes as required."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from srm_checks.errors import UsageError
from srm_checks.model import Cause, Disposition, Finding, Outcome, ScanError, Severity, SourceRange
from srm_checks.policy.packs import load_packs
from srm_checks.report import Page, Report, gitlab_codequality, gitlab_sast
from tests.report.hostile import HOSTILE

MakeFinding = Callable[..., Finding]
MakeReport = Callable[..., Report]

SILENCED = [each for each in Disposition if each is not Disposition.NEW]


def quality(report: Report) -> list[dict[str, Any]]:
    """The entries, each with all that the widget needs."""
    entries = json.loads(gitlab_codequality.render(report, Page()))
    assert isinstance(entries, list)
    for entry in entries:
        assert all(
            isinstance(entry[name], str) and entry[name] for name in ("description", "check_name", "fingerprint")
        )
        assert entry["severity"] in ("info", "minor", "major", "critical", "blocker")
        assert not entry["location"]["path"].startswith("./")
        assert entry["location"]["lines"]["begin"] >= 1
    assert len({entry["fingerprint"] for entry in entries}) == len(entries)
    return entries


def sast(report: Report) -> dict[str, Any]:
    """The document, with all that schema 15 requires."""
    document = json.loads(gitlab_sast.render(report, Page()))
    assert document["version"].startswith("15.")
    scan = document["scan"]
    for part in ("analyzer", "scanner"):
        assert all(scan[part][name] for name in ("id", "name", "version"))
        assert scan[part]["vendor"]["name"]
    assert scan["type"] == "sast"
    assert scan["status"] in ("success", "failure")
    for moment in ("start_time", "end_time"):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", scan[moment])
    for message in scan["messages"]:
        assert message["level"] in ("info", "warn", "fatal")
        assert message["value"]
    for found in document["vulnerabilities"]:
        assert str(uuid.UUID(found["id"])) == found["id"]
        assert 1 <= len(found["identifiers"]) <= 20
        assert all(item[name] for item in found["identifiers"] for name in ("type", "name", "value"))
        assert found["severity"] in ("Info", "Unknown", "Low", "Medium", "High", "Critical")
        assert len(found["name"]) <= 255
        assert found["location"]["file"]
        assert found["location"]["start_line"] <= found["location"]["end_line"]
    assert len({found["id"] for found in document["vulnerabilities"]}) == len(document["vulnerabilities"])
    assert isinstance(document, dict)
    return document


class TestCodeQuality:
    def test_an_empty_report(self, make_report: MakeReport) -> None:
        assert quality(make_report()) == []

    def test_a_gap(self, make_finding: MakeFinding, make_report: MakeReport) -> None:
        assert quality(make_report([make_finding()])) == [
            {
                "description": "aws_db_instance.main is not encrypted at rest.",
                "check_name": "SRM-DAR-005",
                "fingerprint": "f" * 16,
                "severity": "critical",
                "location": {"path": "main.tf", "lines": {"begin": 2}},
                "categories": ["Security"],
            }
        ]

    @pytest.mark.parametrize(
        ("severity", "expected"), list(zip(Severity, ("blocker", "critical", "major", "minor", "info"), strict=True))
    )
    def test_severity(
        self, severity: Severity, expected: str, make_finding: MakeFinding, make_report: MakeReport
    ) -> None:
        assert quality(make_report([make_finding(severity=severity)]))[0]["severity"] == expected

    def test_an_unknown_is_information(self, make_finding: MakeFinding, make_report: MakeReport) -> None:
        finding = make_finding(outcome=Outcome.UNKNOWN, cause=Cause.UNRESOLVED_VALUE, severity=Severity.CRITICAL)
        (entry,) = quality(make_report([finding]))
        assert entry["severity"] == "info"
        assert entry["description"].startswith("Unknown, unresolved value: ")

    def test_fingerprints_stay_when_lines_move(self, make_finding: MakeFinding, make_report: MakeReport) -> None:
        moved = make_finding(location=SourceRange("main.tf", 90, 90))
        before, after = (quality(make_report([finding]))[0]["fingerprint"] for finding in (make_finding(), moved))
        assert before == after

    def test_equal_fingerprints_are_told_apart(self, make_finding: MakeFinding, make_report: MakeReport) -> None:
        assert len(quality(make_report([make_finding(), make_finding()]))) == 2


class TestSast:
    def test_an_empty_report(self, make_report: MakeReport) -> None:
        document = sast(make_report())
        assert document["vulnerabilities"] == []
        assert document["scan"]["status"] == "success"

    def test_a_gap(self, make_finding: MakeFinding, make_report: MakeReport) -> None:
        policy = load_packs().by_id()["SRM-DAR-005"]
        (found,) = sast(make_report([make_finding()], policies={policy.id: policy}))["vulnerabilities"]
        assert found["severity"] == "High"
        assert found["solution"] == "Set storage_encrypted = true."
        assert found["identifiers"][0] == {
            "type": "srm_checks_policy",
            "name": "SRM-DAR-005",
            "value": "SRM-DAR-005",
            "url": policy.url,
        }
        assert {"type": "fsbp", "name": "fsbp RDS.3", "value": "RDS.3"} in found["identifiers"]
        for part in (policy.why, "customer | PaaS | data at rest", "AWS does: ", "You do: "):
            assert part in found["description"]

    def test_an_unknown_says_so(self, make_finding: MakeFinding, make_report: MakeReport) -> None:
        finding = make_finding(outcome=Outcome.UNKNOWN, cause=Cause.OTHER_STACK)
        (found,) = sast(make_report([finding]))["vulnerabilities"]
        assert found["severity"] == "Unknown"
        assert found["name"].startswith("Undecided: ")
        assert "It cannot be decided from the code: other stack." in found["description"]

    def test_ids_are_the_same_in_each_run_and_distinct(
        self, make_finding: MakeFinding, make_report: MakeReport
    ) -> None:
        report = make_report([make_finding(), make_finding(fingerprint="a"), make_finding()])
        ids = [[found["id"] for found in sast(report)["vulnerabilities"]] for _ in range(2)]
        assert ids[0] == ids[1]

    def test_an_incomplete_scan_is_no_success(self, make_report: MakeReport) -> None:
        scan = sast(make_report(errors=(ScanError("a.tf", "terraform", "parse", "line 2"),)))["scan"]
        assert scan["status"] == "failure"
        assert scan["messages"] == [{"level": "warn", "value": "a.tf: line 2 (terraform, parse)"}]

    def test_the_time_is_the_one_that_is_set(self, make_report: MakeReport, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
        scan = sast(make_report())["scan"]
        assert (scan["start_time"], scan["end_time"]) == ("2023-11-14T22:13:20", "2023-11-14T22:13:20")

    @pytest.mark.parametrize("value", ["soon", "1e9", "99999999999999999999"])
    def test_a_time_that_is_none_is_the_users_mistake(
        self, value: str, make_report: MakeReport, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SOURCE_DATE_EPOCH", value)
        with pytest.raises(UsageError, match="no number of seconds since 1970"):
            sast(make_report())


@pytest.mark.parametrize("disposition", SILENCED)
def test_what_is_excepted_or_known_is_left_out(
    disposition: Disposition, make_finding: MakeFinding, make_report: MakeReport
) -> None:
    report = make_report([make_finding(disposition=disposition), make_finding(outcome=Outcome.MET)])
    assert quality(report) == []
    assert sast(report)["vulnerabilities"] == []


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_inert(name: str, make_finding: MakeFinding, make_report: MakeReport) -> None:
    report = make_report([make_finding(address=name, message=name, when=name, title=name)])
    (entry,) = quality(report)
    (found,) = sast(report)["vulnerabilities"]
    texts = [entry["description"], found["name"], *found["description"].split("\n\n")]
    assert all(text.isprintable() for text in texts)
    assert gitlab_sast.render(report, Page()).isascii()
