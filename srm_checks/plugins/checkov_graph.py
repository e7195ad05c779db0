"""The native door into Checkov: each policy as a graph check, judged by our own engines.

Checkov's graph holds guesses (see docs/decisions), so only the scanned files and the nodes to hang results on are taken
from it. A node fails if the verdict of any root on its block is a gap, passes if all are met, and is left out where
the verdict is unknown or does not concern it: Checkov has no word for these.
"""

from __future__ import annotations

import logging
import os
import re
import threading
import traceback
from collections.abc import Iterable, Iterator
from typing import Any

from checkov.common.bridgecrew.severities import get_severity
from checkov.common.checks_infra.registry import get_graph_checks_registry
from checkov.common.graph.checks_infra.base_check import BaseGraphCheck
from checkov.common.graph.graph_builder import CustomAttributes

from srm_checks.absences import settle_absences
from srm_checks.discovery import discover
from srm_checks.judge import judge_stack
from srm_checks.model import Disposition, Finding, Outcome, UnitKind
from srm_checks.plugins.native import UNDETERMINED, responsibility, settings
from srm_checks.policy.document import Policy
from srm_checks.policy.naming import CLOUDFORMATION, TERRAFORM
from srm_checks.units import load_unit

_REGISTRIES = {
    TERRAFORM: frozenset({UnitKind.TERRAFORM, UnitKind.PLAN}),
    CLOUDFORMATION: frozenset({UnitKind.CLOUDFORMATION}),
}
# Blocks whose address Checkov writes in another way than Terraform; they are known by their first line.
_UNADDRESSED = frozenset({"data", "provider", "terraform"})
# Checkov's Markdown table breaks on a bar.
_SEPARATOR = ", "


def register() -> None:
    """Add the checks to Checkov's registries; once, however often Checkov imports the folder."""
    for language, kinds in _REGISTRIES.items():
        registry = get_graph_checks_registry(language)
        if any(isinstance(check, PolicyCheck) for check in registry.checks):
            continue
        judge = _GraphJudge(language, kinds)
        for policy in settings().policies:
            if policy.resources.get(language):
                registry.checks.extend(PolicyCheck(policy, label, judge) for label in _labels(policy, language))


def _labels(policy: Policy, language: str) -> list[str]:
    """The responsibilities that findings of a policy can have; a check's name is fixed before Checkov runs it."""
    models = ("IaaS", "CaaS", "PaaS", "FaaS", "Abstracted", "SaaS", "Control", UNDETERMINED)
    return [_SEPARATOR.join((str(policy.side), model, str(policy.domain))) for model in models]


class PolicyCheck(BaseGraphCheck):  # type: ignore[misc]  # Checkov's classes are untyped
    """One policy for the resources of one service model: Checkov shows the responsibility in the check's name."""

    def __init__(self, policy: Policy, label: str, judge: _GraphJudge) -> None:
        super().__init__()
        self.id = policy.id
        self.name = f"{policy.title} [{label}]"
        self.guideline = policy.url
        self.severity = get_severity(str(policy.severity).upper())
        self.category = str(policy.domain)
        self.resource_types = sorted(policy.resources[judge.language])
        self.frameworks = [judge.language]
        self.label = label
        self.judge = judge

    def run(self, graph_connector: Any) -> tuple[list[Any], list[Any], list[Any]]:
        """The nodes that passed, failed and are unknown (none: Checkov would drop them)."""
        passed, failed = self.judge.results(graph_connector).get((self.id, self.label), ([], []))
        return passed, failed, []


class _GraphJudge:
    """Judges what a graph was made from once, and gives each check its nodes.

    Checkov runs checks in threads and swallows what they raise, so one lock guards the work and a failure is logged.
    """

    def __init__(self, language: str, kinds: frozenset[UnitKind]) -> None:
        self.language = language
        self.kinds = kinds
        self._lock = threading.Lock()
        self._graph: Any = None
        self._results: dict[tuple[str, str], tuple[list[Any], list[Any]]] = {}

    def results(self, graph: Any) -> dict[tuple[str, str], tuple[list[Any], list[Any]]]:
        with self._lock:
            if graph is not self._graph:
                self._graph = graph
                try:
                    self._results = self._judge(list(_nodes(graph)))
                except Exception:
                    # Checkov would drop the error without a word; the user must learn that nothing was judged.
                    logging.error("srm-checks could not judge this scan:\n%s", traceback.format_exc())
                    self._results = {}
                    raise
            return self._results

    def _judge(self, nodes: list[dict[str, Any]]) -> dict[tuple[str, str], tuple[list[Any], list[Any]]]:
        results: dict[tuple[str, str], tuple[list[Any], list[Any]]] = {}
        index = _FindingIndex(self._findings(nodes))
        for node in nodes:
            for policy_id, findings in index.of(node).items():
                outcomes = {finding.outcome for finding in findings}
                first = min(findings, key=lambda finding: finding.outcome is not Outcome.GAP)
                passed, failed = results.setdefault((policy_id, responsibility(first, _SEPARATOR)), ([], []))
                if Outcome.GAP in outcomes:
                    if not all(_silenced_elsewhere(finding) for finding in findings if finding.outcome is Outcome.GAP):
                        failed.append(node)
                elif outcomes == {Outcome.MET}:
                    passed.append(node)
        return results

    def _findings(self, nodes: Iterable[dict[str, Any]]) -> list[Finding]:
        files = sorted(
            {
                os.path.relpath(str(node[CustomAttributes.FILE_PATH]))
                for node in nodes
                if node.get(CustomAttributes.FILE_PATH)
            }
        )
        if not files:
            return []
        here = settings()
        folder = os.path.commonpath([os.path.dirname(path) or "." for path in files]) if len(files) > 1 else files[0]
        inputs = discover([folder or "."], exclude=here.exclude)
        wanted = {os.path.normpath(path) for path in files}
        judged = []
        for unit in inputs.units:
            if unit.kind not in self.kinds:
                continue
            if unit.kind is not UnitKind.TERRAFORM and os.path.normpath(unit.path) not in wanted:
                continue
            stack = load_unit(unit, here.options)
            for error in stack.errors:
                logging.error("srm-checks: %s: %s", error.path, error.message)
            judged.append(
                judge_stack(
                    stack,
                    here.policies,
                    today=here.today,
                    scope=here.scope,
                    suppress_equivalents=here.suppress_equivalents,
                )
            )
        found = [finding for unit_findings in judged for finding in unit_findings.findings]
        return here.settled(found + settle_absences(judged, here.policies, here.scope))


def _silenced_elsewhere(finding: Finding) -> bool:
    """Whether something that Checkov does not know silences a finding; its own skips are left for it to show."""
    if finding.disposition is Disposition.ASSUMED:
        return True
    if finding.disposition is not Disposition.SUPPRESSED or finding.suppression is None:
        return False
    # A skip that names an equivalent of the policy is one for another check in Checkov's eyes.
    by_checkov = finding.suppression["kind"] == "checkov"
    return not (by_checkov and finding.policy_id in finding.suppression["pattern"])


def _nodes(graph: Any) -> Iterator[dict[str, Any]]:
    """The attribute dicts of a graph's nodes, of rustworkx (pairs) or of networkx."""
    for node in (
        graph.nodes(data=True) if hasattr(graph, "adjacency") and not hasattr(graph, "node_indices") else graph.nodes()
    ):
        yield node[1] if isinstance(node, tuple) else node


class _FindingIndex:
    """Finds the findings that belong to a node: by file and address, else by file and the address without keys."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self._exact: dict[tuple[str, str], dict[str, list[Finding]]] = {}
        self._base: dict[tuple[str, str], dict[str, list[Finding]]] = {}
        self._line: dict[tuple[str, int], dict[str, list[Finding]]] = {}
        for finding in findings:
            path = os.path.abspath(finding.block.path)
            for table, key in (
                (self._exact, (path, finding.address)),
                (self._base, (path, _without_keys(finding.address))),
            ):
                table.setdefault(key, {}).setdefault(finding.policy_id, []).append(finding)
            self._line.setdefault((path, finding.block.start_line), {}).setdefault(finding.policy_id, []).append(
                finding
            )

    def of(self, node: dict[str, Any]) -> dict[str, list[Finding]]:
        path = os.path.abspath(str(node.get(CustomAttributes.FILE_PATH, "")))
        if node.get(CustomAttributes.BLOCK_TYPE) in _UNADDRESSED:
            line = node.get("__start_line__")
            return self._line.get((path, line), {}) if isinstance(line, int) else {}
        address = str(node.get(CustomAttributes.TF_RESOURCE_ADDRESS) or "")
        if not address:
            name = str(node.get(CustomAttributes.BLOCK_NAME) or "")
            address = name.rpartition(".")[2] if "::" in name else name
        return self._exact.get((path, address)) or self._base.get((path, _without_keys(address))) or {}


def _without_keys(address: str) -> str:
    return re.sub(r"\[[^\]]*\]", "", address)


__all__ = ["PolicyCheck", "register"]
