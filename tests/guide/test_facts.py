"""The facts of a policy that are not in its own text."""

from __future__ import annotations

from pathlib import Path

import pytest

from srm_checks.guide.facts import Facts, Parameter, gather
from srm_checks.model import Domain, Side
from srm_checks.policy.packs import load_packs


@pytest.fixture(scope="module")
def facts() -> dict[str, Facts]:
    return {policy.id: gather(policy) for policy in load_packs(["aws-all"]).policies}


def test_the_packs_that_hold_it(facts: dict[str, Facts]) -> None:
    by_size = ("aws-baseline", "aws-strict", "aws-all")
    assert facts["SRM-DAR-005"].packs[:3] == by_size
    assert "cis-aws" in facts["SRM-DAR-005"].packs[3:]
    assert facts["SRM-GOV-009"].packs == ("aws-all",)


def test_each_pack_holds_what_it_loads(facts: dict[str, Facts]) -> None:
    for pack in ("aws-strict", "gdpr"):
        assert {policy.id for policy in load_packs([pack]).policies} == {
            name for name, each in facts.items() if pack in each.packs
        }


def test_a_pack_of_somebody_else(tmp_path: Path) -> None:
    (tmp_path / "rds").mkdir()
    (tmp_path / "pack.yaml").write_text("name: org\nversion: 1.0.0\nid_prefix: ACME\n", encoding="utf-8")
    (tmp_path / "rds" / "no-key.yaml").write_text(
        "id: ACME-DAR-001\nname: no-key\ntitle: T\ndomain: data-at-rest\nside: customer\nseverity: low\n"
        "aws_does: A.\ncustomer_does: B.\nwhy: W.\nfix: F.\n"
        "parameters: {depth: {type: integer, default: 3}}\n"
        "resources: {terraform: aws_db_instance, cloudformation: 'AWS::RDS::DBInstance'}\n"
        "require: {attribute: allocated_storage, greater_than_or_equal: {parameter: depth}, absent: gap}\n",
        encoding="utf-8",
    )
    policies = load_packs([str(tmp_path)], parameters={"ACME-DAR-001": {"depth": 5}}).policies
    found = gather(policies[0])
    assert found.packs == ("org",)
    assert found.parameters == (Parameter("depth", "integer", "", 3, 5),)
    assert found.equivalents == {}


def test_parameters_with_what_they_mean(facts: dict[str, Facts]) -> None:
    parameter = facts["SRM-BCK-001"].parameters[0]
    assert (parameter.name, parameter.kind, parameter.default, parameter.value) == ("minimum_days", "integer", 7, 7)
    assert parameter.description.endswith(".")


def test_sides_differ_by_service_model(facts: dict[str, Facts]) -> None:
    shares = facts["SRM-DAR-005"].shares
    assert [(share.model, share.side) for share in shares] == [("IaaS", Side.CUSTOMER), ("PaaS", Side.SHARED)]
    assert "aws_db_instance (standard-engine)" in shares[1].types
    assert shares[0].customer_does.startswith("You ")


def test_a_type_that_is_shared_in_one_way_is_named_alone(facts: dict[str, Facts]) -> None:
    assert [share.types for share in facts["SRM-DAR-009"].shares] == [("aws_dax_cluster", "AWS::DAX::Cluster")]


def test_an_absence_concerns_what_makes_it_matter(facts: dict[str, Facts]) -> None:
    shares = facts["SRM-HOS-001"].shares
    assert [share.model for share in shares] == ["IaaS"]
    assert "aws_instance" in shares[0].types
    assert not any("ssm" in name for name in shares[0].types)


def test_no_share_without_a_side_has_sentences(facts: dict[str, Facts]) -> None:
    without = [share for each in facts.values() for share in each.shares if share.side is None]
    assert without
    assert {(share.aws_does, share.customer_does) for share in without} == {("", "")}
    assert facts["SRM-NET-001"].policy.domain is Domain.NETWORK
    assert [share.side for share in facts["SRM-NET-001"].shares] == [None]
