"""The cache gives what a scan gives: single files come and go, and every answer is held against an uncached one."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import srm_checks
from srm_checks import facts, reads
from srm_checks.model import EngineOptions, Unit, UnitKind
from srm_checks.units import load_unit

FOLDER = "../kept"  # outside of the tree, of which fileset() lists all
TREE = {
    "main.tf": (
        'variable "on" {}\nvariable "set" {\n  default = false\n}\n'
        'module "m" {\n  source = "./m"\n  on     = var.on\n}\n'
        'module "gone" {\n  source = "./gone"\n}\n'
        'module "far" {\n  source  = "some/where/aws"\n  version = "1.0.0"\n}\n'
        'resource "aws_db_instance" "a" {\n  engine            = "postgres"\n  storage_encrypted = var.set\n}\n'
        'resource "aws_db_instance" "b" {\n  engine            = "postgres"\n'
        '  storage_encrypted = jsondecode(file("${path.module}/on.json"))\n}\n'
        'resource "aws_db_instance" "c" {\n  count             = length(fileset(path.module, "flags/*"))\n'
        '  engine            = "postgres"\n  storage_encrypted = fileexists("yes")\n}\n'
    ),
    "m/main.tf": 'variable "on" {}\nresource "aws_db_instance" "x" {\n  engine            = "postgres"\n  storage_encrypted = var.on\n}\n',
    "terraform.tfvars": "on = true\n",
    "on.json": "true\n",
    "flags/one": "",
    "t.yaml": (
        "AWSTemplateFormatVersion: '2010-09-09'\nResources:\n  D:\n    Type: AWS::RDS::DBInstance\n"
        "    Properties:\n      Engine: postgres\n      StorageEncrypted: false\n"
    ),
    "plan.json": json.dumps(
        {
            "format_version": "1.2",
            "terraform_version": "1.9.0",
            "planned_values": {
                "root_module": {
                    "resources": [
                        {
                            "address": "aws_db_instance.p",
                            "mode": "managed",
                            "type": "aws_db_instance",
                            "name": "p",
                            "values": {"engine": "postgres", "storage_encrypted": False},
                        }
                    ]
                }
            },
        }
    ),
}


@pytest.fixture(autouse=True)
def _tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "tree"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setattr(facts, "_SETTLED", 0)  # else nothing is remembered of files as young as these
    for name in list(os.environ):
        if name.startswith(("TF_VAR_", "SRM_CHECKS_")):
            monkeypatch.delenv(name)
    for path, text in TREE.items():
        put(path, text)


def put(path: str, text: str) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text)


def scan(**options: Any) -> dict[str, Any]:
    return srm_checks.scan(".", **{"cache_dir": FOLDER, "jobs": 1, "include_all": True, **options})


def outcomes(report: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(f["policy_id"], f["resource"]["address"], f["outcome"]) for f in report["findings"]]


DB = 'resource "aws_db_instance" "new" {\n  engine = "postgres"\n}\n'
CHANGES: dict[str, Callable[[], object]] = {
    "a file is edited": lambda: put("main.tf", TREE["main.tf"].replace("default = false", "default = true")),
    "a file comes": lambda: put("more.tf", DB),
    "an override comes": lambda: put(
        "a_override.tf", 'resource "aws_db_instance" "a" {\n  storage_encrypted = true\n}\n'
    ),
    "a file in JSON comes": lambda: put(
        "x.tf.json", '{"resource": {"aws_db_instance": {"j": {"engine": "postgres"}}}}'
    ),
    "variables come": lambda: put("x.auto.tfvars", "set = true\n"),
    "variables are edited": lambda: put("terraform.tfvars", "on = false\n"),
    "variables go": lambda: os.unlink("terraform.tfvars"),
    "a module is edited": lambda: put("m/main.tf", TREE["m/main.tf"].replace("= var.on", "= false")),
    "a file comes to a module": lambda: put("m/more.tf", DB),
    "a module comes that was not there": lambda: put("gone/main.tf", DB),
    "a module goes": lambda: shutil.rmtree("m"),
    "a module is fetched": lambda: [
        put(
            ".terraform/modules/modules.json",
            json.dumps({"Modules": [{"Key": "far", "Dir": ".terraform/modules/far"}]}),
        ),
        put(".terraform/modules/far/main.tf", DB),
    ],
    "a file that a function reads is edited": lambda: put("on.json", "false\n"),
    "a file that a function reads goes": lambda: os.unlink("on.json"),
    "a file comes that a function lists": lambda: put("flags/two", ""),
    "a file comes that a function asks for": lambda: put("yes", ""),
    "a template is edited": lambda: put("t.yaml", TREE["t.yaml"].replace("false", "true")),
    "a plan is edited": lambda: put("plan.json", TREE["plan.json"].replace("false", "true")),
    "a root comes": lambda: put("other/main.tf", DB),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_after_a_change_the_cache_says_what_a_scan_says(change: Callable[[], object]) -> None:
    before = scan()
    change()
    changed = scan()
    assert changed == scan(cache=False)
    assert changed != before
    assert scan() == changed


def test_every_change_and_back_again() -> None:
    """In one long life of a cache, and with all states of the tree in it."""
    first = scan()
    for change in CHANGES.values():
        change()
        assert scan() == scan(cache=False)
        shutil.rmtree("m", ignore_errors=True)
        for entry in os.scandir("."):
            shutil.rmtree(entry.path) if entry.is_dir() else os.unlink(entry.path)
        for path, text in TREE.items():
            put(path, text)
        assert scan() == first


def test_the_top_of_the_repository_is_part_of_every_fingerprint() -> None:
    put("sub/main.tf", DB)
    os.mkdir(".git")
    before = scan()
    os.mkdir("sub/.git")
    assert scan() == scan(cache=False) != before


def judged(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The units that are judged from now on."""
    from srm_checks import units

    seen: list[str] = []
    judge = units.judge_unit

    def watched(unit: Unit, *rest: Any) -> Any:
        seen.append(unit.path)
        return judge(unit, *rest)

    monkeypatch.setattr(units, "judge_unit", watched)
    return seen


def test_what_has_not_changed_is_not_judged_again(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = judged(monkeypatch)
    scan()
    assert sorted(seen) == [".", "plan.json", "t.yaml"]
    seen.clear()
    scan()
    assert seen == []
    put("t.yaml", TREE["t.yaml"] + "# x\n")
    scan()
    assert seen == ["t.yaml"]


@pytest.mark.parametrize(
    "options",
    [
        {"scope": "account"},
        {"packs": ["aws-strict"]},
        {"select": ["SRM-DAR-005"]},
        {"var_files": ["prod.tfvars"]},
        {"parameters": {"P": "x"}},
        {"engine": "checkov"},
    ],
    ids=lambda options: next(iter(options)),
)
def test_every_option_that_has_a_say_is_in_the_key(options: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    put("prod.tfvars", "set = true\n")
    scan()
    seen = judged(monkeypatch)
    scan(**options)
    assert seen


def test_variables_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    before = scan()
    monkeypatch.setenv("TF_VAR_set", "true")
    assert scan() == scan(cache=False) != before


def test_the_day_matters_only_where_a_date_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    import datetime

    put("lambda/main.tf", 'resource "aws_lambda_function" "f" {\n  runtime = "python3.13"\n}\n')
    scan(today=datetime.date(2026, 11, 21))
    seen = judged(monkeypatch)
    scan(today=datetime.date(2026, 11, 22))
    assert "lambda" in seen
    assert "t.yaml" not in [path for path in seen if path.endswith(".json")]


def test_a_scan_for_gaps_finds_what_one_for_all_has_left(monkeypatch: pytest.MonkeyPatch) -> None:
    scan()
    seen = judged(monkeypatch)
    assert scan(include_all=False) == scan(include_all=False, cache=False)
    assert sorted(seen) == [".", "plan.json", "t.yaml"]  # of the uncached one


def test_counts_are_the_same_without_the_findings() -> None:
    scan(include_all=False)
    assert scan(include_all=False)["summary"] == scan(cache=False)["summary"]


def test_a_file_argument_is_served_from_the_cache_too() -> None:
    scan(include_all=False)
    for path in ("m/main.tf", "t.yaml", "terraform.tfvars"):
        options: dict[str, Any] = {"cache_dir": FOLDER, "jobs": 1}
        assert srm_checks.scan(path, **options) == srm_checks.scan(path, cache=False, jobs=1)


@pytest.mark.parametrize("damage", [b"", b"garbage" * 1000, b'{"some": "JSON"}'], ids=["emptied", "garbage", "JSON"])
def test_a_damaged_cache_does_no_harm_and_heals(damage: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = scan()
    Path(FOLDER, "results.sqlite").write_bytes(damage)
    assert scan() == expected
    seen = judged(monkeypatch)
    assert scan() == expected
    assert seen == []


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are texts there")
def test_a_name_that_is_not_valid_unicode() -> None:
    Path(os.fsdecode(b"caf\xe9.tf")).write_text('resource "aws_db_instance" "odd" {\n}\n')
    expected = scan(cache=False)
    assert any("\udce9" in finding["location"]["path"] for finding in expected["findings"])
    assert scan() == expected
    assert scan() == expected


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_what_is_no_ordinary_file_is_not_waited_for() -> None:
    os.mkfifo("pipe.tf")
    os.mkfifo("x.auto.tfvars")
    expected = scan(cache=False)
    assert scan() == expected
    assert scan() == expected


@pytest.mark.parametrize("report", ["", "{}", '{"unit": 1}', "[]", "null"])
def test_a_damaged_entry_is_judged_again(report: str) -> None:
    expected = scan()
    base = sqlite3.connect(Path(FOLDER, "results.sqlite"))
    base.execute("UPDATE units SET report = ?", (report,))
    base.commit()
    base.close()
    assert scan() == expected


def test_a_folder_that_cannot_be_made_is_told_of_and_no_disaster(capsys: pytest.CaptureFixture[str]) -> None:
    from srm_checks.cli import run

    put("file", "")
    code = run(["scan", "t.yaml", "--cache-dir", "file/x", "--select", "SRM-DAR-005", "-f", "json"])
    captured = capsys.readouterr()
    assert code == 1
    assert json.loads(captured.out)["summary"]["gap"] == 1
    assert "the cache in file/x is not used" in captured.err


def test_scans_at_the_same_time_do_not_disturb_each_other() -> None:
    expected = scan(cache=False)
    found: list[Any] = []
    script = (
        "import srm_checks, json, sys\n"
        f"sys.stdout.write(json.dumps(srm_checks.scan('.', cache_dir={FOLDER!r}, jobs=1, include_all=True)))"
    )

    def one() -> None:
        import subprocess

        result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
        found.append(json.loads(result.stdout))

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [report["summary"] for report in found] == [expected["summary"]] * 4
    assert scan() == expected


def test_it_stays_in_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    from srm_checks import cache

    monkeypatch.setattr(cache, "MAX_BYTES", 1)
    scan()
    base = sqlite3.connect(Path(FOLDER, "results.sqlite"))
    assert base.execute("SELECT count(*) FROM units").fetchone() == (0,)
    base.close()


def test_the_cache_folder_is_no_input() -> None:
    scan()
    assert Path(FOLDER, ".gitignore").read_text() == "*\n"
    assert Path(FOLDER, "CACHEDIR.TAG").is_file()


# ------------------------------------------------------------------ that nothing is read unrecorded


def _opened(action: Callable[[], object]) -> set[str]:
    """The files of the tree that an action opens or lists, by Python's own audit of it."""
    seen: set[str] = set()
    top = os.getcwd()

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if watching and event in ("open", "os.listdir", "os.scandir") and isinstance(arguments[0], (str, os.PathLike)):
            path = os.path.abspath(arguments[0])
            if path == top or path.startswith(top + os.sep):
                seen.add(os.path.relpath(path))

    watching = True
    sys.addaudithook(hook)
    action()
    watching = False
    return seen


def recorded(unit: Unit) -> Iterator[str]:
    with reads.recorded(reads.States()) as recorder:
        load_unit(unit, EngineOptions())
    for _kind, path in recorder.reads:
        yield path


@pytest.mark.parametrize(
    "unit",
    [Unit(UnitKind.TERRAFORM, "."), Unit(UnitKind.CLOUDFORMATION, "t.yaml"), Unit(UnitKind.PLAN, "plan.json")],
    ids=lambda unit: unit.kind.value,
)
def test_engines_record_all_that_they_read(unit: Unit) -> None:
    opened = _opened(lambda: load_unit(unit, EngineOptions()))
    assert opened
    noted = set(recorded(unit))
    if unit.kind is UnitKind.TERRAFORM:
        noted.add("flags")  # below a tree that is noted
    assert opened <= noted
