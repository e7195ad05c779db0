"""Packs: a folder with a pack.yaml and policies below it; packs can extend, select and tune others."""

from __future__ import annotations

import fnmatch
import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from srm_checks import reads
from srm_checks.errors import PackError, UsageError
from srm_checks.model import Severity
from srm_checks.policy.document import Policy
from srm_checks.policy.drafts import Drafts
from srm_checks.policy.load import Draft, build
from srm_checks.policy.source import Source, suggest

MANIFEST: Final = "pack.yaml"
FIXTURES: Final = "fixtures"
DEFAULT_PACK: Final = "aws-baseline"
KEYS: Final = (
    "name", "version", "title", "id_prefix", "extends", "select", "frameworks", "ignore", "parameters", "overrides",
    "mandatory", "undeclared",
)  # fmt: skip
_VERSION: Final = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?")
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9.-]*")


@dataclass(frozen=True, slots=True)
class PackIdentity:
    """What a report says of a pack: the digest covers its manifest and all policies in force."""

    name: str
    version: str
    digest: str


@dataclass(frozen=True, slots=True)
class PolicySet:
    """The policies of one or more packs, sorted by id."""

    packs: tuple[PackIdentity, ...]
    policies: tuple[Policy, ...]

    def by_id(self) -> dict[str, Policy]:
        return {policy.id: policy for policy in self.policies}


@dataclass(slots=True)
class _Entry:
    """A policy on its way through the packs that tune it."""

    draft: Draft
    pack: str
    prefix: str
    parameters: dict[str, Any] = field(default_factory=dict)
    severity: str | None = None
    mandatory: bool = False
    undeclared_is_gap: bool = False


def library() -> str:
    """The folder of the packs that ship with the package: inside the wheel, or at the top of a source checkout."""
    package = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
    inside = os.path.join(package, "policies")
    return inside if os.path.isdir(inside) else os.path.join(os.path.dirname(package), "policies")


def names() -> list[str]:
    """The packs that ship with the package."""
    folder = library()
    return sorted(name for name in os.listdir(folder) if os.path.isfile(os.path.join(folder, name, MANIFEST)))


def find(pack: str, base: str = ".") -> str:
    """The folder of a pack: a name that ships with the package, or a path (relative to `base`).

    Raises `UsageError` where there is none.
    """
    if pack in names():
        return os.path.join(library(), pack)
    from pathlib import Path  # not for the packs of the package: a warm scan would feel it

    folder = str(Path(base, pack))
    reads.presence(os.path.join(folder, MANIFEST))
    if os.path.basename(folder) == MANIFEST and os.path.isfile(folder):
        folder = os.path.dirname(folder) or "."
    if os.path.isfile(os.path.join(folder, MANIFEST)):
        return folder
    if os.path.isdir(folder):
        raise UsageError(f"{pack} is no pack: it has no {MANIFEST}.")
    raise UsageError(
        f"there is no pack {pack!r}{suggest(pack, names())}. "
        f"Name one of {', '.join(names())} or a folder with a {MANIFEST}."
    )


def load_packs(
    packs: Sequence[str] = (DEFAULT_PACK,),
    *,
    parameters: Mapping[str, Mapping[str, Any]] | None = None,
    undeclared: str | None = None,
    drafts: Drafts | None = None,
) -> PolicySet:
    """Load packs and all that they extend, and compile their policies.

    `parameters` (by policy id, then name) come on top of those of the packs. `undeclared="gap"` makes what is not
    declared a gap, as a pack may. `drafts` spares the reading of files whose text is known to be right. Raises
    `PackError` with every mistake of every file.
    """
    if drafts is not None:
        try:
            return _load(packs, parameters, undeclared, drafts)
        except PackError:
            pass  # what is known from before has no places to show: the mistakes are told from the files
    return _load(packs, parameters, undeclared, Drafts())


def members(drafts: Drafts) -> dict[str, frozenset[str]]:
    """The ids of the policies in each pack that ships with the package; nothing is compiled."""
    once = _ReadOnce(drafts)
    found = {}
    for name in names():
        problems: list[str] = []
        loader = _PackLoader(problems, once)
        loader.load(find(name), ())
        if problems:
            raise PackError(problems)
        found[name] = frozenset(loader.entries)
    return found


class _ReadOnce(Drafts):
    """Hands out what has been read before: packs that extend one another share most of their files."""

    def __init__(self, drafts: Drafts) -> None:
        super().__init__()
        self._drafts = drafts
        self._known: dict[str, Draft] = {}

    def read(self, path: str) -> Draft:
        if path not in self._known:
            self._known[path] = self._drafts.read(path)
        return self._known[path]


def _load(
    packs: Sequence[str],
    parameters: Mapping[str, Mapping[str, Any]] | None,
    undeclared: str | None,
    drafts: Drafts,
) -> PolicySet:
    problems: list[str] = []
    entries: dict[str, _Entry] = {}
    loaded: dict[str, tuple[str, str]] = {}
    manifests: list[Draft] = []
    for pack in packs:
        loader = _PackLoader(problems, drafts)
        loader.load(find(pack), ())
        for policy_id, entry in loader.entries.items():
            present = entries.get(policy_id)
            if present is not None and present.draft.source.path != entry.draft.source.path:
                problems.append(
                    f"{entry.draft.source.at(('id',))}: {policy_id} stands in {present.draft.source.path} too"
                )
            if present is None or entry.mandatory:
                entries[policy_id] = entry
        loaded.update(loader.loaded)
        manifests.extend(loader.manifests)
    for policy_id, values in (parameters or {}).items():
        if policy_id in entries:
            entries[policy_id].parameters.update(values)
        else:
            problems.append(
                f"parameters are given for {policy_id!r}, which no active pack has{suggest(policy_id, entries)}"
            )
    policies: list[Policy] = []
    for entry in entries.values():
        try:
            policies.append(
                build(
                    entry.draft,
                    pack=entry.pack,
                    prefix=entry.prefix,
                    parameters=entry.parameters,
                    severity=entry.severity,
                    mandatory=entry.mandatory,
                    undeclared_is_gap=entry.undeclared_is_gap or undeclared == "gap",
                )
            )
        except PackError as error:
            problems.extend(error.problems)
    problems.extend(_same_names(policies))
    if problems:
        raise PackError(problems)
    policies.sort(key=lambda policy: policy.id)
    drafts.keep([*manifests, *(entry.draft for entry in entries.values() if not entry.parameters)])
    return PolicySet(tuple(_identities(loaded, policies)), tuple(policies))


def _same_names(policies: Iterable[Policy]) -> Iterator[str]:
    seen: dict[str, Policy] = {}
    for policy in policies:
        other = seen.setdefault(policy.name, policy)
        if other is not policy:
            yield f"{policy.path}:1:1: the name {policy.name!r} is taken by {other.id} in {other.path}"


def _identities(loaded: Mapping[str, tuple[str, str]], policies: Sequence[Policy]) -> Iterator[PackIdentity]:
    for name, (version, manifest_digest) in sorted(loaded.items()):
        digest = hashlib.sha256(manifest_digest.encode())
        for policy in policies:
            if policy.pack == name:
                digest.update(f"{policy.id}={policy.digest}={sorted(policy.parameters.items())!r}".encode())
        yield PackIdentity(name, version, f"sha256:{digest.hexdigest()}")


class _PackLoader:
    """Reads one pack and what it extends into entries; mistakes are collected."""

    def __init__(self, problems: list[str], drafts: Drafts) -> None:
        self.problems = problems
        self.drafts = drafts
        self.entries: dict[str, _Entry] = {}
        self.loaded: dict[str, tuple[str, str]] = {}
        self.manifests: list[Draft] = []

    def load(self, folder: str, chain: tuple[str, ...]) -> None:
        path = _shown(os.path.join(folder, MANIFEST))
        if path in chain:
            self.problems.append(f"{path}:1:1: extends itself: {' -> '.join((*chain, path))}")
            return
        try:
            manifest = self.drafts.read(path)
        except PackError as error:
            self.problems.extend(error.problems)
            return
        source, data = manifest.source, manifest.source.data
        self._check(source)
        for index, base in enumerate(_list(data.get("extends"))):
            try:
                found = find(str(base), base=folder)
            except UsageError as error:
                source.problem(("extends", index), str(error))
                continue
            self.load(found, (*chain, path))
        self.manifests.append(manifest)
        name, version = str(data.get("name", "")), str(data.get("version", ""))
        self.loaded[name] = (version, manifest.digest)
        self._own(folder, name, str(data.get("id_prefix", "")), source)
        self._tune(source)
        self.problems.extend(source.problems)

    def _check(self, source: Source) -> None:
        data = source.data
        for key in data:
            if key not in KEYS:
                source.unknown_word((key,), "key", key, KEYS)
        if not _NAME.fullmatch(str(data.get("name", ""))):
            source.problem(("name",), "a pack needs a `name` of lower-case letters, digits, hyphens")
        if not _VERSION.fullmatch(str(data.get("version", ""))):
            source.problem(("version",), "a pack needs a semantic `version` such as 1.2.0")
        prefix = data.get("id_prefix")
        if prefix is not None and not re.fullmatch(r"[A-Z]{2,8}", str(prefix)):
            source.problem(("id_prefix",), "an `id_prefix` is 2 to 8 capitals")
        if data.get("undeclared") not in (None, "gap"):
            source.problem(("undeclared",), "`undeclared` can only be `gap`")
        for key in ("extends", "select", "frameworks", "ignore", "mandatory"):
            if not isinstance(data.get(key, []), (list, str)):
                source.problem((key,), f"`{key}` takes a list")

    def _own(self, folder: str, name: str, prefix: str, source: Source) -> None:
        files = list(_policy_files(folder))
        if files and not prefix:
            source.problem((), "a pack with policies of its own needs an `id_prefix`")
        ours = os.path.realpath(library()) + os.sep
        if prefix == "SRM" and not os.path.realpath(folder).startswith(ours):
            source.problem(("id_prefix",), "the prefix SRM belongs to srm-checks; choose another")
        for file in files:
            try:
                draft = self.drafts.read(_shown(file))
            except PackError as error:
                self.problems.extend(error.problems)
                continue
            present = self.entries.get(draft.id)
            if present is not None:
                self.problems.append(
                    f"{draft.source.at(('id',))}: the id {draft.id} is taken by {present.draft.source.path}"
                )
                continue
            stem = str(draft.source.data.get("name", ""))
            if stem and os.path.basename(file) != f"{stem}.yaml":
                self.problems.append(
                    f"{draft.source.at(('name',))}: the file must be called {stem}.yaml, as its policy"
                )
            self.entries[draft.id] = _Entry(draft, name, prefix)

    def _tune(self, source: Source) -> None:
        data = source.data
        if "select" in data:
            keep = self._matching(source, "select")
            self.entries = {key: entry for key, entry in self.entries.items() if key in keep}
        if "frameworks" in data:
            self._select_by_framework(source)
        for key in self._matching(source, "ignore"):
            self.entries.pop(key, None)
        self._parameters(source)
        self._overrides(source)
        for key in self._matching(source, "mandatory"):
            self.entries[key].mandatory = True
        if data.get("undeclared") == "gap":
            for entry in self.entries.values():
                entry.undeclared_is_gap = True

    def _matching(self, source: Source, key: str) -> set[str]:
        found: set[str] = set()
        for index, pattern in enumerate(_list(source.data.get(key))):
            hits = matching(str(pattern), self.entries)
            if not hits:
                source.problem((key, index), f"{pattern!r} matches no policy{suggest(str(pattern), self.entries)}")
            found |= hits
        return found

    def _select_by_framework(self, source: Source) -> None:
        """Keep the policies that carry an id of one of the named frameworks (FSBP, CIS, ...)."""
        mapped = {key: set(_mapping(entry.draft.source.data.get("frameworks"))) for key, entry in self.entries.items()}
        known = sorted(set().union(*mapped.values()))
        wanted = [str(name) for name in _list(source.data["frameworks"])]
        for index, name in enumerate(wanted):
            if name not in known:
                source.unknown_word(("frameworks", index), "framework", name, known)
        self.entries = {key: entry for key, entry in self.entries.items() if mapped[key].intersection(wanted)}

    def _parameters(self, source: Source) -> None:
        given = source.data.get("parameters", {})
        if not isinstance(given, dict):
            source.problem(("parameters",), "`parameters` takes values by policy id: {SRM-BCK-001: {minimum_days: 14}}")
            return
        for policy_id, values in given.items():
            if policy_id not in self.entries:
                source.unknown_word(("parameters", policy_id), "policy", policy_id, self.entries)
            elif not isinstance(values, dict):
                source.problem(("parameters", policy_id), "takes {parameter: value}")
            else:
                self.entries[policy_id].parameters.update(values)

    def _overrides(self, source: Source) -> None:
        for index, change in enumerate(_list(source.data.get("overrides"))):
            place = ("overrides", index)
            if not isinstance(change, dict) or not {"policy", "reason"} <= set(change):
                source.problem(place, "an override needs `policy` and `reason`")
                continue
            for key in change:
                if key not in ("policy", "reason", "severity", "undeclared"):
                    source.unknown_word((*place, key), "key", key, ("policy", "reason", "severity", "undeclared"))
            if not isinstance(change["reason"], str) or not change["reason"].strip():
                source.problem((*place, "reason"), "the reason must say why")
            hits = matching(str(change["policy"]), self.entries)
            if not hits:
                source.unknown_word((*place, "policy"), "policy", change["policy"], self.entries)
            severity = change.get("severity")
            if severity is not None and severity not in [str(word) for word in Severity]:
                source.unknown_word((*place, "severity"), "severity", severity, [str(word) for word in Severity])
                continue
            if change.get("undeclared") not in (None, "gap"):
                source.problem((*place, "undeclared"), "`undeclared` can only be `gap`")
            for key in hits:
                entry = self.entries[key]
                entry.severity = severity or entry.severity
                entry.undeclared_is_gap = entry.undeclared_is_gap or change.get("undeclared") == "gap"


def _policy_files(pack: str) -> Iterator[str]:
    """The policies below a pack's folder: not its fixtures, what is hidden, or a pack inside of it."""
    reads.tree(pack)
    for folder, folders, names in os.walk(pack):
        if folder != pack and MANIFEST in names:
            folders.clear()
            continue
        folders[:] = sorted(name for name in folders if name != FIXTURES and not name.startswith("."))
        yield from (os.path.join(folder, name) for name in sorted(names) if name.endswith(".yaml") and name != MANIFEST)


def matching(pattern: str, ids: Iterable[str]) -> set[str]:
    """The ids that a pattern (an id or a glob) means."""
    return {policy_id for policy_id in ids if fnmatch.fnmatchcase(policy_id, pattern)}


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _shown(path: str) -> str:
    """A path for messages: relative where it lies below the working directory."""
    text, here = os.path.abspath(path), os.getcwd() + os.sep
    return text[len(here) :] if text.startswith(here) else path
