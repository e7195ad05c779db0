"""The policies in force as a table: a listing by id, or the library as a matrix by domain."""

from __future__ import annotations

import csv
import io
import itertools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from srm_checks.cli.layout import columns
from srm_checks.guide.wording import LANGUAGES
from srm_checks.model import Domain
from srm_checks.report.commonmark import prose
from srm_checks.report.csv import cell

if TYPE_CHECKING:
    from srm_checks.policy.document import Policy
    from srm_checks.policy.packs import PackIdentity, PolicySet

SCHEMA: Final = "srm-checks/policies/1"


def listing(chosen: PolicySet, format_name: str) -> str:
    """The policies, sorted by id, in one of `FORMATS`."""
    return FORMATS[format_name](chosen.packs, chosen.policies, _LISTED)


def matrix(chosen: PolicySet, format_name: str) -> str:
    """The policies by domain, with what each language can express and the framework ids, in one of `FORMATS`."""
    order = list(Domain)
    policies = sorted(chosen.policies, key=lambda policy: (order.index(policy.domain), policy.id))
    render = _matrix_text if format_name == "text" else FORMATS[format_name]
    return render(chosen.packs, policies, _MATRIX)


# ------------------------------------------------------------------ columns


def _expressible(policy: Policy, language: str) -> str:
    """`yes`, or why not."""
    return "yes" if language in policy.resources else f"not expressible: {policy.not_expressible[language]}"


def _frameworks(policy: Policy) -> str:
    return "; ".join(f"{name} {', '.join(ids)}" for name, ids in sorted(policy.frameworks.items()))


_Columns = Mapping[str, "Callable[[Policy], str]"]

_LISTED: Final[_Columns] = {
    "id": lambda policy: policy.id,
    "severity": lambda policy: str(policy.severity),
    "side": lambda policy: str(policy.side),
    "domain": lambda policy: str(policy.domain),
    "name": lambda policy: policy.name,
    "title": lambda policy: policy.title,
}
_MATRIX: Final[_Columns] = {
    "domain": lambda policy: str(policy.domain),
    "id": lambda policy: policy.id,
    "name": lambda policy: policy.name,
    "title": lambda policy: policy.title,
    "severity": lambda policy: str(policy.severity),
    "side": lambda policy: str(policy.side),
    "pack": lambda policy: policy.pack,
    "terraform": lambda policy: _expressible(policy, "terraform"),
    "cloudformation": lambda policy: _expressible(policy, "cloudformation"),
    "frameworks": _frameworks,
}


# ------------------------------------------------------------------ for a terminal


def _listing_text(packs: Sequence[PackIdentity], policies: Sequence[Policy], shown: _Columns) -> str:
    return columns([tuple(read(policy) for read in shown.values()) for policy in policies])


_BRIEF: Final = ("id", "severity", "side", "pack", *LANGUAGES.values(), "name", "supports")


def _matrix_text(packs: Sequence[PackIdentity], policies: Sequence[Policy], shown: _Columns) -> str:
    """A table with a line for each domain above its policies; below it, why a language cannot express one."""
    if not policies:
        return ""
    head, *rows = columns([_BRIEF, *map(_brief, policies)]).splitlines()
    lines = [head]
    told = zip(policies, rows, strict=True)
    for domain, group in itertools.groupby(told, key=lambda pair: pair[0].domain):
        lines += ["", str(domain), *(row.rstrip() for _, row in group)]
    lines += ["", ", ".join(_totals(policies))]
    silent = [
        (policy.id, f"not in {LANGUAGES[language]}:", reason)
        for policy in policies
        for language, reason in policy.not_expressible.items()
    ]
    return "\n".join(lines) + "\n" + (f"\n{columns(silent)}" if silent else "")


def _brief(policy: Policy) -> tuple[str, ...]:
    languages = ("yes" if language in policy.resources else "no" for language in LANGUAGES)
    frameworks = " ".join(sorted(policy.frameworks))
    return (policy.id, str(policy.severity), str(policy.side), policy.pack, *languages, policy.name, frameworks)


def _totals(policies: Sequence[Policy]) -> Iterator[str]:
    yield f"policies: {len(policies)}"
    for language, name in LANGUAGES.items():
        yield f"in {name}: {sum(language in policy.resources for policy in policies)}"


# ------------------------------------------------------------------ for files


def _markdown(packs: Sequence[PackIdentity], policies: Sequence[Policy], shown: _Columns) -> str:
    lines = [_row(shown), _row("---" for _ in shown)]
    lines += [_row(prose(read(policy)) for read in shown.values()) for policy in policies]
    return "\n".join(lines) + "\n"


def _row(cells: Any) -> str:
    return f"| {' | '.join(cells)} |"


def _csv(packs: Sequence[PackIdentity], policies: Sequence[Policy], shown: _Columns) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerow(shown)
    writer.writerows([cell(read(policy)) for read in shown.values()] for policy in policies)
    return stream.getvalue()


def _json(packs: Sequence[PackIdentity], policies: Sequence[Policy], shown: _Columns) -> str:
    """The same fields in a listing and in a matrix: a program picks what it needs."""
    document = {
        "schema": SCHEMA,
        "packs": [{"name": pack.name, "version": pack.version, "digest": pack.digest} for pack in packs],
        "policies": [_record(policy) for policy in policies],
    }
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _record(policy: Policy) -> dict[str, Any]:
    return {
        "id": policy.id,
        "name": policy.name,
        "title": policy.title,
        "domain": str(policy.domain),
        "severity": str(policy.severity),
        "side": str(policy.side),
        "pack": policy.pack,
        "mandatory": policy.mandatory,
        "cfn_lint_id": policy.cfn_lint_id,
        "languages": {
            language: {
                "expressible": language in policy.resources,
                "types": list(policy.resources.get(language, ())),
                "why_not": policy.not_expressible.get(language),
            }
            for language in LANGUAGES
        },
        "parameters": dict(sorted(policy.parameters.items())),
        "frameworks": {name: list(ids) for name, ids in sorted(policy.frameworks.items())},
        "equivalents": list(policy.equivalents),
        "url": policy.url,
    }


_Render = Callable[["Sequence[PackIdentity]", "Sequence[Policy]", _Columns], str]

FORMATS: Final[Mapping[str, _Render]] = {"text": _listing_text, "json": _json, "csv": _csv, "markdown": _markdown}
