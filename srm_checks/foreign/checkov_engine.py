"""The adapter to Checkov's runners: the only module that runs its built-in checks. It lives in a worker process.

Checkov keeps state in its modules (check objects, registries, parser contexts), reads environment variables on import
and can hang or crash on a hostile file, so it never runs in the process that reports.
"""

from __future__ import annotations

import logging
import os
import re
import socket
from collections.abc import Iterator
from typing import Any, Final

from srm_checks.foreign.result import Job, Result

_AWS_CHECKS: Final = ["CKV_AWS_*", "CKV2_AWS_*"]
# Read once when Checkov is imported: no look for updates, no platform, no worker processes of its own.
_ENVIRONMENT: Final = {
    "CKV_SKIP_PACKAGE_UPDATE_CHECK": "TRUE",
    "BC_SKIP_MAPPING": "TRUE",
    "CHECKOV_PARALLELIZATION_TYPE": "none",
    "GIT_PYTHON_REFRESH": "quiet",
}


def run(job: Job) -> tuple[list[Result], list[str]]:
    """The failed and skipped results of Checkov's AWS checks on one unit, and the files that it could not read.

    What passed is left out: Checkov takes guesses for values, and a guess must not count as met.
    """
    os.environ.update(_ENVIRONMENT)
    socket.has_ipv6 = False  # else a library that Checkov imports binds a socket to find out
    from checkov.runner_filter import RunnerFilter

    logging.getLogger().setLevel(logging.CRITICAL)  # its warnings are about its own business
    if job.framework == "terraform":
        from checkov.terraform.runner import Runner
    elif job.framework == "terraform_plan":
        from checkov.terraform.plan_runner import Runner
    else:
        from checkov.cloudformation.runner import Runner

    folder = os.path.abspath(job.path) if job.framework == "terraform" else None
    found = Runner().run(
        folder,
        files=None if folder else [os.path.abspath(job.path)],
        runner_filter=RunnerFilter(
            framework=[job.framework],
            checks=_AWS_CHECKS,
            excluded_paths=_other_folders(folder) if folder else [],
            var_files=[os.path.abspath(path) for path in job.var_files],
            download_external_modules=False,
            show_progress_bar=False,
            run_image_referencer=False,
        ),
    )
    results: list[Result] = []
    unread: set[str] = set()
    for report in found if isinstance(found, list) else [found]:
        results.extend(_results(report.failed_checks))
        results.extend(_results(report.skipped_checks))
        unread.update(str(path) for path in report.parsing_errors)
    return results, sorted(unread)


def _other_folders(root: str) -> list[str]:
    """Patterns for the folders below a root: they are roots of their own, or modules, which are read as such."""
    return [f"^{re.escape(entry.path)}$" for entry in os.scandir(root) if entry.is_dir()]


def _results(records: list[Any]) -> Iterator[Result]:
    for record in records:
        outcome = record.check_result
        skipped = outcome["result"].name == "SKIPPED"
        start, end = (int(line) for line in record.file_line_range)
        yield Result(
            check_id=record.check_id,
            title=record.check_name,
            resource=record.resource_address or record.resource,
            path=record.file_abs_path,
            start_line=start,
            end_line=end,
            attributes=tuple(sorted({str(key) for key in outcome.get("evaluated_keys") or ()})),
            severity=record.severity.name if record.severity else None,
            reason=str(outcome.get("suppress_comment") or "") if skipped else None,
        )
