"""Builds the store of proven policies into the wheel, so that a scan reads no YAML of ours."""

from __future__ import annotations

import os
import sys
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CompiledPolicies(BuildHookInterface):  # type: ignore[type-arg]
    """Loads every pack with all checks and writes what the files mean, by digest, to `policies/compiled.json`."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        sys.path.insert(0, self.root)
        try:
            import srm_checks
            from srm_checks.policy.drafts import Collected, Drafts, beside
            from srm_checks.policy.packs import load_packs, names
            from srm_checks.versions import code_mark
        finally:
            sys.path.remove(self.root)
        collected = Collected()
        for pack in names():
            load_packs([pack], drafts=Drafts(memory=collected))
        store = beside(os.path.join(self.root, "policies"))
        # An editable install runs from the checkout, where an edit of the code must be noticed.
        collected.write(store, code_mark() if version == "editable" else srm_checks.__version__)
        if version != "editable":
            build_data["force_include"][store] = beside("srm_checks/policies")
