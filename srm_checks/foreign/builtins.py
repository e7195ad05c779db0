"""`scan --with-builtins`: the engines' own checks on a unit, as findings beside ours.

The results are hung on the resources of our own stack, so that the service model is decided by the configuration and
a value that the engine guessed is told from one that it read. Where one of our policies already says the same of the
resource, its finding stays and names the engine's check.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any, Final

from srm_checks.catalogue import attributes, checks, models
from srm_checks.foreign.annotation import SECTION, annotate
from srm_checks.foreign.entry import Entry, to_finding
from srm_checks.foreign.naming import ResourceName, from_checkov
from srm_checks.foreign.paths import line_range, relative
from srm_checks.foreign.process import Answer, Worker
from srm_checks.foreign.result import Job, Result
from srm_checks.foreign.severity import known
from srm_checks.foreign.templates import resources
from srm_checks.model import (
    ABSENT,
    Cause,
    Choice,
    Cond,
    EngineOptions,
    Finding,
    Not,
    Options,
    Outcome,
    Path,
    Resource,
    ScanError,
    SourceRange,
    Stack,
    Test,
    UnitKind,
    Unknown,
)
from srm_checks.policy.access import StackIndex

# Seconds for one engine on one unit. The largest public roots take Checkov about a minute.
TIME_LIMIT: Final = 300.0

_JUDGED: Final = (Outcome.GAP, Outcome.UNKNOWN)
_INDEX: Final = re.compile(r"\[(\d+)\]")
_KEYS: Final = re.compile(r'\[(?:"(?:[^"\\]|\\.)*"|[^\]"])*\]\Z')


class BuiltinChecks:
    """The engines' own checks for the units of one scan. Use it as a context manager: it keeps a worker process."""

    def __init__(self, options: EngineOptions, limit: float = TIME_LIMIT) -> None:
        self._options = options
        self._worker = Worker(limit)

    def __enter__(self) -> BuiltinChecks:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._worker.__exit__(kind, error, trace)

    def run(self, stack: Stack) -> tuple[list[Finding], list[ScanError]]:
        """The engines' findings on a unit, and what kept them from judging it.

        A file that our own engine could not read is told of once, in the stack's errors.
        """
        findings: list[Finding] = []
        errors: list[ScanError] = []
        converter = _Converter(stack)
        for job in self._jobs(stack):
            answer = self._worker.run(job)
            findings.extend(converter.finding(job.engine, result) for result in answer.results)
            errors.extend(_errors(stack, job, answer))
        return list({finding.fingerprint: finding for finding in findings}.values()), errors

    def _jobs(self, stack: Stack) -> list[Job]:
        if not stack.files and stack.errors:
            return []  # the unit is broken, which its errors say
        unit = stack.unit
        jobs = [
            Job(
                engine=checks.CHECKOV,
                framework=stack.framework,
                path=unit.path,
                var_files=self._options.var_files if unit.kind is UnitKind.TERRAFORM else (),
            )
        ]
        if unit.kind is UnitKind.CLOUDFORMATION:
            jobs.append(Job(engine=checks.CFN_LINT, framework=stack.framework, path=unit.path))
        return jobs


def merge(ours: Sequence[Finding], foreign: Iterable[Finding]) -> list[Finding]:
    """All findings, with what an engine and one of our policies both say of a resource told once.

    Ours stays and lists the engine's id among its equivalents. It takes part only where it is a gap or unknown: where
    we say met and the engine does not, both are shown.
    """
    merged = list(ours)
    places: dict[tuple[str, str, str, str], int] = {}
    for number, finding in enumerate(merged):
        if finding.outcome in _JUDGED:
            for check_id in finding.equivalents:
                places.setdefault((*_where(finding), check_id), number)
            places[(*_where(finding), finding.policy_id)] = number
    for finding in foreign:
        keys = [(*_where(finding), name) for name in (finding.policy_id, *finding.equivalents)]
        place = next((places[key] for key in keys if key in places), None)
        if place is None:
            merged.append(finding)
        elif finding.policy_id not in merged[place].equivalents:
            own = merged[place]
            merged[place] = replace(own, equivalents=(*own.equivalents, finding.policy_id))
    return merged


def _where(finding: Finding) -> tuple[str, str, str]:
    return finding.framework, finding.root, finding.address


def _errors(stack: Stack, job: Job, answer: Answer) -> list[ScanError]:
    known_bad = {error.path for error in stack.errors}
    if answer.problem:
        return [ScanError(job.path, job.engine, answer.problem, answer.message)]
    if job.engine == checks.CFN_LINT:
        return [
            ScanError(job.path, job.engine, "parse", f"cfn-lint failed on a part of it: {words.rstrip('.')}.")
            for words in answer.failures
            if job.path not in known_bad
        ]
    return [
        ScanError(path, job.engine, "parse", "Checkov could not read it; its checks did not see this file.")
        for path in map(relative, answer.failures)
        if path not in known_bad
    ]


class _Converter:
    """Turns the results on one stack into findings."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._index = StackIndex(stack)
        self._declared = functools.cache(lambda: resources(stack.unit.path))
        self._by_address = {resource.address: resource for resource in stack.resources}

    def finding(self, engine: str, result: Result) -> Finding:
        name = self._named(result)
        resource = self._resource(name.address)
        type_name = resource.type if resource else name.type_name
        decision = models.decide(resource, self._index) if resource else None
        entry = self._entry(engine, result, ResourceName(type_name, name.address), resource)
        return to_finding(entry, annotate(result.check_id, type_name, decision))

    def _named(self, result: Result) -> ResourceName:
        """The resource that an engine names; a template's resource that no condition lets be has its type there."""
        steps = result.template_path
        if not steps:
            return from_checkov(result.resource)
        if len(steps) >= 2 and steps[0] == "Resources":
            declared = self._declared().get(steps[1])
            return ResourceName(declared.type_name if declared else None, steps[1])
        return ResourceName(SECTION, "/".join(steps[:2]))

    def _resource(self, address: str) -> Resource | None:
        """The resource that an engine names: exactly, or the one whose number of instances the engine left open."""
        exact = self._by_address.get(address)
        if exact:
            return exact
        instances = self._index.by_base.get(_KEYS.sub("", address), ())
        return instances[0] if len(instances) == 1 else None

    def _entry(self, engine: str, result: Result, name: ResourceName, resource: Resource | None) -> Entry:
        lines = line_range(relative(result.path), result.start_line, result.end_line)
        block = resource.block if resource else lines
        path, doubt = _read(resource, result)
        place = _place(resource, path, lines)
        # Findings of a template may stand outside the block: cfn-lint points at what a condition decides.
        if place.path == block.path and not block.start_line <= place.start_line <= block.end_line:
            place = SourceRange(block.path, block.start_line, block.start_line)
        return Entry(
            source=engine,
            check_id=result.check_id,
            title=result.title,
            detail=f"it depends on {doubt}" if doubt else result.detail,
            outcome=Outcome.UNKNOWN if doubt else Outcome.GAP,
            cause=Cause.UNRESOLVED_VALUE if doubt else None,
            framework=self._stack.framework,
            type_name=name.type_name,
            address=resource.address if resource else name.address,
            root=self._stack.unit.path,
            place=place,
            block=block,
            attribute=".".join(map(str, path)) or None,
            severity=known(result.severity),
            reason=result.reason,
            mark="/".join([*result.template_path[2:], result.detail]) if result.template_path else "",
            calls=resource.calls if resource else (),
        )


def _place(resource: Resource | None, path: Path, lines: SourceRange) -> SourceRange:
    """One line: that of the attribute, or where it would stand; else what the engine gave."""
    if resource is None:
        return SourceRange(lines.path, lines.start_line, lines.start_line)
    place = resource.place(path)
    return SourceRange(place.path, place.start_line, place.start_line)


def _read(resource: Resource | None, result: Result) -> tuple[Path, str]:
    """The attribute that an engine looked at, and the expression that leaves its value open ("" where it is known).

    Checkov takes a branch of an open conditional, or the text of an expression, for the value.
    """
    if result.template_path:
        steps: list[str | int] = [int(step) if step.isdigit() else step for step in result.template_path[2:]]
        return tuple(steps[1:] if steps[:1] == ["Properties"] else steps), ""
    if resource is None:
        return (), ""
    written: Path = ()
    unwritten: Path = ()
    names = attributes.known(resource.type)
    for key in result.attributes:
        if names and key.removeprefix("Properties/").partition("/")[0] not in names:
            continue  # a word of Checkov's graph, such as `resource_type`
        path, value = _at(resource.attributes, key)
        doubt = _open(value) if result.reason is None else ""
        if doubt:
            return path, doubt
        if value is not ABSENT:
            written = written or path
        else:
            unwritten = unwritten or path
    return written or unwritten, ""


def _at(value: Any, key: str) -> tuple[Path, Any]:
    """The path and value that Checkov's `ingress/[0]/cidr_blocks/[0]` names; it may go on below a plain value."""
    path: list[str | int] = []
    steps = [step for step in key.split("/") if step]
    for step in steps[1:] if steps[:1] == ["Properties"] else steps:
        number = _INDEX.fullmatch(step)
        if number:
            index = int(number.group(1))
            if not isinstance(value, list):
                continue  # Checkov wraps every value of Terraform in a list
            if index >= len(value):
                return tuple(path), ABSENT
            value, part = value[index], index
            path.append(part)
        elif isinstance(value, dict):
            path.append(step)
            value = value.get(step, ABSENT)
        else:
            break
        if value is ABSENT:
            break
    return tuple(path), value


def _open(value: Any) -> str:
    """The words for a value that the code leaves open, "" for one that is known, at least in part."""
    if isinstance(value, Unknown):
        return "" if value.parts is not None else value.text or "a value that is not known"
    if isinstance(value, Options):
        return value.label
    return _label(value.cond) if isinstance(value, Choice) else ""


def _label(cond: Cond) -> str:
    """What the first comparison in a condition is about."""
    while not isinstance(cond, bool):
        if isinstance(cond, Test):
            return cond.label
        cond = cond.of if isinstance(cond, Not) else cond.of[0]
    return "a condition that is not decided"
