"""Names and sentences that the guide uses of frameworks, languages and causes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from srm_checks.model import Cause

LANGUAGES: Final[Mapping[str, str]] = {"terraform": "Terraform", "cloudformation": "CloudFormation"}

_FRAMEWORKS: Final[Mapping[str, str]] = {
    "fsbp": "AWS Foundational Security Best Practices",
    "cis-aws-5.0": "CIS AWS Foundations Benchmark 5.0",
    "nist-800-53-r5": "NIST SP 800-53 revision 5",
    "pci-dss-4": "PCI DSS 4",
    "hipaa": "HIPAA security rule",
    "gdpr": "GDPR",
}

# What is not known, and what somebody can do about it.
CAUSES: Final[Mapping[Cause, tuple[str, str]]] = {
    Cause.UNRESOLVED_VALUE: (
        "A value that decides is not in the code: a variable or parameter without a default, or something that only "
        "exists after the deployment.",
        "Hand over the values that you deploy with (`--var-file` for Terraform, `--parameters` for CloudFormation), "
        "or scan a plan.",
    ),
    Cause.OTHER_STACK: (
        "What is asked for may be declared in code that was not scanned.",
        "Scan that code together with this; with `--scope account`, if it is all that the account has. Otherwise say "
        "under `assume:` in the configuration who provides it.",
    ),
    Cause.MISSING_REFERENCE: (
        "The code refers to something that is not in the files at hand.",
        "Run `terraform init`, so that modules from a registry can be read, and scan the folder that holds the rest. "
        "For what another team declares, use `assume:`.",
    ),
    Cause.PROVIDER_DEFAULT: (
        "The setting is left to a default, and that depends on something the code does not show, such as a snapshot, "
        "the age of the resource or the account.",
        "Write the setting out. Where the resource takes it over from elsewhere, use `assume:` with the evidence.",
    ),
    Cause.NOT_EXPRESSIBLE: (
        "This language has no way to declare what is asked for.",
        "Say under `assume:` who sees to it, and where that can be looked up.",
    ),
    Cause.UNDETERMINED_MODEL: (
        "The service model hangs on a setting that cannot be read, and with it the side that answers.",
        "Hand over the values that you deploy with, or write the setting out.",
    ),
}


def framework_title(key: str) -> str:
    """A framework's name in full; of one that only a pack of somebody's own knows, the key."""
    return _FRAMEWORKS.get(key, key)
