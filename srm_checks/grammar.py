"""Checkov's fork of python-hcl2, imported with the file that its parser generator keeps in a folder of our choice.

lark keeps a generated parser as a file in the temporary folder, since to generate it takes a second or two. A scan
should leave nothing outside of its cache folder, so that is where this file goes too.
"""

from __future__ import annotations

import os
from typing import Any

_folder: str | None = None


def keep_in(folder: str | None) -> None:
    """Say where generated parsers are kept; None for the temporary folder of the system."""
    global _folder
    _folder = folder


def folder() -> str | None:
    """Where generated parsers are kept, if it is there and can be written to."""
    return _folder if _folder is not None and os.path.isdir(_folder) and os.access(_folder, os.W_OK) else None


def hcl2_parser() -> Any:
    """The parser object of the fork. Raises ImportError where `hcl2` is another package or is not there."""
    import tempfile

    before = tempfile.tempdir
    tempfile.tempdir = folder() or before
    try:
        from hcl2 import START_LINE  # noqa: F401 - only the fork has it
        from hcl2.parser import Hcl2
    finally:
        tempfile.tempdir = before
    return Hcl2.lark_parser
