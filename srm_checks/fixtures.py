"""Fixtures: inputs with the expected outcome written beside each resource, and the run that holds a policy to them.

A fixture folder `<service>/<policy name>/` holds Terraform roots and CloudFormation templates. Each judged resource
carries a comment inside its block, or right above it::

    # expect: gap
    # expect ["b"]: unknown (unresolved-value)
    # expect module.prod: gap when var.env is prod

The words before the colon must be part of the resource's address; without them the line speaks of all instances. For
duties of the whole stack a file says `# expect-absent: unknown (other-stack)`, and `# expect-absent account: gap` for
`--scope account`. `# today: 2026-11-21` sets the day. A file `parameters.yaml` sets the policy's parameters for the
folder in which it stands, and those below that have none of their own.
"""

from __future__ import annotations

import datetime
import json
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from srm_checks.absences import settle_absences
from srm_checks.discovery import discover
from srm_checks.judge import judge_stack
from srm_checks.model import ABSENT_ADDRESS, EngineOptions, Finding, Outcome, Unit, UnitKind
from srm_checks.policy.document import Policy
from srm_checks.policy.load import build, read_policy
from srm_checks.policy.packs import FIXTURES, find, load_packs
from srm_checks.policy.source import read
from srm_checks.units import load_unit

PARAMETERS: Final = "parameters.yaml"
DEFAULT_DAY: Final = datetime.date(2026, 11, 21)
_EXPECT: Final = re.compile(
    r"(?:#|//)\s*expect(?P<absent>-absent)?(?:\s+(?P<part>[^:]*?(?:::[^:]*?)*))?"
    r":\s*(?P<outcome>gap|met|unknown|not-applicable)"
    r"(?:\s*\((?P<cause>[a-z-]+)\))?(?:\s+when\s+(?P<when>.+?))?\s*$"
)
_COMMENT: Final = re.compile(r"\s*(?:#|//)")
TODAY: Final = re.compile(r"^\s*(?:#|//)\s*today:\s*(\d{4}-\d\d-\d\d)\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Expectation:
    """One `expect` comment."""

    path: str
    line: int
    part: str
    outcome: Outcome
    cause: str | None
    when: str | None
    absent: bool

    def differs(self, finding: Finding) -> str | None:
        """What is not as expected, in words."""
        got = _words(finding.outcome, finding.cause, finding.when)
        wrong = (
            finding.outcome is not self.outcome
            or (self.cause is not None and str(finding.cause) != self.cause)
            or (self.when is not None and finding.when != self.when)
        )
        what = f"{self.path}:{self.line}: {finding.policy_id} {finding.address}"
        return f"{what}: expected {self.words()}, got {got}" if wrong else None

    def words(self) -> str:
        return _words(self.outcome, self.cause, self.when)


def _words(outcome: Outcome, cause: str | None, when: str | None) -> str:
    return f"{outcome}{f' ({cause})' if cause else ''}{f' when {when}' if when else ''}"


@dataclass(frozen=True, slots=True)
class FixtureReport:
    """How a policy did on its fixtures: sentences on what is wrong, and how many findings were compared."""

    policy: Policy
    compared: int
    problems: tuple[str, ...]


def folder_of(pack: Path, policy: Policy) -> Path:
    """Where the fixtures of a pack's policy lie: `fixtures/` inside the pack, else beside the folder of packs."""
    inside = pack / FIXTURES
    base = inside if inside.is_dir() else pack.parent.parent / FIXTURES / pack.name
    return base / Path(policy.path).parent.name / policy.name


def test_pack(pack: str) -> Iterator[FixtureReport]:
    """Hold every policy that a pack brings itself to its fixtures."""
    folder = Path(find(pack))
    policies = load_packs([pack]).policies
    for policy in policies:
        if folder.resolve() in Path(policy.path).resolve().parents:
            yield test_policy(policy, folder_of(folder, policy))


def test_policy(policy: Policy, folder: Path) -> FixtureReport:
    """Hold one policy to the fixtures in a folder."""
    if not folder.is_dir():
        return FixtureReport(policy, 0, (f"{_shown(folder)}: {policy.id} has no fixtures",))
    problems: list[str] = []
    seen: dict[str, set[Outcome]] = {"terraform": set(), "cloudformation": set()}
    compared = 0
    for unit in units(folder):
        found = findings(unit, [for_unit(policy, folder, unit)])
        problems.extend(_unread(unit))
        expected = list(expectations(unit))
        compared += len(found)
        used: set[Expectation] = set()
        for finding in found:
            language = "cloudformation" if "::" in finding.resource_type else "terraform"
            seen[language].add(finding.outcome)
            match = match_expectation(expected, finding)
            if match is None:
                if finding.address != ABSENT_ADDRESS:
                    place = f"{finding.block.path}:{finding.block.start_line}"
                    problems.append(f"{place}: {finding.address} has no expectation; it is {finding.outcome}")
                continue
            used.add(match)
            difference = match.differs(finding)
            if difference:
                problems.append(difference)
        for entry in expected:
            if entry not in used:
                problems.append(f"{entry.path}:{entry.line}: nothing was judged here, expected {entry.words()}")
    for language in policy.resources:
        lacking = {Outcome.GAP, Outcome.MET} - seen[language]
        if lacking and policy.absence is None:
            problems.append(f"{_shown(folder)}: no {' and no '.join(sorted(lacking))} in {language}")
    return FixtureReport(policy, compared, tuple(problems))


def parameters_file(folder: Path, unit: Unit | None = None) -> Path | None:
    """The file that sets the policy's parameters in a fixture folder, or for one of its units."""
    top = folder.resolve()
    at = top
    if unit is not None:
        at = Path(unit.path).resolve() if unit.kind is UnitKind.TERRAFORM else Path(unit.path).resolve().parent
    for place in (at, *at.parents):
        if (place / PARAMETERS).is_file():
            return place / PARAMETERS
        if place == top:
            break
    return None


def for_unit(policy: Policy, folder: Path, unit: Unit) -> Policy:
    """The policy with the parameter values that a fixture folder sets for one of its units."""
    return _with_parameters(policy, parameters_file(folder, unit))


def with_parameters(policy: Policy, folder: Path) -> Policy:
    """The policy with the parameter values that a fixture folder sets for all that have none of their own."""
    return _with_parameters(policy, parameters_file(folder))


def _with_parameters(policy: Policy, file: Path | None) -> Policy:
    if file is None:
        return policy
    return build(read_policy(policy.path), pack=policy.pack, parameters=read(_shown(file)).data)


def units(folder: Path) -> tuple[Unit, ...]:
    """The units of a fixture folder."""
    return discover([_shown(folder)]).units


def day_of(unit: Unit) -> datetime.date:
    """The day that a fixture sets."""
    days = (day_in(Path(path).read_text(encoding="utf-8")) for path in _texts(unit))
    return next((day for day in days if day), DEFAULT_DAY)


def day_in(text: str) -> datetime.date | None:
    """The day that the text of a file sets."""
    match = TODAY.search(text)
    return datetime.date.fromisoformat(match.group(1)) if match else None


def findings(unit: Unit, policies: Iterable[Policy], today: datetime.date | None = None) -> list[Finding]:
    """All findings of policies on one unit, each with the absences under both scopes; `today` is the unit's own."""
    policies = list(policies)
    today = today or day_of(unit)
    stack = load_unit(unit, EngineOptions())
    found: list[Finding] = []
    for scope in ("stack", "account"):
        judged = judge_stack(stack, policies, today=today, scope=scope)
        absences = [finding for finding in judged.findings if finding.address == ABSENT_ADDRESS]
        absences += settle_absences([judged], policies, scope)
        if scope == "stack":
            found.extend(finding for finding in judged.findings if finding.address != ABSENT_ADDRESS)
        found.extend(
            _marked(finding, scope) for finding in absences if finding.address == ABSENT_ADDRESS or scope == "stack"
        )
    return found


def _marked(finding: Finding, scope: str) -> Finding:
    """An absence remembers the scope that it was judged under in its `root`, for matching."""
    return replace(finding, root=scope) if finding.address == ABSENT_ADDRESS else finding


def expectations(unit: Unit) -> Iterator[Expectation]:
    """The `expect` comments in a unit's files."""
    for path in _texts(unit):
        for number, line in enumerate(Path(path).read_text(encoding="utf-8").splitlines(), start=1):
            expectation = expectation_in(line, path, number)
            if expectation:
                yield expectation


def expectation_in(line: str, path: str = "", number: int = 0) -> Expectation | None:
    """The `expect` comment that a line holds."""
    match = _EXPECT.search(line)
    if match is None:
        return None
    return Expectation(
        path,
        number,
        (match["part"] or "").strip(),
        Outcome(match["outcome"]),
        match["cause"],
        match["when"],
        match["absent"] is not None,
    )


def match_expectation(expected: Iterable[Expectation], finding: Finding) -> Expectation | None:
    """The expectation that speaks of a finding: the one with the longest fitting part."""
    hits: list[Expectation] = []
    for entry in expected:
        if finding.address == ABSENT_ADDRESS:
            if entry.absent and (entry.part or "stack") == finding.root:
                hits.append(entry)
        elif (
            not entry.absent
            and entry.path == finding.block.path
            and entry.part in finding.address
            and _first_comment(entry.path, finding.block.start_line) <= entry.line <= finding.block.end_line
        ):
            hits.append(entry)
    return max(hits, key=lambda entry: len(entry.part), default=None)


def _first_comment(path: str, start: int) -> int:
    """The line of the first comment of those right above a line."""
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    while start > 1 and _COMMENT.match(lines[start - 2]):
        start -= 1
    return start


def _texts(unit: Unit) -> Iterator[str]:
    """The files of a unit that may hold comments: those of a root and of its modules, or a template."""
    files = load_unit(unit, EngineOptions()).files if unit.kind is UnitKind.TERRAFORM else {unit.path}
    for path in sorted(files):
        if not path.endswith(".json"):
            yield path


def _unread(unit: Unit) -> Iterator[str]:
    for error in load_unit(unit, EngineOptions()).errors:
        yield f"{error.path}: {error.message}"


def _shown(path: Path) -> str:
    return os.path.relpath(path).replace(os.sep, "/")


def as_json(template: str) -> str:
    """A YAML template as the JSON of equal meaning, with the short forms written out; for the parity tests."""
    import yaml

    class Loader(yaml.SafeLoader):
        """Understands the short forms of the intrinsic functions."""

    def intrinsic(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> object:
        name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
        if isinstance(node, yaml.ScalarNode):
            value: object = loader.construct_scalar(node)
            if suffix == "GetAtt":
                value = str(value).split(".", 1)
        elif isinstance(node, yaml.SequenceNode):
            value = loader.construct_sequence(node, deep=True)
        else:
            assert isinstance(node, yaml.MappingNode)
            value = loader.construct_mapping(node, deep=True)
        return {name: value}

    Loader.add_multi_constructor("!", intrinsic)
    Loader.yaml_implicit_resolvers = {
        key: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for key, resolvers in Loader.yaml_implicit_resolvers.items()
    }
    return json.dumps(yaml.load(template, Loader), indent=2)  # a SafeLoader with more tags
