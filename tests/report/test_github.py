"""GitHub workflow commands: what the runner reads, and no more of them than it keeps."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from srm_checks.model import Cause, Disposition, Finding, Outcome, ScanError, Severity, SourceRange
from srm_checks.report import Page, Report
from srm_checks.report.github import MAX_SUMMARY, SUMMARY_VARIABLE, render
from srm_checks.report.inert import inert
from tests.report.hostile import HOSTILE

MakeFinding = Callable[..., Finding]
MakeReport = Callable[..., Report]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(SUMMARY_VARIABLE, raising=False)


def commands_of(text: str) -> list[tuple[str, dict[str, str], str]]:
    """(level, properties, message) of each command, unescaped; the last line is the closing one."""
    *lines, closing = text.splitlines()
    assert closing.startswith("srm-checks: ")
    parsed = []
    for line in lines:
        match = re.fullmatch(r"::(error|warning|notice) ([^:]*)::(.+)", line)
        assert match, line
        level, properties, message = match.groups()
        pairs = dict(pair.split("=", 1) for pair in properties.split(","))
        parsed.append((level, {name: unescaped(value) for name, value in pairs.items()}, unescaped(message)))
    return parsed


def unescaped(text: str) -> str:
    for escape, character in (("%2C", ","), ("%3A", ":"), ("%0A", "\n"), ("%0D", "\r"), ("%25", "%")):
        text = text.replace(escape, character)
    return text


def test_an_empty_report(make_report: MakeReport) -> None:
    assert render(make_report(), Page()) == "srm-checks: 0 gaps, 0 unknown. No new gap at or above medium.\n"


def test_a_gap(make_finding: MakeFinding, make_report: MakeReport) -> None:
    finding = make_finding(location=SourceRange("a b/x,y:z%.tf", 2, 2))
    (command,) = commands_of(render(make_report([finding]), Page()))
    assert command == (
        "error",
        {
            "file": "a b/x,y:z%.tf",
            "line": "2",
            "endLine": "2",
            "title": "SRM-DAR-005 RDS instance storage is not encrypted",
        },
        "aws_db_instance.main is not encrypted at rest.\n"
        "customer | PaaS | data at rest\n"
        "AWS does: AWS encrypts on its hosts once encryption is on.\n"
        "You do: You switch encryption on and choose the key.\n"
        "Fix: Set storage_encrypted = true.",
    )


@pytest.mark.parametrize(
    ("changes", "level"),
    [
        ({"severity": Severity.CRITICAL}, "error"),
        ({"severity": Severity.HIGH}, "error"),
        ({"severity": Severity.MEDIUM}, "warning"),
        ({"severity": Severity.LOW}, "notice"),
        ({"severity": Severity.CRITICAL, "outcome": Outcome.UNKNOWN, "cause": Cause.OTHER_STACK}, "notice"),
    ],
)
def test_level(changes: dict[str, object], level: str, make_finding: MakeFinding, make_report: MakeReport) -> None:
    assert [command[0] for command in commands_of(render(make_report([make_finding(**changes)]), Page()))] == [level]


@pytest.mark.parametrize(
    "changes",
    [{"outcome": Outcome.MET}, {"disposition": Disposition.BASELINED}, {"disposition": Disposition.WAIVED}],
    ids=str,
)
def test_what_is_not_new_is_not_annotated(
    changes: dict[str, object], make_finding: MakeFinding, make_report: MakeReport
) -> None:
    assert commands_of(render(make_report([make_finding(**changes)]), Page())) == []


def test_ten_of_a_level_and_the_worst_of_them(make_finding: MakeFinding, make_report: MakeReport) -> None:
    findings = [make_finding(address=f"h{number}") for number in range(12)]
    findings += [make_finding(address="worst", message="the worst", severity=Severity.CRITICAL)]
    findings += [make_finding(severity=Severity.MEDIUM) for _ in range(11)]
    text = render(make_report(findings), Page())
    levels = [level for level, _, _ in commands_of(text)]
    assert levels == ["error"] * 10 + ["warning"] * 10
    assert commands_of(text)[0][2].startswith("the worst\n")
    assert "24 gaps, 0 unknown (20 annotated, the most that GitHub shows; the other report formats list all)" in text


def test_an_unread_file_is_a_warning(make_report: MakeReport) -> None:
    Path("a.tf").touch()
    problems = (
        ScanError("a.tf", "terraform", "parse", "line 2: a value is missing"),
        ScanError(".", "terraform", "crash", "broken"),
    )
    first, second = commands_of(render(make_report(errors=problems), Page()))
    assert (first[0], first[1]["file"], first[2]) == ("warning", "a.tf", "line 2: a value is missing")
    assert "file" not in second[1]


class TestSummary:
    def test_it_is_appended_in_full(
        self, make_finding: MakeFinding, make_report: MakeReport, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        Path("summary.md").write_text("before\n", encoding="utf-8")
        monkeypatch.setenv(SUMMARY_VARIABLE, "summary.md")
        findings = [make_finding(address=f"name-{number}") for number in range(100)]
        text = render(make_report(findings), Page())
        summary = Path("summary.md").read_text(encoding="utf-8")
        assert summary.startswith("before\n")
        assert all(f"`name-{number}`" in summary for number in range(100))
        assert "all are in the job summary" in text

    def test_a_full_one_is_told(self, make_report: MakeReport, monkeypatch: pytest.MonkeyPatch) -> None:
        Path("summary.md").write_bytes(b"x" * MAX_SUMMARY)
        monkeypatch.setenv(SUMMARY_VARIABLE, "summary.md")
        ((level, _, message),) = commands_of(render(make_report(), Page()))
        assert (level, message) == ("warning", "The job summary is full; the report of srm-checks is not in it.")
        assert Path("summary.md").stat().st_size == MAX_SUMMARY

    def test_it_stays_within_the_limit(
        self, make_finding: MakeFinding, make_report: MakeReport, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        Path("summary.md").write_bytes(b"x" * (MAX_SUMMARY - 5000))
        monkeypatch.setenv(SUMMARY_VARIABLE, "summary.md")
        render(make_report([make_finding(address=f"name-{number}") for number in range(100)]), Page())
        assert MAX_SUMMARY - 5000 < Path("summary.md").stat().st_size <= MAX_SUMMARY
        assert "Not listed here: " in Path("summary.md").read_text(encoding="utf-8")

    def test_one_that_cannot_be_written_is_told(self, make_report: MakeReport, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(SUMMARY_VARIABLE, "missing/summary.md")
        ((level, _, message),) = commands_of(render(make_report(), Page()))
        assert level == "warning"
        assert message.startswith("The job summary could not be written: ")


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_inert(name: str, make_finding: MakeFinding, make_report: MakeReport) -> None:
    finding = make_finding(
        address=name, message=f"{name} is open.", when=name, title=f"t {name}", location=SourceRange(f"{name}.tf", 1, 1)
    )
    text = render(make_report([finding], errors=(ScanError(name, "terraform", "parse", f"m {name}"),)), Page())
    (level, properties, message), (unread_level, _, _) = commands_of(text)
    assert (level, unread_level) == ("error", "warning")
    assert properties["title"] == f"SRM-DAR-005 t {inert(name)}"
    assert message.startswith(f"{inert(name)} is open.\n")
    assert all(line.isprintable() for line in text.splitlines())
