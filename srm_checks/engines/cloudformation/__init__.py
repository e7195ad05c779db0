"""CloudFormation and SAM templates, decoded by cfn-lint, as a `Stack`.

Cheap to import: cfn-lint (0.7 s) is loaded when the first template is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from srm_checks.model import EngineOptions, Stack, Unit

if TYPE_CHECKING:
    from cfnlint.template import Template

__all__ = ["load", "stack_from_template"]


def load(unit: Unit, options: EngineOptions) -> Stack:
    """Read the template at `unit.path`.

    Whatever cannot be read is in the stack's `errors`; only `EnvironmentProblem` (cfn-lint is not installed) is raised.
    """
    from srm_checks.engines.cloudformation.loading import load_file

    return load_file(unit, options)


def stack_from_template(cfn: Template, unit: Unit, options: EngineOptions) -> Stack:
    """The same stack as `load` gives, from the template that cfn-lint has decoded already.

    `unit.path` names the file, which is read again for comments, and for the template itself where cfn-lint's
    transform has put guesses into it (AWS::LanguageExtensions).
    """
    from srm_checks.engines.cloudformation.loading import load_decoded

    return load_decoded(cfn, unit, options)
