"""Resource types, their services, sides and sentences; and the completeness of the data."""

from __future__ import annotations

import itertools
import os

import pytest

from srm_checks.catalogue import cases, tables
from srm_checks.catalogue.attributes import known
from srm_checks.catalogue.types import describe, family, sentence, service_models, sides
from srm_checks.model import Domain, Side

HERE = os.path.dirname(os.path.abspath(__file__))
CONTRACT_MODELS = {"IaaS", "CaaS", "PaaS", "FaaS", "Abstracted", "SaaS", "Control"}
CONTRACT_FAMILIES = {"IaaS", "PaaS", "SaaS", "Control"}
UNDETERMINED_SERVICES = {"gammadilithium"}


def rows(table: str) -> list[dict[str, str]]:
    return list(tables.load(table).rows())


# ------------------------------------------------------------------ look-ups


@pytest.mark.parametrize(
    "type_name",
    ["aws_nothing", "google_storage_bucket", "Custom::Thing", "", "data.aws_region", "data.aws_default_tags"],
)
def test_what_is_not_listed_has_no_entry(type_name: str) -> None:
    assert describe(type_name) is None
    assert sides(type_name) == {}


@pytest.mark.parametrize(
    ("type_name", "service", "model", "family_", "source"),
    [
        ("aws_s3_bucket", "s3", "Abstracted", "PaaS", "type"),
        ("AWS::EC2::Instance", "ec2", "IaaS", "IaaS", "type"),
        ("aws_vpc", "ec2", "Control", "IaaS", "type"),
        ("aws_db_instance", "rds", "PaaS", "PaaS", "configuration"),
        ("aws_alb", "elbv2", "Abstracted", "PaaS", "type"),
        ("data.aws_alb", "elbv2", "Abstracted", "PaaS", "type"),
        ("data.aws_s3_bucket", "s3", "Abstracted", "PaaS", "type"),
        ("data.aws_iam_policy_document", "iam", "Control", "Control", "service"),
        ("data.aws_ssoadmin_instances", "identitystore", "Control", "Control", "service"),
        ("data.aws_subnets", "ec2", "Control", "IaaS", "type"),
        ("data.aws_lb_hosted_zone_id", "elbv2", "Abstracted", "PaaS", "service"),
        ("data.aws_ec2_instance_type_offerings", "ec2", None, None, "undetermined"),
        ("AWS::GammaDilithium::JobDefinition", "gammadilithium", None, None, "undetermined"),
    ],
)
def test_a_type_has_service_and_model(
    type_name: str, service: str, model: str | None, family_: str | None, source: str
) -> None:
    entry = describe(type_name)
    assert entry is not None
    assert entry.type_name == type_name
    assert (entry.service_key, entry.service_model, entry.model_family, entry.model_source) == (
        service,
        model,
        family_,
        source,
    )


def test_an_alias_has_the_entry_of_its_type() -> None:
    for alias in ("aws_alb", "aws_alb_listener", "aws_alb_target_group"):
        one, other = describe(alias), describe(alias.replace("alb", "lb"))
        assert one is not None
        assert other is not None
        assert one._replace(type_name="") == other._replace(type_name="")


def test_sides_are_those_of_the_model() -> None:
    found = sides("AWS::EC2::Instance")
    assert found[Domain.PHYSICAL] is Side.AWS
    assert found[Domain.OS_HOST] is Side.CUSTOMER
    assert found[Domain.GOVERNANCE] is Side.SHARED
    assert sides("aws_iam_role")[Domain.OS_HOST] is None  # does not apply


def test_a_service_moves_sides() -> None:
    assert sides("aws_acmpca_certificate_authority")[Domain.DATA_IN_TRANSIT] is Side.CUSTOMER


def test_a_type_moves_the_host() -> None:
    assert sides("aws_sagemaker_endpoint")[Domain.OS_HOST] is Side.AWS
    assert sides("aws_sagemaker_notebook_instance")[Domain.OS_HOST] is Side.SHARED


def test_an_undetermined_type_has_no_sides() -> None:
    assert sides("AWS::GammaDilithium::JobDefinition") == {}


def test_both_parties_have_a_sentence() -> None:
    aws, customer = sentence(Domain.OS_HOST, "IaaS")
    assert aws.startswith("AWS ")
    assert customer.startswith("You ")
    assert aws != customer
    with pytest.raises(KeyError):
        sentence(Domain.OS_HOST, "XaaS")


def test_attribute_names() -> None:
    terraform, cloudformation = known("aws_db_instance"), known("AWS::RDS::DBInstance")
    assert terraform is not None
    assert cloudformation is not None
    assert "storage_encrypted" in terraform
    assert "StorageEncrypted" in cloudformation
    assert "storage_encripted" not in terraform
    assert known("aws_nothing") is None
    assert known("AWS::No::Thing") is None


# ------------------------------------------------------------------ the data

TABLES = [
    "cloudformation_properties",
    "domain_sentences",
    "end_of_support",
    "model_conditions",
    "model_defaults",
    "resource_types",
    "services",
    "terraform_attributes",
]


@pytest.mark.parametrize("name", TABLES)
def test_a_table_says_where_it_comes_from(name: str) -> None:
    with open(os.path.join(os.path.dirname(tables.__file__), "data", f"{name}.tsv"), encoding="utf-8") as stream:
        comments = [line for line in stream if line.startswith("# ")]
    assert any("source" in line for line in comments)


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_sorted_out(name: str) -> None:
    table = tables.load(name)
    assert list(table.rows())
    assert len(set(table.lines)) == len(table.lines)
    assert not any(line != line.rstrip("\r") or '"' in line.split("\t")[0] for line in table.lines)


def test_every_terraform_type_has_exactly_one_row() -> None:
    with open(os.path.join(HERE, "data", "terraform_types.txt"), encoding="utf-8") as stream:
        expected = [line.strip() for line in stream if not line.startswith("#")]
    found = [row["resource_type"] for row in rows("resource_types") if "::" not in row["resource_type"]]
    assert sorted(found) == sorted(expected)


def test_every_cloudformation_type_of_the_installed_schemas_has_exactly_one_row() -> None:
    from cfnlint.helpers import REGIONS
    from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

    listed = [row["resource_type"] for row in rows("resource_types") if "::" in row["resource_type"]]
    assert len(listed) == len(set(listed))
    types = {name for region in REGIONS for name in PROVIDER_SCHEMA_MANAGER.get_resource_types(region)}
    assert {name for name in types if name.startswith("AWS::")} - set(listed) == set()


def test_every_type_has_valid_words_and_a_service() -> None:
    services = {row["service_key"] for row in rows("services")}
    for row in rows("resource_types"):
        assert row["service_key"] in services, row
        assert row["role"] in {"workload", "control", "part"}, row
        assert row["model_source"] in {"type", "configuration", "undetermined"}, row
        if row["service_key"] in UNDETERMINED_SERVICES:
            assert row["service_model"] == row["model_family"] == ""
        else:
            assert row["service_model"] in CONTRACT_MODELS, row
            assert row["model_family"] in CONTRACT_FAMILIES, row


def test_every_service_has_valid_words() -> None:
    for row in rows("services"):
        assert row["confidence"] in {"high", "medium", "low"}, row
        assert row["model_source"] in {"service", "type", "undetermined"}, row
        assert (row["service_model"] in CONTRACT_MODELS) is (row["service_key"] not in UNDETERMINED_SERVICES), row


def test_the_sides_of_a_service_are_its_models_with_what_it_moves() -> None:
    words = {None: "not-applicable", **{side: side.value for side in Side}}
    for row in rows("services"):
        if row["model_source"] != "service":
            continue
        types = [
            entry["resource_type"]
            for entry in rows("resource_types")
            if entry["service_key"] == row["service_key"]
            and entry["service_model"] == row["service_model"]
            and entry["model_source"] == "type"
            and not entry["os_host_side"]
        ]
        for type_name in types[:1]:
            assert {domain.value: words[side] for domain, side in sides(type_name).items()} == {
                domain.value: row[domain.value] for domain in Domain
            }


def test_every_model_has_defaults_and_sentences() -> None:
    assert service_models() == CONTRACT_MODELS
    for model, domain in itertools.product(CONTRACT_MODELS, Domain):
        assert family(model) in CONTRACT_FAMILIES
        assert all(text.endswith(".") for text in sentence(domain, model))


def test_every_determined_type_answers_for_all_domains() -> None:
    for row in rows("resource_types"):
        if row["model_source"] == "type" and not any(case.reads for case in cases.of_type(row["resource_type"])):
            assert set(sides(row["resource_type"])) == set(Domain), row


def test_the_conditions_name_types_and_attributes_that_exist() -> None:
    for type_name in cases.types():
        names = known(type_name)
        for case in cases.of_type(type_name):
            for segment in filter(None, case.attribute.split(".")):
                if names is not None:
                    assert segment in names, (type_name, case.attribute)
