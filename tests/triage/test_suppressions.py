"""How far an inline exception reaches: as far as in the tool that it was written for."""

from __future__ import annotations

import pytest

from srm_checks.model import SourceRange, Suppression
from srm_checks.triage.suppressions import Vocabulary, attempt, match, record, refusal, remarks

PLACE = SourceRange("main.tf", 3, 3)


def suppression(pattern: str, kind: str, reason: str | None = "accepted") -> Suppression:
    return Suppression(pattern, reason, kind, PLACE)


CASES = [
    ("a Checkov skip of the id", "SRM-DAR-005", "checkov", True),
    ("several ids in one skip", "CKV_AWS_16, SRM-DAR-005", "checkov", True),
    ("another id", "SRM-DAR-006", "checkov", False),
    ("an id that contains it", "ACMESRM-DAR-0055", "checkov", False),
    ("a prefix is no Checkov id", "SRM-DAR", "checkov", False),
    ("the cfn-lint id is no Checkov id", "E906005", "checkov", False),
    ("the full cfn-lint id", "E906005", "cfn-lint", True),
    ("a prefix on a resource does not hold", "E906", "cfn-lint", False),
    ("the policy id is no cfn-lint id", "SRM-DAR-005", "cfn-lint", False),
    ("the full id in the template", "E906005", "cfn-lint-template", True),
    ("a prefix in the template holds", "E9", "cfn-lint-template", True),
    ("all errors in the template", "E", "cfn-lint-template", True),
    ("another prefix", "E3", "cfn-lint-template", False),
    ("an empty prefix silences nothing", "", "cfn-lint-template", False),
]


@pytest.mark.parametrize(("pattern", "kind", "hit"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_reach(pattern: str, kind: str, hit: bool) -> None:
    entry = suppression(pattern, kind)
    assert match("SRM-DAR-005", "E906005", [entry], mandatory=False) is (entry if hit else None)


def test_no_suppressions_silence_nothing() -> None:
    assert match("SRM-DAR-005", "E906005", [], mandatory=False) is None


@pytest.mark.parametrize("kind", ["checkov", "cfn-lint", "cfn-lint-template"])
def test_a_mandatory_policy_is_never_silenced_but_the_attempt_is_seen(kind: str) -> None:
    entry = suppression("SRM-DAR-005" if kind == "checkov" else "E906005", kind)
    assert match("SRM-DAR-005", "E906005", [entry], mandatory=True) is None
    assert attempt("SRM-DAR-005", "E906005", [entry]) is entry
    assert refusal("SRM-DAR-005", entry).startswith("main.tf:3: SRM-DAR-005 is mandatory")


def test_one_with_a_reason_is_preferred() -> None:
    silent = suppression("E9", "cfn-lint-template", reason=None)
    spoken = suppression("SRM-DAR-005", "checkov")
    assert match("SRM-DAR-005", "E906005", [silent, spoken], mandatory=False) is spoken


def test_a_policy_without_a_cfn_lint_id() -> None:
    assert match("ACME-DAR-005", None, [suppression("E9", "cfn-lint-template")], mandatory=False) is None


def test_an_unknown_kind_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="unknown kind"):
        match("SRM-DAR-005", "E906005", [suppression("x", "other")], mandatory=False)


def test_record_is_json_ready() -> None:
    assert record(suppression("E9", "cfn-lint-template", reason=None)) == {
        "kind": "cfn-lint-template",
        "pattern": "E9",
        "reason": None,
        "path": "main.tf",
        "start_line": 3,
    }


class TestEquivalents:
    """A suppression of another tool's check for the same thing, where the configuration lets it count."""

    def test_it_counts(self) -> None:
        entry = suppression("CKV_AWS_16", "checkov")
        assert attempt("SRM-DAR-005", "E906005", [entry], ("CKV_AWS_16",)) is entry

    def test_only_where_it_is_asked_for(self) -> None:
        assert attempt("SRM-DAR-005", "E906005", [suppression("CKV_AWS_16", "checkov")]) is None

    def test_a_prefix_is_none(self) -> None:
        assert attempt("SRM-DAR-005", "E906005", [suppression("CKV_AWS_1", "checkov")], ("CKV_AWS_16",)) is None


KNOWN = Vocabulary(
    frozenset({"SRM-DAR-005", "ACME-DAR-001"}), {"E906005": "SRM-DAR-005", "E9ACME06001": "ACME-DAR-001"}
)
REMARKS: list[tuple[str, str, str, str | None, str]] = [
    ("as it should be", "SRM-DAR-005", "checkov", "accepted", ""),
    ("no reason", "SRM-DAR-005", "checkov", None, "main.tf:3: the suppression of SRM-DAR-005 gives no reason"),
    (
        "an unknown id",
        "SRM-DAR-050",
        "checkov",
        "x",
        "main.tf:3: the suppression names SRM-DAR-050, which no active pack has; did you mean 'SRM-DAR-005'?",
    ),
    ("an id of a pack that is not active", "OTHER-NET-001", "checkov", "x", "which no active pack has"),
    ("a check of Checkov", "CKV_AWS_999", "checkov", None, ""),
    ("a cfn-lint id has no place for a reason", "E906005", "cfn-lint", None, "E906005 gives no reason"),
    ("an unknown cfn-lint id", "E906050", "cfn-lint", None, "which no active pack has; did you mean 'E906005'?"),
    ("a rule of cfn-lint", "E3012", "cfn-lint", None, ""),
    ("a prefix in the template", "E906", "cfn-lint-template", None, "the suppression of E906 gives no reason"),
    ("all errors in the template are not about us", "E", "cfn-lint-template", None, ""),
]


@pytest.mark.parametrize(
    ("pattern", "kind", "reason", "remark"), [case[1:] for case in REMARKS], ids=[case[0] for case in REMARKS]
)
def test_remarks(pattern: str, kind: str, reason: str | None, remark: str) -> None:
    found = list(remarks([suppression(pattern, kind, reason)], KNOWN))
    assert len(found) == bool(remark)
    assert all(remark in text for text in found)


def test_each_place_is_told_once() -> None:
    entry = suppression("SRM-DAR-005", "checkov", None)
    assert len(list(remarks([entry, entry], KNOWN))) == 1


def test_an_equivalent_without_a_reason_is_told_where_it_counts() -> None:
    entry = suppression("CKV_AWS_16", "checkov", None)
    assert list(remarks([entry], Vocabulary(frozenset(), {}, frozenset({"CKV_AWS_16"})))) == [
        "main.tf:3: the suppression of CKV_AWS_16 gives no reason"
    ]
