"""Option values that are one of a few words, with a suggestion for a misspelt one."""

from __future__ import annotations

from collections.abc import Iterable

import click
from click.shell_completion import CompletionItem

from srm_checks.nearest import nearest


class Word(click.ParamType):  # type: ignore[type-arg]  # generic in newer click only
    """One of `words`; `name` is what such a word is called in a message."""

    def __init__(self, name: str, words: Iterable[str]) -> None:
        self.name = name
        self.words = tuple(str(word) for word in words)

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if value in self.words:
            return value
        near = nearest(value, self.words)
        hint = f"Did you mean {near!r}?" if near else f"There are: {', '.join(self.words)}."
        self.fail(f"{value!r} is not a {self.name}. {hint}", param, ctx)

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str:
        return "[" + "|".join(self.words) + "]" if len(self.words) <= 6 else self.name.upper().replace(" ", "_")

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return [CompletionItem(word) for word in self.words if word.startswith(incomplete)]
