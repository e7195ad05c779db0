"""The word that somebody may have meant."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(word: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The known word that is most like `word`, None where none is like it; `cutoff` is the least likeness, 0 to 1."""
    import difflib  # costs more than a look at a thousand files, and is asked for where something is wrong only

    return next(iter(difflib.get_close_matches(word, list(known), n=1, cutoff=cutoff)), None)
