"""Where reports go: `-f FORMAT` to standard output, `-f FORMAT=FILE` to a file."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TextIO

import click

from srm_checks.cli.words import Word
from srm_checks.errors import UsageError
from srm_checks.report import DEFAULT_WIDTH, FORMATS, Page, Rendered, Report, renderer


@dataclass(frozen=True, slots=True)
class Destination:
    """One report to write; `path` None is standard output."""

    format: str
    path: str | None


class FormatOption(click.ParamType):  # type: ignore[type-arg]  # generic in newer click only
    """`FORMAT` or `FORMAT=FILE`."""

    name = "FORMAT[=FILE]"

    def __init__(self, formats: Iterable[str] = FORMATS) -> None:
        self.formats = tuple(formats)

    def convert(
        self, value: str | Destination, param: click.Parameter | None, ctx: click.Context | None
    ) -> Destination:
        if isinstance(value, Destination):
            return value
        name, equals, path = value.partition("=")
        if equals and not path:
            self.fail(f"{value!r} names no file after the equals sign.", param, ctx)
        return Destination(Word("format", self.formats).convert(name, param, ctx), path or None)


def prepare(destinations: Sequence[Destination]) -> None:
    """Make the folders of all files, before the work is done that fills them.

    Raises `UsageError` for a place that cannot be written and for two reports in one place.
    """
    paths = [os.path.abspath(item.path) if item.path else None for item in destinations]
    for index, (item, path) in enumerate(zip(destinations, paths, strict=True)):
        if path in paths[:index]:
            where = item.path or "standard output"
            raise UsageError(f"two formats go to {where}; give each its own file with FORMAT=FILE")
        if path is None:
            continue
        try:
            os.makedirs(os.path.dirname(path), exist_ok=True)
        except OSError as error:
            raise UsageError(f"{item.path}: its folder cannot be made: {error.strerror}") from error
        if os.path.isdir(path) or not os.access(path if os.path.exists(path) else os.path.dirname(path), os.W_OK):
            raise UsageError(f"{item.path}: cannot be written")


def write(report: Report, destinations: Sequence[Destination]) -> None:
    """Render and write each report; the bytes in a file and on standard output are the same."""
    deliver(lambda name, page: renderer(name)(report, page), destinations)


def deliver(render: Callable[[str, Page], Rendered], destinations: Sequence[Destination]) -> None:
    """Write what `render` makes of each format, on the page that it is given, to its place."""
    for item in destinations:
        if item.path is None:
            _to_standard_output(item.format, render)
        else:
            _to_file(item.path, _pieces(render(item.format, Page())))


def _to_file(path: str, pieces: Iterable[bytes]) -> None:
    from srm_checks import replay  # other commands have no use for it

    try:
        with open(path, "wb") as stream:
            for piece in pieces:
                stream.write(piece)
                replay.wrote(path, piece)
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}") from error


def page_for(stream: TextIO, environment: Mapping[str, str]) -> Page:
    """Width and colours for a stream: those of the terminal, and what `NO_COLOR` and `FORCE_COLOR` say."""
    terminal = stream.isatty()
    if environment.get("NO_COLOR"):
        colour = False
    elif environment.get("FORCE_COLOR"):
        colour = True
    else:
        colour = terminal and environment.get("TERM") != "dumb"
    return Page(width=_terminal_width() if terminal else DEFAULT_WIDTH, colour=colour)


def _terminal_width() -> int:
    import shutil

    return shutil.get_terminal_size((DEFAULT_WIDTH, 24)).columns


def _to_standard_output(name: str, render: Callable[[str, Page], Rendered]) -> None:
    page = page_for(sys.stdout, os.environ)
    rendered = render(name, page)
    try:
        if name == "text":
            echo("".join(rendered), colour=page.colour)
        else:
            for piece in _pieces(rendered):
                sys.stdout.buffer.write(piece)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has seen enough; the exit code still tells the gate's decision. Python would complain
        # again when it flushes at exit, so standard output leads nowhere from here.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def echo(text: str, *, colour: bool = False) -> None:
    """Print text that is already inert; what the terminal's encoding lacks is shown as an escape."""
    encoding = sys.stdout.encoding or "utf-8"
    click.echo(text.encode(encoding, "backslashreplace").decode(encoding), nl=False, color=colour)


def _pieces(rendered: Rendered) -> Iterator[bytes]:
    for piece in [rendered] if isinstance(rendered, str) else rendered:
        # A path that is not valid Unicode holds lone surrogates; `\udc80` is how JSON writes them too.
        yield piece.encode("utf-8", "backslashreplace")
