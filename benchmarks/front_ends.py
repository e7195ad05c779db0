"""Whether both front-ends for Terraform find the same: every finding of `--engine fast` against `--engine checkov`.

Run: python benchmarks/front_ends.py TREE... [--pack aws-all]

What is different and not explained in engine_differences.tsv is printed, and the exit code is 1. The seconds of
processor time of both are shown beside.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

EXPLAINED = Path(__file__).parent / "engine_differences.tsv"
ENGINES = ("fast", "checkov")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("trees", nargs="+", metavar="TREE")
    parser.add_argument("--pack", default="aws-all")
    arguments = parser.parse_args()
    unexplained = 0
    for tree in arguments.trees:
        reports, seconds = zip(*(scan(tree, engine, arguments.pack) for engine in ENGINES), strict=True)
        found = [line for line in differences(*reports) if line not in explained()]
        unexplained += len(found)
        count = len(reports[0]["findings"])
        print(f"{tree}: {count} findings, {len(found)} unexplained differences; ", end="")
        print(", ".join(f"{engine} {cpu:.1f} CPU s" for engine, cpu in zip(ENGINES, seconds, strict=True)), flush=True)
        for line in found:
            print(f"  {line}")
    return 1 if unexplained else 0


def scan(tree: str, engine: str, pack: str) -> tuple[dict[str, Any], float]:
    """The report on a tree, with all outcomes, and the processor time that it took."""
    command = [sys.executable, "-m", "srm_checks", "scan", ".", "--no-cache", "--all", "--exit-zero", "-f", "json"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [*command, "--engine", engine, "--pack", pack],
        cwd=tree,
        stdout=subprocess.PIPE,
        check=False,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    report: dict[str, Any] = json.loads(done.stdout)
    return report, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def differences(one: dict[str, Any], other: dict[str, Any]) -> Iterator[str]:
    """What only one of two reports says, a line each, to be explained as it stands."""
    for name, report, rest in ((ENGINES[0], one, other), (ENGINES[1], other, one)):
        for part in ("findings", "errors"):
            known = set(_texts(rest[part]))
            for entry, text in zip(report[part], _texts(report[part]), strict=True):
                if text not in known:
                    place = entry.get("location", entry)["path"]
                    what = entry.get("policy_id") or entry["kind"]
                    address = entry.get("resource", {}).get("address", "")
                    yield "\t".join((name, what, place, address, entry.get("outcome", ""), entry["message"]))


def _texts(entries: Iterable[Any]) -> list[str]:
    return [json.dumps(entry, sort_keys=True) for entry in entries]


def explained() -> frozenset[str]:
    """The differences that somebody has looked at: lines of the table without their last column, the reason."""
    lines = EXPLAINED.read_text(encoding="utf-8").splitlines()[1:]
    return frozenset(line.rpartition("\t")[0] for line in lines if line and not line.startswith("#"))


if __name__ == "__main__":
    sys.exit(main())
