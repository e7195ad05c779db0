"""One scan in parts, on several processes, on a cluster: the same report, to the byte."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import srm_checks
from srm_checks import shards
from srm_checks.cli import run
from srm_checks.errors import UsageError
from srm_checks.model import Unit, UnitKind

ROOT = Path(__file__).resolve().parents[1]
WEAK = 'resource "aws_db_instance" "x" {\n  engine = "postgres"\n}\n'
TRAIL = 'resource "aws_cloudtrail" "t" {\n  name                  = "t"\n  s3_bucket_name        = "b"\n  is_multi_region_trail = false\n}\n'
TEMPLATE = "AWSTemplateFormatVersion: '2010-09-09'\nResources:\n  T:\n    Type: AWS::SNS::Topic\n"


@pytest.fixture(autouse=True)
def _tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for number in range(7):
        folder = Path(f"r{number}")
        folder.mkdir()
        (folder / "main.tf").write_text(WEAK * 1 + f'resource "aws_sqs_queue" "q{number}" {{\n}}\n')
    Path("r3/trail.tf").write_text(TRAIL)
    Path("r5/broken.tf").write_text("resource {\n")
    Path("t.yaml").write_text(TEMPLATE)
    Path("srm-checks.yaml").write_text("waivers: w.yaml\nexclude: [none/**]\n")
    Path("w.yaml").write_text(
        "waivers:\n  - policy: SRM-DAR-005\n    scope: {path: r1/**}\n    reason: moves next week\n    owner: a@example.com\n"
        "    created: 2026-11-01\n    expires: 2099-01-01\n"
    )


def report(*arguments: str) -> bytes:
    code = run([*arguments, "--exit-zero", "-f", "json=out.json"])
    assert code in (0, 3)
    return Path("out.json").read_bytes()


OPTIONS = ["--scope", "account", "--all", "--today", "2026-11-21"]


def part(index: int, count: int, *arguments: str) -> str:
    name = f"part{index}.json"
    run(["scan", ".", "--shard", f"{index}/{count}", *arguments, "--exit-zero", "-f", f"json={name}"])
    return name


@pytest.mark.parametrize("arguments", [[], OPTIONS, ["--select", "SRM-D*", "--side", "customer"]], ids=str)
def test_three_parts_merged_are_the_whole(arguments: list[str]) -> None:
    whole = report("scan", ".", *arguments)
    parts = [part(index, 3, *arguments) for index in (1, 2, 3)]
    assert report("merge", *reversed(parts)) == whole
    held = [len(json.loads(Path(name).read_text())["shard"]["reports"]) for name in parts]
    assert sum(held) == 8
    assert min(held) > 0


def test_the_baseline_and_the_gate_are_those_of_merge() -> None:
    report("scan", ".", "--write-baseline", "base.json")
    whole = report("scan", ".", "--baseline", "base.json")
    parts = [part(index, 2) for index in (1, 2)]
    assert report("merge", *parts, "--baseline", "base.json") == whole
    assert run(["merge", *parts, "-f", "json=x.json"]) == 1
    assert run(["merge", *parts, "--fail-on", "never", "-f", "json=x.json"]) == 3


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run([*arguments]) == 2
    return capsys.readouterr().err


def test_parts_that_make_no_whole(capsys: pytest.CaptureFixture[str]) -> None:
    one, two = part(1, 3), part(2, 3)
    capsys.readouterr()
    assert "of 3 parts these are missing: 3" in refused(capsys, "merge", one, two)
    assert "are both part 1/3" in refused(capsys, "merge", one, one)
    other = part(3, 3, "--scope", "account")
    assert "are not parts of one scan" in refused(capsys, "merge", one, two, other)
    report("scan", ".")
    assert "is no part of a scan" in refused(capsys, "merge", one, "out.json")
    assert "--shard takes the part" in refused(capsys, "scan", ".", "--shard", "4/3")
    assert "--shard and --diff do not go together" in refused(capsys, "scan", ".", "--shard", "1/2", "--diff", "HEAD")
    Path("x.json").write_text("{}")
    assert "not a JSON report of srm-checks" in refused(capsys, "merge", "x.json")
    Path("x.json").write_text("{")
    assert "not JSON" in refused(capsys, "merge", "x.json")


def test_reports_of_several_scans_are_put_together() -> None:
    report("scan", "r1")
    os.rename("out.json", "one.json")
    report("scan", "r2")
    os.rename("out.json", "two.json")
    joined = json.loads(report("merge", "one.json", "two.json", "one.json"))
    both = json.loads(report("scan", "r1", "r2"))
    assert joined["findings"] == both["findings"]
    assert joined["tool"]["packs"] == both["tool"]["packs"]


def test_every_format_can_be_made_of_parts() -> None:
    from srm_checks.report import FORMATS

    parts = [part(index, 2) for index in (1, 2)]
    for name in FORMATS.keys() - {"gitlab-sast"}:  # which tells the time
        run(["scan", ".", "--exit-zero", "-f", f"{name}=a"])
        run(["merge", *parts, "--exit-zero", "-f", f"{name}=b"])
        assert Path("a").read_bytes() == Path("b").read_bytes(), name


def test_units_are_cut_evenly_and_each_once() -> None:
    units = [Unit(UnitKind.TERRAFORM, f"u{number:02}") for number in range(40)]
    costs = {unit: float((number * 7919) % 23 + 1) for number, unit in enumerate(units)}
    parts = [shards.cut(units, index, 4, costs.get) for index in (1, 2, 3, 4)]
    assert sorted(unit for mine in parts for unit in mine) == units
    loads = [sum(costs[unit] for unit in mine) for mine in parts]
    assert max(loads) - min(loads) <= max(costs.values())
    assert [shards.cut(list(reversed(units)), index, 4, costs.get) for index in (1, 2, 3, 4)] == parts


@pytest.mark.parametrize("text", ["", "1", "0/2", "3/2", "a/b", "1/2/3", "-1/2"])
def test_a_shard_that_is_none(text: str) -> None:
    with pytest.raises(UsageError):
        shards.parse(text)


# ------------------------------------------------------------------ executors


def plain(**options: Any) -> dict[str, Any]:
    return srm_checks.scan(".", **{"cache": False, "include_all": True, **options})


def test_one_worker_or_four() -> None:
    assert plain(jobs=1) == plain(jobs=4) == plain()


def test_any_executor_will_do() -> None:
    expected = plain(jobs=1)
    with ThreadPoolExecutor(3) as threads:
        assert plain(executor=threads) == expected
    with ProcessPoolExecutor(2) as processes:
        assert plain(executor=processes) == expected


def test_variables_of_the_environment_reach_other_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("r0/main.tf").write_text(
        'variable "on" {}\nresource "aws_db_instance" "x" {\n  engine            = "postgres"\n  storage_encrypted = var.on\n}\n'
    )
    with ProcessPoolExecutor(1) as processes:
        processes.submit(len, ()).result()  # it has started, without the variable
        monkeypatch.setenv("TF_VAR_on", "true")
        assert plain(executor=processes) == plain(jobs=1)


@pytest.fixture
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """A Dask scheduler with two workers, each a process of its own."""
    pytest.importorskip("distributed")
    home = tmp_path_factory.mktemp("dask")
    told = home / "scheduler.json"
    environment = os.environ | {"PYTHONPATH": str(ROOT), "DASK_DISTRIBUTED__ADMIN__TICK__LIMIT": "60s"}

    def start(*words: str) -> subprocess.Popen[bytes]:
        argv = [sys.executable, "-m", "distributed.cli." + words[0], *words[1:]]
        return subprocess.Popen(argv, cwd=home, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    file = ["--scheduler-file", str(told)]
    scheduler = start("dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", *file)
    workers = [
        start("dask_worker", "--nthreads", "1", "--no-nanny", "--no-dashboard", "--host", "127.0.0.1", *file)
        for _ in range(2)
    ]
    try:
        patience = time.monotonic() + 60
        while not (told.exists() and told.read_text()):  # it is there before it is filled
            assert time.monotonic() < patience
            time.sleep(0.05)
        yield json.loads(told.read_text())["address"].replace("tcp://", "dask://"), workers
    finally:
        for process in [*workers, scheduler]:
            process.kill()
            process.wait()


def test_dask_finds_the_same_and_survives_the_loss_of_a_worker(
    cluster: tuple[str, list[subprocess.Popen[bytes]]],
) -> None:
    address, workers = cluster
    expected = plain(jobs=1)
    assert plain(executor=address) == expected
    workers[0].kill()
    assert plain(executor=address) == expected


def test_an_executor_that_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert "unknown executor" in refused(capsys, "scan", ".", "--executor", "ray://x")
    pytest.importorskip("distributed")
    assert "no Dask scheduler answers" in refused(capsys, "scan", ".", "--executor", "dask://127.0.0.1:9")
