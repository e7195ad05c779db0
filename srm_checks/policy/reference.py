"""The language reference, written from the code: keys, conditions and operators with their docstrings."""

from __future__ import annotations

import json

from srm_checks.policy.conditions import NODES
from srm_checks.policy.load import OPTIONAL, REQUIRED
from srm_checks.policy.operators import OPERATORS, PRESENCE

KEYS = {
    "id": "`PREFIX-DOM-NNN`: the pack's prefix, the domain's three letters, a number that is never used again.",
    "name": "The flaw in lower-case words with hyphens; the file has this name.",
    "title": "The flaw as a short sentence without a full stop.",
    "domain": "One of the twelve control domains.",
    "side": "Who answers: `customer` or `shared` (`aws` is never a finding).",
    "severity": "`critical`, `high`, `medium`, `low` or `info`.",
    "aws_does": "One sentence on AWS's part.",
    "customer_does": "One sentence on the customer's part.",
    "why": "What can happen.",
    "fix": "What to change: one sentence, or one for `terraform` and one for `cloudformation`.",
    "resources": "The judged types by framework, or `{not_expressible: why}` for one that cannot say it.",
    "require": "The condition that a resource must meet.",
    "absence": (
        "For a duty that one resource of the whole must fulfil: `where` (its condition), `because_of` "
        "(types that make it matter, by framework), `account_wide`, and `each`: one that fulfils it does not make up "
        "for another that is declared and does not, as where each Region has its own."
    ),
    "applies_when": (
        "The condition under which the policy concerns a resource. While it is unknown, a would-be gap is "
        "unknown and met stays met."
    ),
    "unknown_when": (
        "A list of `{when: CONDITION, cause: CAUSE}` (and `for: TYPE or framework`): doubts that turn a "
        "gap into unknown."
    ),
    "parameters": (
        "`{name: {type: integer|number|string|boolean|list, default: ..., description: ...}}`; a condition "
        "uses one as `{parameter: name}`."
    ),
    "frameworks": "Control ids by framework, as text.",
    "equivalents": "Ids of checks elsewhere that ask nearly the same.",
}

INTRODUCTION = """# The policy language

A policy is one YAML file. It states a requirement once, for Terraform and CloudFormation; every door judges it in the
same place, with three values. This page is written from the code by `make docs`.

## Attributes

`storage_encrypted` is Terraform's name; in CloudFormation it is `StorageEncrypted` by rule (each word with a capital).
Where the names differ, write both: `snapshot_identifier / DBSnapshotIdentifier`. A name with capitals is taken as it
is. Dots go into blocks and maps (`metadata_options.http_tokens`); through a list, each element must meet the
condition. A list of names means their values as one list. JSON texts (`jsonencode`, heredocs, container definitions)
are read as the data that they stand for. `.` is the element that a quantifier has come to. A value, an attribute or
`absent` may also be a map by framework or by resource type.

## What absence means

Inside `require` every operator says what it means that the attribute is not set: `absent: gap`, `met`, `unknown` or
`not-applicable`; it is the service's documented default. Elsewhere an absent attribute makes a positive operator false
and a negative one true, unless `absent` says otherwise.

## Unknown

A value that the code does not show makes a condition unknown, unless it cannot matter (`false and unknown` is false).
Where a condition is open, every branch is judged; a gap that only one branch has names that branch.
"""


SHAPES = """
In place of `in`, quantifiers take `values_of: ATTRIBUTE`, the values of a map (the environment of a function), and
`statements: ATTRIBUTE`, the statements of an IAM policy document in one shape, with the lists `Action`, `NotAction`,
`Resource`, `NotResource`, `Principals`, `ConditionKeys` (lower case) and `Conditions` (elements with `Operator`, `Key`,
`Values`), beside `Effect` and `Sid`.

`related` takes `resources` (types) and one of

* `by`: their attribute that names this resource,
* `through`: our attribute that names them; `absent` says what it means that it is not set,
* `anywhere: yes`: all of them in the stack;

further one of `some`, `every`, `none` with a condition on them (none of these: that one is there), `missing` (the
outcome where there is none) and `identity` (the attribute that holds the name by which others may mean it without a
reference). What an expression comes to counts, not all that it mentions: `try(a.id, b.id)` means `a`. Where it is open
which of several is meant, as in `element([a.id, b.id], var.i)`, the answer is what all of them say, else it is unknown.
"""


def markdown() -> str:
    """The reference as one Markdown page."""
    lines = [INTRODUCTION, "## Keys of a policy\n", "| key | needed | meaning |", "|---|---|---|"]
    for key in (*REQUIRED, *OPTIONAL):
        needed = "yes" if key in REQUIRED else "one of them" if key in ("require", "absence") else ""
        lines.append(f"| `{key}` | {needed} | {_cell(KEYS[key])} |")
    lines += ["\n## Conditions\n", "| condition | meaning |", "|---|---|"]
    lines += [f"| `{name}` | {_cell(text)} |" for name, text in NODES.items()]
    lines += [
        SHAPES,
        "## Operators\n",
        "| operator | operand | meaning |",
        "|---|---|---|",
    ]
    for name, text in PRESENCE.items():
        lines.append(f"| `{name}` | `yes` | {_cell(text)} |")
    for operator in OPERATORS.values():
        lines.append(f"| `{operator.name}` | {_cell(_operand(operator.operand))} | {_cell(operator.doc)} |")
    return "\n".join(lines) + "\n"


def _operand(schema: dict[str, object]) -> str:
    if "const" in schema:
        return "`yes`"
    if "anyOf" in schema:
        return "one or a list"
    kind = schema.get("type")
    return (
        {"array": "a list", "number": "a number", "string": "a text", "object": "a map"}.get(str(kind), "a value")
        if isinstance(kind, str)
        else "a value"
        if kind
        else json.dumps(schema)
    )


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
