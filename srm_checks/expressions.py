"""How the text of a value that is not known reads where the input has no expression to show.

A plan holds the names that an expression reads, but not the expression. Where these come down to one reference, the
text names it; else it says only that the value is known after apply.
"""

from __future__ import annotations

from typing import Final

AFTER_APPLY: Final = "(known after apply)"


def is_shown(text: str) -> bool:
    """Whether the text of an unknown value tells anything of its expression, or of that of the whole it is part of."""
    return not text.startswith(AFTER_APPLY)
