"""Reports of other engines: telling which one a text is, and what all of them can do."""

from __future__ import annotations

import json
import os
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Final

from srm_checks.errors import UsageError
from srm_checks.foreign.code import Code, below_working_directory
from srm_checks.foreign.entry import Entry
from srm_checks.model import ScanError

# The key under which an annotation stands beside the fields of another tool.
KEY: Final = "shared_responsibility"

_CHECKOV_DELIMITER: Final = "--- OUTPUT DELIMITER ---"
_EXPECTED: Final = "annotate takes a JSON or SARIF report of Checkov or cfn-lint"


class ForeignReport(ABC):
    """A report that another engine wrote.

    `annotated` gives the same document with what the catalogue adds; nothing is taken away, and annotating twice is as
    good as once. `entries` are its results in our terms, one for each result of the report, in its order.
    """

    @abstractmethod
    def annotated(self, code: Code) -> Any:
        """The document as plain data; `code` is what it is about."""

    @abstractmethod
    def entries(self) -> list[Entry]:
        """The results, passed ones too."""

    def errors(self) -> list[ScanError]:
        """What the engine says it could not read."""
        return []

    def files(self) -> list[str]:
        """The files that the results are on, sorted, as far as they lie below the working directory.

        A report may name any path of a machine; nothing else of it is opened.
        """
        paths = {entry.block.path for entry in self.entries()}
        return sorted(path for path in paths if below_working_directory(path) and os.path.isfile(path))

    def render(self, code: Code) -> str:
        """The annotated document as text, indented as both engines do."""
        return json.dumps(self.annotated(code), indent=4) + "\n"


def read(data: bytes, name: str) -> ForeignReport:
    """The report in `data`; `name` is for messages.

    Raises `UsageError` for what is no JSON, and for JSON that neither engine wrote.
    """
    document = _decode(data, name)
    from srm_checks.foreign import cfn_lint_report, checkov_report, sarif_report

    report: ForeignReport | None = (
        sarif_report.recognise(document, name)
        or checkov_report.recognise(document, name)
        or cfn_lint_report.recognise(document, name)
    )
    if report is not None:
        return report
    raise UsageError(f"{name}: {_what(document)}; {_EXPECTED}")


def malformed(name: str, where: str, expected: str) -> UsageError:
    """The error for a report that looks like an engine's and is not whole."""
    return UsageError(f"{name}: {where} must be {expected}; {_EXPECTED}")


def _decode(data: bytes, name: str) -> Any:
    text = _text(data, name)
    if not text.strip():
        raise UsageError(f"{name}: is empty; {_EXPECTED}")
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        several = "; it holds several reports of Checkov, give one format (`-o json`)"
        hint = several if _CHECKOV_DELIMITER in text else f"; {_EXPECTED}"
        raise UsageError(f"{name}:{error.lineno}:{error.colno}: is not JSON: {error.msg}{hint}") from error
    except RecursionError as error:
        raise UsageError(f"{name}: is nested too deeply to be a report") from error


def _text(data: bytes, name: str) -> str:
    # A shell on Windows writes UTF-16 where a report is redirected to a file.
    encoding = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise UsageError(f"{name}: is not {encoding[:6].rstrip('-').upper()} text; {_EXPECTED}") from error


def _what(document: Any) -> str:
    if isinstance(document, Mapping) and document.get("schema") == "srm-checks/report/1":
        return "is a report of srm-checks, which is annotated already"
    return "is JSON that neither Checkov nor cfn-lint wrote"
