"""CIDR blocks of VPCs and subnets, which Amazon VPC keeps small whatever is asked for.

An IPv4 block has from 16 to 28 bits, an IPv6 block from 44 to 64 (https://docs.aws.amazon.com/vpc/latest/userguide/
vpc-cidr-blocks.html and subnet-sizing.html, read 2026-11-22).
"""

from __future__ import annotations

import re
from typing import Final

from srm_checks.model import Unknown
from srm_checks.policy.access import Context

WIDEST_VPC: Final = 16  # bits

# By type, the attributes that hold the block of a VPC or subnet.
_BLOCKS: Final[dict[str, tuple[str, ...]]] = {
    **dict.fromkeys(
        ("aws_vpc", "aws_subnet", "aws_default_vpc", "aws_default_subnet", "data.aws_vpc", "data.aws_subnet"),
        ("cidr_block", "ipv6_cidr_block"),
    ),
    "aws_vpc_ipv4_cidr_block_association": ("cidr_block",),
    "AWS::EC2::VPC": ("CidrBlock",),
    "AWS::EC2::VPCCidrBlock": ("CidrBlock",),
    "AWS::EC2::Subnet": ("CidrBlock", "Ipv6CidrBlock"),
}
_REFERENCE: Final = re.compile(r"[\w.-]+(?:\[[^\[\]]*\])?\.(\w+)|!GetAtt (?:\w+)\.(\w+)")


def is_block_of_vpc(value: Unknown, context: Context) -> bool:
    """Whether an open value is the block of a VPC or subnet: read from one, or the same value that one is given."""
    return (value.parts is None and _is_read_from_one(value, context)) or (
        bool(value.subject) and value.subject in _given(context)
    )


def _is_read_from_one(value: Unknown, context: Context) -> bool:
    found = _REFERENCE.fullmatch(value.text)
    if found is None or len(value.refs) != 1:
        return False
    ref = value.refs[0]
    return ref.attribute in found.groups() and any(
        ref.attribute in _BLOCKS.get(resource.type, ()) for resource in context.index.targets(ref)
    )


def _given(context: Context) -> frozenset[str]:
    """The subjects of the open values that the VPCs and subnets of the stack have as their blocks."""
    memo = context.index.memo
    if "vpc blocks" not in memo:
        memo["vpc blocks"] = frozenset(
            value.subject
            for type_name, attributes in _BLOCKS.items()
            for resource in context.index.by_type.get(type_name, ())
            for attribute in attributes
            if isinstance(value := resource.attributes.get(attribute), Unknown) and value.subject
        )
    found: frozenset[str] = memo["vpc blocks"]
    return found
