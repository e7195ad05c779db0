"""Work spread over processes: complete, in any order, and a bad item costs only itself."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from srm_checks import workers
from srm_checks.errors import EnvironmentProblem


def square(number: int) -> int:
    return number * number


def moody(number: int) -> int:
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    if number == 5:
        time.sleep(60)
    return number


def stuck(number: int) -> int:
    while True:
        try:
            time.sleep(60)
        except Exception:  # noqa: BLE001  # code that swallows errors must not swallow the limit
            number += 1


def refuse(number: int) -> int:
    raise EnvironmentProblem(f"no {number}")


def done(items: list[int], work: object, jobs: int | None, limit: float | None = None) -> dict[int, object]:
    found = dict(workers.run(items, work, jobs=jobs, limit=limit))  # type: ignore[arg-type,var-annotated]
    return {number: result.kind if isinstance(result, workers.Lost) else result for number, result in found.items()}


@pytest.mark.parametrize("jobs", [None, 1, 2, 4])
def test_every_item_is_done_once(jobs: int | None) -> None:
    assert done(list(range(20)), square, jobs) == {number: number * number for number in range(20)}


def test_nothing_to_do() -> None:
    assert done([], square, 4) == {}


def test_an_item_that_kills_its_process_or_hangs_costs_only_itself() -> None:
    expected: dict[int, object] = {number: number for number in range(12)}
    assert done(list(range(12)), moody, 2, limit=3) == {**expected, 3: "crash", 5: "timeout"}


def test_one_process_keeps_the_limit_too() -> None:
    assert done([1], stuck, 1, limit=0.2) == {0: "timeout"}


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_error_of_the_installation_ends_the_work(jobs: int) -> None:
    with pytest.raises(EnvironmentProblem, match="no "):
        done([1, 2, 3], refuse, jobs)


def test_workers_end_with_the_one_who_started_them(tmp_path: Path) -> None:
    """Also where it is killed and can say nothing."""
    script = (
        "import os, sys, time\n"
        "from srm_checks import workers\n"
        "def work(number):\n"
        f"    open(os.path.join({str(tmp_path)!r}, str(os.getpid())), 'w').close()\n"
        "    time.sleep(1.5)\n"
        "list(workers.run(range(50), work, jobs=3, limit=None))\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script])
    while len(os.listdir(tmp_path)) < 3:
        time.sleep(0.02)
    process.kill()
    process.wait()
    children = [int(name) for name in os.listdir(tmp_path)]
    patience = time.monotonic() + 30
    while any(alive(child) for child in children):
        assert time.monotonic() < patience, "a worker outlived its parent"
        time.sleep(0.05)


def alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().split()[2] != "Z"
    except OSError:
        return False


TREE = 'resource "aws_db_instance" "x" {\n  engine = "postgres"\n}\n'


def heeds_interrupts() -> None:
    """Where the tests run in the background, a shell has told them and their children to ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_an_interrupt_ends_scan_and_workers_at_once(tmp_path: Path) -> None:
    for number in range(400):
        folder = tmp_path / f"r{number}"
        folder.mkdir()
        (folder / "main.tf").write_text(TREE * 1 + "".join(TREE.replace('"x"', f'"x{n}"') for n in range(60)))
    process = subprocess.Popen(
        [sys.executable, "-m", "srm_checks", "scan", ".", "--no-cache", "-j", "2", "-f", "json"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=heeds_interrupts,
    )
    children: list[int] = []
    while len(children) < 2:
        assert process.poll() is None, "it ended before it could be interrupted"
        listed = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        children = [int(child) for child in listed]
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err[-2000:]
    assert out == b""
    assert b"Traceback" not in err
    assert not any(alive(child) for child in children)


FORK = """
import os, signal, sys
from srm_checks import workers

os.register_at_fork(after_in_parent=lambda: os.kill(os.getpid(), signal.SIGINT))
try:
    print(sorted(workers.run(range(9), abs, jobs=2, limit=None)))
except KeyboardInterrupt:
    sys.exit(130)
"""


def test_an_interrupt_while_a_worker_starts_is_not_lost() -> None:
    done = subprocess.run(
        [sys.executable, "-c", FORK],
        capture_output=True, text=True, timeout=60, check=False, preexec_fn=heeds_interrupts,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")
