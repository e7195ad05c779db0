"""Reading the catalogue's data files.

A table is UTF-8 text with one record a line and tabs between cells: first comment lines (`# source: ...`), then one
header line, then the records. Cells are never quoted; a list inside a cell is separated by `;`. Reading splits only
the lines that are asked for, so that a scan pays for the few types it meets and not for all of them.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator, Mapping
from typing import NamedTuple

_FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "data")


class Table(NamedTuple):
    """A table: its column names and its records as lines of text."""

    name: str
    columns: tuple[str, ...]
    lines: tuple[str, ...]

    def rows(self) -> Iterator[dict[str, str]]:
        """The records in the file's order, as column -> cell."""
        for line in self.lines:
            yield self.row(line)

    def row(self, line: str) -> dict[str, str]:
        """One record; raises ValueError where it has too many or too few cells."""
        return dict(zip(self.columns, line.split("\t"), strict=True))

    def by_first_cell(self) -> Mapping[str, str]:
        """The records as lines, by their first cell; the last one wins where that repeats."""
        return {line.partition("\t")[0]: line for line in self.lines}


@functools.cache
def load(name: str) -> Table:
    """The table `name` of the data folder, read once a process."""
    with open(os.path.join(_FOLDER, f"{name}.tsv"), encoding="utf-8", newline="\n") as stream:
        lines = stream.read().rstrip("\n").split("\n")
    start = next(number for number, line in enumerate(lines) if not line.startswith("#"))
    return Table(name, tuple(lines[start].split("\t")), tuple(lines[start + 1 :]))


@functools.cache
def index(name: str) -> Mapping[str, str]:
    """`Table.by_first_cell` of a table, made once a process."""
    return load(name).by_first_cell()
