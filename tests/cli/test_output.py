"""Where reports go, and what a stream can show."""

from __future__ import annotations

import io
import os
from pathlib import Path

import click
import pytest

from srm_checks.cli.output import Destination, FormatOption, page_for, prepare
from srm_checks.errors import UsageError
from srm_checks.report import FORMATS, Page, renderer


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def convert(value: str) -> Destination:
    return FormatOption().convert(value, None, None)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("text", Destination("text", None)),
        ("json=out/report.json", Destination("json", "out/report.json")),
        ("json=a=b", Destination("json", "a=b")),
    ],
)
def test_format_and_file(value: str, expected: Destination) -> None:
    assert convert(value) == expected


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("jsno", "Did you mean 'json'"),
        ("docx", "There are: text, json"),
        ("", "is not a format"),
        ("json=", "names no file"),
        ("jsno=x", "Did you mean 'json'"),
    ],
)
def test_a_wrong_format_is_told_with_a_way_out(value: str, message: str) -> None:
    with pytest.raises(click.BadParameter, match=message):
        convert(value)


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_has_its_function(name: str) -> None:
    assert callable(renderer(name))


class TestPrepare:
    def test_folders_are_made(self, tmp_path: Path) -> None:
        prepare([Destination("json", str(tmp_path / "a/b/report.json"))])
        assert (tmp_path / "a/b").is_dir()
        assert not (tmp_path / "a/b/report.json").exists()

    def test_a_folder_that_cannot_be_made(self, tmp_path: Path) -> None:
        (tmp_path / "main.tf").touch()
        with pytest.raises(UsageError, match="its folder cannot be made"):
            prepare([Destination("json", str(tmp_path / "main.tf/report.json"))])

    def test_a_folder_instead_of_a_file(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="cannot be written"):
            prepare([Destination("json", str(tmp_path))])

    @pytest.mark.parametrize("path", [None, "report.json"])
    def test_two_reports_in_one_place(self, path: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        other = path and os.path.join(".", path)
        with pytest.raises(UsageError, match="two formats go to"):
            prepare([Destination("json", path), Destination("text", other)])


class TestPage:
    @pytest.mark.parametrize(
        ("stream", "environment", "colour"),
        [
            (Terminal(), {}, True),
            (io.StringIO(), {}, False),
            (Terminal(), {"NO_COLOR": "1"}, False),
            (Terminal(), {"NO_COLOR": ""}, True),
            (Terminal(), {"TERM": "dumb"}, False),
            (io.StringIO(), {"FORCE_COLOR": "1"}, True),
            (io.StringIO(), {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        ],
    )
    def test_colour(self, stream: io.StringIO, environment: dict[str, str], colour: bool) -> None:
        assert page_for(stream, environment).colour is colour

    def test_width_without_a_terminal(self) -> None:
        assert page_for(io.StringIO(), {}) == Page(width=100, colour=False)

    def test_width_of_the_terminal(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("COLUMNS", "72")
        assert page_for(Terminal(), {}).width == 72
