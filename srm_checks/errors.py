"""The exception tree and the exit codes.

Each class says whose mistake it is. Only the command line turns them into exit codes; everything below it
raises, or collects a `model.ScanError` where other findings must still come out.
"""

from __future__ import annotations

EXIT_OK = 0
EXIT_GATE = 1
EXIT_USAGE = 2
EXIT_INCOMPLETE = 3
EXIT_INTERRUPTED = 130


class SrmError(Exception):
    """Base of all errors that this package raises on purpose; `str()` is a sentence for the user."""


class UsageError(SrmError):
    """The user's input to the tool is wrong (option, configuration, path): exit code 2."""


class PackError(UsageError):
    """A pack or policy cannot be used: exit code 2.

    `problems` are the single mistakes, each with its place.
    """

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


class InputError(SrmError):
    """One scanned input cannot be read. The pipeline turns it into a `model.ScanError`; the scan goes on.

    `kind` is one of parse, timeout, crash, unsupported; `line` counts from 1 where it is known.
    """

    def __init__(self, path: str, message: str, *, kind: str = "parse", line: int | None = None) -> None:
        self.path, self.kind, self.line = path, kind, line
        super().__init__(message)


class EnvironmentProblem(SrmError):
    """The installation is broken (an engine is missing, python-hcl2 lies over Checkov's fork): exit code 3."""
