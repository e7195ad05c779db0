"""Small stacks and policies for the tests of the policy language."""

from __future__ import annotations

import datetime
import textwrap
from pathlib import Path
from typing import Any

from srm_checks.model import (
    FRAMEWORKS,
    Cond,
    Finding,
    Ref,
    Resource,
    SourceRange,
    Stack,
    Unit,
    UnitKind,
    Verdict,
)
from srm_checks.policy.access import Environment, StackIndex
from srm_checks.policy.document import Policy
from srm_checks.policy.evaluate import judge
from srm_checks.policy.load import Draft, build
from srm_checks.policy.source import parse

TODAY = datetime.date(2026, 11, 21)

HEAD = """\
id: SRM-DAR-900
name: test-policy
title: A test
domain: data-at-rest
side: customer
severity: high
aws_does: AWS does its part.
customer_does: You do yours.
why: It matters.
fix: Mend it.
"""


def policy(
    body: str, *, types: str = "{terraform: aws_thing, cloudformation: {not_expressible: not here}}", **options: Any
) -> Policy:
    """A policy with the given `require` or `absence` (and further keys) as YAML text."""
    text = f"{HEAD}resources: {types}\n{textwrap.dedent(body)}"
    return build(Draft(parse("policy.yaml", text), "0" * 64), **options)


def thing(
    name: str = "a",
    *,
    type: str = "aws_thing",
    exists: Cond = True,
    references: list[tuple[tuple[str | int, ...], Ref]] | None = None,
    tags: Any = None,
    key: str | int | None = None,
    **attributes: Any,
) -> Resource:
    """A resource with the given attributes."""
    base = name if "::" in type else f"{type}.{name}"
    return Resource(
        type=type,
        address=base if key is None else f"{base}[{key!r}]",
        base=base,
        key=key,
        attributes=attributes,
        block=SourceRange("main.tf", 1, 9),
        exists=exists,
        references=references or [],
        tags={} if tags is None else tags,
    )


def stack(*resources: Resource, kind: UnitKind = UnitKind.TERRAFORM, **options: Any) -> Stack:
    assert kind in FRAMEWORKS
    return Stack(unit=Unit(kind, "."), resources=list(resources), **options)


def verdicts(rule: Policy, *resources: Resource, today: datetime.date = TODAY, **options: Any) -> list[Verdict]:
    """The verdicts of a policy on a stack of these resources."""
    return judge(StackIndex(stack(*resources, **options)), [rule], Environment(today)).verdicts


def outcome(rule: Policy, *resources: Resource, **options: Any) -> str:
    """The outcome on the first resource, with the cause of an unknown and the branch of a gap."""
    return words(verdicts(rule, *resources, **options)[0])


def words(verdict: Verdict | Finding) -> str:
    cause = f" ({verdict.cause})" if verdict.cause else ""
    return f"{verdict.outcome}{cause}{f' when {verdict.when}' if verdict.when else ''}"


def write_pack(folder: Path, manifest: str, **policies: str) -> str:
    """A pack in `folder`; policies by file name with underscores for hyphens."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pack.yaml").write_text(textwrap.dedent(manifest))
    for name, text in policies.items():
        (folder / f"{name.replace('_', '-')}.yaml").write_text(text)
    return str(folder)
