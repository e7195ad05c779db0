"""Whether the fixtures of the policies catch every small mistake in them. Run: python -m tools.mutants

Each policy is changed in many small ways (tools/mutations.py), and each mutant is held to the policy's fixtures. It is
killed if the loader refuses it or if an expectation is not met; one that survives tells of a line of the policy that no
fixture proves. What cannot change any outcome counts as equivalent and is left out of the account: what follows from
the truth tables is found out here (tools/mutant_proofs.py), the rest is listed with a reason each in
equivalent_mutants.tsv. An entry there is a mistake if its mutant is killed, proven anyway, or not made any more.

Exit code 1: less than 95 % are killed, a mutant of `absent` survives, an entry of the list is a mistake, or the
fixtures of a policy fail as they are.
"""

from __future__ import annotations

import argparse
import csv
import datetime
import functools
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, TypeAlias

from srm_checks import fixtures
from srm_checks.absences import settle_absences
from srm_checks.errors import PackError
from srm_checks.fixtures import Expectation
from srm_checks.judge import judge_stack
from srm_checks.model import ABSENT_ADDRESS, EngineOptions, Finding, Stack, Unit
from srm_checks.policy.document import Policy
from srm_checks.policy.load import Draft, build, read_policy
from srm_checks.policy.packs import find, load_packs
from srm_checks.policy.source import Source, read
from srm_checks.units import load_unit
from tools.mutant_proofs import Version, equivalent
from tools.mutations import mutants

LIBRARY: Final = ("aws-baseline", "aws-strict", "aws-all")  # the packs that hold policies; the others select
LISTED: Final = Path(__file__).with_name("equivalent_mutants.tsv")
REQUIRED: Final = 0.95


@dataclass(frozen=True, slots=True)
class Subject:
    """A policy with its file, the pack that brings it, and the folder of its fixtures."""

    policy_id: str
    path: str
    pack: str
    folder: Path


@dataclass(frozen=True, slots=True)
class Survivor:
    """A mutant that no fixture tells from its policy; `proven` says that none can."""

    place: str
    line: int
    kind: str
    change: str
    proven: bool

    @property
    def key(self) -> tuple[str, str]:
        return self.place, self.change


@dataclass(frozen=True, slots=True)
class Tally:
    """How the mutants of one policy fared. `failing` is set if the fixtures fail without any mutation."""

    subject: Subject
    made: Counter[str] = field(default_factory=Counter)  # by kind
    refused: int = 0
    killed: frozenset[tuple[str, str]] = frozenset()
    survivors: tuple[Survivor, ...] = ()
    failing: str = ""


Listed = Mapping[str, Mapping[tuple[str, str], str]]  # policy id -> (place, change) -> reason


# ------------------------------------------------------------------ one policy

# A version of a policy by the file that sets its parameters, None for those of the whole folder.
Policies: TypeAlias = Callable[[Path | None], Policy]


class Fixture:
    """One unit of a policy's fixtures, read once; the expectation of each finding is looked up once.

    `own` is the file with its parameters where they are not those of the whole folder.
    """

    def __init__(self, unit: Unit, own: Path | None = None) -> None:
        self.unit = unit
        self.own = own
        self.stack: Stack = load_unit(unit, EngineOptions())
        self.day: datetime.date = fixtures.day_of(unit)
        self.expected: list[Expectation] = list(fixtures.expectations(unit))
        self._matches: dict[tuple[str, str], Expectation | None] = {}

    def objection(self, policies: Policies) -> str | None:
        """The first thing in which a policy is not as expected, in words; None if all is."""
        policy = policies(self.own)
        used: set[Expectation] = set()
        for finding in self._findings(policy):
            match = self._match(finding)
            if match is None:
                if finding.address != ABSENT_ADDRESS:
                    return f"{finding.block.path}: {finding.address} has no expectation; it is {finding.outcome}"
                continue
            used.add(match)
            difference = match.differs(finding)
            if difference:
                return difference
        for entry in self.expected:
            if entry not in used:
                return f"{entry.path}:{entry.line}: nothing was judged here"
        return None

    def _match(self, finding: Finding) -> Expectation | None:
        key = (finding.address, finding.root if finding.address == ABSENT_ADDRESS else "")
        if key not in self._matches:
            self._matches[key] = fixtures.match_expectation(self.expected, finding)
        return self._matches[key]

    def _findings(self, policy: Policy) -> Iterator[Finding]:
        """As `fixtures.findings`, on the stack at hand; only absences differ by scope."""
        for scope in ("stack", "account") if policy.absence is not None else ("stack",):
            judged = judge_stack(self.stack, [policy], today=self.day, scope=scope)
            settled = [finding for finding in judged.findings if finding.address == ABSENT_ADDRESS]
            settled += settle_absences([judged], [policy], scope)
            if scope == "stack":
                yield from (finding for finding in judged.findings if finding.address != ABSENT_ADDRESS)
            for finding in settled:
                if finding.address == ABSENT_ADDRESS or scope == "stack":
                    absent = finding.address == ABSENT_ADDRESS
                    yield replace(finding, root=scope) if absent else finding  # expectations name the scope


def examine(subject: Subject) -> Tally:
    """Make all mutants of a policy and hold each to the fixtures."""
    draft = read_policy(subject.path)
    whole = fixtures.parameters_file(subject.folder)
    policy = _built(draft, draft.source.data, subject, _given(whole))
    units = []
    for unit in fixtures.units(subject.folder) if subject.folder.is_dir() else ():
        file = fixtures.parameters_file(subject.folder, unit)
        units.append(Fixture(unit, None if file == whole else file))
    if not units:
        return Tally(subject, failing="has no fixtures")
    policies = _policies(draft, draft.source.data, subject, policy)
    failing = next((words for words in (unit.objection(policies) for unit in units) if words), "")
    if failing:
        return Tally(subject, failing=failing)
    original = Version(draft.source.data, policy.parameters)
    made: Counter[str] = Counter()
    refused, killed, survivors = 0, set(), []
    for mutant in mutants(draft.source, policy.parameters, _taken(units)):
        made[mutant.kind] += 1
        try:
            changed = _built(draft, mutant.data, subject, mutant.parameters)
        except PackError:
            refused += 1
            killed.add((mutant.where, mutant.change))
            continue
        if _killed(_policies(draft, mutant.data, subject, changed), units):
            killed.add((mutant.where, mutant.change))
            continue
        proven = equivalent(original, Version(mutant.data, changed.parameters))
        survivors.append(Survivor(mutant.where, mutant.line, mutant.kind, mutant.change, proven))
    return Tally(subject, made, refused, frozenset(killed), tuple(survivors))


def _built(draft: Draft, data: object, subject: Subject, parameters: Mapping[str, object]) -> Policy:
    source = Source(subject.path, data, draft.source.marks)
    return build(Draft(source, draft.digest), pack=subject.pack, parameters=parameters)


def _given(file: Path | None) -> Mapping[str, object]:
    return {} if file is None else read(str(file)).data


def _policies(draft: Draft, data: object, subject: Subject, policy: Policy) -> Policies:
    """`policy` for the units without parameters of their own, and its like for the others."""

    @functools.cache
    def of(own: Path | None) -> Policy:
        return policy if own is None else _built(draft, data, subject, _given(own))

    return of


def _killed(policies: Policies, units: list[Fixture]) -> bool:
    """Whether a fixture objects. The one that does goes to the front: it often tells the next mutant too."""
    for index, unit in enumerate(units):
        if unit.objection(policies) is not None:
            units.insert(0, units.pop(index))
            return True
    return False


def _taken(units: Iterable[Fixture]) -> dict[str, frozenset[str]]:
    """The attributes that fixtures set, by resource type."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for unit in units:
        for resource in unit.stack.resources:
            found[resource.type].update(resource.attributes)
    return {type_name: frozenset(names) for type_name, names in found.items()}


# ------------------------------------------------------------------ all policies


def subjects(packs: Sequence[str]) -> list[Subject]:
    """The policies that packs bring themselves, by id. Raises `PackError` where one does not load."""
    found = {}
    for pack in packs:
        folder = Path(find(pack))
        for policy in load_packs([pack]).policies:
            if folder.resolve() in Path(policy.path).resolve().parents:
                place = fixtures.folder_of(folder, policy)
                found[policy.id] = Subject(policy.id, policy.path, policy.pack, place)
    return [found[policy_id] for policy_id in sorted(found)]


def read_listed(path: Path) -> Listed:
    """The list of equivalent mutants. Raises `ValueError` where a line is not as it should be."""
    listed: defaultdict[str, dict[tuple[str, str], str]] = defaultdict(dict)
    with path.open(encoding="utf-8", newline="") as stream:
        rows = csv.reader((line for line in stream if not line.startswith("#")), delimiter="\t")
        if next(rows, None) != ["policy", "place", "change", "reason"]:
            raise ValueError(f"{path}: the first line names the columns policy, place, change, reason")
        for row in rows:
            if len(row) != 4 or not all(cell.strip() for cell in row):
                raise ValueError(f"{path}: {row} lacks one of policy, place, change, reason")
            listed[row[0]][row[1], row[2]] = row[3]
    return listed


def mistakes(tally: Tally, listed: Mapping[tuple[str, str], str]) -> Iterator[str]:
    """What is wrong with the entries of the list on one policy."""
    survivors = {survivor.key: survivor for survivor in tally.survivors}
    for key in listed:
        what = f"{tally.subject.policy_id} {key[0]}: {key[1]}"
        if key in tally.killed:
            yield f"{what} is listed as equivalent, and killed"
        elif key not in survivors:
            yield f"{what} is listed as equivalent, and is not made any more"
        elif survivors[key].proven:
            yield f"{what} is listed as equivalent, and proven to be so without the list"


@dataclass(slots=True)
class Account:
    """The sum over policies."""

    made: Counter[str] = field(default_factory=Counter)
    alive: Counter[str] = field(default_factory=Counter)
    proven: int = 0
    listed: int = 0
    refused: int = 0
    problems: list[str] = field(default_factory=list)

    def add(self, tally: Tally, listed: Mapping[tuple[str, str], str]) -> list[Survivor]:
        """Take a policy in; the mutants of it that survive and should not."""
        if tally.failing:
            self.problems.append(f"{tally.subject.policy_id}: {tally.failing}")
        self.problems.extend(mistakes(tally, listed) if not tally.failing else ())
        alive = []
        for survivor in tally.survivors:
            if survivor.proven or survivor.key in listed:
                self.proven += survivor.proven
                self.listed += not survivor.proven
                self.made[survivor.kind] -= 1
            else:
                self.alive[survivor.kind] += 1
                alive.append(survivor)
        self.made.update(tally.made)
        self.refused += tally.refused
        return alive

    @property
    def share(self) -> float:
        total = sum(self.made.values())
        return 1 - sum(self.alive.values()) / total if total else 1.0

    @property
    def good(self) -> bool:
        return self.share >= REQUIRED and not self.alive["absent"] and not self.problems

    def lines(self) -> Iterator[str]:
        for kind, made in sorted(self.made.items()):
            yield f"  {kind:<13}{made - self.alive[kind]:>6} of {made:>5} killed"
        total, alive = sum(self.made.values()), sum(self.alive.values())
        yield (
            f"{total - alive} of {total} mutants killed ({self.share:.1%}), {self.refused} of them by the loader; "
            f"{self.proven} more are equivalent by proof, {self.listed} by the list"
        )


def main(argv: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.mutants", description="Mutates policies, runs their fixtures."
    )
    parser.add_argument("--policy", nargs="+", metavar="ID", help="only these policies")
    parser.add_argument("--pack", action="append", help=f"only this pack (default: {', '.join(LIBRARY)})")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="processes (default: 2)")
    parser.add_argument("--list", action="store_true", help="name the mutants, run none")
    parser.add_argument(
        "--equivalent", type=Path, default=LISTED, metavar="FILE", help="the list of equivalent mutants"
    )
    options = parser.parse_args(argv)
    try:
        found = subjects(options.pack or LIBRARY)
        listed = read_listed(options.equivalent)
    except (PackError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    known = {subject.policy_id for subject in found}
    strangers = sorted((set(options.policy or ()) | (set(listed) if not options.pack else set())) - known)
    if strangers:
        print(f"there is no policy {', '.join(strangers)}", file=sys.stderr)
        return 2
    if options.policy:
        found = [subject for subject in found if subject.policy_id in options.policy]
    if options.list:
        return _name(found)
    return _run(found, listed, options.jobs)


def _run(found: Sequence[Subject], listed: Listed, jobs: int) -> int:
    account = Account()
    for tally in _tallies(found, jobs):
        alive = account.add(tally, listed.get(tally.subject.policy_id, {}))
        if alive:
            print(f"{tally.subject.policy_id}  {len(alive)} of {sum(tally.made.values())} survive")
        for survivor in alive:
            print(f"  {tally.subject.path}:{survivor.line}  {survivor.place}  [{survivor.kind}] {survivor.change}")
    for line in (*account.lines(), *account.problems):
        print(line)
    return 0 if account.good else 1


def _tallies(found: Sequence[Subject], jobs: int) -> Iterator[Tally]:
    """The policies examined, in their order."""
    if jobs == 1:
        yield from map(examine, found)
        return
    with ProcessPoolExecutor(jobs) as pool:
        yield from pool.map(examine, found, chunksize=1)


def _name(found: Iterable[Subject]) -> int:
    for subject in found:
        draft = read_policy(subject.path)
        policy = _built(draft, draft.source.data, subject, {})
        for mutant in mutants(draft.source, policy.parameters, {}):
            print(f"{subject.policy_id}  {subject.path}:{mutant.line}  {mutant.where}  [{mutant.kind}] {mutant.change}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
