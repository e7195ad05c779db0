"""What waivers and assumptions have in common: for which policies and where they hold, and until when."""

from __future__ import annotations

import datetime
import fnmatch
import posixpath
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from srm_checks.globs import address_pattern, match_address, match_path, path_pattern
from srm_checks.model import Finding

SCOPE_KEYS: Final = ("path", "address", "root")

# Ids of other tools' checks; whether they exist is not ours to know.
_FOREIGN_ID: Final = re.compile(r"CKV\d?_|[EWI]\d")


class Mistake(ValueError):
    """A value that is wrong; `place` leads to it from the value that was read."""

    def __init__(self, message: str, place: tuple[str | int, ...] = ()) -> None:
        self.place = place
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Scope:
    """Where an exception holds; None: everywhere.

    `path` is a glob over the file of the finding, `root` over its Terraform root or template, both relative to the
    working directory; `address` a glob over the resource's address.
    """

    path: str | None = None
    address: str | None = None
    root: str | None = None

    def covers(self, finding: Finding) -> bool:
        if self.path is not None and not match_path(self.path, finding.location.path):
            return False
        if self.root is not None and not match_path(self.root, finding.root):
            return False
        return self.address is None or match_address(address_pattern(self.address), finding.address)

    @property
    def is_everywhere(self) -> bool:
        return self.path is None and self.address is None and self.root is None


EVERYWHERE: Final = Scope()


def means(pattern: str, policy_id: str) -> bool:
    """Whether a policy id is meant by an id or glob."""
    return fnmatch.fnmatchcase(policy_id, pattern)


def unknown_policy(pattern: str, policy_ids: Iterable[str]) -> str:
    """Why a pattern cannot be right: no active policy is meant by it. "" where one is."""
    from srm_checks.policy.source import suggest

    ids = list(policy_ids)
    if _FOREIGN_ID.match(pattern) or any(means(pattern, policy_id) for policy_id in ids):
        return ""
    return f"{pattern!r} matches no policy of the active packs{suggest(pattern, ids)}"


def read_scope(value: Any, folder: str) -> Scope:
    """A `scope:` mapping. Globs of paths count from `folder`, the one of the file that it stands in."""
    if not isinstance(value, Mapping) or not value:
        raise Mistake("must name at least one of path, address, root")
    for key, glob in value.items():
        if key not in SCOPE_KEYS:
            raise Mistake(f"unknown key {key!r}{_suggestion(str(key), SCOPE_KEYS)}", (key,))
        if not isinstance(glob, str) or not glob:
            raise Mistake("must be a text", (key,))
        try:
            path_pattern(glob)
        except re.error as error:
            raise Mistake(f"{glob!r} is no glob: {error}", (key,)) from error
    path, root = value.get("path"), value.get("root")
    return Scope(
        path=None if path is None else path_glob(folder, path),
        address=value.get("address"),
        root=None if root is None else "/" + _from(folder, root),
    )


def path_glob(folder: str, glob: str) -> str:
    """A glob with a slash counts from the folder, one without holds at any depth."""
    glob = glob.rstrip("/")
    return _from(folder, glob) if "/" in glob else glob


def read_text(value: Any) -> str:
    if isinstance(value, str) and value.strip():
        return value.strip()
    raise Mistake("must be a text that is not empty")


def read_date(value: Any) -> datetime.date:
    """A date, as YAML and TOML have them or as `2026-12-31` in quotes."""
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        return value
    try:
        return datetime.date.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise Mistake(f"must be a date such as 2026-12-31, not {str(value)!r}") from error


def check_keys(value: Any, required: Iterable[str], optional: Iterable[str]) -> Mapping[str, Any]:
    """The value as a mapping that has the required keys and no unknown one."""
    required, known = list(required), [*required, *optional]
    if not isinstance(value, Mapping):
        raise Mistake(f"must be a mapping with {', '.join(required)}")
    for key in value:
        if key not in known:
            raise Mistake(f"unknown key {key!r}{_suggestion(str(key), known)}", (key,))
    missing = [key for key in required if value.get(key) is None]
    if missing:
        raise Mistake(f"lacks {', '.join(missing)}")
    return value


def _from(folder: str, glob: str) -> str:
    return posixpath.normpath(posixpath.join(folder or ".", glob))


def _suggestion(word: str, known: Iterable[str]) -> str:
    from srm_checks.policy.source import suggest

    return suggest(word, known)
