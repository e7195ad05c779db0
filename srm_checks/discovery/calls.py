"""What discovery must know of a Terraform file: which local modules it calls, and whether it keeps state.

A full parser costs seconds on a large repository, so this reads only as much syntax as an exact answer needs:
comments, quoted strings with their interpolations, heredocs and braces. Broken files give what can be read of them;
the Terraform engine reports what is wrong with them.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from typing import Any, Final, Literal, NamedTuple

MAY_CALL_LOCALLY: Final = re.compile(rb"\"\.\.?[/\"]")
"""Bytes of a file without a match hold no literal local source."""

_POINTS = re.compile(r"\n|#|//|/\*|\"|<<-?[^\W\d][\w-]*[ \t]*\r?\n|[{}]")
_IN_QUOTES = re.compile(r"\\.|\$\$\{|%%\{|[$%]\{|[\"\n]")
_IN_TEMPLATE = re.compile(r"#|//|/\*|[\"{}]")
_MODULE_HEADER = re.compile(r"\s*module\s*(?:\"[^\"]*\"|[^\W\d][\w-]*)\s*")
_TERRAFORM_HEADER = re.compile(r"\s*terraform\s*")
_STATE_HEADER = re.compile(r"\s*(?:cloud|backend\s*(?:\"[^\"]*\"|[^\W\d][\w-]*))\s*")
_SOURCE_ATTRIBUTE = re.compile(r"\s*\"?source\"?\s*=\s*\(*\s*")
_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|.)", re.DOTALL)
_PLAIN_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}


class _Point(NamedTuple):
    """A place where structure changes: a block or object opens or closes, or a quoted string stands.

    `before` is the text of the same line up to the point, comments left out; `text` the inside of the string.
    """

    kind: Literal["open", "close", "string"]
    before: str
    text: str = ""


def decode(data: bytes) -> str:
    """Text of a Terraform file; undecodable bytes become replacement characters, which no local source holds."""
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if data.startswith(mark):
            return data.decode(encoding, errors="replace")
    return data.decode("utf-8", errors="replace")


def local_sources(text: str) -> list[str]:
    """The literal local sources of the `module` blocks of an HCL file, in order."""
    found: list[str] = []
    headers: list[bool] = []  # for each open brace: does it belong to a top-level module block?
    for point in _points(text):
        if point.kind == "open":
            headers.append(not headers and _MODULE_HEADER.fullmatch(point.before) is not None)
        elif point.kind == "close":
            if headers:
                headers.pop()
        elif headers == [True] and _SOURCE_ATTRIBUTE.fullmatch(point.before):
            source = _literal(point.text)
            if source is not None and is_local(source):
                found.append(source)
    return found


def keeps_state(text: str) -> bool:
    """Whether an HCL file has a `backend` or `cloud` block in a `terraform` block."""
    headers: list[bool] = []
    for point in _points(text):
        if point.kind == "open":
            if headers == [True] and _STATE_HEADER.fullmatch(point.before):
                return True
            headers.append(not headers and _TERRAFORM_HEADER.fullmatch(point.before) is not None)
        elif point.kind == "close" and headers:
            headers.pop()
    return False


def local_sources_json(text: str) -> list[str]:
    """The literal local sources of a file in JSON syntax, in order."""
    return [
        source
        for _name, calls in _labelled(_members(_load(text), "module"))
        for body in _bodies(calls)
        for source in [body.get("source")]
        if isinstance(source, str) and "${" not in source and "%{" not in source and is_local(source)
    ]


def keeps_state_json(text: str) -> bool:
    """Whether a file in JSON syntax has a backend or cloud in its `terraform` member."""
    return any("backend" in body or "cloud" in body for body in _members(_load(text), "terraform"))


def is_local(source: str) -> bool:
    """Whether a module source names a folder beside the caller."""
    return "\0" not in source and (source in (".", "..") or source.startswith(("./", "../")))


def _points(text: str) -> Iterator[_Point]:
    line: list[str] = []
    at = 0
    while match := _POINTS.search(text, at):
        line.append(text[at : match.start()])
        token, at = match.group(), match.end()
        if token == "\n":
            line.clear()
        elif token in ("#", "//", "/*"):
            at = _after_comment(text, token, at)
            line.append(" ")
        elif token == '"':
            end = _end_of_string(text, at)
            inside = text[at:end]
            yield _Point("string", "".join(line), inside)
            line.append(f'"{inside}"')
            at = end + 1 if text.startswith('"', end) else end  # without its quote it ends with the line
        elif token in "{}":
            yield _Point("open" if token == "{" else "close", "".join(line))
            line.clear()
        else:
            at = _after_heredoc(text, token, at)
            line.clear()


def _after_comment(text: str, opener: str, at: int) -> int:
    if opener == "/*":
        end = text.find("*/", at)
        return len(text) if end < 0 else end + 2
    end = text.find("\n", at)
    return len(text) if end < 0 else end  # the newline itself still ends the line


def _after_heredoc(text: str, opener: str, at: int) -> int:
    mark = opener.lstrip("<-").strip()
    end = re.compile(rf"^[ \t]*{re.escape(mark)}[ \t]*\r?$", re.MULTILINE).search(text, at)
    return len(text) if end is None else end.end()


def _end_of_string(text: str, at: int) -> int:
    """Where the quoted string whose inside starts at `at` ends: at its quote, or at the line's end if it has none."""
    depths = [-1]  # -1 is a quoted string, n >= 0 an interpolation with n braces open in it
    while depths:
        match = (_IN_QUOTES if depths[-1] < 0 else _IN_TEMPLATE).search(text, at)
        if match is None:
            return len(text)
        token, at = match.group(), match.end()
        if depths[-1] < 0:
            if token in ("${", "%{"):
                depths.append(0)
            elif token == '"':
                depths.pop()
            elif token == "\n":
                return match.start()
        elif token == '"':
            depths.append(-1)
        elif token == "{":
            depths[-1] += 1
        elif token == "}":
            if depths[-1]:
                depths[-1] -= 1
            else:
                depths.pop()
        else:
            at = _after_comment(text, token, at)
    return at - 1


def _literal(inside: str) -> str | None:
    """The value of a quoted string without interpolation, else None."""
    if re.search(r"(?<!\$)\$\{|(?<!%)%\{", inside):
        return None

    def unescape(match: re.Match[str]) -> str:
        code = match.group(1)
        if code[0] in "uU" and len(code) > 1:
            number = int(code[1:], 16)
            return chr(number) if number <= 0x10FFFF else "\ufffd"
        return _PLAIN_ESCAPES.get(code, match.group())

    return _ESCAPE.sub(unescape, inside)


def _load(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):  # the Terraform engine reads the same file and reports this
        return None


def _members(value: Any, name: str) -> list[dict[str, Any]]:
    """The objects under a top-level member; Terraform lets each level be an object or a list of objects."""
    return [body for top in _bodies(value) for body in _bodies(top.get(name))]


def _labelled(bodies: list[dict[str, Any]]) -> list[tuple[str, Any]]:
    return [item for body in bodies for item in body.items()]


def _bodies(value: Any) -> list[dict[str, Any]]:
    items = value if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, dict)]
