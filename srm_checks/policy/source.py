"""YAML with places: plain data, and for each part of it the line and column where it is written.

A policy's author must be told file, line and column of a mistake, so the loader keeps the marks that PyYAML drops.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from srm_checks import reads
from srm_checks.errors import PackError
from srm_checks.nearest import nearest

if TYPE_CHECKING:
    import yaml

Place: TypeAlias = tuple[str | int, ...]


@dataclass(slots=True)
class Source:
    """One YAML document: `data`, and `marks` from a path in it to (line, column), both counted from 1.

    The mark of a mapping entry is that of its key. `problems` collects mistakes so that one run names them all.
    """

    path: str
    data: Any
    marks: dict[Place, tuple[int, int]]
    problems: list[str] = field(default_factory=list)

    def at(self, place: Place) -> str:
        """`file:line:column` of a place, or of the nearest place around it."""
        for end in range(len(place), -1, -1):
            mark = self.marks.get(place[:end])
            if mark:
                return f"{self.path}:{mark[0]}:{mark[1]}"
        return f"{self.path}:1:1"

    def problem(self, place: Place, message: str) -> None:
        self.problems.append(f"{self.at(place)}: {message}")

    def unknown_word(self, place: Place, what: str, word: object, known: Iterable[str]) -> None:
        """A problem about a word that is not among the known ones, with a suggestion."""
        self.problem(place, f"unknown {what} {word!r}{suggest(str(word), known)}")


def suggest(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'x'?` for the nearest known word, else "" ."""
    near = nearest(word, known)
    return f"; did you mean {near!r}?" if near else ""


def read(path: str) -> Source:
    """Read one YAML file that holds one mapping.

    Raises `PackError` where the file cannot be read, is not YAML, holds several documents, repeats a key, or is
    not a mapping.
    """
    reads.file(path)
    try:
        with open(path, encoding="utf-8") as stream:
            text = stream.read()
    except (OSError, UnicodeDecodeError) as error:
        raise PackError([f"{path}:1:1: cannot be read: {error}"]) from error
    return parse(path, text)


def parse(path: str, text: str) -> Source:
    """As `read`, for a text at hand; `path` is for messages."""
    import yaml  # not at the top: most scans read no YAML of ours

    try:
        # Without libyaml it is slower, with the same result.
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)
        try:
            node = loader.get_single_node()
            if node is None or not isinstance(node, yaml.MappingNode):
                raise PackError([f"{path}:1:1: must hold a mapping of keys"])
            source = Source(path, None, {})
            source.data = _plain(loader, node, (), source)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else f"{path}:1:1"
        raise PackError([f"{place}: not valid YAML: {error.problem or error.context}"]) from error
    except yaml.YAMLError as error:
        raise PackError([f"{path}:1:1: not valid YAML: {error}"]) from error
    except RecursionError as error:
        raise PackError([f"{path}:1:1: nested too deeply, or an alias that contains itself"]) from error
    if source.problems:
        raise PackError(source.problems)
    return source


def _plain(loader: Any, node: yaml.Node, place: Place, source: Source) -> Any:
    import yaml

    source.marks.setdefault(place, (node.start_mark.line + 1, node.start_mark.column + 1))
    if isinstance(node, yaml.MappingNode):
        result: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            key = loader.construct_object(key_node, deep=True)
            if not isinstance(key, (str, int)):
                source.problem(place, "a key must be plain text")
                continue
            inner = (*place, key)
            mark = key_node.start_mark
            if key in result:
                source.problems.append(f"{source.path}:{mark.line + 1}:{mark.column + 1}: key {key!r} stands twice")
                continue
            source.marks[inner] = (mark.line + 1, mark.column + 1)
            result[key] = _plain(loader, value_node, inner, source)
        return result
    if isinstance(node, yaml.SequenceNode):
        return [_plain(loader, item, (*place, index), source) for index, item in enumerate(node.value)]
    return loader.construct_object(node, deep=True)
