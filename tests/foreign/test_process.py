"""The worker process: real engines answer, and whatever they do costs one unit only."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from srm_checks.foreign.process import Worker
from srm_checks.foreign.result import Job

Project = Callable[[dict[str, str]], Path]

TEMPLATE = 'Resources:\n  Fn:\n    Type: AWS::Lambda::Function\n    Properties: {Runtime: python3.7, Role: "a:b:c"}\n'
LINT = Job(engine="cfn-lint", framework="cloudformation", path="t.yaml")


def test_an_answer(project: Project) -> None:
    project({"t.yaml": TEMPLATE})
    with Worker(limit=120) as worker:
        answer = worker.run(LINT)
    assert (answer.problem, answer.failures) == ("", ())
    assert "E2531" in {result.check_id for result in answer.results}


def test_modules_in_the_scanned_folder_are_not_run(project: Project) -> None:
    trap = "open('ran', 'w').close()\n"
    here = project({"t.yaml": TEMPLATE, "cfnlint.py": trap, "yaml.py": trap, "json.py": trap})
    with Worker(limit=120) as worker:
        assert worker.run(LINT).results
    assert not (here / "ran").exists()


def test_an_engine_that_raises(project: Project) -> None:
    project({"t.yaml": TEMPLATE})
    with Worker(limit=120) as worker:
        broken = worker.run(Job(engine="cfn-lint", framework="cloudformation", path="missing.yaml"))
        whole = worker.run(LINT)
    assert broken.problem == "crash" or broken.failures
    assert whole.results


def test_a_process_that_dies_is_replaced(project: Project) -> None:
    project({"t.yaml": TEMPLATE})
    with Worker(limit=120) as worker:
        worker.run(LINT)
        assert worker._process is not None
        os.kill(worker._process.pid, signal.SIGKILL)
        worker._process.wait()
        answer = worker.run(LINT)
        assert answer.problem == "crash"
        assert answer.message == "the process of cfn-lint ended with -9; its checks did not see this input."
        assert worker.run(LINT).results


def test_a_time_limit(project: Project) -> None:
    project({"t.yaml": TEMPLATE})
    with Worker(limit=0.001) as worker:
        answer = worker.run(LINT)
        assert answer.problem == "timeout"
        assert answer.message == "cfn-lint did not finish within 0.001 seconds; its checks did not see this input."
        assert worker._process is None, "it does not go on in the background"


@pytest.mark.parametrize("name", ["ünïcode.yaml", "a b.yaml"])
def test_names_of_files(project: Project, name: str) -> None:
    project({name: TEMPLATE})
    with Worker(limit=120) as worker:
        assert worker.run(Job(engine="cfn-lint", framework="cloudformation", path=name)).results
