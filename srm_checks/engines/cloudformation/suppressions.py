"""Inline exceptions: comments and Metadata in the formats of Checkov and cfn-lint."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from srm_checks.engines.cloudformation.source import Source, key_of
from srm_checks.model import SourceRange, Suppression

_COMMENT: Final = re.compile(r"#\s*checkov:skip\s*=\s*([\w,\- ]+?)\s*(?::\s*(.*?))?\s*$")


def of_resource(body: Mapping[str, Any], block: SourceRange, source: Source) -> tuple[Suppression, ...]:
    """The exceptions in a resource's Metadata and in the comments between its lines."""
    metadata = body.get("Metadata")
    return (
        *_comments(block, source),
        *_checkov_metadata(metadata, block, source),
        *_ignored_checks(metadata, "cfn-lint", block, source),
    )


def of_template(document: Mapping[str, Any], source: Source) -> tuple[Suppression, ...]:
    """The exceptions in the template's Metadata, which hold for every resource."""
    whole = SourceRange(source.path, 1, 1)
    return tuple(_ignored_checks(document.get("Metadata"), "cfn-lint-template", whole, source))


def _comments(block: SourceRange, source: Source) -> Iterator[Suppression]:
    for number in range(block.start_line, min(block.end_line, len(source.lines)) + 1):
        line = source.lines[number - 1]
        if "checkov:skip" not in line:
            continue
        found = _COMMENT.search(line)
        if found is None:
            continue
        for pattern in found[1].split(","):
            if pattern.strip():
                place = SourceRange(source.path, number, number)
                yield Suppression(pattern.strip(), found[2] or None, "checkov", place)


def _checkov_metadata(metadata: Any, block: SourceRange, source: Source) -> Iterator[Suppression]:
    match metadata:
        case {"checkov": {"skip": [*skips]}}:
            for skip in skips:
                match skip:
                    case {"id": str() as pattern, **rest}:
                        comment = rest.get("comment")
                        place = source.line(key_of(skip, "id")) or block
                        yield Suppression(str(pattern), str(comment) if comment else None, "checkov", place)
                    case _:
                        pass  # Checkov asks for an id as well


def _ignored_checks(metadata: Any, kind: str, block: SourceRange, source: Source) -> Iterator[Suppression]:
    match metadata:
        case {"cfn-lint": {"config": {"ignore_checks": [*patterns]} as config}}:
            place = source.line(key_of(config, "ignore_checks")) or block
            for pattern in patterns:
                if isinstance(pattern, str) and pattern:
                    yield Suppression(str(pattern), None, kind, source.node_range(pattern) or place)
