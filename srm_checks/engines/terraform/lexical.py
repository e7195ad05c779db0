"""The lexical part of HCL: texts, heredocs, comments, numbers and line ends.

The grammar that parses the rest (it comes with Checkov) is line-oriented and has trouble with nested quotes, with
line ends inside parentheses, and with texts that are never closed (its pattern for them takes exponential time). So
`mask` reads these parts here, in linear time, and hands the grammar a text of the same length in which every text,
heredoc and number is a plain quoted one and comments and insignificant line ends are blanks. Offsets stay as they
are; what was masked is found again by its offset.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from srm_checks.engines.terraform.nodes import Comment
from srm_checks.engines.terraform.source import Source

_TOKEN = re.compile(
    r'"|<<-?[^\W\d][\w.-]*[ \t]*\n|\#|//|/\*|[(\[{}\])]|\n|(?<![\w.])\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|!(?=[ \t]*!)'
)
_QUOTED_STOP = re.compile(r'["\\\n]|\$\$\{|%%\{|\$\{|%\{')
_HEREDOC_STOP = re.compile(r"\n|\$\$\{|%%\{|\$\{|%\{")
_HEREDOC_OPEN = re.compile(r"<<(-?)([^\W\d][\w.-]*)[ \t]*\n")
_NESTED = re.compile(r'"|<<-?[^\W\d][\w.-]*[ \t]*\n|\#|//|/\*|[{}]')
_FOR = re.compile(r"\{(?:\s|\#[^\n]*\n|//[^\n]*\n)*for\s+[^\W\d]")
_CLOSING = {"(": ")", "[": "]", "{": "}", "for": "}"}


@dataclass(frozen=True, slots=True)
class Hole:
    """A hole of a template: `${...}`, or a directive `%{...}`; the expression lies from `start` to `end`.

    `trim_before` and `trim_after` are the `~` marks.
    """

    start: int
    end: int
    directive: bool
    trim_before: bool
    trim_after: bool


@dataclass(frozen=True, slots=True)
class Text:
    """A quoted text or a heredoc: spans of literal text (start, end), and holes, in order.

    `heredoc` is "" for a quoted text, else `<<` or `<<-`.
    """

    start: int
    end: int
    parts: tuple[tuple[int, int] | Hole, ...]
    heredoc: str = ""


@dataclass(frozen=True, slots=True)
class Masked:
    """`text` has the length of what was masked, which begins at `start` of the source.

    `literals` holds what masks cover, by its offset in the source. `breaks` are the offsets in `text` after each
    line that closes a block of the top level: what lies between two of them can be parsed alone.
    """

    start: int
    text: str
    breaks: tuple[int, ...]
    literals: dict[int, Text | int | float]
    comments: tuple[Comment, ...]


def mask(source: Source, start: int, end: int, *, nested: bool) -> Masked:
    """Mask a span of `source`. `nested`: the span is inside brackets already, so line ends mean nothing.

    Raises InputError for a text, comment or bracket that is not closed.
    """
    return _Masker(source, start, end, nested).run()


def template_text(source: Source, start: int, end: int) -> Text:
    """The parts of a bare template (a file for `templatefile`, a JSON string), without quotes around it."""
    parts: list[tuple[int, int] | Hole] = []
    literal = at = start
    while found := _HEREDOC_STOP.search(source.text, at, end):
        mark = found.group()
        if mark in ("${", "%{"):
            hole, at = _hole(source, found.start(), end)
            parts += [(literal, found.start()), hole]
            literal = at
        else:
            at = found.end()
    parts.append((literal, end))
    return Text(start, end, tuple(parts), "<<")


def _hole(source: Source, start: int, limit: int) -> tuple[Hole, int]:
    """The hole that opens at `start`, and the offset after its closing brace."""
    text = source.text
    directive = text[start] == "%"
    close = _closing_brace(source, start + 2, limit, start)
    inner, inner_end = start + 2, close
    trim_before = text.startswith("~", inner)
    trim_after = inner_end > inner + trim_before and text[inner_end - 1] == "~"
    return Hole(inner + trim_before, inner_end - trim_after, directive, trim_before, trim_after), close + 1


def _closing_brace(source: Source, at: int, limit: int, opened: int) -> int:
    depth = 0
    text = source.text
    while found := _NESTED.search(text, at, limit):
        mark = found.group()
        at = found.end()
        if mark == "{":
            depth += 1
        elif mark == "}":
            if not depth:
                return found.start()
            depth -= 1
        elif mark == '"':
            at = quoted(source, found.start(), limit).end
        elif mark.startswith("<<"):
            at = heredoc(source, found.start(), limit).end
        else:
            at = _comment_end(source, found.start(), limit)
    raise source.error(opened, f'Expected "}}" to close the template sequence "{text[opened : opened + 2]}".')


def _comment_end(source: Source, start: int, limit: int) -> int:
    """The offset after a comment; a line comment ends before its line end."""
    if source.text.startswith("/*", start):
        end = source.text.find("*/", start + 2, limit)
        if end < 0:
            raise source.error(start, 'Expected "*/" to close the comment.')
        return end + 2
    end = source.text.find("\n", start, limit)
    return limit if end < 0 else end


def quoted(source: Source, start: int, limit: int) -> Text:
    """The quoted text that opens at `start`. Raises InputError where it is not closed on its line."""
    parts: list[tuple[int, int] | Hole] = []
    literal = at = start + 1
    while found := _QUOTED_STOP.search(source.text, at, limit):
        mark = found.group()
        if mark == '"':
            parts.append((literal, found.start()))
            return Text(start, found.end(), tuple(parts))
        if mark == "\n":
            break
        if mark in ("${", "%{"):
            hole, at = _hole(source, found.start(), limit)
            parts += [(literal, found.start()), hole]
            literal = at
        else:
            at = found.end() + (mark == "\\")
    raise source.error(start, "Expected a closing quotation mark on the line of the opening one.")


def heredoc(source: Source, start: int, limit: int) -> Text:
    """The heredoc that opens at `start`; it ends after its closing marker. Raises InputError without a marker."""
    text = source.text
    opened = _HEREDOC_OPEN.match(text, start, limit)
    assert opened  # the caller matched the same pattern
    marker = opened.group(2)
    parts: list[tuple[int, int] | Hole] = []
    literal = at = line = opened.end()
    while line < limit:
        line_end = text.find("\n", line, limit)
        line_end = limit if line_end < 0 else line_end
        if at <= line and text[line:line_end].strip(" \t\r") == marker:
            parts.append((literal, line))
            return Text(start, text.index(marker, line) + len(marker), tuple(parts), "<<" + opened.group(1))
        at = max(at, line)
        while (found := _HEREDOC_STOP.search(text, at, limit)) and found.group() != "\n":
            at = found.end()
            if found.group() in ("${", "%{"):
                hole, at = _hole(source, found.start(), limit)
                parts += [(literal, found.start()), hole]
                literal = at
        line = at = found.end() if found else limit
    raise source.error(start, f'Expected a line "{marker}" to close the heredoc.')


@dataclass(slots=True)
class _Masker:
    source: Source
    start: int
    end: int
    nested: bool
    out: list[str] = field(default_factory=list)
    literals: dict[int, Text | int | float] = field(default_factory=dict)
    comments: list[Comment] = field(default_factory=list)
    brackets: list[tuple[str, int]] = field(default_factory=list)
    breaks: list[int] = field(default_factory=list)
    block_closed: bool = False  # on this line, on the top level
    blank_line: bool = True  # nothing but blanks since the last line end that was kept

    def run(self) -> Masked:
        text, at = self.source.text, self.start
        while found := _TOKEN.search(text, at, self.end):
            self._plain(text[at : found.start()])
            at = self._token(found.group(), found.start())
        self._plain(text[at : self.end])
        if self.brackets:
            bracket, opened = self.brackets[-1]
            closing = _CLOSING[bracket]
            raise self.source.error(opened, f'Expected "{closing}" to close what opens here.')
        return Masked(self.start, "".join(self.out), tuple(self.breaks), self.literals, tuple(self.comments))

    def _plain(self, piece: str) -> None:
        if piece:
            self.out.append(piece)
            if self.blank_line and not piece.isspace():
                self.blank_line = False

    def _token(self, mark: str, start: int) -> int:
        """Mask one token and return the offset after it."""
        first = mark[0]
        if first == '"':
            return self._text(quoted(self.source, start, self.end))
        if first == "<":
            return self._text(heredoc(self.source, start, self.end))
        if first == "\n":
            self._line_end()
            if self.block_closed and not self.brackets:
                self.breaks.append(start + 1 - self.start)
            self.block_closed = False
            return start + 1
        if first in "#/":
            end = _comment_end(self.source, start, self.end)
            self.comments.append(Comment(self.source.line(start), self.source.text[start:end]))
            self.out.append(" " * (end - start))
            return end
        if first == "!":  # the grammar knows no `!!x`, which is x: blank both
            end = self.source.text.index("!", start + 1) + 1
            self.out.append(" " * (end - start))
            return end
        if first.isdigit():
            return self._number(mark, start)
        return self._bracket(mark, start)

    def _text(self, literal: Text) -> int:
        self.literals[literal.start] = literal
        self.out.append('"' + " " * (literal.end - literal.start - 2) + '"')
        self.blank_line = False
        return literal.end

    def _number(self, mark: str, start: int) -> int:
        text = self.source.text
        if start > 1 and text[start - 1] == "-" and (text[start - 2].isalnum() or text[start - 2] == "_"):
            self.out.append(mark)  # `name-2` is a name
        elif len(mark) == 1:
            self.out.append(mark)
        else:
            self.literals[start] = number(mark)
            self.out.append('"' + " " * (len(mark) - 2) + '"')
        self.blank_line = False
        return start + len(mark)

    def _bracket(self, mark: str, start: int) -> int:
        self.out.append(mark)
        self.blank_line = False
        if mark in "([{":
            kind = "for" if mark == "{" and _FOR.match(self.source.text, start, self.end) else mark
            self.brackets.append((kind, start))
        elif self.brackets and _CLOSING[self.brackets[-1][0]] == mark:
            self.brackets.pop()
            self.block_closed = not self.brackets and mark == "}"
        elif self.brackets:
            expected = _CLOSING[self.brackets[-1][0]]
            opened = self.source.line(self.brackets[-1][1])
            raise self.source.error(start, f'Expected "{expected}" for the bracket of line {opened}, not "{mark}".')
        else:
            raise self.source.error(start, f'Expected a block or an attribute, not "{mark}".')
        return start + 1

    def _line_end(self) -> None:
        significant = self.brackets[-1][0] == "{" if self.brackets else not self.nested
        # the grammar allows one line end in many places, so that only the first of several is kept
        if significant and not self.blank_line:
            self.out.append("\n")
            self.blank_line = True
        else:
            self.out.append(" ")


def number(text: str) -> int | float:
    """The value of a number literal; whole numbers are ints, as Terraform prints them."""
    try:
        return int(text)
    except ValueError:
        value = float(text)
        return int(value) if value.is_integer() else value
