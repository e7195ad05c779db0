"""Templates that make a JSON document around `jsonencode(...)` of values that are open.

`jsonencode` gives one whole JSON value, so the document has the same shape whatever the value is; such a template is
the JSON of a known structure with open values inside, which a text with holes could not say.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, Final

from srm_checks.engines.terraform.operations import concatenation, settled
from srm_checks.engines.terraform.site import Site
from srm_checks.engines.terraform.values import text_of
from srm_checks.model import ABSENT, Encoded, Unknown

# Marks stand for open pieces while the text is parsed: private characters, in no real text.
_OPEN, _CLOSE = "\ue000", "\ue001"
_MARK: Final = re.compile(f"{_OPEN}([0-9]+){_CLOSE}")


class _NoDocument(Exception):
    """The pieces do not make an object or a list of which all keys are known."""


def template(pieces: tuple[Any, ...], site: Site) -> Any:
    """A template of these values: a JSON document where `jsonencode` makes it one, else a text with holes."""
    if any(isinstance(piece, Encoded) and text_of(piece) is None for piece in pieces):
        found = _document(pieces, site)
        if found is not None:
            return found
    return concatenation(pieces, site)


def _document(pieces: Sequence[Any], site: Site) -> Encoded | None:
    """The pieces as an object or a list; an open text may stand inside JSON strings only."""
    texts: list[str] = []
    for index, piece in enumerate(pieces):
        text = text_of(piece)
        if text is None and not isinstance(piece, (Unknown, Encoded)):
            return None  # null, a list, a map: no part of a text
        if text is None:
            mark = f"{_OPEN}{index}{_CLOSE}"
            text = json.dumps(mark, ensure_ascii=False) if isinstance(piece, Encoded) else mark
        elif _OPEN in text:
            return None
        texts.append(text)
    try:
        data = _filled(json.loads("".join(texts)), pieces, site)
    except (ValueError, RecursionError, _NoDocument):
        return None
    return Encoded(data) if isinstance(data, (dict, list)) else None


def _filled(data: Any, pieces: Sequence[Any], site: Site) -> Any:
    """The data with the open pieces in place of their marks."""
    if data is None:
        return ABSENT
    if isinstance(data, list):
        return [_filled(element, pieces, site) for element in data]
    if isinstance(data, dict):
        if any(_OPEN in key for key in data):
            raise _NoDocument
        return {key: _filled(value, pieces, site) for key, value in data.items()}
    return _filled_text(data, pieces, site) if isinstance(data, str) and _OPEN in data else data


def _filled_text(text: str, pieces: Sequence[Any], site: Site) -> Any:
    whole = _MARK.fullmatch(text)
    if whole:
        piece = pieces[int(whole[1])]
        return piece.value if isinstance(piece, Encoded) else settled(piece)
    mixed = [part if index % 2 == 0 else pieces[int(part)] for index, part in enumerate(_MARK.split(text))]
    return concatenation(tuple(mixed), site)
