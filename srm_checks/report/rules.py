"""What the formats tell of a policy, beside its findings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from srm_checks.model import Finding, Severity
from srm_checks.policy.document import Policy

LANGUAGES: Final[Mapping[str, str]] = {"terraform": "Terraform", "cloudformation": "CloudFormation"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """The texts of one policy. `fix` by language, "" as key where the language is not told; `url` "" without a page.

    `service_models` are those of the findings at hand: a policy judges resources of several.
    """

    id: str
    name: str
    title: str
    why: str
    domain: str
    side: str
    severity: Severity
    aws_does: str
    customer_does: str
    fix: Mapping[str, str]
    not_expressible: Mapping[str, str]
    frameworks: Mapping[str, tuple[str, ...]]
    equivalents: tuple[str, ...]
    service_models: tuple[str, ...]
    url: str

    def fixes(self) -> list[tuple[str, str]]:
        """(label, text) for each language: how to mend it there, or why it cannot be said there."""
        if len(self.fix) > 1 and len(set(self.fix.values())) == 1:
            return [("Fix", next(iter(self.fix.values())))]
        told = [(f"Fix in {LANGUAGES[name]}", self.fix[name]) for name in LANGUAGES if name in self.fix]
        silent = [
            (f"Not expressible in {LANGUAGES[name]}", self.not_expressible[name])
            for name in LANGUAGES
            if name in self.not_expressible and name not in self.fix
        ]
        return [("Fix", self.fix[""]), *told, *silent] if "" in self.fix else told + silent

    def controls(self) -> list[tuple[str, str]]:
        """(framework, control id) pairs, sorted."""
        return [(name, control) for name in sorted(self.frameworks) for control in sorted(self.frameworks[name])]


def rules(findings: Iterable[Finding], policies: Mapping[str, Policy]) -> dict[str, Rule]:
    """The rule behind each finding, by policy id and sorted by it.

    A finding whose policy is not among `policies` (another engine's) speaks for its rule itself.
    """
    first: dict[str, Finding] = {}
    models: dict[str, set[str]] = {}
    for finding in findings:
        first.setdefault(finding.policy_id, finding)
        models.setdefault(finding.policy_id, set()).update(filter(None, [finding.service_model]))
    found = {}
    for name in sorted(first):
        policy = policies.get(name)
        found[name] = from_policy(policy, models[name]) if policy else _from_finding(first[name], models[name])
    return found


def from_policy(policy: Policy, service_models: Iterable[str] = ()) -> Rule:
    """The rule of a policy."""
    return Rule(
        id=policy.id,
        name=policy.name,
        title=policy.title,
        why=policy.why,
        domain=str(policy.domain),
        side=str(policy.side),
        severity=policy.severity,
        aws_does=policy.aws_does,
        customer_does=policy.customer_does,
        fix=policy.fix,
        not_expressible=policy.not_expressible,
        frameworks=policy.frameworks,
        equivalents=policy.equivalents,
        service_models=tuple(sorted(service_models)),
        url=policy.url,
    )


def _from_finding(finding: Finding, service_models: Iterable[str]) -> Rule:
    return Rule(
        id=finding.policy_id,
        name=finding.name,
        title=finding.title,
        why="",
        domain=finding.domain_word,
        side=finding.side_word,
        severity=finding.severity,
        aws_does=finding.aws_does,
        customer_does=finding.customer_does,
        fix={"": finding.fix} if finding.fix else {},
        not_expressible={},
        frameworks=finding.frameworks,
        equivalents=finding.equivalents,
        service_models=tuple(sorted(service_models)),
        url="",
    )
