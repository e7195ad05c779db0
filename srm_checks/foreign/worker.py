"""The process in which the engines run: a line of JSON in for each job, a line of JSON out with its answer.

An answer is `{"results": [...], "failures": [...]}`, or `{"crash": "..."}` where the engine raised.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
from collections.abc import Callable
from typing import Any, Final, TextIO

from srm_checks.catalogue import checks
from srm_checks.foreign.result import Job, Result

_ENGINES: Final = {
    checks.CHECKOV: "srm_checks.foreign.checkov_engine",
    checks.CFN_LINT: "srm_checks.foreign.cfn_lint_engine",
}


def main() -> None:
    """Answer jobs until standard input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when to stop
    with _answers() as answers:
        for line in sys.stdin:
            answers.write(json.dumps(_answer(Job.from_data(json.loads(line)))) + "\n")
            answers.flush()


def _answers() -> TextIO:
    """The pipe to the parent; whatever the engines print goes nowhere."""
    pipe = os.dup(sys.stdout.fileno())
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    return os.fdopen(pipe, "w", encoding="utf-8", errors="surrogateescape")


def _answer(job: Job) -> dict[str, Any]:
    try:
        run: Callable[[Job], tuple[list[Result], list[str]]] = importlib.import_module(_ENGINES[job.engine]).run
        results, failures = run(job)
    except Exception as error:  # noqa: BLE001 - whatever an engine raises costs this unit only
        return {"crash": f"{type(error).__name__}: {error}"}
    return {"results": [result.to_data() for result in results], "failures": failures}
