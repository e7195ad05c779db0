"""The scanned files as code scanning sees them: regions in UTF-16 columns, and line hashes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from srm_checks import reads
from srm_checks.model import Finding
from srm_checks.report.line_hash import line_hashes


@dataclass(frozen=True, slots=True)
class Region:
    """The code in one line; columns count UTF-16 units from 1, `end_column` is the first one behind it."""

    line: int
    start_column: int
    end_column: int


@dataclass(slots=True)
class SourceTexts:
    """Gives regions and hashes of the lines at which findings stand; each file is read and hashed once.

    A file that cannot be read any more, or that lost the line, has no hash, and its region has no width.
    """

    lines: Mapping[str, set[int]]
    _texts: dict[str, _Text] = field(default_factory=dict)

    @staticmethod
    def of(findings: Iterable[Finding]) -> SourceTexts:
        """The texts that these findings need."""
        lines: dict[str, set[int]] = {}
        for finding in findings:
            lines.setdefault(finding.location.path, set()).add(finding.location.start_line)
        return SourceTexts(lines)

    def region(self, path: str, number: int) -> Region:
        """The code in the line, without the blanks around it."""
        line = self._text(path).line(number)
        code = line.strip()
        start = len(line) - len(line.lstrip()) + 1 if code else 1
        return Region(number, start, start + _units(code))

    def line_hash(self, path: str, number: int) -> str | None:
        """GitHub's `primaryLocationLineHash` of the line."""
        return self._text(path).hashes.get(number)

    def _text(self, path: str) -> _Text:
        if path not in self._texts:
            self._texts[path] = _read(path, self.lines.get(path, ()))
        return self._texts[path]


@dataclass(frozen=True, slots=True)
class _Text:
    lines: tuple[str, ...]
    hashes: Mapping[int, str]

    def line(self, number: int) -> str:
        return self.lines[number - 1] if 0 < number <= len(self.lines) else ""


def _read(path: str, numbers: Iterable[int]) -> _Text:
    # The engine has judged this file before. Gone since, it costs the alert its hash; the finding says all else.
    reads.file(path)
    try:
        with open(path, "rb") as stream:
            # As the upload action reads it: UTF-8 whatever the file is, a byte order mark kept.
            text = stream.read().decode("utf-8", "replace")
    except OSError:
        return _Text((), {})
    return _Text(tuple(line.removesuffix("\r") for line in text.split("\n")), line_hashes(text, numbers))


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
