"""The progress bar: only where somebody sees it, only when it takes long."""

from __future__ import annotations

import io
import sys

import pytest

from srm_checks.cli import progress
from srm_checks.cli.console import Console
from srm_checks.cli.progress import progress_bar


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Called inside the test: pytest sets its own standard error after the fixtures."""
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("TERM", "xterm")
    return stream


def test_none_without_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with progress_bar(Console()) as report:
        assert report is None


def test_none_when_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    on_a_terminal(monkeypatch)
    with progress_bar(Console(quiet=True)) as report:
        assert report is None


def test_a_short_scan_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = on_a_terminal(monkeypatch)
    monkeypatch.setattr(progress, "_PATIENCE", 3600.0)
    with progress_bar(Console()) as report:
        assert report is not None
        report(0, 2, "envs/prod")
    assert terminal.getvalue() == ""


def test_a_long_scan_shows_a_bar_that_goes_away(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = on_a_terminal(monkeypatch)
    monkeypatch.setattr(progress, "_PATIENCE", 0.0)
    with progress_bar(Console()) as report:
        assert report is not None
        report(0, 2, "envs/[bold]prod\x1b]0;x")
        report(1, 2, "envs/test")
    shown = terminal.getvalue()
    assert "scanning" in shown
    assert "\x1b]0;x" not in shown
    assert shown.endswith("\x1b[2K"), "the line is cleared"
