"""CSV as spreadsheets and scripts read it."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

import pytest

from srm_checks.model import Disposition, Evidence, Finding
from srm_checks.report import Page, Report
from srm_checks.report.csv import cell, render
from tests.report.hostile import HOSTILE

MakeFinding = Callable[..., Finding]
MakeReport = Callable[..., Report]


def rows_of(report: Report) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(render(report, Page()), newline=""), strict=True))


def test_an_empty_report_is_a_header(make_report: MakeReport) -> None:
    text = render(make_report(), Page())
    assert text.startswith("outcome,disposition,severity,policy_id,")
    assert text.count("\r\n") == 1
    assert text.endswith("\r\n")


def test_a_row(make_finding: MakeFinding, make_report: MakeReport) -> None:
    (row,) = rows_of(make_report([make_finding(frameworks={"nist": ("SC-28",), "fsbp": ("RDS.3",)})]))
    told = {name: row[name] for name in ("policy_id", "side", "domain", "path", "start_line", "declared", "when")}
    assert told == {
        "policy_id": "SRM-DAR-005",
        "side": "customer",
        "domain": "data-at-rest",
        "path": "main.tf",
        "start_line": "2",
        "declared": "storage_encrypted = false",
        "when": "",
    }
    assert row["frameworks"] == "fsbp RDS.3; nist SC-28"


def test_an_exception_keeps_its_row_and_says_why(make_finding: MakeFinding, make_report: MakeReport) -> None:
    waiver = {"reason": "migrating", "owner": "data team", "expiry": "2030-01-01"}
    (row,) = rows_of(make_report([make_finding(disposition=Disposition.WAIVED, waiver=waiver)]))
    assert {name: row[name] for name in ("disposition", *waiver)} == {"disposition": "waived", **waiver}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, ""),
        ("plain", "plain"),
        (12, "12"),
        ("a=b", "a=b"),
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("  =1", "'  =1"),
        ("\t=1", "\\t=1"),
        ("\uff1d1", "'\uff1d1"),
        ("a\r\nb", "a\\r\\nb"),
    ],
)
def test_cell(value: object, expected: str) -> None:
    assert cell(value) == expected


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_inert(name: str, make_finding: MakeFinding, make_report: MakeReport) -> None:
    report = make_report([make_finding(address=name, message=name, when=name, evidence=(Evidence(name, name),))])
    assert all(line.isprintable() for line in render(report, Page()).split("\r\n"))
    (row,) = rows_of(report)
    assert None not in row
    assert not any(text.startswith(("=", "+", "-", "@", "\t", "\r")) for text in row.values())
