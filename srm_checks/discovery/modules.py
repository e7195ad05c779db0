"""Which Terraform folders are root modules, and which are only modules of others.

A folder is a root unless another one calls it through a local source; called folders that keep state or have variable
values of their own are roots too, because somebody runs Terraform in them.
"""

from __future__ import annotations

import contextlib
import os
import posixpath
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from srm_checks import reads
from srm_checks.facts import Facts

_HCL_ENDINGS = (".tf", ".tofu")
_JSON_ENDINGS = (".tf.json", ".tofu.json")
_VALUE_FILES = ("terraform.tfvars", "terraform.tfvars.json")
_AUTO_ENDINGS = (".auto.tfvars", ".auto.tfvars.json")


def is_configuration(name: str) -> bool:
    """Whether Terraform or OpenTofu reads a file of this name as configuration (editors' leftovers are not read)."""
    return name.endswith(_HCL_ENDINGS + _JSON_ENDINGS) and not name.startswith(".")


def is_variable_file(name: str) -> bool:
    """Whether the name is that of a variable definitions file, loaded by itself or not."""
    return name.endswith((".tfvars", ".tfvars.json"))


@dataclass(frozen=True, slots=True)
class ModuleTree:
    """The module folders of a set of files.

    `files` gives each folder's configuration files, `calls` the folders of the tree that it calls, `roots` those
    that Terraform would be run in. Folders are relative to the working directory.
    """

    files: Mapping[str, tuple[str, ...]]
    calls: Mapping[str, frozenset[str]]
    roots: frozenset[str]

    def readers(self, folder: str) -> frozenset[str]:
        """The roots that read the files of `folder`: itself if it is one, and those that reach it through calls."""
        callers: dict[str, set[str]] = {}
        for caller, called in self.calls.items():
            for name in called:
                callers.setdefault(name, set()).add(caller)
        return self.roots & _closure([folder], lambda name: callers.get(name, ()))

    def reach(self, folders: Iterable[str]) -> frozenset[str]:
        """The folders themselves and all that they call, directly or not."""
        return _closure(folders, lambda name: self.calls.get(name, ()))


def build(files: Iterable[str], facts: Facts) -> ModuleTree:
    """The tree of the given files; those that are neither configuration nor variable files are passed over."""
    configuration: dict[str, list[str]] = {}
    with_values: set[str] = set()
    for path in files:
        folder, name = posixpath.split(path)
        folder = folder or "."
        if is_configuration(name):
            configuration.setdefault(folder, []).append(path)
        elif name in _VALUE_FILES or name.endswith(_AUTO_ENDINGS):
            with_values.add(folder)
    sources = {folder: {s for path in paths for s in _sources(path, facts)} for folder, paths in configuration.items()}
    real = _RealPaths()
    by_real_path = {real(folder): folder for folder in configuration} if any(sources.values()) else {}
    called = {
        folder: frozenset(
            target for source in found for target in [by_real_path.get(real(folder, source))] if target is not None
        )
        for folder, found in sources.items()
    }
    only_called = frozenset().union(*called.values())
    roots = set(configuration) - only_called
    roots |= {name for name in only_called if name in with_values or _any_keeps_state(configuration[name], facts)}
    tree = ModuleTree({name: tuple(sorted(paths)) for name, paths in configuration.items()}, called, frozenset(roots))
    return ModuleTree(tree.files, tree.calls, _with_cycle_heads(tree))


def _with_cycle_heads(tree: ModuleTree) -> frozenset[str]:
    """The roots, and the first folder of each ring of calls that nothing outside the ring calls."""
    roots = set(tree.roots)
    unread = set(tree.files) - tree.reach(roots)
    callers: dict[str, set[str]] = {}
    for caller in unread:
        for name in tree.calls[caller]:
            callers.setdefault(name, set()).add(caller)
    for name in sorted(unread):
        if name in unread:
            below = tree.reach([name])
            if _closure([name], lambda called: callers.get(called, ())) <= below:
                roots.add(name)
                unread -= below
    return frozenset(roots)


def _closure(start: Iterable[str], neighbours: Callable[[str], Iterable[str]]) -> frozenset[str]:
    seen = set(start)
    waiting = list(seen)
    while waiting:
        for name in neighbours(waiting.pop()):
            if name not in seen:
                seen.add(name)
                waiting.append(name)
    return frozenset(seen)


class _RealPaths:
    """Paths with all links resolved, as `os.path.realpath` has them; each folder is looked at once."""

    def __init__(self) -> None:
        self._folders: dict[str, str] = {}
        self._steps: dict[tuple[str, str], str] = {}

    def __call__(self, folder: str, source: str = "") -> str:
        """The real path of `source`, as it is seen from the folder."""
        at = self._folders.get(folder) or self._folders.setdefault(folder, os.path.realpath(folder))
        for name in source.split("/"):
            if name == os.pardir:
                at = os.path.dirname(at)
            elif name not in ("", os.curdir):
                at = self._steps.get((at, name)) or self._step(at, name)
        return at

    def _step(self, at: str, name: str) -> str:
        path = os.path.join(at, name)
        found = self._steps[at, name] = os.path.realpath(path) if os.path.islink(path) else path
        return found


def _sources(path: str, facts: Facts) -> list[str]:
    reads.file(path)
    try:
        found: list[str] = facts.of(path, "local sources", _local_sources)
    except OSError:  # the Terraform engine opens every file of a root and reports this
        return []
    return found


def _any_keeps_state(paths: Iterable[str], facts: Facts) -> bool:
    for path in paths:
        reads.file(path)
        with contextlib.suppress(OSError):
            if facts.of(path, "keeps state", _keeps_state):
                return True
    return False


def _local_sources(path: str) -> list[str]:
    from srm_checks.discovery import calls  # not where all files are as they were

    data = _read(path)
    if b"module" not in data or not calls.MAY_CALL_LOCALLY.search(data):
        return []
    read = calls.local_sources_json if path.endswith(_JSON_ENDINGS) else calls.local_sources
    return read(calls.decode(data))


def _keeps_state(path: str) -> bool:
    from srm_checks.discovery import calls

    data = _read(path)
    if b"terraform" not in data or not (b"backend" in data or b"cloud" in data):
        return False
    test = calls.keeps_state_json if path.endswith(_JSON_ENDINGS) else calls.keeps_state
    return test(calls.decode(data))


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()
