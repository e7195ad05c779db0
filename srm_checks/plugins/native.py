"""What both native doors share: the configured policies, and how a finding's responsibility reads there."""

from __future__ import annotations

import datetime
import functools
import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from srm_checks import config
from srm_checks.catalogue import types
from srm_checks.errors import UsageError
from srm_checks.model import EngineOptions, Finding
from srm_checks.pipeline import chosen
from srm_checks.policy.document import Policy
from srm_checks.policy.packs import load_packs
from srm_checks.triage import assumptions
from srm_checks.triage.assumptions import Assumption

UNDETERMINED: Final = "undetermined"


@dataclass(frozen=True, slots=True)
class Settings:
    """The configuration as far as a native door can follow it.

    Waivers are not here: no host lets a plugin mark a result as skipped with a reason. What is known from before
    belongs to the command line.
    """

    policies: tuple[Policy, ...]
    options: EngineOptions
    scope: str
    exclude: tuple[str, ...]
    today: datetime.date
    assume: tuple[Assumption, ...]
    suppress_equivalents: bool

    def settled(self, findings: Iterable[Finding]) -> list[Finding]:
        """The findings, those marked that the configuration assumes to be answered elsewhere."""
        mandatory = frozenset(policy.id for policy in self.policies if policy.mandatory)
        return assumptions.apply(findings, self.assume, mandatory=mandatory, today=self.today).findings


@functools.cache
def settings() -> Settings:
    """The settings from `SRM_CHECKS_CONFIG`, else from the configuration found upward from the working directory.

    Raises `UsageError` for a mistake in them: a host that reports nothing must not look clean.
    """
    found = config.resolve(["."])
    packs = load_packs(found.packs, parameters=found.policy_parameters, undeclared=found.undeclared)
    today = _today()
    if found.expired_waivers == config.ERROR and (expired := assumptions.expired(found.assume, today)):
        raise UsageError("\n".join(expired))
    return Settings(
        policies=chosen(packs, found.select, found.ignore),
        options=EngineOptions(strict_parameters=found.strict_parameters),
        scope=found.scope,
        exclude=found.exclude,
        today=today,
        assume=found.assume,
        suppress_equivalents=found.suppress_equivalents,
    )


def _today() -> datetime.date:
    """The day against which dates are held; `SRM_CHECKS_TODAY` fixes it, as `--today` does on the command line."""
    given = os.environ.get("SRM_CHECKS_TODAY")
    if not given:
        return datetime.date.today()
    try:
        return datetime.date.fromisoformat(given)
    except ValueError as error:
        raise UsageError(f"SRM_CHECKS_TODAY is {given!r}, which is no date such as 2026-11-21.") from error


def responsibility(finding: Finding, separator: str) -> str:
    """`customer | PaaS | data-at-rest`, with the separator that the host's formats can bear."""
    return separator.join((str(finding.side), finding.service_model or UNDETERMINED, str(finding.domain)))


def usual_responsibility(policy: Policy, language: str, separator: str) -> str:
    """The same for a policy as such: with the service models of its types."""
    entries = [types.describe(name) for name in policy.resources.get(language, ())]
    models = sorted({entry.service_model or UNDETERMINED for entry in entries if entry is not None}) or [UNDETERMINED]
    return separator.join((str(policy.side), "/".join(models), str(policy.domain)))
