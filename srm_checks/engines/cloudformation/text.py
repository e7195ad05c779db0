"""Texts with holes, and how an expression reads in a message."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from srm_checks import subjects
from srm_checks.model import ABSENT, Cause, Ref, Unknown

MAX_SHOWN: Final = 160
LOOP: Final = "Fn::ForEach::"
_DYNAMIC: Final = "{{resolve:"
# A hole stands as NUL while a text is searched: YAML and JSON cannot hold one.
_HOLE: Final = "\0"
_DYNAMIC_REFERENCE: Final = re.compile(r"\{\{resolve:.*?(?:\}\}|\Z)", re.DOTALL)


def literal_text(value: Any) -> str | None:
    """A plain value as CloudFormation writes it into a text; None for what is not plain."""
    match value:
        case str():
            return str(value)
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case _:
            return None


def assemble(pieces: Iterable[Any], text: str, subject: str) -> Any:
    """The text made of `pieces` one after the other: a str, or Unknown with holes where a piece is not known.

    Dynamic references become holes: CloudFormation fetches their values when it deploys. A single piece stays itself.
    """
    kept = [piece for piece in pieces if piece is not ABSENT and not (isinstance(piece, str) and piece == "")]
    if len(kept) == 1 and isinstance(kept[0], Unknown):
        return kept[0]
    unknown = [piece for piece in kept if isinstance(piece, Unknown)]
    joined = "".join(_piece_text(piece) for piece in kept)
    if _DYNAMIC in joined:
        joined = _DYNAMIC_REFERENCE.sub(_HOLE, joined)
    if _HOLE not in joined:
        return joined
    parts: list[str | None] = []
    for index, literal in enumerate(re.split(f"{_HOLE}+", joined)):
        if index:
            parts.append(None)
        if literal:
            parts.append(literal)
    dynamic = any(isinstance(piece, str) and _DYNAMIC in piece for piece in kept)
    return Unknown(
        text=brief(text),
        cause=next((p.cause for p in unknown if p.cause is not Cause.UNRESOLVED_VALUE), Cause.UNRESOLVED_VALUE),
        refs=merged_refs(unknown),
        present=dynamic or len(parts) > 1 or any(piece.present for piece in unknown),
        parts=tuple(parts) if len(parts) > 1 else None,
        subject=_subject(kept) or subject,
    )


def _subject(pieces: Iterable[Any]) -> str:
    """The subject of a text of these pieces; a dynamic reference is an open piece of its own."""
    told = subjects.composed(
        piece if isinstance(piece, Unknown) else Unknown() if (known := literal_text(piece)) is None else known
        for piece in pieces
    )
    return _DYNAMIC_REFERENCE.sub(lambda found: subjects.hole(found[0]), told)


def _piece_text(piece: Any) -> str:
    if isinstance(piece, Unknown):
        return _HOLE if piece.parts is None else "".join(_HOLE if part is None else part for part in piece.parts)
    known = literal_text(piece)
    return _HOLE if known is None else known


def brief(text: str) -> str:
    """An expression cut to what a message can show: user data is an expression too."""
    return text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 1]}…"


def can_equal(parts: Sequence[str | None], literal: str) -> bool:
    """Whether a text with holes can be `literal`."""
    pattern = "".join(".*" if part is None else re.escape(part) for part in parts)
    return re.fullmatch(pattern, literal, re.DOTALL) is not None


def merged_refs(values: Iterable[Unknown]) -> tuple[Ref, ...]:
    """The references of all, each once, in order."""
    return tuple(dict.fromkeys(ref for value in values for ref in value.refs))


def plain(node: Any) -> Any:
    """A scalar of the decoder as a plain Python value; Unknown for what CloudFormation has no type for."""
    match node:
        case None:
            return ABSENT
        case bool():
            return node
        case str():
            return str(node)
        case int() | float():
            return node
        case datetime.datetime():
            # YAML made a time of an unquoted text, which cannot be had back to the letter.
            return Unknown(node.isoformat(), present=True)
        case datetime.date():
            return node.isoformat()
        case _:
            return Unknown(f"a value of YAML type {type(node).__name__}", present=True)


def render(node: Any) -> str:
    """An expression in YAML's short form, on one line: `!Join ["", [a, !Ref B]]`."""
    match node:
        case {**mapping} if len(mapping) == 1 and isinstance(name := next(iter(mapping)), str) and is_function(name):
            return _render_call(name, mapping[name])
        case {**mapping}:
            return "{" + ", ".join(f"{key}: {render(value)}" for key, value in mapping.items()) + "}"
        case list() | tuple():
            return "[" + ", ".join(map(render, node)) + "]"
        case str():
            return str(node) if re.fullmatch(r"[\w./:-]+", node) else json.dumps(node, ensure_ascii=False)
        case None:
            return "null"
        case _:
            return literal_text(node) or str(node)


def is_function(name: str) -> bool:
    """Whether a map's only key makes it a function call. Rain is a preprocessor that adds functions of its own."""
    return name == "Ref" or (name.startswith(("Fn::", "Rain::")) and not name.startswith(LOOP))


def _render_call(name: str, argument: Any) -> str:
    if name == "Fn::GetAtt" and isinstance(argument, list) and all(isinstance(part, str) for part in argument):
        return f"!GetAtt {'.'.join(argument)}"
    rendered = argument if name == "Ref" and isinstance(argument, str) else render(argument)
    return f"!{name.removeprefix('Fn::')} {rendered}"


def substitute(text: str, bindings: Mapping[str, Any]) -> str:
    """Put the known loop variables into a name: `${X}` as it is, `&{X}` with letters and digits only."""
    for name, value in bindings.items():
        known = literal_text(value)
        if known is not None and "{" in text:
            text = text.replace(f"${{{name}}}", known)
            text = text.replace(f"&{{{name}}}", re.sub(r"[^0-9A-Za-z]", "", known))
    return text
