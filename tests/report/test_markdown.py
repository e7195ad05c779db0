"""The pull request comment: short, complete in its numbers, and inert."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from srm_checks.model import (
    Cause,
    Disposition,
    Domain,
    Evidence,
    Finding,
    Outcome,
    ScanError,
    Severity,
    Side,
    UnreadModule,
)
from srm_checks.pipeline import InputsReport
from srm_checks.policy.packs import load_packs
from srm_checks.report import Page, Report
from srm_checks.report.markdown import MARKER, Limits, render, text
from tests.report.hostile import HOSTILE

MakeFinding = Callable[..., Finding]
MakeReport = Callable[..., Report]


def test_an_empty_report(make_report: MakeReport) -> None:
    assert render(make_report(), Page()) == (
        f"{MARKER}\n## srm-checks: gate passed\n\nNo new gap at or above medium.\n"
    )


def test_a_gap(make_finding: MakeFinding, make_report: MakeReport) -> None:
    policy = load_packs().by_id()["SRM-DAR-005"]
    body = render(make_report([make_finding(when="Env is dev")], policies={policy.id: policy}), Page())
    assert (
        body
        == f"""\
{MARKER}
## srm-checks: gate failed

1 gap at or above medium (1 high).

| domain | customer |
|---|---|
| data at rest | 1 gap |

### high: RDS instance storage is not encrypted ([SRM-DAR-005]({policy.url}))

customer \\| PaaS \\| data at rest

- AWS does: {policy.aws_does}
- You do: {policy.customer_does}
- Fix: Set storage_encrypted = true.

* `aws_db_instance.main` at `main.tf:2`, `storage_encrypted = false`, when `Env is dev`
"""
    )


def test_the_table_counts_by_side_and_domain(make_finding: MakeFinding, make_report: MakeReport) -> None:
    findings = [
        make_finding(),
        make_finding(side=Side.SHARED),
        make_finding(outcome=Outcome.UNKNOWN, cause=Cause.OTHER_STACK),
        make_finding(domain=Domain.NETWORK, side=Side.SHARED),
        make_finding(domain=Domain.BACKUP, disposition=Disposition.BASELINED),
    ]
    assert """
| domain | customer | shared |
|---|---|---|
| data at rest | 1 gap, 1 unknown | 1 gap |
| network |  | 1 gap |
""" in render(make_report(findings), Page())


def test_the_worst_policy_comes_first(make_finding: MakeFinding, make_report: MakeReport) -> None:
    findings = [
        make_finding(policy_id=f"SRM-DAR-{number}", severity=severity)
        for number, severity in ((1, Severity.LOW), (2, Severity.CRITICAL), (3, Severity.HIGH))
    ]
    headings = re.findall(r"^### (\w+)", render(make_report(findings), Page()), re.MULTILINE)
    assert headings == ["critical", "high", "low"]


def test_unknowns_are_folded_and_say_why(make_finding: MakeFinding, make_report: MakeReport) -> None:
    body = render(make_report([make_finding(outcome=Outcome.UNKNOWN, cause=Cause.OTHER_STACK)]), Page())
    assert "<details><summary>1 cannot be decided from the code</summary>\n\n" in body
    assert "* `aws_db_instance.main` at `main.tf:2`, other stack, `storage_encrypted = false`\n\n</details>\n" in body


def test_against_a_baseline_it_says_what_changed(make_finding: MakeFinding, make_report: MakeReport) -> None:
    known = make_finding(disposition=Disposition.BASELINED, address="known")
    body = render(make_report([make_finding(), known, known]), Page())
    assert "Against the baseline: **1 new**, 2 known before." in body
    assert "`known`" not in body


def test_exceptions_are_counted(make_finding: MakeFinding, make_report: MakeReport) -> None:
    findings = [make_finding(disposition=each) for each in (Disposition.WAIVED, Disposition.SUPPRESSED)]
    assert "Excepted: 1 waived, 1 suppressed." in render(make_report(findings), Page())


def test_what_was_not_seen_is_told(make_report: MakeReport) -> None:
    body = render(
        make_report(
            errors=(ScanError("a.tf", "terraform", "parse", "line 2"),),
            inputs=InputsReport(1, 1, 0, 0, 0, (UnreadModule("module.vpc", "example/vpc/aws", "main.tf", 3),)),
        ),
        Page(),
    )
    assert "**1 could not be read**\n\n* `a.tf`: `line 2`\n" in body
    assert "* `module.vpc` from `example/vpc/aws` (`main.tf:3`)" in body


class TestLength:
    def test_a_few_places_of_a_policy(self, make_finding: MakeFinding, make_report: MakeReport) -> None:
        body = render(make_report([make_finding(address=f"a{number}") for number in range(600)]), Page())
        assert len(re.findall(r"^\* `a\d+`", body, re.MULTILINE)) == 5
        assert "* and 595 more\n" in body
        assert body.endswith("Not listed here: 595 of 600 gaps. The other report formats list them all.\n")

    def test_many_policies_have_a_line_each(self, make_finding: MakeFinding, make_report: MakeReport) -> None:
        body = render(make_report([make_finding(policy_id=f"SRM-DAR-{number}") for number in range(30)]), Page())
        assert len(re.findall("^### high", body, re.MULTILINE)) == 15
        assert len(re.findall("^- high: ", body, re.MULTILINE)) == 15
        assert "Not listed here: 15 of 30 gaps." in body

    @pytest.mark.parametrize("outcome", [Outcome.GAP, Outcome.UNKNOWN])
    def test_it_stays_within_its_size(
        self, outcome: Outcome, make_finding: MakeFinding, make_report: MakeReport
    ) -> None:
        findings = [
            make_finding(outcome=outcome, policy_id=f"SRM-DAR-{number}", address="\u65e5" * 3000)
            for number in range(100)
        ]
        body = render(make_report(findings), Page())
        assert 30_000 < len(body.encode()) < 65_536
        assert "Not listed here: " in body
        assert body.count("<details>") == body.count("</details>")

    def test_with_room_everything_is_listed(self, make_finding: MakeFinding, make_report: MakeReport) -> None:
        findings = [make_finding(address=f"a{number}", policy_id=f"SRM-DAR-{number % 40}") for number in range(600)]
        body = text(make_report(findings), Limits(size=1_000_000, policies=1000, places=1000))
        assert all(f"`a{number}`" in body for number in range(600))
        assert "Not listed here" not in body


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_inert(name: str, make_finding: MakeFinding, make_report: MakeReport) -> None:
    finding = make_finding(address=name, when=name, root=name, message=name, evidence=(Evidence(name, name),))
    report = make_report(
        [finding, make_finding(outcome=Outcome.UNKNOWN, cause=Cause.OTHER_STACK, address=name)],
        errors=(ScanError(name, "terraform", "parse", name),),
        inputs=InputsReport(1, 1, 0, 0, 0, (UnreadModule(name, name, name, 3),)),
    )
    plain = make_report(
        [make_finding(when="x"), make_finding(outcome=Outcome.UNKNOWN, cause=Cause.OTHER_STACK)],
        errors=(ScanError("x", "terraform", "parse", "x"),),
        inputs=InputsReport(1, 1, 0, 0, 0, (UnreadModule("x", "x", "x", 3),)),
    )
    body = render(report, Page())
    assert all(line.isprintable() for line in body.splitlines())
    assert len(body.splitlines()) == len(render(plain, Page()).splitlines())
    tags = re.findall(r"<[^>\n]*", body)
    assert tags == re.findall(r"<[^>\n]*", render(plain, Page()))
