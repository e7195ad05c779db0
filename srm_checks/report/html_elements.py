"""HTML that cannot be broken out of: text becomes markup only here, and is escaped on the way."""

from __future__ import annotations

import html
from typing import Final, TypeAlias

from srm_checks.report.inert import inert

_VOID: Final = frozenset({"input", "meta"})


class Markup(str):
    """Text that is HTML already. Made by `tag`, `join` and by those who write constant HTML or CSS of their own."""

    __slots__ = ()


Child: TypeAlias = "str | Markup | None"


def tag(name: str, /, *children: Child, **attributes: str | bool | None) -> Markup:
    """An element. Children that are plain text are escaped; None is left out.

    Attributes are named as keyword arguments (`class_` for class, `aria_label` for aria-label); their values are
    escaped; True gives a bare attribute, None and False none.
    """
    opening = f"<{name}{''.join(map(_attribute, attributes.items()))}>"
    return Markup(opening) if name in _VOID else Markup(f"{opening}{join(*children)}</{name}>")


def join(*children: Child) -> Markup:
    """Several children one after the other, without an element around them."""
    return Markup("".join(_escaped(child) for child in children if child is not None))


def _escaped(child: str | Markup) -> str:
    return child if isinstance(child, Markup) else html.escape(inert(child))


def _attribute(pair: tuple[str, str | bool | None]) -> str:
    name, value = pair
    name = name.rstrip("_").replace("_", "-")
    if value is None or value is False:
        return ""
    return f" {name}" if value is True else f' {name}="{html.escape(inert(value))}"'
