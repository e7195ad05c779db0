"""Which code is at work: the versions of this package and of the engines, found without importing any of them."""

from __future__ import annotations

import hashlib
import os
import sys
from functools import cache
from typing import Final

import srm_checks

ENGINE_PACKAGES: Final = ("cfn-lint", "checkov")


@cache
def engine_versions() -> dict[str, str | None]:
    """The installed version of each engine; None where it is not installed."""
    return {package: _version(package) for package in ENGINE_PACKAGES}


def _version(package: str) -> str | None:
    """By the name of its metadata folder, as pip writes it; `importlib.metadata` costs more than a warm scan."""
    name = package.replace("-", "_")
    for folder in sys.path:
        try:
            entries = os.listdir(folder or ".")
        except OSError:
            continue
        for entry in entries:
            if entry.startswith(f"{name}-") and entry.endswith(".dist-info"):
                return entry[len(name) + 1 : -len(".dist-info")]
    import importlib.metadata

    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


@cache
def code_mark() -> str:
    """A mark of the code of this package; in a source checkout it changes with every edit."""
    package = os.path.dirname(srm_checks.__file__)
    if not os.path.isfile(os.path.join(os.path.dirname(package), "pyproject.toml")):
        return srm_checks.__version__  # installed: the version says it all
    mark = hashlib.sha256(srm_checks.__version__.encode())
    for folder, folders, names in os.walk(package):
        folders[:] = sorted(name for name in folders if name != "__pycache__")
        for name in sorted(names):
            status = os.stat(os.path.join(folder, name))
            mark.update(f"{folder[len(package) :]}/{name} {status.st_mtime_ns} {status.st_size}\0".encode())
    return mark.hexdigest()
