"""The native door into cfn-lint: each policy as a rule, all judged by one look at cfn-lint's own template."""

from __future__ import annotations

import os
import weakref
from collections.abc import Iterator
from typing import Any, Final

from cfnlint.rules import CloudFormationLintRule, RuleMatch
from cfnlint.template import Template

from srm_checks.absences import settle_absences
from srm_checks.engines.cloudformation import stack_from_template
from srm_checks.judge import judge_stack
from srm_checks.model import Disposition, Finding, Outcome, Severity, Unit, UnitKind
from srm_checks.plugins.native import responsibility, settings, usual_responsibility
from srm_checks.policy.document import Policy
from srm_checks.policy.naming import CLOUDFORMATION
from srm_checks.units import load_unit

# cfn-lint has three levels; `low` must not fail a build that only errors fail.
LEVELS: Final = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "error",
    Severity.LOW: "warning",
    Severity.INFO: "informational",
}


def rule_classes() -> dict[str, type[CloudFormationLintRule]]:
    """A rule class for each policy that CloudFormation can express, by cfn-lint id."""
    return {
        policy.cfn_lint_id: _rule_class(policy)
        for policy in settings().policies
        if policy.resources.get(CLOUDFORMATION)
    }


def _rule_class(policy: Policy) -> type[CloudFormationLintRule]:
    level = LEVELS[policy.severity]

    def match(self: CloudFormationLintRule, cfn: Template) -> list[RuleMatch]:
        return list(_matches(policy, cfn))

    label = usual_responsibility(policy, CLOUDFORMATION, " | ")
    return type(
        policy.cfn_lint_id,
        (CloudFormationLintRule,),
        {
            "__doc__": policy.title,
            "id": policy.cfn_lint_id,
            "shortdesc": f"{policy.id} {policy.title} [{label}]",
            "description": (
                f"{policy.why} AWS: {policy.aws_does} You: {policy.customer_does} {policy.fix[CLOUDFORMATION]}"
            ),
            "source_url": policy.url,
            "tags": ["srm", str(policy.side), str(policy.domain)],
            "severity": property(lambda self: level),
            "match": match,
        },
    )


def _matches(policy: Policy, cfn: Template) -> Iterator[RuleMatch]:
    for finding in _findings(cfn).get(policy.id, ()):
        location = finding.location
        yield RuleMatch(
            ["Resources", finding.address],
            f"{finding.message} [{responsibility(finding, ' | ')}] {finding.fix}",
            location=(location.start_line - 1, 0, location.end_line - 1, 0),  # cfn-lint counts from 0 here
        )


# One judgement serves all rules of a template; it goes when cfn-lint lets the template go.
_judged: weakref.WeakKeyDictionary[Template, dict[str, list[Finding]]] = weakref.WeakKeyDictionary()


def _findings(cfn: Template) -> dict[str, list[Finding]]:
    found = _judged.get(cfn)
    if found is None:
        found = _judged[cfn] = _judge(cfn)
    return found


def _judge(cfn: Template) -> dict[str, list[Finding]]:
    if not cfn.filename or not _is_template(cfn):
        return {}
    here = settings()
    unit = Unit(UnitKind.CLOUDFORMATION, os.path.relpath(cfn.filename).replace(os.sep, "/"))
    # Stock rules that ran before ours may have changed cfn-lint's template (a rule on RDS lowers the engine's case), so
    # the file is read again; only a template from standard input is taken as it is.
    stack = load_unit(unit, here.options) if os.path.isfile(unit.path) else stack_from_template(cfn, unit, here.options)
    judged = judge_stack(stack, here.policies, today=here.today, suppress_equivalents=here.suppress_equivalents)
    by_policy: dict[str, list[Finding]] = {}
    # An account-wide duty is answered by all templates together, which cfn-lint never has in hand at once; what is
    # declared and falls short is shown, as `scan` shows it.
    for finding in here.settled((*judged.findings, *settle_absences([judged], here.policies, "stack"))):
        if finding.outcome is Outcome.GAP and finding.disposition is Disposition.NEW:
            by_policy.setdefault(finding.policy_id, []).append(finding)
    return by_policy


def _is_template(cfn: Template) -> bool:
    resources: Any = cfn.template.get("Resources") if isinstance(cfn.template, dict) else None
    return isinstance(resources, dict) and any(
        isinstance(entry, dict) and "::" in str(entry.get("Type", "")) for entry in resources.values()
    )
