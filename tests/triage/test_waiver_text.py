"""Editing the waivers file as text: what people wrote stays."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from srm_checks.errors import UsageError
from srm_checks.triage import waivers
from srm_checks.triage.waiver_text import NewWaiver, appended, without

PATH = "srm-waivers.yaml"
TWO = """\
# Reviewed every quarter.
waivers:
  # the old database
  - policy: SRM-DAR-005   # until it is gone
    reason: one
    owner: a
    expires: 2030-01-01

  # the new one
  # (two lines)
  - policy: SRM-DAR-006
    reason: two
    owner: b
    expires: 2030-01-01
# the end
"""


def new(**changes: Any) -> NewWaiver:
    fields: dict[str, Any] = {
        "policy": "SRM-NET-001",
        "scope": {},
        "reason": "three",
        "owner": "c",
        "ticket": None,
        "created": datetime.date(2026, 1, 1),
        "expires": datetime.date(2026, 7, 1),
    }
    return NewWaiver(**{**fields, **changes})


def policies(text: str) -> list[str]:
    return [waiver.policy for waiver in waivers.parse(PATH, text)]


class TestAppended:
    @pytest.mark.parametrize("text", ["", "waivers: []\n", "waivers:\n", "waivers: [] # none yet\n"])
    def test_to_an_empty_file(self, text: str) -> None:
        assert appended(PATH, text, new()) == (
            "waivers:\n  - policy: SRM-NET-001\n    reason: three\n    owner: c\n"
            "    created: 2026-01-01\n    expires: 2026-07-01\n"
        )

    def test_comments_of_an_empty_file_stay(self) -> None:
        assert appended(PATH, "# ours\nwaivers: []\n", new()).startswith("# ours\nwaivers:\n  - policy")

    def test_to_others(self) -> None:
        result = appended(PATH, TWO, new())
        assert result.startswith(TWO)
        assert policies(result) == ["SRM-DAR-005", "SRM-DAR-006", "SRM-NET-001"]

    def test_it_follows_the_layout_of_the_others(self) -> None:
        flat = "waivers:\n- policy: SRM-DAR-005\n  reason: one\n  owner: a\n  expires: 2030-01-01\n"
        assert "\n- policy: SRM-NET-001\n  reason: three\n" in appended(PATH, flat, new())

    def test_a_file_without_a_last_line_end(self) -> None:
        assert len(policies(appended(PATH, TWO.rstrip("\n"), new()))) == 3

    @pytest.mark.parametrize(
        "reason", ["it's: odd", "# not a comment", "yes", "2026-01-01", "- x", "[a", "{", "two\nlines", "é\x1b", "a: b"]
    )
    def test_any_text_reads_back_as_it_was(self, reason: str) -> None:
        (waiver,) = waivers.parse(PATH, appended(PATH, "", new(reason=reason, ticket=reason)))
        assert (waiver.reason, waiver.ticket) == (reason, reason)

    def test_the_scope(self) -> None:
        text = appended(PATH, "", new(scope={"address": 'aws_x.y["a"]', "root": "envs/*"}))
        (waiver,) = waivers.parse(PATH, text)
        assert (waiver.scope.address, waiver.scope.root) == ('aws_x.y["a"]', "/envs/*")

    def test_a_layout_that_it_cannot_follow_is_left_alone(self) -> None:
        flow = "waivers: [{policy: SRM-DAR-005, reason: r, owner: o, expires: 2030-01-01}]\n"
        with pytest.raises(UsageError, match="on lines of its own"):
            appended(PATH, flow, new())


class TestWithout:
    def test_nothing(self) -> None:
        assert without(PATH, TWO, []) == TWO

    def test_the_first_goes_with_its_comment(self) -> None:
        result = without(PATH, TWO, [0])
        assert policies(result) == ["SRM-DAR-006"]
        assert "the old database" not in result
        assert "# Reviewed every quarter.\n" in result
        assert "  # the new one\n  # (two lines)\n  - policy: SRM-DAR-006\n" in result

    def test_the_last_goes_with_its_comment(self) -> None:
        result = without(PATH, TWO, [1])
        assert policies(result) == ["SRM-DAR-005"]
        assert "the new one" not in result
        assert "# until it is gone\n" in result

    def test_all_leave_an_empty_list(self) -> None:
        assert policies(without(PATH, TWO, [0, 1])) == []

    def test_and_one_can_be_added_again(self) -> None:
        assert policies(appended(PATH, without(PATH, TWO, [0, 1]), new())) == ["SRM-NET-001"]
