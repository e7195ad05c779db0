"""The two ways to a stack: from a file, and from a template that cfn-lint has decoded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from srm_checks.engines.cloudformation import cfn_lint, decoding
from srm_checks.engines.cloudformation.source import Source, read_source
from srm_checks.engines.cloudformation.stack import build_stack
from srm_checks.errors import InputError
from srm_checks.model import EngineOptions, ScanError, Stack, Unit

if TYPE_CHECKING:
    from cfnlint.template import Template


def load_file(unit: Unit, options: EngineOptions) -> Stack:
    """The stack of the template at `unit.path`."""
    try:
        source = read_source(unit.path)
        document = decoding.decode(source)
    except InputError as problem:
        return _failed(unit, problem)
    return build_stack(document, source, unit, options)


def load_decoded(cfn: Template, unit: Unit, options: EngineOptions) -> Stack:
    """The stack of a template that cfn-lint has decoded and transformed."""
    try:
        source = read_source(unit.path)
        if cfn_lint.holds_guesses(cfn) or "Globals" in cfn.template:
            return build_stack(decoding.decode(source), source, unit, options)
    except InputError as problem:
        if cfn_lint.holds_guesses(cfn):
            return _failed(unit, problem)
        # The template is at hand; only its comments are not (it came from standard input).
        source = Source(unit.path, "", ())
    return build_stack(cfn.template, source, unit, options, globals_merged=True)


def _failed(unit: Unit, problem: InputError) -> Stack:
    error = ScanError(problem.path, "cfn-lint", problem.kind, str(problem))
    return Stack(unit=unit, resources=[], errors=[error], files={unit.path})
