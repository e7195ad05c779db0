"""Turns the PATHs of a scan into units: Terraform roots, plan files, CloudFormation templates.

Nothing is parsed that a search of bytes can decide; no engine is imported.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Sequence
from dataclasses import dataclass

from srm_checks import git, reads
from srm_checks.discovery import glance, modules
from srm_checks.discovery.files import Exclusion, list_files, relative
from srm_checks.errors import InputError, UsageError
from srm_checks.facts import Facts
from srm_checks.model import ScanError, Unit, UnitKind

__all__ = ["Inputs", "discover"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What a scan reads.

    `units` are sorted. `skipped_files` counts files of our kinds that were left out (git ignores them, `.terraform`,
    `node_modules`, excluded). `terraform_files` counts the configuration files of the Terraform roots and of the
    local modules that they reach. `file_filter` holds the PATHs that are files, or is None where all are folders;
    `folders` the PATHs that are folders. `errors` are files and folders that could not be looked at; `notes` are
    remarks for the user.
    """

    units: tuple[Unit, ...]
    skipped_files: int
    terraform_files: int
    file_filter: frozenset[str] | None
    folders: tuple[str, ...] = ()
    errors: tuple[ScanError, ...] = ()
    notes: tuple[str, ...] = ()

    def covers(self, path: str) -> bool:
        """Whether a finding that lies in this file, or was decided by it, was asked for."""
        if self.file_filter is None or path in self.file_filter:
            return True
        return any(_lies_in(path, folder) for folder in self.folders)


def discover(paths: Sequence[str], *, exclude: Sequence[str] = (), facts: Facts | None = None) -> Inputs:
    """The units of PATHs. `facts` is what is known of their files, and takes what is found out.

    A folder means everything under it. A Terraform file means the roots that read it, looked for within its git
    repository, else within the working directory; any other file means itself. What git ignores is left out of
    folders but not where it is named as a PATH; `exclude` (globs relative to the working directory) holds for both.
    Files that Terraform reads through functions (`file`, `templatefile`) do not lead to roots.

    Raises UsageError for a PATH that does not exist or is neither file nor folder.
    """
    facts = facts or Facts()
    folders, files = _sort_paths(paths)
    exclusion = Exclusion.of(exclude)
    listing = list_files(folders, _is_wanted, exclusion)
    units: set[Unit] = set()
    errors = list(listing.errors)
    notes = list(listing.notes)
    skipped = listing.skipped

    tree = modules.build(listing.files, facts)
    units |= {Unit(UnitKind.TERRAFORM, root) for root in tree.roots}
    terraform_files = _files_of(tree, tree.roots)

    candidates = {path for path in listing.files if glance.looks_like_ours(posixpath.basename(path))}
    changed: list[str] = []
    for path in files:
        name = posixpath.basename(path)
        if exclusion.covers(path):
            skipped += 1
        elif modules.is_configuration(name) or modules.is_variable_file(name):
            changed.append(path)
        else:
            candidates.add(path)

    for path in sorted(candidates):
        reads.file(path)
        try:
            kind = facts.of(path, "kind", glance.classify)
        except InputError as error:
            errors.append(ScanError(error.path, "discovery", error.kind, str(error)))
        except OSError as error:
            reason = error.strerror or type(error).__name__
            errors.append(ScanError(path, "discovery", "parse", f"The file cannot be read: {reason}."))
        else:
            if kind is not None:
                units.add(Unit(UnitKind(kind), path))

    for top, folders_of_files in _by_search_area(changed).items():
        area = list_files([top], _is_terraform, exclusion)
        notes += area.notes
        area_tree = modules.build(area.files, facts)
        for folder in folders_of_files:
            roots = area_tree.readers(folder)
            if not roots and _has_configuration(folder):  # in a folder that is otherwise left out
                roots = frozenset({folder})
            units |= {Unit(UnitKind.TERRAFORM, root) for root in roots}
            terraform_files |= _files_of(area_tree, roots)

    return Inputs(
        units=tuple(sorted(units)),
        skipped_files=skipped,
        terraform_files=len(terraform_files),
        file_filter=frozenset(files) if files else None,
        folders=tuple(folders),
        errors=tuple(sorted(errors, key=lambda error: (error.path, error.message))),
        notes=tuple(dict.fromkeys(notes)),
    )


def _sort_paths(paths: Sequence[str]) -> tuple[list[str], list[str]]:
    """The folders and the files among PATHs, each once, sorted."""
    folders: set[str] = set()
    files: set[str] = set()
    for path in paths:
        reads.presence(path)
        if os.path.isdir(path):
            folders.add(relative(os.path.realpath(path)))
        elif os.path.isfile(path):
            files.add(relative(path))
        elif os.path.lexists(path):
            raise UsageError(f"{path} is neither a file nor a folder.")
        else:
            raise UsageError(f"{path} does not exist.")
    return sorted(folders), sorted(files)


def _is_terraform(name: str) -> bool:
    return modules.is_configuration(name) or modules.is_variable_file(name)


def _is_wanted(name: str) -> bool:
    return _is_terraform(name) or glance.looks_like_ours(name)


def _files_of(tree: modules.ModuleTree, roots: frozenset[str]) -> set[str]:
    return {path for folder in tree.reach(roots) for path in tree.files.get(folder, ())}


def _by_search_area(paths: Sequence[str]) -> dict[str, list[str]]:
    """For each folder in which callers are looked for, the folders of the given files."""
    areas: dict[str, list[str]] = {}
    for folder in sorted({posixpath.dirname(path) or "." for path in paths}):
        top = git.enclosing_repository(folder)
        areas.setdefault(relative(top) if top else _area_without_git(folder), []).append(folder)
    return areas


def _area_without_git(folder: str) -> str:
    """The working directory, unless the file lies outside or that is a place that holds more than one project."""
    here = os.path.realpath(os.curdir)
    too_wide = (os.path.dirname(here), os.path.realpath(os.path.expanduser("~")))
    return "." if _lies_in(folder, ".") and here not in too_wide else folder


def _has_configuration(folder: str) -> bool:
    reads.names(folder)
    return any(modules.is_configuration(name) for name in os.listdir(folder))


def _lies_in(path: str, folder: str) -> bool:
    if folder == ".":
        return path != ".." and not path.startswith("../") and not posixpath.isabs(path)
    return path == folder or path.startswith(folder + "/")
