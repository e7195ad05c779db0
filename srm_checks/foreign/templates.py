"""The resource types of a CloudFormation template, without an engine.

cfn-lint's reports name a logical id and no type. Its type stands in the template, which lies beside the report in
most pipelines. Only the shape of the YAML is read: nothing is constructed, and aliases are not followed.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from srm_checks.foreign.code import below_working_directory

_MAX_BYTES: Final = 5_000_000


class Declared(NamedTuple):
    """A resource of a template: its type and its lines, counted from 1."""

    type_name: str
    start_line: int
    end_line: int


def resources(path: str) -> Mapping[str, Declared]:
    """The resources by logical id; none where the file is not below the working directory or is no template.

    A report may name any path; only files of the project at hand are opened.
    """
    if not below_working_directory(path):
        return {}
    try:
        if os.path.getsize(path) > _MAX_BYTES:
            return {}
        with open(path, encoding="utf-8-sig") as stream:
            return _read(stream.read())
    except (OSError, UnicodeDecodeError, ValueError):
        return {}  # the annotation then says that the type is not known


def at_line(path: str, line: int) -> tuple[str, Declared] | None:
    """The logical id and the resource whose declaration covers a line."""
    before = [(name, entry) for name, entry in resources(path).items() if entry.start_line <= line]
    nearest = max(before, key=lambda item: item[1].start_line, default=None)
    return nearest if nearest and line <= nearest[1].end_line else None


def _read(text: str) -> Mapping[str, Declared]:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        root = yaml.compose(text, Loader=loader)
    except (yaml.YAMLError, RecursionError):
        return {}
    found = {}
    for name, body in _entries(_value(root, "Resources")):
        type_node = _value(body, "Type")
        if type_node is not None and isinstance(type_node.value, str):
            # A block's end mark stands at the next token; at the end of a file, behind the last line.
            start, end = name.start_mark.line + 1, body.end_mark.line + (1 if body.flow_style else 0)
            found[str(name.value)] = Declared(type_node.value, start, max(start, end))
    return found


def _entries(node: Any) -> list[tuple[Any, Any]]:
    """The (key, value) nodes of a mapping node; none for any other."""
    value = getattr(node, "value", None)
    if not isinstance(value, list):
        return []
    return [entry for entry in value if isinstance(entry, tuple)]


def _value(node: Any, name: str) -> Any:
    return next((value for key, value in _entries(node) if key.value == name), None)
