"""Packs: finding, extending, selecting, tuning, and their mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest

from srm_checks.errors import PackError, UsageError
from srm_checks.model import Severity
from srm_checks.policy.packs import find, load_packs, names
from tests.policy.making import HEAD, write_pack

MINE = (
    HEAD.replace("SRM-DAR-900", "ACME-DAR-001")
    + 'resources: {terraform: aws_db_instance, cloudformation: "AWS::RDS::DBInstance"}\n'
    + "parameters: {days: {type: integer, default: 7, description: d}}\n"
    + "require: {attribute: backup_retention_period, greater_than_or_equal: {parameter: days}, absent: gap}\n"
)
MANIFEST = "name: acme\nversion: 1.0.0\nid_prefix: ACME\n"


def test_without_a_word_the_pack_is_the_baseline() -> None:
    assert [pack.name for pack in load_packs().packs] == ["aws-baseline"]


@pytest.mark.parametrize("pack", names())
def test_our_packs_load_and_every_policy_speaks_of_both_frameworks(pack: str) -> None:
    found = load_packs([pack])
    assert found.policies
    for policy in found.policies:
        assert set(policy.resources) | set(policy.not_expressible) == {"terraform", "cloudformation"}, policy.id


@pytest.mark.parametrize(
    ("pack", "framework"),
    [
        ("fsbp", "fsbp"),
        ("cis-aws", "cis-aws-5.0"),
        ("nist-800-53", "nist-800-53-r5"),
        ("pci-dss", "pci-dss-4"),
        ("hipaa", "hipaa"),
        ("gdpr", "gdpr"),
    ],
)
def test_a_pack_for_a_framework_holds_all_that_is_mapped_to_it(pack: str, framework: str) -> None:
    expected = [policy.id for policy in load_packs(["aws-all"]).policies if policy.frameworks.get(framework)]
    assert [policy.id for policy in load_packs([pack]).policies] == expected


def test_an_unknown_framework_is_a_mistake(tmp_path: Path) -> None:
    folder = write_pack(tmp_path / "p", "name: p\nversion: 1.0.0\nextends: [aws-baseline]\nframeworks: [fspb]\n")
    with pytest.raises(PackError, match=r"pack.yaml:4:14: unknown framework 'fspb'; did you mean 'fsbp'\?"):
        load_packs([folder])


def test_a_pack_with_a_policy_of_its_own(tmp_path: Path) -> None:
    folder = write_pack(tmp_path / "p", MANIFEST, test_policy=MINE)
    (policy,) = load_packs([folder]).policies
    assert (policy.id, policy.cfn_lint_id, policy.pack, policy.parameters) == (
        "ACME-DAR-001",
        "E9ACME06001",
        "acme",
        {"days": 7},
    )


def test_extends_selects_tunes_and_makes_mandatory(tmp_path: Path) -> None:
    manifest = MANIFEST + (
        "extends: [aws-baseline]\n"
        "select: [ACME-DAR-001, SRM-DAR-005]\n"
        "parameters: {ACME-DAR-001: {days: 30}}\n"
        "overrides: [{policy: SRM-DAR-005, severity: critical, reason: customer data}]\n"
        "mandatory: [SRM-DAR-005]\n"
    )
    found = load_packs([write_pack(tmp_path / "p", manifest, test_policy=MINE)])
    assert [pack.name for pack in found.packs] == ["acme", "aws-baseline"]
    mine, ours = found.policies
    assert (mine.id, mine.parameters) == ("ACME-DAR-001", {"days": 30})
    assert (ours.id, ours.severity, ours.mandatory, ours.pack) == (
        "SRM-DAR-005",
        Severity.CRITICAL,
        True,
        "aws-baseline",
    )


def test_parameters_of_the_configuration_come_last(tmp_path: Path) -> None:
    folder = write_pack(tmp_path / "p", MANIFEST + "parameters: {ACME-DAR-001: {days: 30}}\n", test_policy=MINE)
    (policy,) = load_packs([folder], parameters={"ACME-DAR-001": {"days": 90}}).policies
    assert policy.parameters == {"days": 90}


def test_the_digest_follows_content_and_tuning(tmp_path: Path) -> None:
    plain = load_packs([write_pack(tmp_path / "a", MANIFEST, test_policy=MINE)]).packs[0].digest
    again = load_packs([write_pack(tmp_path / "b", MANIFEST, test_policy=MINE)]).packs[0].digest
    tuned = load_packs([str(tmp_path / "b")], parameters={"ACME-DAR-001": {"days": 90}}).packs[0].digest
    assert plain == again != tuned


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        (MANIFEST + "extend: [x]\n", "pack.yaml:4:1: unknown key 'extend'; did you mean 'extends'?"),
        (MANIFEST.replace("1.0.0", "one"), "pack.yaml:2:1: a pack needs a semantic `version`"),
        (MANIFEST + "ignore: [SRM-DAR-005]\n", "pack.yaml:4:10: 'SRM-DAR-005' matches no policy"),
        (MANIFEST + "extends: [aws-basline]\n", "did you mean 'aws-baseline'?"),
        (
            MANIFEST + "overrides: [{policy: ACME-DAR-001, severity: low}]\n",
            "pack.yaml:4:13: an override needs `policy` and `reason`",
        ),
        (
            MANIFEST + "overrides: [{policy: ACME-DAR-001, severity: lo, reason: r}]\n",
            "unknown severity 'lo'; did you mean 'low'?",
        ),
        (MANIFEST + "parameters: {ACME-DAR-001: {dys: 3}}\n", "'dys'; did you mean 'days'?"),
        ("name: acme\nversion: 1.0.0\n", "needs an `id_prefix`"),
        (MANIFEST.replace("id_prefix: ACME", "id_prefix: SRM"), "the prefix SRM belongs to srm-checks"),
        (MANIFEST + "extends: [.]\n", "extends itself"),
    ],
)
def test_mistakes_in_a_manifest(tmp_path: Path, manifest: str, message: str) -> None:
    folder = write_pack(tmp_path / "p", manifest, test_policy=MINE)
    with pytest.raises(PackError) as caught:
        load_packs([folder])
    assert message in str(caught.value)


def test_the_same_id_twice(tmp_path: Path) -> None:
    folder = write_pack(
        tmp_path / "p", MANIFEST, test_policy=MINE, other_policy=MINE.replace("test-policy", "other-policy")
    )
    with pytest.raises(PackError, match="the id ACME-DAR-001 is taken"):
        load_packs([folder])


def test_the_same_name_twice(tmp_path: Path) -> None:
    folder = write_pack(tmp_path / "p", MANIFEST, test_policy=MINE)
    (tmp_path / "p" / "sub").mkdir()
    (tmp_path / "p" / "sub" / "test-policy.yaml").write_text(MINE.replace("DAR-001", "DAR-002"))
    with pytest.raises(PackError, match="the name 'test-policy' is taken by ACME-DAR-00"):
        load_packs([folder])


def test_a_file_has_the_name_of_its_policy(tmp_path: Path) -> None:
    with pytest.raises(PackError, match=r"the file must be called test-policy\.yaml"):
        load_packs([write_pack(tmp_path / "p", MANIFEST, other=MINE)])


def test_one_bad_policy_does_not_hide_the_mistakes_of_another(tmp_path: Path) -> None:
    bad = MINE.replace("backup_retention_period", "backup_retention")
    worse = MINE.replace("test-policy", "second-policy").replace("DAR-001", "DAR-002").replace("high", "hgh")
    with pytest.raises(PackError) as caught:
        load_packs([write_pack(tmp_path / "p", MANIFEST, test_policy=bad, second_policy=worse)])
    assert "backup_retention" in str(caught.value)
    assert "unknown severity 'hgh'; did you mean 'high'?" in str(caught.value)


def test_no_such_pack() -> None:
    with pytest.raises(UsageError, match="did you mean 'aws-baseline'"):
        find("aws-baselin")
