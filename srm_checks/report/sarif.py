"""SARIF 2.1.0, as GitHub code scanning reads it.

GitHub shows every result as an alert, also suppressed ones, and reads at most 25,000. So the profile `github` holds
new and baselined gaps and unknowns and tells in the run's properties what it leaves out; the profile `full` holds
everything, for readers that know suppressions, kinds and rules without results.
"""

from __future__ import annotations

import enum
import hashlib
import json
import os
import urllib.parse
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Final

from srm_checks.model import Disposition, Finding, Outcome, ScanError, Severity, SourceRange, UnreadModule
from srm_checks.policy.document import GUIDE_URL
from srm_checks.report import Page, Report
from srm_checks.report.commonmark import prose
from srm_checks.report.inert import inert
from srm_checks.report.rules import Rule, from_policy, rules
from srm_checks.report.selection import worst_first
from srm_checks.report.source_text import SourceTexts
from srm_checks.report.words import exception, shortened, spoken

SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
BASE: Final = "%SRCROOT%"

# Limits of GitHub code scanning.
MAX_RESULTS: Final = 25_000
MAX_TAGS: Final = 20
MAX_TEXT: Final = 1024

_SECURITY_SEVERITY: Final[Mapping[Severity, str]] = {
    Severity.CRITICAL: "9.5",
    Severity.HIGH: "8.0",
    Severity.MEDIUM: "5.5",
    Severity.LOW: "3.0",
    Severity.INFO: "1.0",
}
_LEVELS: Final[Mapping[Severity, str]] = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
    Severity.INFO: "note",
}
_KINDS: Final[Mapping[Outcome, str]] = {
    Outcome.GAP: "fail",
    Outcome.UNKNOWN: "review",
    Outcome.MET: "pass",
    Outcome.NOT_APPLICABLE: "notApplicable",
}
_LONGEST_CATEGORY: Final = 200


class Profile(str, enum.Enum):
    """How much of a scan the file holds."""

    GITHUB = "github"
    FULL = "full"


def render(report: Report, page: Page) -> str:
    """The report for code scanning, as indented JSON text in ASCII with a final newline."""
    return _text(document(report, Profile.GITHUB))


def render_full(report: Report, page: Page) -> str:
    """The report with silenced, met and not-applicable results and all active rules."""
    return _text(document(report, Profile.FULL))


def document(report: Report, profile: Profile) -> dict[str, Any]:
    """The report as plain data."""
    selected = _select(report.result.findings, profile)
    described = rules(selected.findings, report.result.policies)
    if profile is Profile.FULL:
        described = {**{name: from_policy(policy) for name, policy in report.result.policies.items()}, **described}
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [_run(report, selected, sorted(described.items()))]}


def _text(data: Mapping[str, Any]) -> str:
    return json.dumps(data, indent=2) + "\n"


# ------------------------------------------------------------------ what is shown


@dataclass(frozen=True, slots=True)
class _Selection:
    """The findings to show, and how many are left out, by reason."""

    findings: tuple[Finding, ...]
    left_out: Mapping[str, int]


def _select(findings: Sequence[Finding], profile: Profile) -> _Selection:
    if profile is Profile.FULL:
        return _Selection(tuple(findings), {})
    left_out: Counter[str] = Counter()
    kept = []
    for finding in findings:
        if finding.disposition in (Disposition.SUPPRESSED, Disposition.WAIVED, Disposition.ASSUMED):
            left_out[str(finding.disposition)] += 1
        elif finding.outcome in (Outcome.GAP, Outcome.UNKNOWN):
            kept.append(finding)
    if len(kept) > MAX_RESULTS:
        left_out["over-the-limit"] = len(kept) - MAX_RESULTS
        worst = {id(finding) for finding in worst_first(kept)[:MAX_RESULTS]}
        kept = [finding for finding in kept if id(finding) in worst]
    return _Selection(tuple(kept), dict(sorted(left_out.items())))


# ------------------------------------------------------------------ the run


def _run(report: Report, selected: _Selection, described: Sequence[tuple[str, Rule]]) -> dict[str, Any]:
    taxonomies = _Taxonomies.of(rule for _, rule in described)
    indexes = {name: index for index, (name, _) in enumerate(described)}
    sources = SourceTexts.of(selected.findings)
    result = report.result
    return {
        "tool": {
            "driver": {
                "name": "srm-checks",
                "version": report.version,
                "informationUri": GUIDE_URL.rpartition("/")[0],
                "supportedTaxonomies": taxonomies.references(),
                "rules": [_rule(rule, taxonomies) for _, rule in described],
            },
            "extensions": [
                {"name": inert(pack.name), "version": inert(pack.version), "properties": {"digest": pack.digest}}
                for pack in sorted(result.packs, key=lambda pack: pack.name)
            ],
        },
        "invocations": [
            {
                "executionSuccessful": not result.errors,
                "toolExecutionNotifications": [
                    *map(_error_notification, result.errors),
                    *map(_unread_notification, result.inputs.unread_modules),
                ],
            }
        ],
        "automationDetails": {"id": category(result.paths)},
        "columnKind": "utf16CodeUnits",
        "originalUriBaseIds": {BASE: {"description": {"text": "The working directory of the scan."}}},
        "taxonomies": taxonomies.components(),
        "results": [_result(finding, indexes[finding.policy_id], sources) for finding in selected.findings],
        "properties": {
            "scope": result.scope,
            "gate": {"failed": report.decision.failed, "because": report.decision.because},
            "counts": {str(outcome): result.counts.outcomes.get(outcome, 0) for outcome in Outcome},
            "leftOut": dict(selected.left_out),
        },
    }


def category(paths: Iterable[str]) -> str:
    """The id under which GitHub keeps the alerts of one analysis: it must be the same in each run over the same paths.

    `srm-checks/envs/prod/` for one path, `srm-checks/` for the working directory.
    """
    names = sorted({os.path.relpath(path).replace(os.sep, "/") for path in paths} - {"."})
    text = inert("+".join(names))
    if len(text) > _LONGEST_CATEGORY:
        text = hashlib.sha256(text.encode()).hexdigest()[:16]
    return f"srm-checks/{text}/" if text else "srm-checks/"


def _error_notification(error: ScanError) -> dict[str, Any]:
    return {
        "level": "error",
        "descriptor": {"id": error.kind},
        "message": {"text": _message(f"{error.path}: {error.message} ({error.engine})")},
        "locations": [{"physicalLocation": {"artifactLocation": _artifact(error.path)}}],
    }


def _unread_notification(module: UnreadModule) -> dict[str, Any]:
    return {
        "level": "warning",
        "descriptor": {"id": "unread-module"},
        "message": {"text": _message(f"{module.address} from {module.source} is not at hand; it was not scanned.")},
        "locations": [_line(module.path, module.start_line)],
    }


# ------------------------------------------------------------------ rules


def _rule(rule: Rule, taxonomies: _Taxonomies) -> dict[str, Any]:
    text = {
        "id": rule.id,
        "name": _short(rule.name, 255),
        "shortDescription": {"text": _short(rule.title)},
        "fullDescription": {"text": _short(" ".join(filter(None, [f"{rule.title}.", rule.why])))},
        "help": {"text": help_text(rule), "markdown": help_markdown(rule)},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "relationships": taxonomies.relationships(rule),
        "properties": {
            "tags": _tags(rule),
            "precision": "high",
            "security-severity": _SECURITY_SEVERITY[rule.severity],
            "severity": str(rule.severity),
            "side": rule.side,
            "service_models": list(rule.service_models),
            "domain": rule.domain,
            "equivalents": sorted(rule.equivalents),
        },
    }
    return {**text, "helpUri": rule.url} if rule.url else text


def _help_parts(rule: Rule) -> list[tuple[str, str]]:
    controls = "; ".join(f"{name} {', '.join(sorted(ids))}" for name, ids in sorted(rule.frameworks.items()))
    models = f"service model {' or '.join(rule.service_models)}" if rule.service_models else ""
    parts = [
        ("What is wrong", rule.title),
        ("Why it matters", rule.why),
        ("Who answers", ", ".join(filter(None, [rule.side, models, f"domain {spoken(rule.domain)}"]))),
        ("AWS does", rule.aws_does),
        ("You do", rule.customer_does),
        *rule.fixes(),
        ("Frameworks", controls),
    ]
    return [(label, text) for label, text in parts if text]


def help_text(rule: Rule) -> str:
    """The rule's help as plain text, a line for each part."""
    return "\n".join(f"{label}: {inert(text)}" for label, text in _help_parts(rule))


def help_markdown(rule: Rule) -> str:
    """The rule's help as people read it beside an alert."""
    parts = [f"**{label}:** {prose(text)}" for label, text in _help_parts(rule)]
    return "\n\n".join([*parts, f"[{rule.id}]({rule.url})"] if rule.url else parts)


def _tags(rule: Rule) -> list[str]:
    """What alerts can be filtered by; GitHub shows the first ten. Frameworks take turns, so that none is cut away."""
    by_framework = [[f"{name}/{control}" for control in sorted(ids)] for name, ids in sorted(rule.frameworks.items())]
    turns = [tag for turn in zip_longest(*by_framework) for tag in turn if tag is not None]
    tags = ["security", rule.side, *rule.service_models, rule.domain, *turns]
    return list(dict.fromkeys(map(inert, tags)))[:MAX_TAGS]


@dataclass(frozen=True, slots=True)
class _Taxonomies:
    """The frameworks that the rules speak of, with the controls that they name; both sorted."""

    controls: Mapping[str, tuple[str, ...]]

    @staticmethod
    def of(described: Iterable[Rule]) -> _Taxonomies:
        found: dict[str, set[str]] = {}
        for rule in described:
            for name, control in rule.controls():
                found.setdefault(name, set()).add(control)
        return _Taxonomies({name: tuple(sorted(found[name])) for name in sorted(found)})

    def components(self) -> list[dict[str, Any]]:
        return [
            {"name": name, "taxa": [{"id": control} for control in controls]}
            for name, controls in self.controls.items()
        ]

    def references(self) -> list[dict[str, Any]]:
        return [{"name": name, "index": index} for index, name in enumerate(self.controls)]

    def relationships(self, rule: Rule) -> list[dict[str, Any]]:
        places = {name: index for index, name in enumerate(self.controls)}
        return [
            {
                "target": {
                    "id": control,
                    "index": self.controls[name].index(control),
                    "toolComponent": {"name": name, "index": places[name]},
                },
                "kinds": ["relevant"],
            }
            for name, control in rule.controls()
        ]


# ------------------------------------------------------------------ results


def _result(finding: Finding, index: int, sources: SourceTexts) -> dict[str, Any]:
    path, number = finding.location.path, finding.location.start_line
    region = sources.region(path, number)
    line_hash = sources.line_hash(path, number)
    found: dict[str, Any] = {
        "ruleId": finding.policy_id,
        "ruleIndex": index,
        "kind": _KINDS[finding.outcome],
        "level": _level(finding),
        "message": {"text": _result_message(finding)},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": _artifact(path),
                    # The line alone: in a pull request an alert shows only where its whole region has changed.
                    "region": {
                        "startLine": region.line,
                        "startColumn": region.start_column,
                        "endLine": region.line,
                        "endColumn": region.end_column,
                    },
                },
                "logicalLocations": [{"fullyQualifiedName": inert(finding.address), "kind": "resource"}],
            }
        ],
        "partialFingerprints": {
            **({"primaryLocationLineHash": line_hash} if line_hash else {}),
            "srmFinding/v1": finding.fingerprint,
        },
    }
    related = _related(finding)
    if related:
        found["relatedLocations"] = related
    if finding.disposition is Disposition.BASELINED:
        found["baselineState"] = "unchanged"
    elif finding.disposition is not Disposition.NEW:
        found["suppressions"] = [_suppression(finding)]
    found["properties"] = {
        "side": finding.side_word,
        "service_model": finding.service_model,
        "model_family": finding.model_family,
        "domain": finding.domain_word,
        "severity": str(finding.severity),
        "outcome": str(finding.outcome),
        "cause": finding.cause and str(finding.cause),
        "framework": finding.framework,
        "root": inert(finding.root),
        "attribute": finding.attribute and inert(finding.attribute),
        "when": finding.when and inert(finding.when),
    }
    return found


def _level(finding: Finding) -> str:
    if finding.outcome is Outcome.GAP:
        return _LEVELS[finding.severity]
    return "note" if finding.outcome is Outcome.UNKNOWN else "none"


def _result_message(finding: Finding) -> str:
    text = _message(finding.message)
    if finding.origin:
        place = f"{finding.origin.path}:{finding.origin.start_line}"
        text += f" The value is written at [{_link_text(place)}](1)."
    return text


def _related(finding: Finding) -> list[dict[str, Any]]:
    """Where the deciding value is written, with the id that the message links to, and the calls from the root."""
    places: list[tuple[str, SourceRange]] = []
    if finding.origin:
        places.append(("The value is written here.", finding.origin))
    for call in finding.call_chain:
        text = f"{call.address} is called here."
        places.append((text, SourceRange(call.path, call.start_line, call.start_line)))
    first = 1 if finding.origin else 2
    return [
        {"id": number, "message": {"text": _message(text)}, **_line(place.path, place.start_line)}
        for number, (text, place) in enumerate(places, start=first)
    ]


def _suppression(finding: Finding) -> dict[str, Any]:
    return {
        "kind": "inSource" if finding.disposition is Disposition.SUPPRESSED else "external",
        "status": "accepted",
        "justification": inert(exception(finding)),
    }


# ------------------------------------------------------------------ small parts


def _line(path: str, number: int) -> dict[str, Any]:
    return {"physicalLocation": {"artifactLocation": _artifact(path), "region": {"startLine": max(number, 1)}}}


def _artifact(path: str) -> dict[str, str]:
    # The bytes of the name, also where they are no valid UTF-8.
    return {"uri": urllib.parse.quote(os.fsencode(path)), "uriBaseId": BASE}


def _message(text: str) -> str:
    """Plain text in which no name can make a link: `[text](target)` is the one markup of a SARIF message."""
    return inert(text).replace("](", "\\](")


def _link_text(text: str) -> str:
    return inert(text).replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")


def _short(text: str, length: int = MAX_TEXT) -> str:
    return shortened(inert(text), length)
