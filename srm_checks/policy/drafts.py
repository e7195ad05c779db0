"""Policy files without YAML: what a text means is looked up by its digest, where it was read and proven before.

The packs of this package come with such a store, made when the package is built; other packs have theirs in the cache.
A text that is not known is read, so that a store can be stale but never wrong.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from typing import Any, Final, Protocol

from srm_checks import reads
from srm_checks.errors import PackError
from srm_checks.facts import Facts
from srm_checks.policy.load import Draft, read_policy
from srm_checks.policy.source import Source

STORE: Final = "compiled.json"  # beside the packs of the package


class Memory(Protocol):
    """Where plain data is kept by key: the cache."""

    def pack(self, key: str) -> Any: ...

    def keep_pack(self, key: str, body: Any) -> None: ...


class Drafts:
    """Reads policy files and manifests.

    `shipped` is the file of a store, `memory` the user's own. `stamp` marks the code: what another version of it has
    proven is not proven here. `facts` is what is known of the files.
    """

    def __init__(
        self,
        *,
        shipped: str | None = None,
        memory: Memory | None = None,
        stamp: str = "",
        facts: Facts | None = None,
    ) -> None:
        self._facts = facts or Facts()
        self._shipped: dict[str, Any] = stored(shipped, stamp) if shipped else {}
        self._memory, self._stamp = memory, stamp

    def read(self, path: str) -> Draft:
        """The file as a draft. Raises `PackError` where it is no YAML mapping."""
        reads.file(path)
        try:
            digest = self._facts.mark(path)
        except OSError as error:
            raise PackError([f"{path}:1:1: cannot be read: {error}"]) from error
        data = self._shipped.get(digest)
        if data is None and self._memory is not None:
            data = self._memory.pack(self._key(digest))
        if data is None:
            return read_policy(path)
        return Draft(Source(path, data, {}), digest, proven=True)

    def keep(self, drafts: Iterable[Draft]) -> None:
        """Remember drafts that were built without a mistake."""
        if self._memory is None:
            return
        for draft in drafts:
            if not draft.proven and _survives(draft.source.data):
                self._memory.keep_pack(self._key(draft.digest), draft.source.data)

    def _key(self, digest: str) -> str:
        return f"{self._stamp}:{digest}"


def _survives(data: Any) -> bool:
    """Whether data comes back from JSON as it went in; dates and keys that are no text do not."""
    try:
        return bool(json.loads(json.dumps(data)) == data)
    except TypeError:
        return False


def stored(path: str, stamp: str) -> dict[str, Any]:
    """What the store at a path holds, by digest; nothing where it is of other code or cannot be read."""
    try:
        with open(path, "rb") as stream:
            store = json.loads(stream.read())
        return store["drafts"] if store["stamp"] == stamp else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}  # it saves time, no more


class Collected:
    """A memory that only takes; what it took becomes a store."""

    def __init__(self) -> None:
        self._bodies: dict[str, Any] = {}

    def pack(self, key: str) -> Any:
        return None

    def keep_pack(self, key: str, body: Any) -> None:
        self._bodies[key.rpartition(":")[2]] = body

    def write(self, path: str, stamp: str) -> None:
        """Write a store that holds what was kept."""
        store = {"stamp": stamp, "drafts": self._bodies}
        with open(path, "w", encoding="utf-8") as stream:
            json.dump(store, stream, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def beside(library: str) -> str:
    """The place of the store of a library of packs."""
    return os.path.join(library, STORE)
