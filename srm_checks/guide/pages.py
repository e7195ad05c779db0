"""The page of each policy and the index of them, in Markdown: made from the policies, the catalogue and the fixtures.

A page is called as its policy, so that `Policy.url` leads to it.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from srm_checks.fixtures import folder_of, with_parameters
from srm_checks.guide.examples import Example, Pair, causes, examples
from srm_checks.guide.facts import Facts, Parameter, gather
from srm_checks.guide.wording import CAUSES, LANGUAGES, framework_title
from srm_checks.model import Domain, Evidence
from srm_checks.policy.document import Policy
from srm_checks.policy.packs import find, load_packs
from srm_checks.report.commonmark import code, prose
from srm_checks.report.words import declared, spoken

INDEX: Final = "index"
LIBRARY: Final = "aws-all"

_FENCES: Final = {"terraform": "hcl", "cloudformation": "yaml"}
_TYPES_SHOWN: Final = 10
_MANY_SERVICES: Final = 6
_EVIDENCE_SHOWN: Final = 2


def pages() -> dict[str, str]:
    """The text of every page by its name: one for each policy of the library, and the index."""
    every = [gather(policy) for policy in load_packs([LIBRARY]).policies]
    with tempfile.TemporaryDirectory() as scratch:
        found = {facts.policy.name: page(facts, scratch) for facts in every}
    return {INDEX: index(every), **found}


def page(facts: Facts, scratch: str) -> str:
    """The page of one policy; `scratch` is an empty folder to work in."""
    policy = facts.policy
    fixtures = folder_of(Path(find(policy.pack)), policy)
    judged = with_parameters(policy, fixtures)
    parts = [
        [f"# {prose(policy.title)}"],
        list(_summary(facts)),
        ["## Why", prose(policy.why)],
        ["## AWS does, you do", f"* {prose(policy.aws_does)}\n* {prose(policy.customer_does)}"],
        list(_by_model(facts)),
        list(_fix(policy)),
        list(_examples(policy, judged, examples(judged, fixtures, scratch), "/".join(fixtures.parts[-4:]))),
        list(_unknown([CAUSES[cause] for cause in causes(fixtures)])),
        list(_parameters(policy, facts.parameters)),
        list(_frameworks(policy)),
        list(_elsewhere(facts)),
        list(_exceptions(policy)),
    ]
    return "\n\n".join(block for part in parts for block in part) + "\n"


# ------------------------------------------------------------------ the parts of a page


def _summary(facts: Facts) -> Iterator[str]:
    policy = facts.policy
    rows = [
        ("Id", f"`{policy.id}`, in cfn-lint `{policy.cfn_lint_id}`"),
        ("Name", f"`{policy.name}`"),
        ("Severity", str(policy.severity)),
        ("Side", str(policy.side)),
        ("Domain", spoken(policy.domain)),
        ("Packs", _codes(facts.packs)),
        ("Service", prose(", ".join(facts.services)) if len(facts.services) <= _MANY_SERVICES else "many"),
    ]
    for language, name in LANGUAGES.items():
        if language in policy.resources:
            rows.append((f"In {name}", _types(policy.resources[language])))
        else:
            rows.append((f"In {name}", f"not expressible: {prose(policy.not_expressible[language])}"))
    yield "\n".join(["| | |", "|---|---|", *(f"| {label} | {text} |" for label, text in rows if text)])


def _by_model(facts: Facts) -> Iterator[str]:
    shares = facts.shares
    if not shares:
        return
    yield "## By service model"
    domain = spoken(facts.policy.domain)
    yield (
        f"Who answers for the domain *{domain}* of these resources as a whole; the policy asks for one part of it, "
        f"whose side is `{facts.policy.side}`."
    )
    rows = [
        f"| {share.model} | {share.side or _no_side(share.model)} | {_types(share.types)} |"
        for share in sorted(shares, key=lambda share: share.side is None)
    ]
    yield "\n".join(["| Service model | Who answers | Resources |", "|---|---|---|", *rows])
    told = dict.fromkeys((s.model, s.aws_does, s.customer_does) for s in shares if s.side)
    if told:
        yield "\n".join(f"* {model}: {prose(aws)} {prose(you)}" for model, aws, you in told)


def _no_side(model: str) -> str:
    return "is itself a control of yours" if model == "Control" else "does not apply"


def _fix(policy: Policy) -> Iterator[str]:
    yield "## What to change"
    if len(set(policy.fix.values())) == 1:
        yield prose(next(iter(policy.fix.values())))
        return
    yield "\n".join(f"* {LANGUAGES[language]}: {prose(text)}" for language, text in policy.fix.items())


def _examples(policy: Policy, judged: Policy, pairs: dict[str, Pair], tests: str) -> Iterator[str]:
    if not pairs:
        return  # a duty that no resource shows
    shown = {language: pair for language, pair in pairs.items() if pair.avoid or pair.prefer}
    yield "## Examples"
    if not shown:
        yield f"No short piece of the policy's tests (`{tests}`) stands alone."
        return
    yield f"Pieces of the policy's tests (`{tests}`), which hold what it looks at: no complete configurations."
    changed = {name: value for name, value in judged.parameters.items() if value != policy.parameters[name]}
    if changed:
        settings = ", ".join(code(f"{name}: {_value(value)}") for name, value in sorted(changed.items()))
        yield f"Judged with the parameters {settings}."
    for language, pair in shown.items():
        if pair.avoid:
            yield f"### Avoid in {LANGUAGES[language]}"
            yield from _example(pair.avoid, language)
        if pair.prefer:
            yield f"### Prefer in {LANGUAGES[language]}"
            yield from _example(pair.prefer, language)


def _example(example: Example, language: str) -> Iterator[str]:
    yield f"```{_FENCES[language]}\n{example.text}```"
    remarks = []
    if example.evidence:
        remarks.append(f"What decides: {', '.join(map(_deciding, example.evidence[:_EVIDENCE_SHOWN]))}.")
    if example.day:
        remarks.append(f"Judged as on {example.day.isoformat()}.")
    if remarks:
        yield " ".join(remarks)


def _deciding(evidence: Evidence) -> str:
    return f"{code(evidence.path)} is not set" if evidence.value is None else code(declared(evidence))


def _unknown(told: Sequence[tuple[str, str]]) -> Iterator[str]:
    if not told:
        return
    yield "## When the answer is unknown"
    yield "\n".join(f"* {what} {remedy}" for what, remedy in told)


def _parameters(policy: Policy, parameters: Sequence[Parameter]) -> Iterator[str]:
    if not parameters:
        return
    yield "## Parameters"
    rows = [
        f"| `{each.name}` | {each.kind} | {prose(_value(each.default))} | {prose(each.description)} |"
        for each in parameters
    ]
    yield "\n".join(["| Name | Type | Default | Meaning |", "|---|---|---|---|", *rows])
    first = parameters[0]
    yield (
        "Set in the configuration, or as `parameters` in a pack of your own:\n\n```yaml\npolicy_parameters:\n"
        f"  {policy.id}: {{{first.name}: {_value(first.default)}}}\n```"
    )


def _frameworks(policy: Policy) -> Iterator[str]:
    if not policy.frameworks:
        return
    yield "## Frameworks"
    yield "The policy supports these controls; each asks for more than one setting, and its own text decides."
    yield "\n".join(
        f"* {prose(framework_title(name))}: {_codes(ids)}" for name, ids in sorted(policy.frameworks.items())
    )


def _elsewhere(facts: Facts) -> Iterator[str]:
    if not facts.equivalents:
        return
    yield "## Elsewhere"
    yield "Checks that ask for the same, or nearly; their conditions can be wider or narrower."
    yield "\n".join(f"* {tool}: {_codes(ids)}" for tool, ids in facts.equivalents.items())


def _exceptions(policy: Policy) -> Iterator[str]:
    yield "## Exceptions"
    if policy.absence is None:
        yield "In the source, with the reason:"
        if "terraform" in policy.resources:
            yield f"```hcl\n#checkov:skip={policy.id}:The reason\n```"
        if "cloudformation" in policy.resources:
            skip = f'{{skip: [{{id: {policy.id}, comment: "The reason"}}]}}'
            yield f"```yaml\nMetadata:\n  checkov: {skip}\n```"
    else:
        yield "Where another team or another stack provides it, say so in the configuration:"
        lines = ["assume:", f"  - control: {policy.id}", "    by: platform team", "    evidence: where it can be seen"]
        yield "\n".join(["```yaml", *lines, "    expires: 2030-12-31", "```"])
    yield "Or as a waiver, which somebody owns and which ends:"
    yield f'```\nsrm-checks waivers add {policy.id} --reason "..." --owner my-team --days 90\n```'
    yield "[The gate](../gate.md) tells what holds when, and what a pack can forbid."


# ------------------------------------------------------------------ the index


def index(every: Sequence[Facts]) -> str:
    """The index of the pages: by domain, and by service."""
    parts = [
        "# Policies",
        f"The {len(every)} policies of the library, each with its page. `srm-checks policies --matrix` lists those in "
        "force, `srm-checks explain` tells of one.",
        "## By domain",
    ]
    for domain in Domain:
        of_domain = [facts for facts in every if facts.policy.domain is domain]
        if of_domain:
            rows = [_index_row(facts) for facts in of_domain]
            parts += [
                f"### {spoken(domain).capitalize()}",
                "\n".join(["| Id | Policy | Severity | Side | From pack |", "|---|---|---|---|---|", *rows]),
            ]
    parts.append("## By service")
    parts.append("\n".join(_by_service(every)))
    return "\n\n".join(parts) + "\n"


def _index_row(facts: Facts) -> str:
    policy = facts.policy
    return f"| {policy.id} | {_link(policy)} | {policy.severity} | {policy.side} | {policy.pack} |"


def _by_service(every: Iterable[Facts]) -> Iterator[str]:
    found: dict[str, list[Policy]] = {}
    many: list[Policy] = []
    for facts in every:
        if 0 < len(facts.services) <= _MANY_SERVICES:
            for service in facts.services:
                found.setdefault(service, []).append(facts.policy)
        else:
            many.append(facts.policy)
    for service in sorted(found, key=lambda name: name.removeprefix("Amazon ").removeprefix("AWS ").lower()):
        yield f"* {prose(service)}: {', '.join(map(_short_link, found[service]))}"
    if many:
        yield f"* Of many services, or of none: {', '.join(map(_short_link, many))}"


def _link(policy: Policy) -> str:
    return f"[{prose(policy.title)}]({policy.name}.md)"


def _short_link(policy: Policy) -> str:
    return f"[{policy.name}]({policy.name}.md)"


# ------------------------------------------------------------------ words


def _codes(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _types(names: Sequence[str]) -> str:
    shown = [f"`{name.partition(' ')[0]}`{prose(name[len(name.partition(' ')[0]) :])}" for name in names]
    rest = len(shown) - _TYPES_SHOWN
    return ", ".join(shown) if rest <= 1 else f"{', '.join(shown[:_TYPES_SHOWN])} and {rest} more"


def _value(value: Any) -> str:
    """A parameter's value as YAML on one line."""
    return json.dumps(value, ensure_ascii=False)
