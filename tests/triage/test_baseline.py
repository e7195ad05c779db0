"""The baseline: which findings it knows again, and which entries it gives up."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from srm_checks import identity
from srm_checks.errors import UsageError
from srm_checks.model import Disposition, Evidence, Finding, Outcome
from srm_checks.triage import baseline
from srm_checks.triage.baseline import Baseline, Comparison, Key, View

MakeFinding = Callable[..., Finding]
POLICY = "SRM-NET-001"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def found(make_finding: MakeFinding) -> MakeFinding:
    """A finding whose marks are those that judging gives it. `facts` are (path, value) pairs."""

    def make(*facts: tuple[str, Any], **changes: Any) -> Finding:
        given = {"policy_id": POLICY, "root": "envs/prod", "address": "aws_security_group.main", **changes}
        head = (given["policy_id"], "terraform", given["root"], given["address"])
        evidence = tuple(
            Evidence(path, value, identity.evidence_fingerprint(*head, path, value)) for path, value in facts
        )
        given.setdefault("fingerprint", identity.fingerprint(*head))
        return make_finding(evidence=evidence, **given)

    return make


def known_of(*findings: Finding) -> Baseline:
    return baseline.snapshot(findings)


def compare(
    known: Baseline,
    *findings: Finding,
    gone: tuple[str, ...] = (),
    renamed: dict[str, str] | None = None,
    roots: tuple[str, ...] = ("envs/prod",),
) -> Comparison:
    view = View(frozenset(roots), frozenset({POLICY}))
    return baseline.compare(known, findings, view, roots=History(gone, renamed))


class History:
    """Roots that are gone, and what git says of them; None: it cannot tell."""

    def __init__(self, gone: tuple[str, ...] = (), renamed: dict[str, str] | None = None) -> None:
        self.gone = gone
        self.renames = renamed

    def is_gone(self, key: Key) -> bool:
        return key.root in self.gone

    def renamed(self, root: str) -> str | None:
        return (self.renames or {}).get(root)

    def may_have_been_renamed_to(self, root: str) -> bool:
        return self.renames is None


def dispositions(result: Comparison) -> list[str]:
    return [str(finding.disposition) for finding in result.findings]


SSH = ("ingress.0", {"from_port": 22, "cidr_blocks": ["0.0.0.0/0"]})
RDP = ("ingress.1", {"from_port": 3389, "cidr_blocks": ["0.0.0.0/0"]})


class TestEvidence:
    def test_the_same_is_known(self, found: MakeFinding) -> None:
        assert dispositions(compare(known_of(found(SSH)), found(SSH))) == ["baselined"]

    def test_one_more_is_new(self, found: MakeFinding) -> None:
        assert dispositions(compare(known_of(found(SSH)), found(SSH, RDP))) == ["new"]

    def test_one_fewer_is_known(self, found: MakeFinding) -> None:
        assert dispositions(compare(known_of(found(SSH, RDP)), found(RDP))) == ["baselined"]

    def test_another_place_in_the_list_is_known(self, found: MakeFinding) -> None:
        moved = (("ingress.0", RDP[1]), ("ingress.1", SSH[1]))
        assert dispositions(compare(known_of(found(SSH, RDP)), found(*moved))) == ["baselined"]

    def test_another_value_is_new(self, found: MakeFinding) -> None:
        wider = ("ingress.0", {"from_port": 0, "cidr_blocks": ["0.0.0.0/0"]})
        assert dispositions(compare(known_of(found(SSH)), found(wider))) == ["new"]

    def test_a_finding_without_evidence_is_known_as_a_whole(self, found: MakeFinding) -> None:
        assert dispositions(compare(known_of(found()), found())) == ["baselined"]
        assert dispositions(compare(known_of(found()), found(SSH))) == ["new"]
        assert dispositions(compare(known_of(found(SSH)), found())) == ["new"]

    def test_results_that_differ_by_their_mark_only(self, found: MakeFinding) -> None:
        known = known_of(found(fingerprint="a" * 32))
        assert dispositions(compare(known, found(fingerprint="a" * 32), found(fingerprint="b" * 32))) == [
            "baselined",
            "new",
        ]


class TestIdentity:
    @pytest.mark.parametrize(
        "change",
        [{"policy_id": "SRM-NET-002"}, {"root": "envs/dev"}, {"address": "aws_security_group.other"}],
        ids=lambda change: next(iter(change)),
    )
    def test_another_thing_is_new(self, found: MakeFinding, change: dict[str, Any]) -> None:
        assert dispositions(compare(known_of(found(SSH)), found(SSH, **change))) == ["new"]

    def test_an_unknown_that_became_a_gap_is_new_and_not_fixed(self, found: MakeFinding) -> None:
        result = compare(known_of(found(SSH, outcome=Outcome.UNKNOWN)), found(SSH))
        assert dispositions(result) == ["new"]
        assert result.fixed == ()

    def test_what_is_excepted_stays_so(self, found: MakeFinding) -> None:
        waived = found(SSH, disposition=Disposition.WAIVED)
        result = compare(known_of(found(SSH)), waived)
        assert dispositions(result) == ["waived"]
        assert result.fixed == ()

    def test_what_is_met_is_no_matter_of_the_baseline(self, found: MakeFinding) -> None:
        met = found(SSH, outcome=Outcome.MET)
        assert known_of(met) == Baseline({})
        assert dispositions(compare(known_of(found(SSH)), met)) == ["new"]


class TestMoves:
    def test_a_moved_block_keeps_the_identity(self, found: MakeFinding) -> None:
        new = "module.net.aws_security_group.main"
        moved = found(SSH, address=new, former={new: ("aws_security_group.main",)})
        result = compare(known_of(found(SSH)), moved)
        assert (dispositions(result), result.fixed) == (["baselined"], ())

    def test_without_it_the_resource_is_another(self, found: MakeFinding) -> None:
        result = compare(known_of(found(SSH)), found(SSH, address="module.net.aws_security_group.main"))
        assert dispositions(result) == ["new"]
        assert [key.address for key in result.fixed] == ["aws_security_group.main"]

    def test_an_instance_moves_to_a_key(self, found: MakeFinding) -> None:
        new = 'aws_security_group.main["a"]'
        moved = found(SSH, address=new, former={new: ("aws_security_group.main[1]",)})
        known = known_of(found(SSH, address="aws_security_group.main[1]"))
        assert dispositions(compare(known, moved)) == ["baselined"]

    @pytest.mark.parametrize(
        ("before", "after"),
        [
            ("aws_security_group.main", "aws_security_group.main[0]"),
            ("aws_security_group.main[0]", "aws_security_group.main"),
        ],
    )
    def test_a_count_that_comes_or_goes(self, found: MakeFinding, before: str, after: str) -> None:
        assert dispositions(compare(known_of(found(SSH, address=before)), found(SSH, address=after))) == ["baselined"]

    def test_the_related_resource_moved_too(self, found: MakeFinding) -> None:
        before = found(("aws_rule.a.from_port", 22))
        after = found(
            ("module.net.aws_rule.a.from_port", 22),
            address="module.net.aws_security_group.main",
            former={
                "module.net.aws_security_group.main": ("aws_security_group.main",),
                "module.net.aws_rule.a": ("aws_rule.a",),
            },
        )
        assert dispositions(compare(known_of(before), after)) == ["baselined"]

    def test_a_moved_resource_that_got_worse_is_new(self, found: MakeFinding) -> None:
        new = "aws_security_group.renamed"
        moved = found(SSH, RDP, address=new, former={new: ("aws_security_group.main",)})
        result = compare(known_of(found(SSH)), moved)
        assert (dispositions(result), result.fixed) == (["new"], ())


class TestRenamedRoots:
    def test_a_gone_root_stands_for_the_single_equal_finding(self, found: MakeFinding) -> None:
        result = compare(known_of(found(SSH)), found(SSH, root="live/prod"), gone=("envs/prod",))
        assert (dispositions(result), result.fixed) == (["baselined"], ())

    def test_but_not_where_git_knows_that_it_is_no_rename(self, found: MakeFinding) -> None:
        result = compare(known_of(found(SSH)), found(SSH, root="live/prod"), gone=("envs/prod",), renamed={})
        assert dispositions(result) == ["new"]

    def test_a_root_that_is_still_there_does_not(self, found: MakeFinding) -> None:
        assert dispositions(compare(known_of(found(SSH)), found(SSH, root="live/prod"))) == ["new"]

    def test_two_equal_findings_are_a_copy(self, found: MakeFinding) -> None:
        copies = (found(SSH, root="live/a"), found(SSH, root="live/b"))
        assert dispositions(compare(known_of(found(SSH)), *copies, gone=("envs/prod",))) == ["new", "new"]

    def test_of_two_gone_roots_nobody_knows_which_it_was(self, found: MakeFinding) -> None:
        known = known_of(found(SSH, root="envs/a"), found(SSH, root="envs/b"))
        assert dispositions(compare(known, found(SSH, root="live/a"), gone=("envs/a", "envs/b"))) == ["new"]

    def test_two_gone_roots_are_told_apart_by_git(self, found: MakeFinding) -> None:
        known = known_of(found(SSH, root="envs/a"), found(SSH, root="envs/b"))
        now = (found(SSH, root="live/a"), found(SSH, root="live/b"))
        gone = ("envs/a", "envs/b")
        assert dispositions(compare(known, *now, gone=gone)) == ["new", "new"]
        renamed = {"envs/a": "live/a", "envs/b": "live/b"}
        assert dispositions(compare(known, *now, gone=gone, renamed=renamed)) == ["baselined", "baselined"]

    def test_a_renamed_root_that_got_worse_is_new(self, found: MakeFinding) -> None:
        worse = found(SSH, RDP, root="live/prod")
        result = compare(known_of(found(SSH)), worse, gone=("envs/prod",), renamed={"envs/prod": "live/prod"})
        assert dispositions(result) == ["new"]

    def test_an_absence_may_stand_at_another_root(self, found: MakeFinding) -> None:
        known = known_of(found(address="(absent)"))
        assert dispositions(compare(known, found(address="(absent)", root="envs/another"))) == ["baselined"]

    def test_an_account_wide_one_has_no_root(self, found: MakeFinding) -> None:
        known = known_of(found(address="(absent)", account_wide=True))
        assert [key.root for key in known.entries] == [baseline.WHOLE_ACCOUNT]


class TestFixed:
    def test_what_is_gone_from_a_scanned_root(self, found: MakeFinding) -> None:
        assert [key.root for key in compare(known_of(found(SSH))).fixed] == ["envs/prod"]

    def test_not_what_was_not_looked_at(self, found: MakeFinding) -> None:
        assert compare(known_of(found(SSH)), roots=("envs/dev",)).fixed == ()

    def test_not_a_policy_that_was_not_judged(self, found: MakeFinding) -> None:
        assert compare(known_of(found(SSH, policy_id="SRM-NET-002"))).fixed == ()

    def test_not_an_account_wide_absence_that_nothing_answers(self, found: MakeFinding) -> None:
        known = known_of(found(address="(absent)", account_wide=True))
        assert compare(known).fixed == ()
        view = View(frozenset(), frozenset({POLICY}), settled=frozenset({POLICY}))
        nothing = baseline.compare(known, (), view, roots=History())
        assert len(nothing.fixed) == 1


class TestFile:
    def test_it_reads_back_as_it_was(self, found: MakeFinding) -> None:
        known = known_of(found(SSH, RDP), found(address="aws_x.é\x1b", outcome=Outcome.UNKNOWN))
        baseline.write("sub/base.json", known)
        assert baseline.read("sub/base.json") == known

    def test_an_empty_one_too(self) -> None:
        baseline.write("base.json", Baseline({}))
        assert baseline.read("base.json") == Baseline({})

    def test_one_sorted_line_for_each_finding(self, found: MakeFinding) -> None:
        text = baseline.text(known_of(found(RDP, SSH), found(SSH, root="envs/dev")))
        lines = [line.strip().rstrip(",") for line in text.splitlines()[3:-2]]
        assert [json.loads(line)["root"] for line in lines] == ["envs/dev", "envs/prod"]
        assert list(json.loads(lines[1])["evidence"]) == ["ingress.*"]
        assert text == baseline.text(known_of(found(SSH, root="envs/dev"), found(SSH, RDP)))

    def test_it_shows_nothing_that_could_act(self, found: MakeFinding) -> None:
        assert baseline.text(known_of(found(SSH, address="aws_x.\x1b[31m\u202e"))).isascii()

    def test_nothing_else_is_left_behind(self, found: MakeFinding) -> None:
        baseline.write("base.json", known_of(found(SSH)))
        assert [path.name for path in Path().iterdir() if path.name != ".git"] == ["base.json"]

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("{", "not a baseline"),
            ("[]", "no list of findings"),
            ('{"findings": []}', "its schema is None"),
            ('{"schema": "srm-checks/baseline/2", "findings": []}', "its schema is"),
            ('{"schema": "srm-checks/baseline/1", "findings": [{}]}', "finding 1 must have root, policy"),
            ("[" * 100_000, "not a baseline"),
        ],
    )
    def test_a_file_that_is_none(self, text: str, message: str) -> None:
        Path("base.json").write_text(text)
        with pytest.raises(UsageError, match=message):
            baseline.read("base.json")

    def test_a_file_that_is_not_there(self) -> None:
        with pytest.raises(UsageError, match=r"base\.json: the baseline does not exist"):
            baseline.read("base.json")


class TestRewritten:
    def keys(self, result: Baseline) -> list[str]:
        return sorted(key.root for key in result.entries)

    def rewrite(self, previous: Baseline, current: Baseline, *roots: str, gone: str = "") -> Baseline:
        def is_gone(key: Key) -> bool:
            return key.root == gone

        return baseline.rewritten(previous, current, View(frozenset(roots), frozenset({POLICY})), is_gone)

    def test_fixed_ones_go(self, found: MakeFinding) -> None:
        previous = known_of(found(SSH, root="a"), found(SSH, root="b"))
        assert self.keys(self.rewrite(previous, known_of(found(SSH, root="a")), "a", "b")) == ["a"]

    def test_what_was_not_looked_at_stays(self, found: MakeFinding) -> None:
        previous = known_of(found(SSH, root="a"), found(SSH, root="b"))
        assert self.keys(self.rewrite(previous, known_of(), "a")) == ["b"]

    def test_unless_its_root_is_gone(self, found: MakeFinding) -> None:
        previous = known_of(found(SSH, root="a"), found(SSH, root="b"))
        assert self.keys(self.rewrite(previous, known_of(), "a", gone="b")) == []

    def test_evidence_that_is_mended_goes(self, found: MakeFinding) -> None:
        result = self.rewrite(known_of(found(SSH, RDP, root="a")), known_of(found(SSH, root="a")), "a")
        assert result == known_of(found(SSH, root="a"))
