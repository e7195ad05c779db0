"""What an operation knows of the expression that it is part of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from srm_checks.engines.terraform.values import derived
from srm_checks.model import Test, Unknown


@dataclass(frozen=True, slots=True)
class Site:
    """An expression: its `text` as written, and the `subject` under which its unknown value is compared."""

    text: str
    subject: str

    def unknown(
        self,
        *sources: Any,
        present: bool = False,
        parts: tuple[str | None, ...] | None = None,
        fallible: bool = False,
    ) -> Unknown:
        """The unknown result of the expression over `sources`."""
        return derived(self.text, sources, subject=self.subject, present=present, parts=parts, fallible=fallible)

    def test(self) -> Test:
        """The expression itself as a condition that the code does not decide."""
        return Test(self.subject, True, self.text)
