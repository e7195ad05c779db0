"""What is known of the CIDR blocks of VPCs and subnets, whichever they are."""

from __future__ import annotations

import pytest

from srm_checks.model import Ref, Unknown
from tests.policy.making import outcome, policy, thing

CLOSED = policy('require: {attribute: cidrs, not_cidr_covers: ["0.0.0.0/0", "::/0"], absent: met}')
UNDECIDED = "unknown (unresolved-value)"

VPC_CIDR = Unknown("var.vpc_cidr", subject="|var.vpc_cidr")
VPC = thing("v", type="aws_vpc", cidr_block=VPC_CIDR)
LOOKED_UP = thing("d", type="data.aws_vpc")


def read(text: str, target: str, attribute: str) -> Unknown:
    return Unknown(text, refs=(Ref(target, None, attribute),), subject=text)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(VPC_CIDR, "met", id="the-same-variable"),
        pytest.param(read("data.aws_vpc.d.cidr_block", "data.aws_vpc.d", "cidr_block"), "met", id="looked-up"),
        pytest.param(read("data.aws_vpc.d.arn", "data.aws_vpc.d", "arn"), UNDECIDED, id="another-attribute"),
        pytest.param(Unknown("var.other", subject="|var.other"), UNDECIDED, id="another-variable"),
        pytest.param(
            read("coalesce(var.x, data.aws_vpc.d.cidr_block)", "data.aws_vpc.d", "cidr_block"),
            UNDECIDED,
            id="a-function",
        ),
        pytest.param(read("aws_thing.a.cidr_block", "aws_thing.a", "cidr_block"), UNDECIDED, id="of-something-else"),
    ],
)
def test_the_block_of_a_vpc_is_not_the_internet(value: Unknown, expected: str) -> None:
    assert outcome(CLOSED, thing(cidrs=[value]), VPC, LOOKED_UP) == expected


def test_the_block_of_a_vpc_may_cover_a_small_one() -> None:
    small = policy('require: {attribute: cidrs, not_cidr_covers: ["10.0.0.0/24"], absent: met}')
    assert outcome(small, thing(cidrs=[VPC_CIDR]), VPC) == UNDECIDED


def test_a_stack_without_vpc() -> None:
    assert outcome(CLOSED, thing(cidrs=[VPC_CIDR])) == UNDECIDED
