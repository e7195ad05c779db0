"""The adapter to cfn-lint's own rules. It lives in a worker process: some templates take it minutes."""

from __future__ import annotations

import functools
import logging
import os
from typing import TYPE_CHECKING, Any, Final

from srm_checks.catalogue import checks
from srm_checks.foreign.result import Job, Result

if TYPE_CHECKING:
    from cfnlint.config import ConfigMixIn
    from cfnlint.rules import Match, Rules

# cfn-lint's own words for a file or rule that it failed on: they say that results are missing.
_FAILURES: Final = ("E0000", "E0001", "E0002")


def run(job: Job) -> tuple[list[Result], list[str]]:
    """The matches of the security-related rules on one template, and what cfn-lint failed on, as sentences."""
    from cfnlint.runner import run_template_by_file_path

    config, rules = _setting()
    wanted = frozenset(checks.ids(checks.CFN_LINT))
    results: list[Result] = []
    failures: set[str] = set()
    for match in run_template_by_file_path(os.path.abspath(job.path), config(), rules, False):
        if match.rule.id in _FAILURES:
            failures.add(" ".join(str(match.message).split()))
        elif match.rule.id in wanted:
            results.append(_result(match))
    return results, sorted(failures)


@functools.cache
def _setting() -> tuple[Any, Rules]:
    """A maker of configurations (a template's metadata changes the one it runs with) and all built-in rules.

    All are loaded: rules that judge properties hang on those that walk the schema. A `.cfnlintrc` of the project
    belongs to the user's own runs of cfn-lint.
    """
    from cfnlint import rules
    from cfnlint.config import ConfigMixIn

    logging.getLogger("cfnlint").setLevel(logging.CRITICAL)

    def config() -> ConfigMixIn:
        return ConfigMixIn(["--config-file", os.devnull], include_checks=["I"], regions=["us-east-1"])

    return config, rules.Rules.create_from_directory(os.path.dirname(rules.__file__))


def _result(match: Match) -> Result:
    path = [str(step) for step in getattr(match, "path", None) or ()]
    return Result(
        check_id=match.rule.id,
        title=match.rule.shortdesc,
        detail=str(match.message),
        resource="",
        template_path=tuple(path),
        path=str(match.filename),
        start_line=int(match.linenumber),
        end_line=int(match.linenumberend),
    )
