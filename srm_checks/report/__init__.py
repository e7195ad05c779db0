"""Reports: one module a format.

A format is a function `render(report, page)` that gives the text, or its pieces where it may be very long. `FORMATS`
names them all; a module is imported when its format is asked for.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias, cast

if TYPE_CHECKING:
    from srm_checks.gate import Decision
    from srm_checks.pipeline import ScanResult

FORMATS: Final[Mapping[str, str]] = {
    "text": "srm_checks.report.text:render",
    "json": "srm_checks.report.json:render",
    "sarif": "srm_checks.report.sarif:render",
    "junit": "srm_checks.report.junit:render",
    "markdown": "srm_checks.report.markdown:render",
    "html": "srm_checks.report.html:render",
    "csv": "srm_checks.report.csv:render",
    "github": "srm_checks.report.github:render",
    "gitlab-codequality": "srm_checks.report.gitlab_codequality:render",
    "gitlab-sast": "srm_checks.report.gitlab_sast:render",
}

DEFAULT_WIDTH: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All that a format may show. `engines`: name and installed version, None where it is not installed."""

    result: ScanResult
    decision: Decision
    version: str
    engines: Mapping[str, str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What a report for people is written on; formats for machines do not look at it. `width` is in columns."""

    width: int = DEFAULT_WIDTH
    colour: bool = False


Rendered: TypeAlias = str | Iterator[str]
Renderer: TypeAlias = Callable[[Report, Page], Rendered]


def renderer(name: str) -> Renderer:
    """The function behind a name of `FORMATS`."""
    module, _, function = FORMATS[name].partition(":")
    return cast(Renderer, getattr(importlib.import_module(module), function))
