"""What other tools call a policy's question: their checks and rules that ask for the same, or nearly the same."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from typing import Final

from srm_checks.catalogue import checks, tables

CHECKOV: Final = "Checkov"
CFN_LINT: Final = "cfn-lint"
GUARD: Final = "CloudFormation Guard"
CONFIG: Final = "AWS Config"

_ENGINES: Final = {checks.CHECKOV: CHECKOV, checks.CFN_LINT: CFN_LINT}
_COLUMNS: Final = {GUARD: "guard_rules", CONFIG: "config_rules"}


def equivalents(policy_id: str, named: Iterable[str] = ()) -> dict[str, tuple[str, ...]]:
    """The ids by tool, tools without one left out; `named` are the checks that the policy itself names."""
    found: dict[str, set[str]] = {tool: set() for tool in (*_ENGINES.values(), *_COLUMNS)}
    for check_id in {*named, *_checks().get(policy_id, ())}:
        entry = checks.describe(check_id)
        # A pack of somebody's own may name a check that the catalogue does not classify.
        found[_ENGINES[entry.source] if entry else _engine_of(check_id)].add(check_id)
    line = tables.index("rule_equivalents").get(policy_id)
    if line is not None:
        row = tables.load("rule_equivalents").row(line)
        for tool, column in _COLUMNS.items():
            found[tool].update(filter(None, row[column].split(";")))
    return {tool: tuple(sorted(ids, key=_by_number)) for tool, ids in found.items() if ids}


@functools.cache
def _checks() -> Mapping[str, tuple[str, ...]]:
    """The classified checks by the policies that are near to them."""
    found: dict[str, list[str]] = {}
    for check_id in checks.ids():
        entry = checks.describe(check_id)
        for policy_id in entry.policies if entry else ():
            found.setdefault(policy_id, []).append(check_id)
    return {policy_id: tuple(ids) for policy_id, ids in found.items()}


def _engine_of(check_id: str) -> str:
    return CFN_LINT if re.fullmatch(r"[EWI]\d{4}", check_id) else CHECKOV


def _by_number(rule: str) -> tuple[tuple[str, int], ...]:
    """A key that puts CKV_AWS_9 before CKV_AWS_16."""
    return tuple((text, int(digits or 0)) for text, digits in re.findall(r"(\D*)(\d*)", rule))
