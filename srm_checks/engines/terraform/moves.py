"""`moved` blocks: the addresses that resources had before."""

from __future__ import annotations

import re
from collections.abc import Iterable

from srm_checks.engines.terraform.nodes import Literal, Traversal
from srm_checks.engines.terraform.scope import ModuleScope

_LAST_KEY = re.compile(r'\[(?:\d+|"(?:[^"\\]|\\.)*")\]\Z')
_LIMIT = 50  # former addresses of one resource


def moves(scope: ModuleScope) -> list[tuple[str, str]]:
    """The (from, to) addresses of the `moved` blocks of a module instance, from the root's point of view."""
    found: list[tuple[str, str]] = []
    for block in scope.source.moved:
        ends = [_address(block.body.attributes[name].value) for name in ("from", "to") if name in block.body.attributes]
        if len(ends) == 2 and all(ends):
            found.append((scope.qualified(ends[0]), scope.qualified(ends[1])))
    return found


def _address(node: object) -> str:
    if isinstance(node, Literal):
        return str(node.value)  # as JSON has it
    return node.text.replace(" ", "") if isinstance(node, Traversal) else ""


def base_of(address: str) -> str:
    """An address without its last instance key."""
    return _LAST_KEY.sub("", address)


def former_addresses(address: str, base: str, moved: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """The earlier addresses of a resource instance, the most recent first; chains of moves are followed."""
    known = list(moved)
    found: dict[str, None] = {}
    waiting = [address, base]
    seen = {address}
    while waiting and len(found) < _LIMIT:
        current = waiting.pop(0)
        for source, target in known:
            former = _replaced(current, source, target)
            if former is not None and former not in seen:
                seen.add(former)
                waiting.append(former)
                found.setdefault(former)
    return tuple(found)


def former_bases(address: str, base: str, moved: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """The same without the last instance keys, as far as they differ from the present base."""
    bases = map(base_of, former_addresses(address, base, moved))
    return tuple(dict.fromkeys(former for former in bases if former != base))


def _replaced(address: str, source: str, target: str) -> str | None:
    """`address` before the move from `source` to `target`; None where the move does not concern it."""
    if address == target:
        return source
    if address.startswith(target) and address[len(target)] in ".[":
        return source + address[len(target) :]
    return None
