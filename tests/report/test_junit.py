"""JUnit XML as CI servers read it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from junitparser import Error, Failure, Skipped
from junitparser.xunit2 import JUnitXml, TestCase, TestSuite

from srm_checks.model import Cause, Disposition, Evidence, Finding, Outcome, ScanError, Severity, SourceRange
from srm_checks.report import Page, Report
from srm_checks.report.junit import render
from tests.report.hostile import HOSTILE

MakeFinding = Callable[..., Finding]
MakeReport = Callable[..., Report]


def suites_of(report: Report) -> list[TestSuite]:
    """What a reader makes of the report; the numbers in the attributes are those of the cases."""
    read = JUnitXml.fromstring(render(report, Page()).encode())
    suites = list(read)
    for part in [read, *suites]:
        said = (part.tests, part.failures, part.errors, part.skipped)
        part.update_statistics()
        assert said == (part.tests, part.failures, part.errors, part.skipped)
    return suites


def only_case(report: Report) -> TestCase:
    (suite,) = suites_of(report)
    (case,) = suite
    return case


def test_an_empty_report_has_one_passing_case(make_report: MakeReport) -> None:
    case = only_case(make_report())
    assert case.name == "no gaps and no unknowns"
    assert case.is_passed


def test_a_gap_fails_and_says_who_does_what(make_finding: MakeFinding, make_report: MakeReport) -> None:
    case = only_case(make_report([make_finding(when="Env is dev")]))
    assert (case.classname, case.name) == ("main.tf", "SRM-DAR-005 aws_db_instance.main")
    (failure,) = case.result
    assert isinstance(failure, Failure)
    assert (failure.type, failure.message) == ("high", "aws_db_instance.main is not encrypted at rest.")
    assert failure.text.splitlines() == [
        "RDS instance storage is not encrypted",
        "main.tf:2 aws_db_instance.main (root .)",
        "customer | PaaS | data at rest",
        "when: Env is dev",
        "declared: storage_encrypted = false",
        "AWS does: AWS encrypts on its hosts once encryption is on.",
        "you do: You switch encryption on and choose the key.",
        "fix: Set storage_encrypted = true.",
    ]
    properties = {item.name: item.value for item in case.properties()}
    assert properties["side"] == "customer"
    assert properties["service_model"] == "PaaS"
    assert properties["domain"] == "data-at-rest"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {
                "disposition": Disposition.WAIVED,
                "waiver": {"reason": "migrating", "owner": "data team", "expiry": "2030-01-01"},
            },
            "waived: migrating, by data team, until 2030-01-01",
        ),
        ({"disposition": Disposition.SUPPRESSED, "suppression": {"reason": "a test"}}, "suppressed: a test"),
        ({"disposition": Disposition.SUPPRESSED, "suppression": {"reason": None}}, "suppressed: no reason given"),
        ({"disposition": Disposition.BASELINED}, "baselined: known before"),
        (
            {"outcome": Outcome.UNKNOWN, "cause": Cause.UNRESOLVED_VALUE, "message": "var.enc has no value."},
            "unknown, unresolved value: var.enc has no value.",
        ),
        ({"outcome": Outcome.NOT_APPLICABLE}, "not applicable"),
    ],
    ids=["waived", "suppressed", "no reason", "baselined", "unknown", "not applicable"],
)
def test_what_does_not_fail_is_skipped_with_the_reason(
    changes: dict[str, object], message: str, make_finding: MakeFinding, make_report: MakeReport
) -> None:
    (skipped,) = only_case(make_report([make_finding(**changes)])).result
    assert isinstance(skipped, Skipped)
    assert skipped.message == message


def test_what_is_met_passes(make_finding: MakeFinding, make_report: MakeReport) -> None:
    assert only_case(make_report([make_finding(outcome=Outcome.MET)])).is_passed


def test_a_suite_is_a_file(make_finding: MakeFinding, make_report: MakeReport) -> None:
    findings = [make_finding(location=SourceRange(path, 1, 1)) for path in ("b.tf", "a.tf", "b.tf")]
    suites = suites_of(make_report(findings))
    assert [(suite.name, len(suite)) for suite in suites] == [("a.tf", 1), ("b.tf", 2)]


def test_names_are_unique(make_finding: MakeFinding, make_report: MakeReport) -> None:
    findings = [make_finding(root=root) for root in ("dev", "prod", "prod")] + [make_finding(address="other")]
    (suite,) = suites_of(make_report(findings))
    assert [case.name for case in suite] == [
        "SRM-DAR-005 aws_db_instance.main (root dev, terraform)",
        "SRM-DAR-005 aws_db_instance.main (root prod, terraform)",
        "SRM-DAR-005 aws_db_instance.main (root prod, terraform) #2",
        "SRM-DAR-005 other",
    ]


def test_a_file_that_could_not_be_read_is_an_error(make_finding: MakeFinding, make_report: MakeReport) -> None:
    problems = tuple(ScanError("main.tf", "terraform", "parse", text) for text in ("line 2", "line 9"))
    (suite,) = suites_of(make_report([make_finding()], errors=problems))
    errors = [result for case in suite for result in case.result if isinstance(result, Error)]
    assert [(error.type, error.message) for error in errors] == [
        ("parse", "line 2 (terraform)"),
        ("parse", "line 9 (terraform)"),
    ]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_inert(name: str, make_finding: MakeFinding, make_report: MakeReport) -> None:
    finding = make_finding(
        address=name,
        message=name,
        root=name,
        when=name,
        evidence=(Evidence(name, name),),
        location=SourceRange(f"{name}.tf", 1, 1),
        severity=Severity.LOW,
    )
    text = render(make_report([finding], errors=(ScanError(name, "terraform", "parse", name),)), Page())
    assert all(line.isprintable() for line in text.splitlines())
    assert "]]>" not in text
    cases = [case for suite in JUnitXml.fromstring(text.encode()) for case in suite]
    assert [len(case.result) for case in cases] == [1, 1]
