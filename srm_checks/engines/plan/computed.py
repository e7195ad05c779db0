"""Attributes that a resource surely has once it exists, whatever its configuration says."""

from __future__ import annotations

from typing import Final

_NAMES: Final = frozenset(
    {
        "account_id",
        "arn",
        "b64_std",
        "b64_url",
        "bucket",
        "bucket_domain_name",
        "bucket_regional_domain_name",
        "cluster_identifier",
        "dec",
        "default_route_table_id",
        "default_security_group_id",
        "dns_name",
        "domain_name",
        "endpoint",
        "fqdn",
        "function_name",
        "hex",
        "hosted_zone_id",
        "id",
        "identifier",
        "key_id",
        "latest_version",
        "main_route_table_id",
        "name",
        "output",
        "owner_id",
        "private_key_pem",
        "public_key_openssh",
        "public_key_pem",
        "repository_url",
        "result",
        "secret_id",
        "unique_id",
        "url",
        "version_id",
        "zone_id",
    }
)
# Of the names that end in `_arn`, these are arguments, which nobody needs to set.
_ARGUMENT_ENDINGS: Final = ("key_arn", "role_arn", "topic_arn", "policy_arn", "outpost_arn", "boundary_arn")
_ARGUMENT_STARTS: Final = ("kms_", *_ARGUMENT_ENDINGS)


def surely_set(attribute: str) -> bool:
    """Whether an attribute whose value only the provider brings has one on every resource."""
    if attribute.endswith("_arn"):
        return not attribute.endswith(_ARGUMENT_ENDINGS) and not attribute.startswith(_ARGUMENT_STARTS)
    return attribute in _NAMES
