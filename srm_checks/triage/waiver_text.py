"""Editing a waivers file as text, so that comments and layout stay as people wrote them."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from srm_checks.errors import PackError, UsageError
from srm_checks.triage import waivers
from srm_checks.triage.terms import SCOPE_KEYS

_HEAD: Final = "waivers:\n"
_STEP: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class NewWaiver:
    """A waiver to write; `scope` by key as in `terms.SCOPE_KEYS`, paths in it relative to the waivers file."""

    policy: str
    scope: Mapping[str, str]
    reason: str
    owner: str
    ticket: str | None
    created: datetime.date
    expires: datetime.date


def appended(path: str, text: str, waiver: NewWaiver) -> str:
    """The text of the file with the waiver as its last. Raises `UsageError` where the file is wrong, or would be."""
    present = waivers.parse(path, text) if text.strip() else ()
    if not present:
        text = _without_empty_list(path, text)
        indent = _STEP
    else:
        lines = text.splitlines()
        first = lines[present[0].place.start_line - 1]
        indent = len(first) - len(first.lstrip())
        if not first.lstrip().startswith("- "):
            raise UsageError(f"{present[0].at}: write each waiver on lines of its own, so that one can be added")
    body = text if text.endswith("\n") or not text else f"{text}\n"
    result = body + "".join(f"{line}\n" for line in _lines(waiver, indent))
    if len(waivers.parse(path, result)) != len(present) + 1:
        raise UsageError(f"{path}: its layout is not one to which a waiver can be added; write it by hand")
    return result


def without(path: str, text: str, indexes: Iterable[int]) -> str:
    """The text of the file without the waivers at these places in the list."""
    present = waivers.parse(path, text)
    gone = set(indexes)
    if not gone:
        return text
    lines = text.splitlines(keepends=True)
    starts = [waiver.place.start_line - 1 for waiver in present]
    if any(not lines[start].lstrip().startswith("- ") for start in starts):
        raise UsageError(f"{path}: write each waiver on lines of its own, so that one can be removed")
    ends = [*starts[1:], len(lines)]
    kept = lines[: _with_comments(lines, starts[0], 0)]
    for index, (start, end) in enumerate(zip(starts, ends, strict=True)):
        first = _with_comments(lines, start, starts[index - 1] + 1 if index else 0)
        last = _with_comments(lines, end, start + 1) if index + 1 < len(starts) else end
        if index not in gone:
            kept += lines[first:last]
    result = "".join(kept)
    if len(gone) == len(present):
        result = _emptied(result)
    if len(waivers.parse(path, result)) != len(present) - len(gone):
        raise UsageError(f"{path}: its layout is not one from which a waiver can be removed; edit it by hand")
    return result


def _with_comments(lines: list[str], start: int, floor: int) -> int:
    """The first of the comment lines right above a line, not before `floor`."""
    while start > floor and lines[start - 1].lstrip().startswith("#"):
        start -= 1
    return start


def _emptied(text: str) -> str:
    lines = text.splitlines(keepends=True)
    return "".join("waivers: []\n" if line.rstrip() == "waivers:" else line for line in lines)


def _without_empty_list(path: str, text: str) -> str:
    """A file that has no waivers yet, ready for the first one."""
    kept = [line for line in text.splitlines() if line.split("#")[0].strip() not in ("waivers: []", "waivers:")]
    if any(line.strip() and not line.lstrip().startswith("#") for line in kept):
        raise UsageError(f"{path}: its layout is not one to which a waiver can be added; write it by hand")
    return "".join(f"{line}\n" for line in kept) + _HEAD


def _lines(waiver: NewWaiver, indent: int) -> list[str]:
    fields: list[tuple[str, str]] = [("policy", _scalar(waiver.policy))]
    if waiver.scope:
        inner = ", ".join(f"{key}: {_quoted(waiver.scope[key])}" for key in SCOPE_KEYS if key in waiver.scope)
        fields.append(("scope", f"{{{inner}}}"))
    fields += [("reason", _scalar(waiver.reason)), ("owner", _scalar(waiver.owner))]
    if waiver.ticket:
        fields.append(("ticket", _scalar(waiver.ticket)))
    fields += [("created", waiver.created.isoformat()), ("expires", waiver.expires.isoformat())]
    lead = " " * indent
    return [f"{lead}{'- ' if number == 0 else '  '}{key}: {value}" for number, (key, value) in enumerate(fields)]


def _scalar(text: str) -> str:
    """A text as YAML, plain where that reads back as the same text."""
    from srm_checks.policy import source

    try:
        plain = source.parse("", f"a: {text}\n").data == {"a": text}
    except PackError:
        plain = False
    return text if plain else _quoted(text)


def _quoted(text: str) -> str:
    """A text in double quotes; JSON's escapes are YAML's too."""
    import json

    return json.dumps(text, ensure_ascii=not text.isprintable())
