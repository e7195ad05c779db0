"""Engines: files in, `Stack` out. An engine knows only the model; a foreign type dies inside it."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Final

from srm_checks.model import EngineOptions, Stack, Unit, UnitKind

# Which module reads which kind of unit; `load(unit, options) -> Stack` is its one door.
ENGINES: Final = {
    UnitKind.TERRAFORM: "srm_checks.engines.terraform",
    UnitKind.PLAN: "srm_checks.engines.plan",
    UnitKind.CLOUDFORMATION: "srm_checks.engines.cloudformation",
}

NAMES: Final = {UnitKind.TERRAFORM: "terraform", UnitKind.PLAN: "terraform_plan", UnitKind.CLOUDFORMATION: "cfn-lint"}


def loader(kind: UnitKind) -> Callable[[Unit, EngineOptions], Stack]:
    """The function that reads units of a kind; imports its engine on first use."""
    load: Callable[[Unit, EngineOptions], Stack] = importlib.import_module(ENGINES[kind]).load
    return load
