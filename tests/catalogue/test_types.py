"""Resource types, their services, sides and sentences; and the completeness of the data."""

from __future__ import annotations

import itertools
import os
import re
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from srm_checks.catalogue import cases, tables
from srm_checks.catalogue.attributes import current, known
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
    redshift = known("aws_redshift_cluster")
    assert redshift is not None
    assert {"logging", "enable", "cluster_identifier"} <= redshift  # logging went with provider 6
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
    "terraform_attributes_former",
]


@pytest.mark.parametrize("name", TABLES)
def test_a_table_says_where_it_comes_from(name: str) -> None:
    with open(os.path.join(os.path.dirname(tables.__file__), "data", f"{name}.tsv"), encoding="utf-8") as stream:
        comments = [line for line in stream if line.startswith("# ")]
    assert any("source" in line for line in comments)


def test_former_names_are_those_that_current_types_lack() -> None:
    for row in rows("terraform_attributes_former"):
        names = current(row["resource_type"])
        assert names is not None, row
        assert row["removed_in"].isdecimal()
        assert not names & set(row["names"].split()), row


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


# ------------------------------------------------------------------ how a type gets its row (docs/catalogue.md)

PAGE = Path(__file__).parents[2] / "docs" / "catalogue.md"

# The ends of names that decide the role, in the order in which the page tries them.
CONTROL_ENDS = frozenset(
    ["policy", "policy attachment", "policy statement", "policies", "permission", "permissions", "grant", "acl"]
)
WORKLOAD_ENDS = frozenset(
    [
        *("cluster", "instance", "node", "node group", "nodegroup", "instance group", "instance fleet"),
        *("autoscaling group", "scaling group", "replication group", "shard group", "server group", "stream group"),
        *(
            "feature group",
            "work group",
            "workgroup",
            "fleet",
            "task",
            "task set",
            "daemon",
            "job",
            "app",
            "application",
        ),
        *("environment", "workspace", "workspaces pool", "connector", "crawler", "database", "table", "volume"),
        *("file system", "bucket", "repository", "backup", "snapshot", "copy"),
    ]
)
PART_ENDS = frozenset(
    [
        *("version", "revision", "alias", "tag", "attachment", "association", "associations", "membership"),
        *("mapping", "assignment", "accepter", "integration", "deployment", "subscription", "notification"),
        *("target", "configuration", "configurations", "config", "settings", "setting", "options", "option"),
        *("preferences", "profile", "template", "logging", "window", "group", "access point", "user"),
        *("certificate", "key", "pair", "token", "credential", "credentials"),
    ]
)
# What the page names one by one.
ROLE_BY_NAME = {
    "AWS::Chatbot::MicrosoftTeamsChannelConfiguration": "workload",
    "AWS::Chatbot::SlackChannelConfiguration": "workload",
    "AWS::DMS::ReplicationConfig": "workload",
    "AWS::EMR::InstanceFleetConfig": "workload",  # named as Terraform does: instance fleet
    "AWS::EMR::InstanceGroupConfig": "workload",
    "AWS::IoT::PolicyPrincipalAttachment": "control",
    "AWS::MediaTailor::PlaybackConfiguration": "workload",
    "aws_chatbot_slack_channel_configuration": "workload",
    "aws_chatbot_teams_channel_configuration": "workload",
    "aws_datasync_location_fsx_lustre_file_system": "part",
    "aws_datasync_location_fsx_ontap_file_system": "part",
    "aws_datasync_location_fsx_openzfs_file_system": "part",
    "aws_datasync_location_fsx_windows_file_system": "part",
    "aws_dms_replication_config": "workload",
    "aws_s3control_storage_lens_configuration": "workload",  # CloudFormation's name decides: StorageLens
}
# Same words, not the same thing.
NO_TWINS = {
    ("aws_docdb_cluster", "AWS::DocDBElastic::Cluster"),
    ("aws_docdb_cluster_snapshot", "AWS::DocDBElastic::ClusterSnapshot"),
    ("aws_media_package_channel", "AWS::MediaPackageV2::Channel"),
    ("aws_medialive_channel", "AWS::MediaPackageV2::Channel"),
    ("aws_route53_resolver_firewall_domain_list", "AWS::Route53GlobalResolver::FirewallDomainList"),
    ("aws_ses_active_receipt_rule_set", "AWS::SES::ReceiptRuleSet"),
}
# Types of Control services that run the customer's code, and the application in the Health agent's namespace.
NOT_CONTROL = {"AWS::Synthetics::Canary", "aws_synthetics_canary", "AWS::HealthAgent::Domain"}


def words_of(type_name: str) -> list[str]:
    """The words of a type's name, without prefix: `DBSubnetGroup` and `aws_db_subnet_group` have the same."""
    if "::" not in type_name:
        return type_name.removeprefix("aws_").split("_")
    name = type_name.rpartition("::")[2]
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower().split("_")


def ends(type_name: str) -> set[str]:
    """The last word and the last two words of a type's name."""
    words = words_of(type_name)
    return {words[-1], " ".join(words[-2:])}


def role_by_name(type_name: str) -> str | None:
    """The role that the name alone decides, for a type that is not of the model Control."""
    if type_name in ROLE_BY_NAME:
        return ROLE_BY_NAME[type_name]
    if ends(type_name) & CONTROL_ENDS or "public access" in " ".join(words_of(type_name)):
        return "control"
    if ends(type_name) & WORKLOAD_ENDS:
        return "workload"
    return "part" if ends(type_name) & PART_ENDS else None


def twins() -> list[tuple[dict[str, str], dict[str, str]]]:
    """The rows of a Terraform and a CloudFormation type of one service whose names have the same words."""
    by_words = defaultdict(list)
    for row in rows("resource_types"):
        if "::" in row["resource_type"]:
            by_words[row["service_key"], "".join(words_of(row["resource_type"]))].append(row)
    found = []
    for row in rows("resource_types"):
        if "::" not in row["resource_type"]:
            words = words_of(row["resource_type"])
            tails = ["".join(words[start:]) for start in range(min(len(words), 4))]
            names = [name for tail in tails if len(tail) > 2 for name in (tail, f"db{tail}")]
            others = next(filter(None, (by_words.get((row["service_key"], name)) for name in names)), [])
            found += [(row, other) for other in others]
    return [(one, other) for one, other in found if (one["resource_type"], other["resource_type"]) not in NO_TWINS]


def test_the_page_has_the_words_that_decide_the_role() -> None:
    page = " ".join(PAGE.read_text(encoding="utf-8").split())
    role = page[page.index("### Role") : page.index("## How a side is found")]
    missing = {word for word in CONTROL_ENDS | WORKLOAD_ENDS | PART_ENDS if f"`{word}`" not in role}
    assert missing == set()


def test_the_role_is_the_one_that_the_name_decides() -> None:
    wrong = {}
    for row in rows("resource_types"):
        expected = "control" if row["service_model"] == "Control" else role_by_name(row["resource_type"])
        if expected is not None and row["role"] != expected:
            wrong[row["resource_type"]] = (row["role"], expected)
    assert wrong == {}


def test_only_control_and_what_grants_or_limits_is_a_control() -> None:
    for row in rows("resource_types"):
        if row["role"] == "control" and row["service_model"] != "Control":
            assert role_by_name(row["resource_type"]) == "control", row


def test_only_the_network_controls_of_ec2_leave_the_family_of_their_model() -> None:
    for row in filter(lambda row: row["service_model"], rows("resource_types")):
        if row["model_family"] != family(row["service_model"]):
            found = (row["service_key"], row["service_model"], row["model_family"], row["role"])
            assert found == ("ec2", "Control", "IaaS", "control"), row
    for row in filter(lambda row: row["service_model"], rows("services")):
        assert row["model_family"] == family(row["service_model"]), row


@pytest.mark.parametrize(
    "type_name",
    [
        "AWS::ApiGateway::Account",
        "AWS::EC2::SnapshotBlockPublicAccess",
        "AWS::EC2::VPCBlockPublicAccessOptions",
        "AWS::ECR::RegistryPolicy",
        "AWS::IoT::EncryptionConfiguration",
        "aws_bedrock_model_invocation_logging_configuration",
        "aws_bedrock_use_case_for_model_access",
        "aws_ebs_default_kms_key",
        "aws_ebs_encryption_by_default",
        "aws_ebs_snapshot_block_public_access",
        "aws_ec2_image_block_public_access",
        "aws_ec2_instance_metadata_defaults",
        "aws_ec2_serial_console_access",
        "aws_ecs_account_setting_default",
        "aws_glue_resource_policy",
        "aws_s3_account_public_access_block",
        "aws_vpc_ipam_organization_admin_account",
    ],
)
def test_a_setting_of_the_account_is_control(type_name: str) -> None:
    entry = describe(type_name)
    assert entry is not None
    assert (entry.service_model, entry.model_family, entry.role) == ("Control", "Control", "control")


def test_what_has_account_or_registry_in_its_name_is_control() -> None:
    """An account of a directory, a campaign or a device is not the AWS account."""
    others = {
        "AWS::IoTManagedIntegrations::AccountAssociation",
        "AWS::IoTWireless::PartnerAccount",
        "aws_grafana_workspace_service_account",
        "aws_grafana_workspace_service_account_token",
        "AWS::GlobalAccelerator::CrossAccountAttachment",
        "aws_globalaccelerator_cross_account_attachment",
    }
    for row in rows("resource_types"):
        if "account" in words_of(row["resource_type"]) and row["resource_type"] not in others:
            assert row["service_model"] == "Control", row
        if row["service_key"] == "ecr" and "registry" in words_of(row["resource_type"]):
            assert row["service_model"] == "Control", row


@pytest.mark.parametrize(
    ("type_name", "owner"),
    [
        ("aws_ami_launch_permission", "aws_ami"),
        ("aws_snapshot_create_volume_permission", "aws_ebs_snapshot"),
        ("aws_vpc_endpoint_policy", "aws_vpc_endpoint"),
        ("aws_s3_bucket_policy", "aws_s3_bucket"),
        ("AWS::Lambda::Permission", "AWS::Lambda::Function"),
        ("AWS::ElastiCache::ServerlessCacheSnapshot", "AWS::ElastiCache::ServerlessCache"),
        ("AWS::DocDBElastic::ClusterSnapshot", "AWS::DocDBElastic::Cluster"),
        ("AWS::NeptuneGraph::PrivateGraphEndpoint", "AWS::NeptuneGraph::Graph"),
        ("AWS::Timestream::InfluxDBBackup", "AWS::Timestream::InfluxDBInstance"),
        ("aws_sagemaker_model_card_export_job", "aws_sagemaker_model_card"),
        ("aws_sagemaker_monitoring_schedule", "aws_sagemaker_data_quality_job_definition"),
        ("aws_kms_alias", "aws_kms_key"),
    ],
)
def test_what_belongs_to_a_resource_has_its_model(type_name: str, owner: str) -> None:
    one, other = describe(type_name), describe(owner)
    assert one is not None
    assert other is not None
    assert (one.service_model, one.model_family) == (other.service_model, other.model_family)


def test_what_is_named_after_another_type_has_its_model() -> None:
    """`aws_x_policy`, `aws_x_version`, `aws_x_snapshot` ... beside a type `aws_x`, unless a setting of the account."""
    suffixes = ("policy", "permission", "version", "alias", "snapshot", "backup", "tag", "attachment", "association")
    table = {row["resource_type"]: row for row in rows("resource_types")}
    for type_name, row in table.items():
        for suffix in suffixes:
            ending = suffix.capitalize() if "::" in type_name else f"_{suffix}"
            owner = table.get(type_name.removesuffix(ending)) if type_name.endswith(ending) else None
            if owner is not None:
                assert row["service_model"] == owner["service_model"], (type_name, owner["resource_type"])


def test_serverless_variants_show_no_host() -> None:
    for row in rows("resource_types"):
        name = row["resource_type"]
        if "serverless" in name.lower() and not name.startswith(("AWS::Serverless", "aws_serverless")):
            assert row["service_model"] in {"Abstracted", "FaaS"}, row


def test_both_frameworks_say_the_same_of_a_type() -> None:
    assert len(twins()) > 1000
    columns = ("service_model", "model_family", "alternative_model", "os_host_side", "role")
    for one, other in twins():
        assert [one[name] for name in columns] == [other[name] for name in columns], (
            one["resource_type"],
            other["resource_type"],
        )


def test_a_service_has_the_model_of_most_of_its_types() -> None:
    by_service: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows("resource_types"):
        by_service[row["service_key"]][row["service_model"]] += 1
    for row in rows("services"):
        if row["model_source"] == "service":
            model, count = by_service[row["service_key"]].most_common(1)[0]
            assert row["service_model"] == model, row
            assert 2 * count > sum(by_service[row["service_key"]].values()), row


def test_the_types_of_a_control_service_are_controls() -> None:
    control = {row["service_key"] for row in rows("services") if row["service_model"] == "Control"}
    others = {
        row["resource_type"]
        for row in rows("resource_types")
        if row["service_key"] in control and row["service_model"] != "Control"
    }
    assert others == NOT_CONTROL
