"""All units of a scan judged: from the cache where nothing has changed, else here, by workers, or by an executor.

What a unit gives is the same on every road, and so is the order.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from srm_checks import identity, reads
from srm_checks.engines import NAMES
from srm_checks.model import ScanError, Unit, UnitKind
from srm_checks.policy.document import Policy
from srm_checks.policy.drafts import Drafts, beside
from srm_checks.unit_report import Task, UnitReport

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future

    from srm_checks import workers
    from srm_checks.cache import Cache

UNIT_LIMIT: Final = 300.0  # seconds; the largest public roots take some ten

Progress: TypeAlias = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How another process comes to the same policies and the same answers: plain data only.

    `folder` is the working directory, to which all paths are relative.
    """

    task: Task
    packs: tuple[str, ...]
    parameters: Mapping[str, Mapping[str, Any]]
    undeclared: str | None
    policy_ids: tuple[str, ...]
    folder: str
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Done:
    """A judged unit: its report, what it read, and the seconds of processor time that it took."""

    report: UnitReport
    reads: dict[tuple[reads.Kind, str], str]
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """How the work is done; no part of it changes a finding.

    `jobs` is the number of processes, None for what helps. `limit` is in seconds for one unit. `executor` takes the
    place of our own processes. `states` is what was seen of files so far.
    """

    jobs: int | None = None
    limit: float | None = UNIT_LIMIT
    cache: Cache | None = None
    executor: Executor | None = None
    states: reads.States | None = None


class Judge:
    """Judges units, here or, once it has been pickled, in another process."""

    def __init__(self, recipe: Recipe, policies: Sequence[Policy], states: reads.States) -> None:
        self.recipe = recipe
        self._policies: Sequence[Policy] | None = policies
        self._states = states
        self._narrowed: Task | None = None

    def __call__(self, unit: Unit) -> Done:
        from srm_checks.units import judge_unit

        started = time.process_time()
        with reads.recorded(self._states) as recorder:
            report = judge_unit(unit, self.policies, self._task())
        return Done(report, recorder.reads, time.process_time() - started)

    @property
    def policies(self) -> Sequence[Policy]:
        if self._policies is None:
            self._policies = _policies_of(self.recipe)
        return self._policies

    def _task(self) -> Task:
        """The task, for what the policies ask for: providers that none of them names need not be evaluated."""
        if self._narrowed is None:
            types = {name for policy in self.policies for name in policy.mentions()}
            providers = {"aws"} | {name.removeprefix("data.").partition("_")[0] for name in types if "_" in name}
            task = self.recipe.task
            self._narrowed = replace(task, options=replace(task.options, providers=frozenset(providers)))
        return self._narrowed

    def __getstate__(self) -> Recipe:
        return self.recipe

    def __setstate__(self, recipe: Recipe) -> None:
        self.recipe, self._policies, self._states, self._narrowed = recipe, None, reads.States(), None


def judge_all(
    units: Sequence[Unit], policies: Sequence[Policy], recipe: Recipe, running: Running, progress: Progress | None
) -> list[UnitReport]:
    """The reports of all units, in their order."""
    states = running.states or reads.States()
    found: dict[int, UnitReport] = {}
    keys: dict[int, str] = {}
    today = recipe.task.today.isoformat()
    cache = running.cache
    if cache is not None:
        key_of = _keys(recipe, policies)
        for number, unit in enumerate(units):
            keys[number] = key_of(unit)
            known = cache.find(keys[number], states, whole=recipe.task.keep_all, today=today)
            if known is not None:
                found[number] = known
    missing = [number for number in range(len(units)) if number not in found]
    judge = Judge(recipe, policies, states)
    for place, result in _judged([units[number] for number in missing], judge, running, len(found), progress):
        number = missing[place]
        if not isinstance(result, Done):
            found[number] = _lost(units[number], result, running.limit)
            reads.unsure()  # next time it may come through
            continue
        found[number] = result.report
        reads.taken((kind, path, state) for (kind, path), state in result.reads.items())
        if cache is not None:
            cache.keep(
                keys[number],
                result.report,
                result.reads,
                whole=recipe.task.keep_all,
                today=today,
                seconds=result.seconds,
            )
    if progress:
        progress(len(units), len(units), "")
    return [found[number] for number in range(len(units))]


def recorded_seconds(recipe: Recipe, policies: Sequence[Policy], running: Running) -> Callable[[Unit], float | None]:
    """What judging a unit cost before, where the cache knows it."""
    cache = running.cache
    if cache is None:
        return lambda unit: None
    key_of = _keys(recipe, policies)
    return lambda unit: cache.seconds(key_of(unit))


def _judged(
    units: Sequence[Unit], judge: Judge, running: Running, before: int, progress: Progress | None
) -> Iterator[tuple[int, Done | workers.Lost]]:
    if not units:
        return
    from srm_checks import workers  # a scan that finds all in its cache starts no process

    results = (
        _executed(units, judge, running.executor)
        if running.executor is not None
        else workers.run(units, judge, jobs=running.jobs, limit=running.limit)
    )
    if progress:
        progress(before, before + len(units), units[0].path)
    for count, (place, result) in enumerate(results, start=1):
        yield place, result
        if progress:
            progress(before + count, before + len(units), units[place].path)


def _executed(units: Sequence[Unit], judge: Judge, executor: Executor) -> Iterator[tuple[int, Done | workers.Lost]]:
    from concurrent.futures import as_completed

    futures: dict[Future[Done], int] = {
        executor.submit(judge_elsewhere, judge.recipe, unit): number for number, unit in enumerate(units)
    }
    try:
        for future in as_completed(futures):
            yield futures[future], future.result()
    finally:
        for future in futures:
            future.cancel()


_elsewhere = threading.Lock()
_judges: dict[str, Judge] = {}


def judge_elsewhere(recipe: Recipe, unit: Unit) -> Done:
    """Judge a unit in a process that may run on another machine, with the same files at the same place.

    The working directory and the environment belong to the process, so one unit is judged at a time.
    """
    with _elsewhere:
        before, environment = os.getcwd(), dict(os.environ)
        try:
            os.chdir(recipe.folder)
            for name in list(os.environ):
                if name.startswith(_VARIABLES):
                    del os.environ[name]
            os.environ.update(recipe.environment)
            known = _judges.get(repr(recipe))
            policies = known.policies if known else _policies_of(recipe)
            judge = Judge(recipe, policies, reads.States())
            _judges.clear()
            _judges[repr(recipe)] = judge
            return judge(unit)
        finally:
            os.chdir(before)
            os.environ.clear()
            os.environ.update(environment)


def _policies_of(recipe: Recipe) -> list[Policy]:
    from srm_checks.policy.packs import load_packs

    wanted = set(recipe.policy_ids)
    policy_set = load_packs(
        recipe.packs, parameters=recipe.parameters, undeclared=recipe.undeclared, drafts=known_drafts()
    )
    return [policy for policy in policy_set.policies if policy.id in wanted]


def known_drafts(running: Running | None = None) -> Drafts:
    """The policy texts that are known to be right: those of this package, and those in the user's cache."""
    from srm_checks.policy.packs import library
    from srm_checks.versions import code_mark

    running = running or Running()
    facts = running.states.facts if running.states else None
    return Drafts(shipped=beside(library()), memory=running.cache, stamp=code_mark(), facts=facts)


def _lost(unit: Unit, lost: workers.Lost, limit: float | None) -> UnitReport:
    if lost.kind == "timeout":
        message = f"It took longer than {limit:g} seconds and was given up; --unit-timeout sets the limit."
    else:
        message = "The process that scanned it ended unexpectedly. Please report this."
    return UnitReport(unit, errors=(ScanError(unit.path, NAMES[unit.kind], lost.kind, message),))


# ------------------------------------------------------------------ keys

_VARIABLES: Final = "TF_VAR_"


def given_variables() -> dict[str, str]:
    """The environment variables that Terraform takes values from."""
    return {name: value for name, value in sorted(os.environ.items()) if name.startswith(_VARIABLES)}


def _common(recipe: Recipe, policies: Sequence[Policy]) -> str:
    """What all units of a scan share: code, policies, options."""
    from srm_checks.cache import digest
    from srm_checks.versions import code_mark, engine_versions

    task = recipe.task
    return digest(
        [
            code_mark(),
            sys.version_info[:2],
            tuple(engine_versions().items()),
            task.scope,
            task.suppress_equivalents,
            task.options.strict_parameters,
            task.options.workspace,
            task.options.front_end,
            sorted(task.options.parameters.items()),
            [
                (
                    policy.id, policy.digest, policy.severity, policy.mandatory, policy.undeclared_is_gap,
                    sorted(policy.parameters.items()),
                )
                for policy in policies
            ],
        ]
    )  # fmt: skip


def _keys(recipe: Recipe, policies: Sequence[Policy]) -> Callable[[Unit], str]:
    """The key of a unit in the cache: all that has a say besides what it reads."""
    from srm_checks.cache import digest

    common = _common(recipe, policies)
    home = identity.RepositoryPaths()

    def key_of(unit: Unit) -> str:
        own: list[object] = []
        if unit.kind is UnitKind.TERRAFORM:
            own = [recipe.task.options.var_files, sorted(recipe.environment.items())]
        return digest([common, unit.kind, unit.path, home(unit.path), *own])

    return key_of
