"""The text report: what a person sees."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from srm_checks.model import (
    Call,
    Cause,
    Disposition,
    Evidence,
    Finding,
    Outcome,
    ScanError,
    Severity,
    SourceRange,
    UnreadModule,
)
from srm_checks.pipeline import InputsReport, Summary
from srm_checks.report import Page, Report
from srm_checks.report.text import render

MakeFinding = Callable[..., Finding]
MakeReport = Callable[..., Report]

MAIN = """\
resource "aws_db_instance" "main" {
  storage_encrypted = false
}
"""


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("main.tf").write_text(MAIN, encoding="utf-8")


def test_a_gap(make_finding: MakeFinding, make_report: MakeReport) -> None:
    assert (
        render(make_report([make_finding()]), Page())
        == """\
main.tf

  high      RDS instance storage is not encrypted  SRM-DAR-005
            aws_db_instance.main
         2 |   storage_encrypted = false
           |   ^^^^^^^^^^^^^^^^^
            customer | PaaS | data at rest
            AWS does:  AWS encrypts on its hosts once encryption is on.
            you do:    You switch encryption on and choose the key.
            fix:       Set storage_encrypted = true.

Declared in code          gap  unknown      met
  customer                  1        0        0

  data at rest              1        0        0

Read 1 Terraform root (2 files).
1 gap, 0 unknown, 0 met, 0 not applicable.
Gate failed: 1 gap at or above medium (1 high).
"""
    )


def test_no_findings(make_report: MakeReport) -> None:
    assert (
        render(make_report(), Page())
        == """\
Read 1 Terraform root (2 files).
0 gaps, 0 unknown, 0 met, 0 not applicable.
Gate passed: No new gap at or above medium.
"""
    )


def test_nothing_to_scan(make_report: MakeReport) -> None:
    assert render(make_report(inputs=InputsReport(0, 0, 0, 0, 0, ())), Page()) == "Nothing to scan.\n"


def test_an_unknown_is_shorter_and_says_why(make_finding: MakeFinding, make_report: MakeReport) -> None:
    finding = make_finding(
        outcome=Outcome.UNKNOWN,
        cause=Cause.UNRESOLVED_VALUE,
        evidence=(Evidence("storage_encrypted", "${var.enc}", "e" * 16),),
    )
    text = render(make_report([finding]), Page())
    assert "  unknown   RDS instance storage is not encrypted  SRM-DAR-005\n" in text
    assert "            unresolved value: storage_encrypted = ${var.enc}\n" in text
    assert "AWS does" not in text
    assert "fix:" not in text


def test_an_unknown_without_an_attribute_tells_its_message(make_finding: MakeFinding, make_report: MakeReport) -> None:
    finding = make_finding(
        outcome=Outcome.UNKNOWN, cause=Cause.OTHER_STACK, evidence=(), message="It may be elsewhere."
    )
    assert "            other stack: It may be elsewhere.\n" in render(make_report([finding]), Page())


def test_what_is_declared_is_told_where_the_line_does_not_show_it(
    make_finding: MakeFinding, make_report: MakeReport
) -> None:
    finding = make_finding(
        evidence=(
            Evidence("ingress.1", {"from_port": 22, "cidr_blocks": ["0.0.0.0/0"]}, "a"),
            Evidence("ingress.2.description", None, "b"),
            Evidence("ingress.3", "x" * 500, "c"),
        )
    )
    text = render(make_report([finding]), Page())
    assert (
        """\
            declared:  ingress.1 = {"from_port": 22, "cidr_blocks": ["0.0.0.0/0"]}
                       ingress.2.description is not set
                       ingress.3 =
"""
        in text
    )
    assert "x" * 120 + "..." in text


def test_a_gap_that_no_attribute_of_its_own_decides_tells_its_message(
    make_finding: MakeFinding, make_report: MakeReport
) -> None:
    finding = make_finding(
        attribute=None,
        evidence=(),
        message="RDS instance storage is not encrypted: no aws_kms_key in view (SRM-DAR-005).",
    )
    text = render(make_report([finding, finding]), Page())
    assert "            found:     no aws_kms_key in view\n" in text
    other = make_finding(attribute=None, evidence=(), message="something else")
    assert "            found:     something else\n" in render(make_report([finding, other]), Page())


def test_many_values_are_counted(make_finding: MakeFinding, make_report: MakeReport) -> None:
    evidence = tuple(Evidence(f"ingress.{number}", 22, str(number)) for number in range(9))
    text = render(make_report([make_finding(evidence=evidence)]), Page())
    assert "ingress.5 = 22\n                       and 3 more\n" in text


def test_unknowns_on_the_account_are_counted_though_not_listed(make_report: MakeReport) -> None:
    tally = {"unknown": 2}
    counts = Summary(tally, {"customer": tally}, {"monitoring": tally}, {"Control": tally})
    text = render(make_report(counts=counts), Page())
    assert "0 gaps, 2 unknown (2 on the whole account, listed with --all), 0 met, 0 not applicable.\n" in text


def test_where_a_value_comes_from(make_finding: MakeFinding, make_report: MakeReport) -> None:
    finding = make_finding(
        address="module.db.aws_db_instance.main",
        root="envs/prod",
        call_chain=(Call("module.db", "envs/prod/main.tf", 2), Call("module.db.module.x", "modules/db/main.tf", 5)),
        origin=SourceRange("envs/prod/main.tf", 4, 4),
        when='Env is "dev"',
    )
    text = render(make_report([finding]), Page())
    assert "in root envs/prod, called at envs/prod/main.tf:2, modules/db/main.tf:5, value from envs/prod/main.tf:4" in (
        " ".join(text.split())
    )
    assert '            when:      Env is "dev"\n' in text
    assert "            declared:  storage_encrypted = false\n" in text


def test_a_value_from_the_same_file_names_the_line_only(make_finding: MakeFinding, make_report: MakeReport) -> None:
    text = render(make_report([make_finding(origin=SourceRange("main.tf", 9, 9))]), Page())
    assert "value from line 9\n" in text


def test_instances_at_one_line_are_told_once(make_finding: MakeFinding, make_report: MakeReport) -> None:
    findings = [make_finding(address=f"aws_db_instance.main[{number}]") for number in range(8)]
    text = render(make_report(findings), Page())
    assert text.count("SRM-DAR-005") == 1
    assert text.count("aws_db_instance.main[") == 6
    assert "            and 2 more\n" in text


def test_instances_with_other_values_are_told_apart(make_finding: MakeFinding, make_report: MakeReport) -> None:
    findings = [make_finding(evidence=(Evidence("size", size, str(size)),)) for size in (1, 2)]
    assert render(make_report(findings), Page()).count("SRM-DAR-005") == 2


def test_other_branches_are_told_apart(make_finding: MakeFinding, make_report: MakeReport) -> None:
    findings = [make_finding(when=when) for when in ("Env is dev", "Env is test")]
    assert render(make_report(findings), Page()).count("SRM-DAR-005") == 2


def test_gaps_before_unknowns_before_suppressed(make_finding: MakeFinding, make_report: MakeReport) -> None:
    findings = [
        make_finding(disposition=Disposition.SUPPRESSED, suppression={"reason": "accepted for the demo"}),
        make_finding(outcome=Outcome.UNKNOWN, cause=Cause.OTHER_STACK, location=SourceRange("main.tf", 1, 1)),
        make_finding(severity=Severity.LOW, location=SourceRange("main.tf", 3, 3)),
    ]
    lines = render(make_report(findings), Page()).splitlines()
    words = [line.split()[0] for line in lines if "SRM-DAR-005" in line]
    assert words == ["low", "unknown", "suppressed"]


def test_a_suppressed_finding_is_one_line_with_its_reason(make_finding: MakeFinding, make_report: MakeReport) -> None:
    spoken = make_finding(disposition=Disposition.SUPPRESSED, suppression={"reason": "accepted for the demo"})
    silent = make_finding(disposition=Disposition.SUPPRESSED, suppression={"reason": None})
    text = render(make_report([spoken, silent]), Page())
    assert "  suppressed     SRM-DAR-005  aws_db_instance.main:2  accepted for the demo\n" in text
    assert "  suppressed     SRM-DAR-005  aws_db_instance.main:2  no reason given\n" in text
    assert "2 gaps (2 suppressed)" in text
    assert "Gate passed" in text


def test_unknown_instances_are_told_once(make_finding: MakeFinding, make_report: MakeReport) -> None:
    findings = [
        make_finding(
            outcome=Outcome.UNKNOWN,
            cause=Cause.UNRESOLVED_VALUE,
            address=f"aws_db_instance.main[{number}]",
            message=f"aws_db_instance.main[{number}] cannot be decided",
        )
        for number in range(2)
    ]
    assert render(make_report(findings), Page()).count("SRM-DAR-005") == 1


def test_the_table_leaves_out_rows_without_a_count(make_finding: MakeFinding, make_report: MakeReport) -> None:
    text = render(make_report([make_finding(outcome=Outcome.NOT_APPLICABLE)]), Page())
    assert "  data at rest  " not in text


def test_met_outcomes_are_one_line(make_finding: MakeFinding, make_report: MakeReport) -> None:
    text = render(make_report([make_finding(outcome=Outcome.MET)]), Page())
    assert "  met            SRM-DAR-005  aws_db_instance.main:2\n" in text
    assert "  customer                  0        0        1\n" in text


def test_an_attribute_that_is_not_set(make_finding: MakeFinding, make_report: MakeReport) -> None:
    finding = make_finding(
        location=SourceRange("main.tf", 1, 1), evidence=(Evidence("storage_encrypted", None, "e" * 16),)
    )
    assert """\
         1 | resource "aws_db_instance" "main" {
           | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ storage_encrypted is not set
""" in render(make_report([finding]), Page())


def test_unread_modules_and_errors(make_report: MakeReport) -> None:
    text = render(
        make_report(
            errors=(ScanError("a.tf", "terraform", "parse", "line 2: a value is missing"),),
            inputs=InputsReport(1, 1, 0, 0, 4, (UnreadModule("module.vpc", "example/vpc/aws", "main.tf", 3),)),
        ),
        Page(),
    )
    assert (
        "Modules that are not at hand (1); their resources were not seen\n  main.tf:3 module.vpc from example" in text
    )
    assert "Could not be read (1)\n  a.tf: line 2: a value is missing (terraform, parse)\n" in text
    assert "Read 1 Terraform root (1 file); 4 files left out.\n" in text


def test_an_undetermined_model_says_what_is_missing(make_finding: MakeFinding, make_report: MakeReport) -> None:
    finding = make_finding(service_model=None, model_family=None, model_decided_by="launch_type is var.launch_type")
    text = render(make_report([finding]), Page())
    assert "customer | model undetermined: launch_type is var.launch_type | data at rest" in text


def test_a_file_that_is_gone_costs_only_its_excerpt(make_finding: MakeFinding, make_report: MakeReport) -> None:
    Path("main.tf").unlink()
    text = render(make_report([make_finding()]), Page())
    assert " | storage" not in text
    assert "fix:       Set storage_encrypted = true." in text


class TestColour:
    def test_none_without_a_terminal(self, make_finding: MakeFinding, make_report: MakeReport) -> None:
        assert "\x1b" not in render(make_report([make_finding()]), Page(colour=False))

    def test_only_paint_differs(self, make_finding: MakeFinding, make_report: MakeReport) -> None:
        import re

        report = make_report([make_finding()])
        painted = render(report, Page(colour=True))
        assert "\x1b[31mhigh" in painted
        assert re.sub(r"\x1b\[[0-9;]*m", "", painted) == render(report, Page(colour=False))


class TestHostileText:
    HOSTILE = "\x1b]0;owned\x07\x1b[2J\r\n\u202eevil\x00"

    def test_it_is_shown_and_does_nothing(self, make_finding: MakeFinding, make_report: MakeReport) -> None:
        Path("main.tf").write_text(
            f"x\n  storage_encrypted = '{self.HOSTILE.replace(chr(10), '')}'\n", encoding="utf-8"
        )
        finding = make_finding(
            address=self.HOSTILE,
            title=self.HOSTILE,
            fix=self.HOSTILE,
            when=self.HOSTILE,
            root=self.HOSTILE,
            origin=SourceRange(self.HOSTILE, 1, 1),
            service_model=None,
            model_decided_by=self.HOSTILE,
            policy_id=self.HOSTILE,
        )
        report = make_report(
            [
                finding,
                make_finding(outcome=Outcome.UNKNOWN, cause=Cause.OTHER_STACK, message=self.HOSTILE),
                make_finding(disposition=Disposition.SUPPRESSED, suppression={"reason": self.HOSTILE}),
                make_finding(location=SourceRange(self.HOSTILE.rstrip("\0"), 1, 1)),
            ],
            errors=(ScanError(self.HOSTILE, "terraform", "parse", self.HOSTILE),),
            inputs=InputsReport(1, 1, 0, 0, 0, (UnreadModule(self.HOSTILE, self.HOSTILE, self.HOSTILE, 3),)),
        )
        text = render(report, Page())
        assert not set(text) & set("\x1b\x07\r\u202e\x00")
        assert "\\x1b]0;owned\\x07" in text


def test_long_text_is_wrapped_to_the_page(make_finding: MakeFinding, make_report: MakeReport) -> None:
    text = render(make_report([make_finding(fix="word " * 60)]), Page(width=60))
    fix = text[text.index("fix:") :].split("\n\n")[0].splitlines()
    assert len(fix) > 5
    assert all(len(line) <= 60 for line in fix)
    assert all(line.startswith(" " * 23) for line in fix[1:])
