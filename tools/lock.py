"""Writes requirements.lock: the versions that the tests ran with, for all supported Pythons in one constraints file.

usage: python tools/lock.py python3.10 python3.11 python3.12 python3.13

pip resolves the project with its development extra under each interpreter. Where the results differ, the pins carry
a marker. Nothing about the index they came from is written.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
LOCK = PROJECT / "requirements.lock"
HEADER = """\
# Versions that are tested together. Written by `make lock`; a constraints file:
#     pip install -c requirements.lock .
"""

Version = tuple[int, int]


def resolve(python: str) -> tuple[Version, dict[str, str]]:
    """The minor version of an interpreter, and what pip would install there: names to versions."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([python, "-m", "venv", folder], check=True)
        pip = [f"{folder}/bin/python", "-m", "pip"]
        subprocess.run([*pip, "install", "--quiet", "--upgrade", "pip"], check=True)
        report = Path(folder) / "report.json"
        command = [*pip, "install", "--quiet", "--dry-run", "--ignore-installed", "--report", str(report)]
        subprocess.run([*command, f"{PROJECT}[dev]"], check=True)
        data = json.loads(report.read_text())
    major, minor = data["environment"]["python_version"].split(".")
    entries = (entry["metadata"] for entry in data["install"])
    pins = {entry["name"].lower().replace("_", "-"): entry["version"] for entry in entries}
    del pins["srm-checks"]
    return (int(major), int(minor)), pins


def marker(versions: list[Version], supported: list[Version]) -> str:
    """The environment marker that holds for `versions` out of all `supported` ones; "" where it is all of them."""
    if versions == supported:
        return ""
    if versions == supported[-len(versions) :]:
        return f"python_version >= '{text(versions[0])}'"
    if versions == supported[: len(versions)]:
        return f"python_version < '{text(supported[len(versions)])}'"
    return " or ".join(f"python_version == '{text(version)}'" for version in versions)


def text(version: Version) -> str:
    return ".".join(map(str, version))


def lock(resolved: dict[Version, dict[str, str]]) -> str:
    """The text of the lock."""
    supported = sorted(resolved)
    lines = []
    for name in sorted(set().union(*resolved.values())):
        by_pin: dict[str, list[Version]] = {}
        for version in supported:
            if name in resolved[version]:
                by_pin.setdefault(resolved[version][name], []).append(version)
        for pin, versions in by_pin.items():
            condition = marker(versions, supported)
            lines.append(f"{name}=={pin}" + (f" ; {condition}" if condition else ""))
    return HEADER + "\n".join(lines) + "\n"


def main(pythons: list[str]) -> int:
    if not pythons:
        print(__doc__, file=sys.stderr)
        return 2
    LOCK.write_text(lock(dict(resolve(python) for python in pythons)), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
