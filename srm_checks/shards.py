"""Shards: one scan done in parts on several machines, and put together again.

A part holds the reports of its units as they are (unit_json.py), so that what all units answer together, the triage
and the gate are done once, over all of them, when the parts are merged.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from srm_checks import unit_json
from srm_checks.discovery import Inputs
from srm_checks.errors import UsageError
from srm_checks.model import ScanError, Unit, UnitKind
from srm_checks.unit_report import UnitReport


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """One part. `request` is what was asked for, as plain data; `inputs` all that there is to scan."""

    index: int
    count: int
    request: Mapping[str, Any]
    inputs: Inputs
    reports: tuple[UnitReport, ...]


def parse(text: str) -> tuple[int, int]:
    """`2/3`. Raises `UsageError` for anything else."""
    left, slash, right = text.partition("/")
    if slash and left.isdecimal() and right.isdecimal() and 1 <= int(left) <= int(right):
        return int(left), int(right)
    raise UsageError(f"--shard takes the part and the number of parts, such as 1/3, not {text!r}")


def cut(units: Sequence[Unit], index: int, count: int, seconds: Callable[[Unit], float | None]) -> list[Unit]:
    """The units of one part, about as heavy as the others; every machine comes to the same cut.

    What a unit cost before tells its weight where that is known for all of them, else the size of its files.
    """
    known = [seconds(unit) for unit in units]
    weights = [cost if cost is not None else 0.0 for cost in known] if None not in known else list(map(_size, units))
    loads = [0.0] * count
    mine: list[Unit] = []
    for _weight, unit in sorted(zip(weights, units, strict=True), key=lambda pair: (-pair[0], pair[1])):
        lightest = loads.index(min(loads))
        loads[lightest] += _weight + 1e-3  # so that units without weight are spread too
        if lightest == index - 1:
            mine.append(unit)
    return sorted(mine)


def _size(unit: Unit) -> float:
    try:
        if unit.kind is not UnitKind.TERRAFORM:
            return float(os.path.getsize(unit.path))
        with os.scandir(unit.path) as entries:
            return float(sum(entry.stat().st_size for entry in entries if entry.is_file()))
    except OSError:
        return 0.0


# ------------------------------------------------------------------ as JSON


def dump(shard: Shard) -> dict[str, Any]:
    """The part as plain data, for the JSON report."""
    inputs = shard.inputs
    return {
        "index": shard.index,
        "count": shard.count,
        "request": dict(shard.request),
        "inputs": {
            "units": [[str(unit.kind), unit.path] for unit in inputs.units],
            "skipped_files": inputs.skipped_files,
            "terraform_files": inputs.terraform_files,
            "file_filter": None if inputs.file_filter is None else sorted(inputs.file_filter),
            "folders": list(inputs.folders),
            "errors": [[error.path, error.engine, error.kind, error.message] for error in inputs.errors],
            "notes": list(inputs.notes),
        },
        "reports": [json.loads(unit_json.dump(report)) for report in shard.reports],
    }


def load(data: Any, name: str) -> Shard:
    """What `dump` wrote; `name` is the file. Raises `UsageError` for anything else."""
    try:
        inputs = data["inputs"]
        return Shard(
            index=int(data["index"]),
            count=int(data["count"]),
            request=dict(data["request"]),
            inputs=Inputs(
                units=tuple(Unit(UnitKind(kind), path) for kind, path in inputs["units"]),
                skipped_files=inputs["skipped_files"],
                terraform_files=inputs["terraform_files"],
                file_filter=None if inputs["file_filter"] is None else frozenset(inputs["file_filter"]),
                folders=tuple(inputs["folders"]),
                errors=tuple(ScanError(*row) for row in inputs["errors"]),
                notes=tuple(inputs["notes"]),
            ),
            reports=tuple(unit_json.load(json.dumps(report)) for report in data["reports"]),
        )
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise UsageError(f"{name}: the shard in it cannot be read; was it written by this version?") from error


def together(shards: Sequence[tuple[str, Shard]]) -> Shard:
    """The whole of which these are the parts, by file. Raises `UsageError` where they are not all parts of one."""
    first_name, first = shards[0]
    seen: dict[int, str] = {}
    reports: dict[Unit, UnitReport] = {}
    for name, shard in shards:
        if shard.count != first.count or _mark(shard) != _mark(first):
            raise UsageError(f"{name} and {first_name} are not parts of one scan: other options, packs or files")
        if shard.index in seen:
            raise UsageError(f"{name} and {seen[shard.index]} are both part {shard.index}/{shard.count}")
        seen[shard.index] = name
        for report in shard.reports:
            if report.unit in reports:
                raise UsageError(
                    f"{name}: {report.unit.path} stands in another part too; give all parts the same cache"
                )
            reports[report.unit] = report
    missing = [str(index) for index in range(1, first.count + 1) if index not in seen]
    if missing:
        raise UsageError(f"of {first.count} parts these are missing: {', '.join(missing)}")
    lost = [unit.path for unit in first.inputs.units if unit not in reports]
    if lost:
        raise UsageError(f"no part has scanned {lost[0]}; give all parts the same files and the same cache")
    ordered = tuple(reports[unit] for unit in first.inputs.units)
    return Shard(index=1, count=1, request=first.request, inputs=first.inputs, reports=ordered)


def _mark(shard: Shard) -> str:
    said = {key: value for key, value in dump(shard).items() if key in ("request", "inputs")}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
