"""The engine for Terraform and OpenTofu configurations: the HCL of a root module as a `Stack`.

Importing this package is cheap; the parser comes in with the first `load`.
"""

from __future__ import annotations

from srm_checks.model import EngineOptions, Stack, Unit


def load(unit: Unit, options: EngineOptions) -> Stack:
    """The stack of the root module `unit`.

    What cannot be read is in its `errors`. Raises EnvironmentProblem where the installation is broken.
    """
    from srm_checks.engines.terraform import stack

    return stack.load(unit, options)


def check_hcl2() -> None:
    """Raise EnvironmentProblem unless the parser that Checkov brings can be used."""
    from srm_checks.engines.terraform import syntax

    syntax.check_hcl2()
