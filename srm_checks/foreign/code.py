"""The code that a report is about: it decides the service models that a type alone leaves open.

A report of another engine lies beside its code in most pipelines. The code is read by our own engines, the first time
that a resource needs it; a report over types that decide by themselves costs nothing.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from srm_checks.catalogue import models, types
from srm_checks.catalogue.models import ModelDecision
from srm_checks.model import Resource, Stack
from srm_checks.policy.access import StackIndex

_KEYS: Final = re.compile(r'\[(?:"(?:[^"\\]|\\.)*"|[^\]"])*\]')


class Subject(NamedTuple):
    """What a result is on: the type (None where unknown), the address, and the file and line of its declaration.

    The address may lack the modules on the way to it, where a report does not tell them.
    """

    type_name: str | None
    address: str
    path: str
    line: int


class Code:
    """The declared resources of what `load` reads, called when the first of them is asked for; by default nothing."""

    def __init__(self, load: Callable[[], Iterable[Stack]] = tuple) -> None:
        self._load = load
        self._declared: dict[str, list[tuple[Resource, StackIndex]]] | None = None
        self._decisions: dict[Subject, ModelDecision | None] = {}

    def decision(self, subject: Subject) -> ModelDecision | None:
        """The service model as the code decides it; None where the type alone does, or the code is not at hand."""
        if subject not in self._decisions:
            self._decisions[subject] = self._decide(subject)
        return self._decisions[subject]

    def _decide(self, subject: Subject) -> ModelDecision | None:
        entry = types.describe(subject.type_name) if subject.type_name else None
        if entry is None or entry.model_source != types.CONFIGURATION:
            return None
        decisions = [models.decide(resource, index) for resource, index in self._meant(subject)]
        if len({decision.service_model for decision in decisions}) > 1:
            words = dict.fromkeys(decision.decided_by for decision in decisions)
            return ModelDecision(None, None, f"its instances differ: {'; '.join(words)}")
        return decisions[0] if decisions else None

    def _meant(self, subject: Subject) -> list[tuple[Resource, StackIndex]]:
        """The resources that a subject can mean: by address, by address without keys, else by file and line."""
        here = [
            (resource, index) for resource, index in self._in_file(subject.path) if resource.type == subject.type_name
        ]
        base = _KEYS.sub("", subject.address)
        for fits in (
            lambda resource: resource.address == subject.address,
            lambda resource: _KEYS.sub("", resource.address) == base,
            lambda resource: resource.block.start_line <= subject.line <= resource.block.end_line,
        ):
            found = [(resource, index) for resource, index in here if fits(resource)]
            if found:
                return found
        return []

    def _in_file(self, path: str) -> list[tuple[Resource, StackIndex]]:
        if self._declared is None:
            self._declared = {}
            for index in map(StackIndex, self._load()):
                for resource in index.stack.resources:
                    self._declared.setdefault(resource.block.path, []).append((resource, index))
        return self._declared.get(path, [])


def below_working_directory(path: str) -> bool:
    """Whether a path stays in the working directory, by its words alone."""
    return not os.path.isabs(path) and os.path.normpath(path).split(os.sep)[0] != os.pardir
