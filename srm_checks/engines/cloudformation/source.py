"""The text of a template: reading it, refusing what would hang a decoder, and turning marks into lines."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from srm_checks import reads
from srm_checks.errors import InputError
from srm_checks.model import SourceRange

# CloudFormation takes templates of at most 1 MB; what is far beyond that is no template, and decoding is not linear.
MAX_BYTES: Final = 5_000_000
# Templates nest some 30 deep. The decoders recurse in C, where running out of stack ends the process.
MAX_DEPTH: Final = 400
# Nodes once aliases and merge keys are put in place; 1 MB of YAML has far fewer.
MAX_NODES: Final = 250_000

_UTF16_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Source:
    """A template's path and text. `lines` is the text split; empty where the text is not at hand."""

    path: str
    text: str
    lines: tuple[str, ...]

    @classmethod
    def of(cls, path: str, text: str) -> Source:
        # Split as YAML and JSON count lines; str.splitlines would also split at form feeds and the like.
        return cls(path, text, tuple(text.replace("\r\n", "\n").replace("\r", "\n").split("\n")))

    def key_range(self, key: Any, value: Any = None) -> SourceRange | None:
        """The lines of a mapping entry, from its key to the end of its value; None for a key without marks."""
        start = start_line(key)
        if start is None:
            return None
        return SourceRange(self.path, start, self.end_line(value, start, column=_column(key)))

    def node_range(self, node: Any) -> SourceRange | None:
        """The lines of a list's element; None for plain numbers and booleans, which carry no marks."""
        start = start_line(node)
        if start is None:
            return None
        return SourceRange(self.path, start, self.end_line(node, start, column=_column(node)))

    def line(self, key: Any) -> SourceRange | None:
        """The line of a key alone."""
        start = start_line(key)
        return None if start is None else SourceRange(self.path, start, start)

    def end_line(self, node: Any, start: int, *, column: int = 0) -> int:
        """The last line of `node`, which starts on line `start`.

        A block's end mark stands where the next token starts: blank lines and comments between, unless indented
        deeper than `column`, are not the node's.
        """
        mark = getattr(node, "end_mark", None)
        if mark is None:
            return start
        last = int(mark.line) + 1
        if not self.lines or last <= start:
            return max(last, start)
        last = min(last, len(self.lines))
        if mark.line < len(self.lines) and not self.lines[mark.line][: mark.column].strip():
            last = int(mark.line)
        while last > start and self._is_gap(self.lines[last - 1], column):
            last -= 1
        return last

    @staticmethod
    def _is_gap(line: str, column: int) -> bool:
        text = line.lstrip()
        return not text or (text.startswith("#") and len(line) - len(text) <= column)


def start_line(node: Any) -> int | None:
    """The line (from 1) on which a decoded node starts; None where it carries no mark."""
    mark = getattr(node, "start_mark", None)
    return None if mark is None else int(mark.line) + 1


def _column(node: Any) -> int:
    mark = getattr(node, "start_mark", None)
    return 0 if mark is None else int(mark.column)


def key_of(mapping: Mapping[Any, Any], name: str) -> Any:
    """The key object, with its marks, that equals `name`; `name` itself where there is none."""
    return next((key for key in mapping if key == name), name)


def read_source(path: str) -> Source:
    """The text of the file at `path`.

    Raises InputError where it cannot be read, is no Unicode text, or would be dangerous to decode.
    """
    try:
        data = reads.content(path)
    except OSError as problem:
        reason = problem.strerror or type(problem).__name__
        raise InputError(path, f"{path} cannot be read: {reason}. Check that the file is there and readable.") from None
    if len(data) > MAX_BYTES:
        raise InputError(
            path,
            f"{path} has {len(data):,} bytes, and templates of more than {MAX_BYTES:,} are not read. "
            "CloudFormation accepts 1 MB: split the template into nested stacks.",
            kind="unsupported",
        )
    source = Source.of(path, _decode(path, data))
    _refuse_explosive(source)
    return source


def _decode(path: str, data: bytes) -> str:
    encoding = "utf-16" if data.startswith(_UTF16_MARKS) else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as problem:
        line = data.count(b"\n", 0, problem.start) + 1
        raise InputError(
            path, f"{path}:{line}: the file is not {encoding[:6].upper()} text. Save it as UTF-8.", line=line
        ) from None


# Ends of lines as YAML has them, besides those that `^` knows.
_OTHER_LINE_ENDS: Final = re.compile("\r(?!\n)|[\x85\u2028\u2029]")
_ANCHOR: Final = re.compile(r"&\S")
_MARGIN: Final = re.compile(r"^[ \t?-]+", re.MULTILINE)


def _is_harmless(text: str) -> bool:
    """Whether a glance tells that a text can be neither deep nor, by aliases, larger than it is.

    A block stands further in than the one around it, or is a list at its margin; all else is in brackets.
    """
    if len(text) > MAX_NODES or _ANCHOR.search(text) or _OTHER_LINE_ENDS.search(text):
        return False
    margin = max(map(len, _MARGIN.findall(text)), default=0)
    return 2 * (margin + 1) + text.count("[") + text.count("{") <= MAX_DEPTH


def _refuse_explosive(source: Source) -> None:
    """Raise InputError where nesting or aliases would hang or crash a decoder.

    Goes over YAML events, which the parser gives one by one, so that it cannot itself be blown up. Broken syntax is
    left to the decoder, which words it better.
    """
    if _is_harmless(source.text):
        return
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    sizes: dict[str, int] = {}
    open_nodes: list[tuple[str | None, int]] = []  # anchor, nodes inside so far
    line = 1
    try:
        events: Iterator[Any] = yaml.parse(source.text, Loader=loader)
        for event in events:
            if isinstance(event, yaml.AliasEvent):
                size, anchor = sizes.get(str(event.anchor), 1), None
            elif isinstance(event, yaml.ScalarEvent):
                size, anchor = 1, event.anchor
            elif isinstance(event, yaml.CollectionStartEvent):
                open_nodes.append((event.anchor, 1))
                if len(open_nodes) <= MAX_DEPTH:
                    continue
                line = start_line(event) or line
                raise _too(source, line, f"nested more than {MAX_DEPTH} levels deep", "Flatten it.")
            elif isinstance(event, yaml.CollectionEndEvent):
                anchor, size = open_nodes.pop()
            else:
                continue
            if anchor:
                sizes[anchor] = size
            if size > MAX_NODES:
                line = start_line(event) or line
                what = f"more than {MAX_NODES:,} nodes large once aliases are in place"
                raise _too(source, line, what, "Use fewer aliases.")
            if open_nodes:
                outer, inside = open_nodes[-1]
                open_nodes[-1] = (outer, inside + size)
    except yaml.YAMLError:
        return


def _too(source: Source, line: int, what: str, remedy: str) -> InputError:
    message = f"{source.path}:{line}: the template is {what}, which is not read. {remedy}"
    return InputError(source.path, message, kind="unsupported", line=line)
