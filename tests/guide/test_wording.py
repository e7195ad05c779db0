"""The guide has words for all that it may have to tell."""

from __future__ import annotations

from srm_checks.guide.wording import CAUSES, framework_title
from srm_checks.model import Cause
from srm_checks.policy.packs import load_packs


def test_every_cause_has_a_remedy() -> None:
    assert list(CAUSES) == list(Cause)
    for what, remedy in CAUSES.values():
        assert what.endswith(".")
        assert remedy.endswith(".")


def test_every_framework_of_the_library_has_a_title() -> None:
    keys = {key for policy in load_packs(["aws-all"]).policies for key in policy.frameworks}
    assert [key for key in sorted(keys) if framework_title(key) == key] == []


def test_a_framework_of_somebody_else_keeps_its_key() -> None:
    assert framework_title("acme-standard") == "acme-standard"
