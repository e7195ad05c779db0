"""Comments that suppress policies: `#checkov:skip=ID[,ID]:reason` inside of a block."""

from __future__ import annotations

import re

from srm_checks.engines.terraform.modules import ModuleSource
from srm_checks.engines.terraform.nodes import Block
from srm_checks.model import SourceRange, Suppression

_SKIP = re.compile(r"(?:checkov|bridgecrew|cortex):skip=[ ]*([A-Za-z_\d-]+(?:,[ ]*[A-Za-z_\d-]+)*)(?::([^\n]*))?")


def suppressions_in(block: Block, module: ModuleSource) -> tuple[Suppression, ...]:
    """The suppressions written inside of a block."""
    place = block.range
    found: list[Suppression] = []
    for comment in module.comments.get(place.path, ()):
        if place.start_line <= comment.line <= place.end_line and ":skip=" in comment.text:
            found += _parsed(comment.text, SourceRange(place.path, comment.line, comment.line))
    return tuple(found)


def _parsed(text: str, place: SourceRange) -> list[Suppression]:
    match = _SKIP.search(text)
    if not match:
        return []
    reason = (match.group(2) or "").strip() or None
    return [Suppression(one.strip(), reason, "checkov", place) for one in match.group(1).split(",")]
