"""Stack and policies in, annotated findings out: the one road that the pipeline and both native plugins share."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from srm_checks import identity
from srm_checks.absences import ATTESTED, Answer, MissingType, Reason, missing_type, settle
from srm_checks.catalogue import models, types
from srm_checks.model import (
    HIDDEN,
    Cause,
    Disposition,
    Evidence,
    Finding,
    Outcome,
    Path,
    Resource,
    SourceRange,
    Stack,
    Unit,
    Verdict,
)
from srm_checks.policy.access import Environment, StackIndex
from srm_checks.policy.document import Policy
from srm_checks.policy.evaluate import judge
from srm_checks.triage import suppressions


@dataclass(frozen=True, slots=True)
class UnitFindings:
    """What one unit gives: a finding for each verdict (met and not-applicable too), and what it says to absences.

    `notes` are sentences for the user, such as a suppression that a mandatory policy ignores. `dated` tells that the
    day had a say.
    """

    unit: Unit
    findings: tuple[Finding, ...]
    absences: tuple[Answer, ...]
    notes: tuple[str, ...] = ()
    dated: bool = False


def judge_stack(
    stack: Stack,
    policies: Sequence[Policy],
    *,
    today: datetime.date,
    scope: str = "stack",
    suppress_equivalents: bool = False,
) -> UnitFindings:
    """All findings of one stack; absences that all units answer together are left to `settle_absences`.

    With `suppress_equivalents` an inline suppression that names an equivalent of a policy silences the policy.
    """
    index = StackIndex(stack)
    environment = Environment(today)
    judgement = judge(index, policies, environment)
    by_id = {policy.id: policy for policy in policies}
    annotate = _Annotator(stack, index, suppress_equivalents=suppress_equivalents)
    findings = [annotate(by_id[verdict.policy_id], verdict) for verdict in judgement.verdicts]
    pending: list[Answer] = []
    for facts in judgement.absences:
        policy = by_id[facts.policy_id]
        assert policy.absence is not None
        why = facts.because
        because = Reason(why.type, why.address, why.block) if why else None
        answer = Answer(
            facts.policy_id,
            tuple(annotate(policy, verdict) for verdict in facts.verdicts),
            _described(missing_type(policy, because)),
            because,
            facts.unread,
        )
        if policy.absence.account_wide or scope == "account":
            pending.append(answer)
        else:
            findings.extend(settle(policy, [(stack.unit, answer)], scope))
    return UnitFindings(stack.unit, tuple(findings), tuple(pending), tuple(annotate.notes), environment.dated)


def _described(type_name: str) -> MissingType:
    if type_name == ATTESTED:
        return MissingType(type_name, type_name, "Control", "Control", "the account")
    entry = types.describe(type_name)
    service = entry.service_key if entry else "unclassified"
    if entry is None or entry.model_source != "type":
        return MissingType(type_name, service, None, None, f"no {type_name} is declared")
    return MissingType(type_name, service, entry.service_model, entry.model_family, type_name)


class _Annotator:
    """Turns verdicts of one stack into findings."""

    def __init__(self, stack: Stack, index: StackIndex, *, suppress_equivalents: bool = False) -> None:
        self.suppress_equivalents = suppress_equivalents
        self.stack = stack
        self.index = index
        self.root = stack.unit.path
        self.home = identity.repository_path(self.root)
        self.notes: list[str] = []
        self._models: dict[int, models.ModelDecision] = {}

    def __call__(self, policy: Policy, verdict: Verdict) -> Finding:
        resource = verdict.resource
        type_name, block, paths = resource.type, resource.block, verdict.paths
        place = resource.place(paths[0]) if paths else None
        if place is None or place.path != block.path or not block.start_line <= place.start_line <= block.end_line:
            place = SourceRange(block.path, block.start_line, block.start_line)
        elif place.end_line > block.end_line:
            place = SourceRange(place.path, place.start_line, block.end_line)
        trace = resource.trace(paths[0]) if paths else ()
        model = self._model(resource)
        verdict = _where_the_duty_stands(policy, verdict, type_name, model)
        described = types.describe(type_name)
        address = resource.address
        finding = Finding(
            policy_id=policy.id,
            name=policy.name,
            title=policy.title,
            outcome=verdict.outcome,
            cause=verdict.cause,
            severity=policy.severity,
            side=policy.side,
            service_model=model.service_model,
            model_family=model.model_family,
            model_decided_by=model.decided_by,
            domain=policy.domain,
            service=described.service_key if described else "unclassified",
            aws_does=policy.aws_does,
            customer_does=policy.customer_does,
            message=message(policy, verdict, address),
            fix=policy.fix["cloudformation" if "::" in type_name else "terraform"],
            framework=self.stack.framework,
            resource_type=type_name,
            address=address,
            root=self.root,
            location=place,
            block=block,
            attribute=(_dotted(paths[0]) or None) if paths else None,
            when=verdict.when,
            evidence=self._evidence(policy, verdict, address),
            origin=trace[-1] if trace else None,
            call_chain=resource.calls,
            frameworks=policy.frameworks,
            equivalents=policy.equivalents,
            source="srm",
            disposition=Disposition.NEW,
            waiver=None,
            fingerprint=identity.fingerprint(policy.id, self.stack.framework, self.home, address),
            touches=frozenset(
                [block.path, place.path]
                + [place.path for place in trace]
                + [other.block.path for other in verdict.others]
            ),
            former=_former((resource, *verdict.others)),
        )
        return self._triaged(finding, policy, resource)

    def _model(self, resource: Resource) -> models.ModelDecision:
        decision = self._models.get(id(resource))
        if decision is None:
            decision = self._models[id(resource)] = models.decide(resource, self.index)
        return decision

    def _evidence(self, policy: Policy, verdict: Verdict, address: str) -> tuple[Evidence, ...]:
        if verdict.outcome not in (Outcome.GAP, Outcome.UNKNOWN):
            return ()
        marks = (policy.id, self.stack.framework, self.home, address)
        return tuple(
            Evidence(entry.path, entry.value, identity.evidence_fingerprint(*marks, entry.path, entry.value))
            for entry in verdict.evidence
        )

    def _triaged(self, finding: Finding, policy: Policy, resource: Resource) -> Finding:
        if not resource.suppressions or finding.outcome not in (Outcome.GAP, Outcome.UNKNOWN):
            return finding
        equivalents = policy.equivalents if self.suppress_equivalents else ()
        tried = suppressions.attempt(policy.id, policy.cfn_lint_id, resource.suppressions, equivalents)
        if tried is None:
            return finding
        if policy.mandatory:
            self.notes.append(suppressions.refusal(policy.id, tried))
            return finding
        return replace(finding, disposition=Disposition.SUPPRESSED, suppression=suppressions.record(tried))


def _where_the_duty_stands(policy: Policy, verdict: Verdict, type_name: str, model: models.ModelDecision) -> Verdict:
    """The verdict in view of the service model: some duties exist under some configurations only.

    Where the configuration hands the domain to AWS, the policy does not concern the resource; where it cannot be read,
    neither a gap nor met can be told.
    """
    if verdict.outcome not in (Outcome.GAP, Outcome.MET):
        return verdict
    duty = models.duty(policy.domain, type_name, model)
    if duty is models.Duty.GONE:
        return replace(verdict, outcome=Outcome.NOT_APPLICABLE, evidence=(), when=None)
    if duty is models.Duty.OPEN:
        cause, detail = Cause.UNDETERMINED_MODEL, model.decided_by
        return replace(verdict, outcome=Outcome.UNKNOWN, cause=cause, detail=detail)
    return verdict


# ------------------------------------------------------------------ words

_CAUSES: Final = {
    Cause.UNRESOLVED_VALUE: "the code does not give its value",
    Cause.OTHER_STACK: "another stack may decide it",
    Cause.MISSING_REFERENCE: "what it refers to is not in view",
    Cause.PROVIDER_DEFAULT: "it depends on what the code does not show",
    Cause.NOT_EXPRESSIBLE: "the template cannot say it",
    Cause.UNDETERMINED_MODEL: "the service model is not determined",
}


def message(policy: Policy, verdict: Verdict, address: str) -> str:
    """One sentence that says what, where, and for an unknown why it is open."""
    when = f" when {verdict.when}" if verdict.when else ""
    if verdict.outcome is Outcome.GAP:
        return f"{policy.title}: {address}{_because(verdict)}{when} ({policy.id})."
    if verdict.outcome is Outcome.UNKNOWN:
        reason = _CAUSES[verdict.cause or Cause.UNRESOLVED_VALUE]
        detail = f": {verdict.detail}" if verdict.detail else ""
        return f"{policy.title}? {address}{when} cannot be decided, {reason}{detail} ({policy.id})."
    return f"{policy.title}: {verdict.outcome} for {address} ({policy.id})."


def _because(verdict: Verdict) -> str:
    """What the judged resource says itself: the attribute and its value, or that it is not set."""
    if verdict.detail:
        return f" ({verdict.detail})"
    entry = next(iter(verdict.evidence), None)
    if entry is None:
        return ""
    if entry.value is None:
        return f" does not set {entry.path}"
    if isinstance(entry.value, (dict, list)) or entry.value == HIDDEN or len(str(entry.value)) > 80:
        return f" by {entry.path}"
    value = str(entry.value).lower() if isinstance(entry.value, bool) else str(entry.value)
    return f" sets {entry.path} to {value}"


def _former(resources: Iterable[Resource]) -> dict[str, tuple[str, ...]]:
    """The earlier addresses of those that were moved."""
    return {resource.address: resource.former_addresses for resource in resources if resource.former_addresses}


def _dotted(path: Path) -> str:
    return ".".join(str(step) for step in path)


def fingerprint(policy_id: str, framework: str, root: str, *rest: str) -> str:
    """The mark of a finding in a root, which is given by its path from the working directory."""
    return identity.fingerprint(policy_id, framework, identity.repository_path(root), *rest)
