"""What `explain TYPE` tells of a resource type."""

from __future__ import annotations

from srm_checks.catalogue.domains import DomainRow, TypeDuties, duties
from srm_checks.model import Domain, Side


def known(type_name: str, *watched: Domain) -> TypeDuties:
    found = duties(type_name, lambda domain: ["SRM-X-001"] if domain in watched else [])
    assert found is not None
    return found


def row(found: TypeDuties, domain: Domain) -> DomainRow:
    return next(row for row in found.domains if row.domain is domain)


def test_an_unknown_type_has_none() -> None:
    assert duties("aws_nothing") is None


def test_a_type_has_a_row_for_each_domain_in_their_order() -> None:
    assert [row.domain for row in known("aws_s3_bucket").domains] == list(Domain)


def test_a_row_says_who_does_what_and_which_policies_watch() -> None:
    found = known("aws_s3_bucket", Domain.IDENTITY)
    assert (found.service_model, found.model_family, found.cases) == ("Abstracted", "PaaS", ())
    identity = row(found, Domain.IDENTITY)
    assert identity.side is Side.CUSTOMER
    assert identity.aws_does.startswith("AWS ")
    assert identity.customer_does.startswith("You ")
    assert identity.policies == ("SRM-X-001",)
    assert not identity.unwatched


def test_a_domain_that_does_not_apply_has_neither_side_nor_sentence() -> None:
    application = row(known("aws_s3_bucket"), Domain.APPLICATION)
    assert not application.applies
    assert (application.side, application.aws_does, application.customer_does) == (None, "", "")


def test_only_parts_of_the_customer_count_as_unwatched() -> None:
    found = known("aws_s3_bucket", Domain.IDENTITY)
    assert Domain.BACKUP in found.unwatched
    assert Domain.IDENTITY not in found.unwatched  # watched
    assert Domain.PHYSICAL not in found.unwatched  # AWS's
    assert Domain.APPLICATION not in found.unwatched  # does not apply


def test_a_type_that_its_configuration_decides_shows_its_cases() -> None:
    found = known("aws_ecs_service")
    assert found.decided_by_configuration
    assert (found.service_model, found.model_family) == (None, None)
    assert ("fargate-launch-type", "CaaS", "launch_type == FARGATE") in [case[:3] for case in found.cases]
    host = row(found, Domain.OS_HOST)
    assert host.side is None
    assert host.by_case["fargate-launch-type"] is Side.AWS
    assert host.by_case["ec2-launch-type"] is Side.CUSTOMER
    assert host.unwatched
    assert row(found, Domain.IDENTITY).side is Side.CUSTOMER  # in every case


def test_cases_of_one_model_leave_the_model_known() -> None:
    found = known("aws_emr_cluster")
    assert (found.decided_by_configuration, found.service_model) == (True, "PaaS")
    assert row(found, Domain.OS_HOST).by_case == {"on-ec2": Side.SHARED, "on-ec2-custom-image": Side.CUSTOMER}
    assert row(found, Domain.OS_HOST).aws_does


def test_a_service_moves_a_side() -> None:
    assert row(known("aws_acmpca_certificate_authority"), Domain.DATA_IN_TRANSIT).side is Side.CUSTOMER
