"""Reads the JSON of a Terraform or OpenTofu plan (`terraform show -json PLAN`) into a Stack.

The plan is read directly, without a plan parser: what is known only after apply stays unknown, and the resources that
each attribute mentions come from the plan's configuration.
"""

from __future__ import annotations

from srm_checks.engines.plan.stack import load

__all__ = ["load"]
