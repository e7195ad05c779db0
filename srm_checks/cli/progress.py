"""A progress bar on standard error for scans that last, on a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from srm_checks.cli.console import Console

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from srm_checks.api import Progress as Callback

_PATIENCE: Final = 1.0  # seconds before a bar appears


class _Bar:
    """Shows itself at the first report after `_PATIENCE` seconds."""

    def __init__(self) -> None:
        self._start = time.monotonic()
        self._shown: tuple[Progress, TaskID] | None = None

    def report(self, done: int, total: int, name: str) -> None:
        from srm_checks.report.inert import inert

        if self._shown is None:
            if time.monotonic() - self._start < _PATIENCE:
                return
            self._shown = _show()
        progress, task = self._shown
        progress.update(task, completed=done, total=total, unit=inert(name))

    def close(self) -> None:
        if self._shown is not None:
            self._shown[0].stop()


def _show() -> tuple[Progress, TaskID]:
    from rich.console import Console as Terminal
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    progress = Progress(
        TextColumn("scanning"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[unit]}", markup=False),
        console=Terminal(stderr=True),
        transient=True,
    )
    task = progress.add_task("scan", total=None, unit="")
    progress.start()
    return progress, task


@contextmanager
def progress_bar(console: Console) -> Iterator[Callback | None]:
    """The callback for the pipeline; None where nobody would see a bar."""
    if console.quiet or not sys.stderr.isatty():
        yield None
        return
    bar = _Bar()
    try:
        yield bar.report
    finally:
        bar.close()
