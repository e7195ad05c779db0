"""Side by side with the others: CPU time, wall time and memory of whole commands, in paired runs, as ratios.

Run: python benchmarks/rivals.py TREE [--rounds 3] [--pack aws-all] [--guard BIN --guard-rules DIR] [--json FILE]

Contestants: `srm-checks scan` cold (a new cache folder each time), warm, and with one file changed; stock Checkov;
Checkov with as many custom YAML policies as our pack has; stock cfn-lint where there are templates; cfn-guard where
it is named. In each round every contestant runs once, one after the other, so that what else the machine does hits
all of them; the table shows medians and the ratio of CPU time to the first rival. Children count.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from srm_checks.discovery import discover
from srm_checks.model import UnitKind
from srm_checks.policy.drafts import beside, stored
from srm_checks.policy.packs import library, load_packs
from srm_checks.versions import code_mark, engine_versions

BIN = Path(sys.executable).parent


@dataclass
class Contestant:
    """A command and what to do before each run of it."""

    name: str
    argv: Callable[[], list[str]]
    before: Callable[[], None] = lambda: None
    fine: tuple[int, ...] = (0,)
    runs: list[tuple[float, float, int]] = field(default_factory=list)  # CPU s, wall s, peak KiB

    def run(self, tree: Path, environment: dict[str, str]) -> None:
        self.before()
        argv = self.argv()
        read, write = os.pipe()
        started = time.perf_counter()
        child = os.fork()
        if child == 0:  # one process of its own for each run, so that its children are counted with it
            os.close(read)
            done = subprocess.run(
                argv, cwd=tree, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
            )
            usage = resource.getrusage(resource.RUSAGE_CHILDREN)
            os.write(write, json.dumps([done.returncode, usage.ru_utime + usage.ru_stime, usage.ru_maxrss]).encode())
            os._exit(0)
        os.close(write)
        with os.fdopen(read, "rb") as stream:
            code, cpu, peak = json.loads(stream.read())
        os.waitpid(child, 0)
        if code not in self.fine:
            raise SystemExit(f"{self.name} ended with {code}: {' '.join(argv)[:200]}")
        self.runs.append((cpu, time.perf_counter() - started, peak))

    def median(self, column: int) -> float:
        return statistics.median(run[column] for run in self.runs)


def trivial_policies(folder: Path, number: int) -> None:
    """As many custom Checkov policies as we have, each one attribute of one type."""
    folder.mkdir()
    for index in range(number):
        (folder / f"p{index}.yaml").write_text(
            f"metadata:\n  id: CKV2_BENCH_{index}\n  name: bench {index}\n  category: GENERAL_SECURITY\n"
            "definition:\n  cond_type: attribute\n  resource_types: [aws_db_instance]\n"
            f"  attribute: bench_{index}\n  operator: not_exists\n"
        )


def contestants(
    arguments: argparse.Namespace, tree: Path, place: Path, environment: dict[str, str]
) -> list[Contestant]:
    inputs = discover([str(tree)])
    terraform = [unit.path for unit in inputs.units if unit.kind is UnitKind.TERRAFORM]
    templates = [os.path.abspath(unit.path) for unit in inputs.units if unit.kind is UnitKind.CLOUDFORMATION]
    scan = [str(BIN / "srm-checks"), "scan", ".", "--exit-zero", "-f", "json", "--pack", arguments.pack]
    scan += ["--engine", arguments.engine]
    warm = place / "warm"
    number = 0

    def cold() -> list[str]:
        nonlocal number
        number += 1
        return [*scan, "--cache-dir", str(place / f"cold{number}")]

    def again() -> None:
        argv = [*scan, "--cache-dir", str(warm)]
        subprocess.run(
            argv, cwd=tree, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
        )

    def touch() -> None:
        again()
        first = tree / os.path.relpath(terraform[0], tree) if terraform else None
        path = next(first.glob("*.tf")) if first else Path(templates[0])
        with open(path, "a", encoding="utf-8") as stream:
            stream.write("\n")

    ours = (0, 3)
    found = [
        Contestant("srm-checks cold", cold, fine=ours),
        Contestant("srm-checks warm", lambda: [*scan, "--cache-dir", str(warm)], again, ours),
        Contestant("srm-checks one file", lambda: [*scan, "--cache-dir", str(warm)], touch, ours),
    ]
    checkov = [str(BIN / "checkov"), "-d", ".", "--quiet", "--compact", "--soft-fail", "-o", "json"]
    if terraform:
        own = place / "policies"
        trivial_policies(own, len(load_packs([arguments.pack]).policies))
        stock = [*checkov, "--framework", "terraform"]
        found.append(Contestant("Checkov", lambda: stock))
        found.append(Contestant("with YAML, Checkov", lambda: [*stock, "--external-checks-dir", str(own)]))
    if templates:
        lint = [str(BIN / "cfn-lint"), "--format", "json", "-t", *templates]
        found.append(Contestant("cfn-lint", lambda: lint, fine=tuple(range(16))))
        if arguments.guard:
            guard = [arguments.guard, "validate", "-r", arguments.guard_rules, "-S", "none", "-d", *templates]
            found.append(Contestant("cfn-guard", lambda: guard, fine=(0, 5, 19)))
    return found


def tell_if_stale() -> None:
    """Say so where a cold scan would first compile the packs, which is no part of what users get."""
    if not stored(beside(library()), code_mark()):
        print("the compiled packs are older than the code: `pip install --no-deps -e .` first", file=sys.stderr)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("tree")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--pack", default="aws-all")
    parser.add_argument("--engine", default="auto")
    parser.add_argument("--guard")
    parser.add_argument("--guard-rules")
    parser.add_argument("--only", nargs="*", help="contestants whose name begins with one of these words")
    parser.add_argument("--json")
    arguments = parser.parse_args()
    tell_if_stale()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        tree = place / "tree"  # a copy: one contestant edits it
        shutil.copytree(arguments.tree, tree, symlinks=True, ignore=shutil.ignore_patterns(".git"))
        environment = os.environ | {
            "HOME": folder,
            "BC_SKIP_MAPPING": "TRUE",
            "CKV_SKIP_PACKAGE_UPDATE_CHECK": "TRUE",
            "LOG_LEVEL": "ERROR",
        }
        rivals = contestants(arguments, tree, place, environment)
        if arguments.only:
            known = ", ".join(each.name for each in rivals)
            rivals = [each for each in rivals if each.name.startswith(tuple(arguments.only))]
            if not rivals:
                parser.error(f"--only names no contestant; there are {known}")
        for _ in range(arguments.rounds):
            for each in rivals:
                each.run(tree, environment)
    base = next((each for each in rivals if not each.name.startswith("srm-checks")), rivals[0])
    versions = ", ".join(f"{name} {version}" for name, version in engine_versions().items())
    print(f"{arguments.tree}, pack {arguments.pack}; Python {platform.python_version()}, {versions}")
    print(f"{'':22}{'CPU s':>9}{'wall s':>9}{'MiB':>7}{f'CPU : {base.name}':>20}")
    for each in rivals:
        cpu, wall, peak = each.median(0), each.median(1), each.median(2) / 1024
        print(f"{each.name:22}{cpu:9.2f}{wall:9.2f}{peak:7.0f}{cpu / base.median(0):20.3f}")
    if arguments.json:
        Path(arguments.json).write_text(json.dumps({each.name: each.runs for each in rivals}, indent=2) + "\n")


if __name__ == "__main__":
    main()
