"""A scan that is not run says what it would say: single files come and go, and every answer is held against a scan."""

from __future__ import annotations

import io
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from srm_checks import cli, replay
from tests.test_cache import CHANGES as CHANGES_IN_UNITS
from tests.test_cache import DB, TREE, put

PACK = Path(__file__).parent.parent / "examples" / "org-pack"
FILES = {
    **TREE,
    # Without fileset(), which reads the names of all files, and would answer for all others.
    "main.tf": TREE["main.tf"].replace('length(fileset(path.module, "flags/*"))', "1"),
    # Outside of what is scanned, where no unit reads them.
    "../srm-checks.yaml": "packs: [aws-baseline, ./pack]\nexclude: [tree/old]\n",
    "../srm-waivers.yaml": "waivers:\n- policy: SRM-DAR-005\n  reason: known\n  owner: me\n  expires: 2027-01-01\n",
    "../prod.tfvars": "# none yet\n",
    "../parameters.json": '{"P": "x"}',
    "old/main.tf": DB,
    "node_modules/t.yaml": TREE["t.yaml"],
    ".gitignore": "built\n",
    "built/main.tf": DB,
}
CACHE = "../kept"
SCAN = (
    "scan", "--cache-dir", CACHE, "--all", "--var-file", "../prod.tfvars", "--parameters", "../parameters.json",
    "--select", "SRM-DAR-*", "--select", "SRM-BCK-*", "--select", "ACME-*", "--baseline", "../baseline.json", "-f", "json", "-f", "text=../out.txt", "-f", "sarif=../out.sarif",
)  # fmt: skip
OUTPUTS = ("../out.txt", "../out.sarif")


@dataclass(frozen=True)
class Said:
    """What a command line said, and whether it was run for that."""

    code: int
    out: str
    err: str
    files: tuple[str, ...]


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "home" / "tree"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    monkeypatch.setattr("srm_checks.facts._SETTLED", 0)  # else nothing is remembered of files as young as these
    for name in list(os.environ):
        if name.startswith(("TF_VAR_", "SRM_CHECKS_", "GITHUB_", "PYTEST_")):  # pytest names the phase of a test
            monkeypatch.delenv(name)
    for path, text in FILES.items():
        put(path, text)
    shutil.copytree(PACK, "../pack", ignore=shutil.ignore_patterns("fixtures"))
    subprocess.run(["git", "init", "-q", ".."], check=True)
    say("scan", "--no-cache", "--select", "SRM-BCK-*", "--write-baseline", "../baseline.json", "-q", "-f", "json")


def say(*arguments: str) -> tuple[Said, bool]:
    """What a command line says, and whether it was run."""
    ran: list[bool] = []

    def command(given: Sequence[str]) -> int:
        ran.append(True)
        return cli.run(given)

    for path in OUTPUTS:
        Path(path).unlink(missing_ok=True)
    streams = sys.stdout, sys.stderr
    heard = [io.BytesIO(), io.BytesIO()]
    mine = [io.TextIOWrapper(each, "utf-8", write_through=True) for each in heard]
    sys.stdout, sys.stderr = mine
    os.environ.pop("PYTEST_CURRENT_TEST", None)
    try:
        code = replay.run(arguments, command)
    finally:
        sys.stdout, sys.stderr = streams
        for stream in mine:
            stream.detach()
    files = tuple(Path(path).read_text() if os.path.exists(path) else "" for path in OUTPUTS)
    return Said(code, heard[0].getvalue().decode(), heard[1].getvalue().decode(), files), bool(ran)


def scan() -> Said:
    return say(*SCAN)[0]


def scan_anew() -> Said:
    return say(*SCAN, "--no-cache")[0]


def edit(path: str, old: str, new: str) -> None:
    text = Path(path).read_text()
    assert old in text
    Path(path).write_text(text.replace(old, new))


CHANGES: dict[str, Callable[[], object]] = {
    # What single units read has tests of its own; these go through both.
    **{
        name: CHANGES_IN_UNITS[name]
        for name in ("a file is edited", "a module goes", "a file comes that a function asks for")
    },
    "the configuration is edited": lambda: edit("../srm-checks.yaml", "[tree/old]", "[]"),
    "the configuration goes": lambda: os.unlink("../srm-checks.yaml"),
    "a waiver is edited": lambda: edit("../srm-waivers.yaml", "DAR-005", "BCK-001"),
    "the waivers go": lambda: os.unlink("../srm-waivers.yaml"),
    "the baseline is edited": lambda: put(
        "../baseline.json", json.dumps({**json.loads(Path("../baseline.json").read_text()), "findings": []})
    ),
    "the variables of the command line are edited": lambda: put("../prod.tfvars", "set = true\n"),
    "parameters are broken": lambda: put("../parameters.json", "[1"),
    "a policy of a pack is edited": lambda: [
        edit(str(path), "severity: ", "severity: info # ")
        for path in Path("../pack").rglob("*.yaml")
        if "id:" in path.read_text()
    ],
    "a pack's manifest is edited": lambda: edit("../pack/pack.yaml", "version: ", "version: 9."),
    "a policy goes": lambda: os.unlink(
        next(p for p in sorted(Path("../pack").rglob("*.yaml")) if p.name != "pack.yaml")
    ),
    "git ignores no more": lambda: put(".gitignore", ""),
    "git ignores more": lambda: put(".gitignore", "built\nt.yaml\n"),
    "git ignores more, and says so elsewhere": lambda: put("../.git/info/exclude", "t.yaml\n"),
    "what is ignored is tracked": lambda: subprocess.run(["git", "add", "-f", "built/main.tf"], check=True),
    "the repository goes": lambda: shutil.rmtree("../.git"),
    "a repository comes inside": lambda: [
        put("in/main.tf", DB),
        subprocess.run(["git", "init", "-q", "in"], check=True),
    ],
    "a skipped file comes": lambda: put("node_modules/deep/t.yaml", TREE["t.yaml"]),
    "a file becomes a link": lambda: [
        put("../far.yaml", TREE["t.yaml"] + "#\n"),
        os.unlink("t.yaml"),
        os.symlink("../far.yaml", "t.yaml"),
    ],
    "a folder becomes a link": lambda: [shutil.move("m", "../m"), os.symlink("../../m", "m")],
    "a module of a fetched one comes": lambda: put(".terraform/modules/x/main.tf", DB),
    "a file of another kind comes": lambda: put("notes.json", "{}"),
    "a file cannot be read": lambda: put("more.tf", 'resource "x" {'),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_after_a_change_the_answer_is_that_of_a_scan(tree: None, change: Callable[[], object]) -> None:
    before = scan()
    change()
    expected = scan_anew()
    assert scan() == expected
    assert scan() == expected
    if change is not CHANGES["a file of another kind comes"]:
        assert expected != before


def test_nothing_is_run_where_nothing_has_changed(tree: None) -> None:
    first, ran = say(*SCAN)
    assert ran
    second, ran_again = say(*SCAN)
    assert not ran_again
    assert second == first
    assert first.code == 1
    assert first.out
    assert all(first.files)


def test_there_and_back_again(tree: None) -> None:
    first = scan()
    put("more.tf", DB)
    assert scan() != first
    os.unlink("more.tf")
    assert scan() == first


@pytest.mark.parametrize(
    "name",
    ["TF_VAR_set", "SRM_CHECKS_FAIL_ON", "NO_COLOR", "SOURCE_DATE_EPOCH"],
)
def test_the_environment_has_a_say(tree: None, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    scan()
    monkeypatch.setenv(name, "low" if name.startswith("SRM") else "1")
    assert say(*SCAN)[1]


def test_the_day_has_a_say(tree: None, monkeypatch: pytest.MonkeyPatch) -> None:
    scan()
    monkeypatch.setattr("time.strftime", lambda shape: "2027-01-02")
    assert say(*SCAN)[1]


@pytest.mark.parametrize(
    "arguments",
    [
        ("--no-cache",),
        ("--write-baseline", "other.json"),
        ("--shard", "1/1"),
        ("--with-builtins", "--select", "CKV_AWS_16"),
        ("--diff", "HEAD"),
        ("-f", "gitlab-sast=../sast.json"),
    ],
    ids=lambda arguments: arguments[0] if arguments[0] != "-f" else "a report with the time",
)
def test_what_may_be_different_each_time_is_run_each_time(tree: None, arguments: tuple[str, ...]) -> None:
    subprocess.run(
        ["git", "-c", "user.name=x", "-c", "user.email=x@y", "commit", "-qm", "x", "--allow-empty"], check=True
    )
    command = ("scan", "--cache-dir", CACHE, "-f", "json", *arguments)
    say(*command)
    assert say(*command)[1]


def test_a_summary_is_added_to_each_time(tree: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    command = ("scan", "--cache-dir", CACHE, "-f", "github")
    say(*command)
    once = (tmp_path / "summary.md").stat().st_size
    assert say(*command)[1]
    assert (tmp_path / "summary.md").stat().st_size == 2 * once


def test_a_mistake_in_the_call_is_told_each_time(tree: None) -> None:
    command = ("scan", "--cache-dir", CACHE, "--select", "NO-SUCH")
    first, _ran = say(*command)
    assert first.code == 2
    assert say(*command) == (first, True)


@pytest.mark.parametrize("body", ["{}", "[]", '{"reads": 1}', '{"reads": [], "code": 0}', "x"])
def test_a_damaged_answer_is_none(tree: None, body: str) -> None:
    first = scan()
    with sqlite3.connect(Path(CACHE, "results.sqlite")) as base:
        assert base.execute("UPDATE answers SET body = ?", (body,)).rowcount == 1
    assert say(*SCAN) == (first, True)


def test_a_cache_that_somebody_else_filled_writes_no_other_file(tree: None) -> None:
    first = scan()
    with sqlite3.connect(Path(CACHE, "results.sqlite")) as base:
        body = json.loads(base.execute("SELECT body FROM answers").fetchone()[0])
        body["files"]["../planted"] = "x"
        base.execute("UPDATE answers SET body = ?", (json.dumps(body),))
    assert say(*SCAN) == (first, True)
    assert not os.path.exists("../planted")


def test_a_place_that_cannot_be_written_is_told_by_the_scan(tree: None) -> None:
    command = ("scan", "--cache-dir", CACHE, "-f", "json=place/out.json")
    assert say(*command)[0].code == 1
    say(*command)
    shutil.rmtree("place")
    put("place", "a file")
    assert say(*command)[0].code == 2


WATCH = """
import json, os, sys
seen = []

def watch(event, values):
    if event in ("open", "os.listdir", "os.scandir") and isinstance(values[0], (str, bytes)) and not busy:
        seen.append((event, os.path.realpath(os.fsdecode(values[0])), str(values[1]) if event == "open" else ""))

busy = False
from srm_checks import reads, replay
from srm_checks.cli import run
from srm_checks.policy.packs import library
kept = []
from srm_checks.cache import Cache
keep = Cache.keep_answer
Cache.keep_answer = lambda self, key, body: (kept.append(body), keep(self, key, body))
of = reads.States.of

def looked(self, kind, path):  # to learn a state it reads what is recorded in that moment
    global busy
    before, busy = busy, True
    try:
        return of(self, kind, path)
    finally:
        busy = before

reads.States.of = looked
sys.addaudithook(watch)
code = replay.run(sys.argv[1:], run)
busy = True
assert kept, "the scan was not remembered"
read = {os.path.realpath(path) for kind, path, state in kept[0]["reads"] if kind in ("file", "listing", "names", "tree")}
roots = {os.path.realpath(path) for kind, path, state in kept[0]["reads"] if kind == "tree"}
code_of = [os.path.realpath(p) for p in (sys.prefix, sys.base_prefix, os.path.dirname(reads.__file__), sys.argv[3], library())]
code_of += ["/dev", "/proc", "/etc", "/usr"]
for event, path, mode in seen:
    if any(path == top or path.startswith(top + os.sep) for top in code_of) or "w" in mode:
        continue
    if path not in read and not any(path.startswith(root + os.sep) for root in roots if event != "open"):
        print("not recorded:", event, path, mode, file=sys.stderr)
"""


def test_all_that_is_read_is_recorded(tree: None) -> None:
    """By the interpreter's own account of what is opened and listed."""
    done = subprocess.run(
        [sys.executable, "-c", WATCH, *SCAN, "--jobs", "1"], capture_output=True, text=True, check=False
    )
    assert [line for line in done.stderr.splitlines() if not line.startswith("note:")] == []
