"""The values given to a root's variables: variable files and the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from srm_checks import reads
from srm_checks.engines.terraform import modules, syntax
from srm_checks.engines.terraform.nodes import Attribute, Expression, Literal, Traversal
from srm_checks.engines.terraform.source import Source
from srm_checks.errors import InputError
from srm_checks.model import ScanError

_ENVIRONMENT_PREFIX: Final = "TF_VAR_"


@dataclass(slots=True)
class GivenVariables:
    """Values by variable name, as expressions with their places. `environment` holds what TF_VAR_ names give."""

    assigned: dict[str, Attribute] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    errors: list[ScanError] = field(default_factory=list)


def given_variables(root: str, var_files: tuple[str, ...], environment: Mapping[str, str]) -> GivenVariables:
    """What is given for a root: terraform.tfvars, then *.auto.tfvars, then `var_files`; the later wins."""
    given = GivenVariables()
    for name, value in environment.items():
        if name.startswith(_ENVIRONMENT_PREFIX):
            given.environment[name[len(_ENVIRONMENT_PREFIX) :]] = value
    for path in (*_automatic(root), *var_files):
        given.files.append(path)
        try:
            file = modules.parse(path)
            given.assigned.update(file.body.attributes)
            given.errors += map(modules.scan_error, file.errors)
        except InputError as problem:
            given.errors.append(modules.scan_error(problem))
    return given


def _automatic(root: str) -> list[str]:
    reads.listing(root)
    try:
        names = sorted(entry.name for entry in os.scandir(root) if entry.is_file())
    except OSError:
        return []  # the module loader tells that the directory cannot be read
    first = [name for name in ("terraform.tfvars", "terraform.tfvars.json") if name in names]
    rest = [name for name in names if name.endswith((".auto.tfvars", ".auto.tfvars.json"))]
    return [modules.join(root, name) for name in (*first, *rest)]


def environment_value(name: str, value: str, constraint: Expression | None) -> Expression:
    """The value of a TF_VAR_ name: a text for a scalar, an expression for a list, map or object.

    Raises InputError for an expression that cannot be read.
    """
    source = Source(f"{_ENVIRONMENT_PREFIX}{name}", value)
    scalar = constraint is None or isinstance(constraint, (Traversal, Literal))
    if scalar:
        return Literal(source, 0, len(value), value)
    return syntax.parse_expression(source, 0, len(value))
