"""Which code is at work: the versions of this package and of the engines, found without importing any of them."""

from __future__ import annotations

import importlib.metadata
import os
from functools import cache
from pathlib import Path
from typing import Final

import srm_checks

ENGINE_PACKAGES: Final = ("cfn-lint", "checkov")


@cache
def engine_versions() -> dict[str, str | None]:
    """The installed version of each engine; None where it is not installed."""
    return {package: _version(package) for package in ENGINE_PACKAGES}


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def code_stamp() -> tuple[object, ...]:
    """A mark of the code that judges; in a source checkout it changes with every edit."""
    return srm_checks.__version__, tuple(engine_versions().items()), _edits()


def _edits() -> tuple[tuple[str, int, int], ...]:
    package = Path(srm_checks.__file__).parent
    if not (package.parent / "pyproject.toml").is_file():
        return ()  # installed: the version says it all
    files = []
    for folder, folders, names in os.walk(package):
        folders[:] = [name for name in folders if name != "__pycache__"]
        for name in names:
            status = os.stat(os.path.join(folder, name))
            files.append((os.path.relpath(os.path.join(folder, name), package), status.st_mtime_ns, status.st_size))
    return tuple(sorted(files))
