"""Places as other engines write them, in the form that our reports use."""

from __future__ import annotations

import os
import posixpath
from typing import Any

from srm_checks.model import SourceRange


def relative(path: str) -> str:
    """A path as `model` wants it: from the working directory, POSIX style; "." for an empty one."""
    if os.path.isabs(path):
        path = os.path.relpath(path)
    return posixpath.normpath(path.replace(os.sep, "/"))


def line_range(path: str, start: Any, end: Any) -> SourceRange:
    """Lines as an engine gives them, mended to be counted from 1 and in order."""
    first = start if isinstance(start, int) and start > 0 else 1
    return SourceRange(path, first, max(first, end) if isinstance(end, int) else first)
