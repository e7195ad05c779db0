"""A result of another engine in our terms, and the finding that it becomes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from srm_checks.foreign.annotation import Annotation, annotate
from srm_checks.foreign.code import Code, Subject
from srm_checks.identity import fingerprint, repository_path
from srm_checks.model import (
    UNCLASSIFIED,
    Call,
    Cause,
    Disposition,
    Finding,
    Outcome,
    Severity,
    SourceRange,
)

# Where nobody has classified a check, the finding still needs a place in tables by side and domain. The setting is
# the customer's to write, and nothing more is known of it; reports say "unclassified" beside it.
_FALLBACK_SEVERITY: Final = Severity.MEDIUM

_NO_WORD: Final = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One result of Checkov or cfn-lint on one resource.

    `title` is the engine's name of the check, `detail` what it says of this resource beyond that ("" for nothing).
    `type_name` is None where it is not known. `severity` is the engine's own, None where it gives none. `block` is the
    whole declaration, `place` the lines to point at. `reason` tells why the engine was told to skip it; None where it
    was not. `mark` tells results of one check on one resource apart.
    """

    source: str
    check_id: str
    title: str
    detail: str = ""
    outcome: Outcome = Outcome.GAP
    cause: Cause | None = None
    framework: str
    type_name: str | None
    address: str
    root: str
    place: SourceRange
    block: SourceRange
    attribute: str | None = None
    severity: Severity | None = None
    reason: str | None = None
    mark: str = ""
    calls: tuple[Call, ...] = ()
    touches: frozenset[str] = frozenset()

    @property
    def subject(self) -> Subject:
        return Subject(self.type_name, self.address, self.block.path, self.block.start_line)


def to_findings(entries: Iterable[Entry], code: Code) -> list[Finding]:
    """A finding for each entry, in their order, annotated by what the entry and the code say of the resource.

    Entries that nothing tells apart keep marks of their own, so that none is taken for another.
    """
    seen: Counter[str] = Counter()
    found = []
    for entry in entries:
        finding = to_finding(entry, annotate(entry.check_id, entry.type_name, code.decision(entry.subject)))
        seen[finding.fingerprint] += 1
        number = seen[finding.fingerprint]
        found.append(finding if number == 1 else replace(finding, fingerprint=f"{finding.fingerprint}-{number}"))
    return found


def to_finding(entry: Entry, annotation: Annotation) -> Finding:
    """The finding of an entry. One of an unclassified check is named so, and stands for no policy of ours."""
    title = entry.title if annotation.classified else f"Unclassified: {entry.title}"
    return Finding(
        policy_id=entry.check_id,
        name=_slug(entry.title, entry.check_id) if annotation.classified else UNCLASSIFIED,
        title=title,
        outcome=entry.outcome,
        cause=entry.cause,
        severity=entry.severity or annotation.severity or _FALLBACK_SEVERITY,
        side=annotation.side,
        service_model=annotation.service_model,
        model_family=annotation.model_family,
        model_decided_by=annotation.model_decided_by,
        domain=annotation.domain,
        service=annotation.service or UNCLASSIFIED,
        aws_does=annotation.aws_does,
        customer_does=annotation.customer_does,
        message=_message(entry, title),
        fix="",
        framework=entry.framework,
        resource_type=entry.type_name or "(unknown)",
        address=entry.address,
        root=entry.root,
        location=entry.place,
        block=entry.block,
        attribute=entry.attribute,
        when=None,
        evidence=(),
        origin=None,
        call_chain=entry.calls,
        frameworks={},
        equivalents=annotation.policies,
        source=entry.source,
        disposition=Disposition.NEW if entry.reason is None else Disposition.SUPPRESSED,
        waiver=None,
        fingerprint=fingerprint(
            entry.check_id,
            entry.framework,
            repository_path(entry.root),
            entry.address,
            *filter(None, (entry.mark,)),
        ),
        suppression=None if entry.reason is None else _suppression(entry, entry.reason),
        touches=entry.touches | {entry.place.path, entry.block.path},
    )


def _suppression(entry: Entry, reason: str) -> Mapping[str, Any]:
    return {
        "kind": entry.source,
        "pattern": entry.check_id,
        "reason": reason or None,
        "path": entry.block.path,
        "start_line": entry.block.start_line,
    }


def _message(entry: Entry, title: str) -> str:
    detail = f": {entry.detail.rstrip('.')}" if entry.detail else ""
    if entry.outcome is Outcome.UNKNOWN:
        return f"{title}? {entry.address} cannot be decided{detail} ({entry.check_id})."
    if entry.outcome is Outcome.MET:
        return f"{title}: met for {entry.address} ({entry.check_id})."
    return f"{title}: {entry.address}{detail} ({entry.check_id})."


def _slug(title: str, check_id: str) -> str:
    """The title in kebab case; the id where the title has no letters of ours."""
    return _NO_WORD.sub("-", title.lower()).strip("-") or check_id
