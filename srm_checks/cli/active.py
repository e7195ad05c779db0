"""The packs that are in force for a command that scans nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from srm_checks import config as configuration

if TYPE_CHECKING:
    from srm_checks.policy.packs import PolicySet


def active_policies(packs: Sequence[str], config: str | None) -> PolicySet:
    """The policies of `packs`, else of the packs that the configuration names for the working directory."""
    from srm_checks.policy.packs import load_packs

    settings = configuration.resolve(["."], config)
    return load_packs(packs or settings.packs, parameters=settings.policy_parameters, undeclared=settings.undeclared)
