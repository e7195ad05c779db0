"""The worker process as its parent sees it: jobs in, answers out, a time limit on each, a new process after a crash."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from dataclasses import dataclass
from types import TracebackType
from typing import IO, Final

from srm_checks import grammar
from srm_checks.foreign.result import Job, Result

# The worker must not find modules in the scanned folder, where `-m` and `-c` would look first.
_START: Final = "import sys; sys.path[:] = sys.argv[1:]; from srm_checks.foreign.worker import main; main()"


@dataclass(frozen=True, slots=True)
class Answer:
    """What an engine said of a unit.

    `failures` are its own words for what it could not read or judge. `problem` is "", `crash` or `timeout`, with
    `message` as a sentence.
    """

    results: tuple[Result, ...] = ()
    failures: tuple[str, ...] = ()
    problem: str = ""
    message: str = ""


class Worker:
    """A process for the engines, started with the first job and again after it died.

    `limit` is the time for one job in seconds. Use it as a context manager.
    """

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def run(self, job: Job) -> Answer:
        """Do one job; never raises for what an engine does."""
        process = self._process or self._start()
        line = self._ask(process, job)
        if line is None:
            self._stop()
            words = f"{job.engine} did not finish within {self._limit:g} seconds; its checks did not see this input."
            return Answer(problem="timeout", message=words)
        if not line:
            code = process.wait()
            self._stop()
            words = f"the process of {job.engine} ended with {code}; its checks did not see this input."
            return Answer(problem="crash", message=words)
        data = json.loads(line)
        if "crash" in data:
            words = f"{job.engine} failed ({data['crash']}); its checks did not see this input."
            return Answer(problem="crash", message=words)
        return Answer(tuple(map(Result.from_data, data["results"])), tuple(data["failures"]))

    def _ask(self, process: subprocess.Popen[str], job: Job) -> str | None:
        """The line that comes back: "" where the process died, None where it took too long."""
        answer: list[str] = []
        asked, answers = _pipe(process.stdin), _pipe(process.stdout)
        try:
            asked.write(json.dumps(job.to_data()) + "\n")
            asked.flush()
        except BrokenPipeError:
            return ""
        # A thread, because a pipe can be waited for with a limit on no platform alike.
        reader = threading.Thread(target=lambda: answer.append(answers.readline()), daemon=True)
        reader.start()
        reader.join(self._limit)
        return answer[0] if answer else None

    def _start(self) -> subprocess.Popen[str]:
        path = [os.path.abspath(entry) for entry in sys.path]
        self._process = subprocess.Popen(
            [sys.executable, "-c", _START, *path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
            errors="surrogateescape",
            env={
                **os.environ,
                "PYTHONHASHSEED": "0",  # both engines go through sets
                **({"TMPDIR": os.path.abspath(kept)} if (kept := grammar.folder()) else {}),
            },
        )
        return self._process

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            try:
                _pipe(stream).close()
            except BrokenPipeError:  # what it was never told is of no use to it now
                continue


def _pipe(stream: IO[str] | None) -> IO[str]:
    assert stream is not None
    return stream
