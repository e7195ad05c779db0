"""srm-checks: gaps on the customer's side of the AWS shared responsibility model, found before deploy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from srm_checks.api import scan as scan

__version__ = "0.1.0"
__all__ = ["__version__", "scan"]


def __getattr__(name: str) -> Any:
    # `scan` pulls in the pipeline; asking for the version must not.
    if name == "scan":
        from srm_checks.api import scan

        return scan
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
