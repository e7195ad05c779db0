"""Examples of a gap and of what meets a policy, cut out of its tested fixtures.

An example is the smallest piece of a fixture that stands alone: it is judged again by itself, and counts only where
the outcome is still the one that the fixture expects. For a duty of the whole stack the piece is a whole root.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias

from srm_checks.fixtures import DEFAULT_DAY, TODAY, Expectation, day_in, expectation_in
from srm_checks.judge import judge_stack
from srm_checks.model import ABSENT_ADDRESS, Cause, EngineOptions, Evidence, Outcome, Unit, UnitKind
from srm_checks.policy.document import Policy
from srm_checks.units import load_unit

_FILES: Final = {"terraform": "main.tf", "cloudformation": "template.yaml"}
_KINDS: Final = {"terraform": UnitKind.TERRAFORM, "cloudformation": UnitKind.CLOUDFORMATION}
_TRIED: Final = 24  # pieces judged for one example, the smallest first
_LONGEST: Final = 60  # lines; a longer piece explains nothing
_TRAVERSAL: Final = re.compile(r"(?<![\w.-])((?:data\.)?[a-z][\w-]*\.[A-Za-z_][\w-]*)")
_LOGICAL_ID: Final = re.compile(r'  "?([A-Za-z0-9]+)"?:')
_ODD: Final = re.compile(r'"(?:true|false)"|\bnull\b|AWS::NoValue|^resource "\w+" "\w*(?:text|default)\w*"')
# In a function, in a text with `${...}`, as condition or dependency, and as an item of a list, which may be either.
_LOGICAL_MENTION: Final = re.compile(
    r"(?m)(?:\bRef:? |\bGetAtt:? \[?|\$\{|\bDependsOn: \[?|\bCondition:? |\bIf:? \[|\bFindInMap:? \[|^ *- )"
    r"\"?([A-Za-z0-9]+)\b"
)


class Example(NamedTuple):
    """A piece of a fixture without its comments on what is expected.

    `evidence` is what decided. `day` is set where the outcome hangs on the day.
    """

    text: str
    evidence: tuple[Evidence, ...] = ()
    day: datetime.date | None = None


class Pair(NamedTuple):
    """What to avoid and what to prefer in one language; None where no piece of the fixtures stands alone."""

    avoid: Example | None
    prefer: Example | None


def examples(policy: Policy, folder: Path, scratch: str) -> dict[str, Pair]:
    """The examples by language, out of a policy's folder of fixtures; the policy has the parameters of that folder.

    `scratch` is an empty folder where pieces can be written to be read again.
    """
    found = {}
    for language in policy.resources:
        texts = _texts(folder, language, single=policy.absence is not None)
        if policy.absence is not None:
            found[language] = Pair(_whole(texts, Outcome.GAP), _whole(texts, Outcome.MET))
            continue
        files = [(day_in(text) or DEFAULT_DAY, _SPLIT[language](text)) for text in texts]
        avoid = _example(policy, language, files, Outcome.GAP, scratch)
        # What meets the policy by writing the deciding attribute shows more than what meets it by a default.
        deciding = avoid.evidence[0].path if avoid and avoid.evidence else ""
        found[language] = Pair(avoid, _example(policy, language, files, Outcome.MET, scratch, deciding))
    return found


def causes(folder: Path) -> list[Cause]:
    """Why outcomes are unknown in a folder of fixtures: what users of the policy meet."""
    found = {
        expected.cause
        for path in sorted(folder.rglob("*"))
        if path.suffix in (".tf", ".yaml", ".yml")
        for line in path.read_text(encoding="utf-8").splitlines()
        if (expected := expectation_in(line)) and expected.cause
    }
    return [cause for cause in Cause if str(cause) in found]


def _texts(folder: Path, language: str, *, single: bool) -> list[str]:
    """The main files of all roots, or the templates; with `single` no root of several files, as with a module."""
    paths = sorted(path for path in folder.rglob(_FILES[language]) if "modules" not in path.relative_to(folder).parts)
    if single and language == "terraform":
        paths = [path for path in paths if len(list(path.parent.rglob("*.tf"))) == 1]
    return [path.read_text(encoding="utf-8") for path in paths]


def _example(
    policy: Policy, language: str, files: Sequence[_File], outcome: Outcome, scratch: str, attribute: str = ""
) -> Example | None:
    word = next((part for part in reversed(attribute.split(".")) if not part.isdigit()), "")
    pieces = _pieces(policy, files, language, outcome, word)[:_TRIED]
    judged = (_judged(policy, piece, language, outcome, scratch) for piece in pieces)
    return next((example for example in judged if example), None)


# ------------------------------------------------------------------ pieces of files


@dataclass(frozen=True, slots=True)
class _Block:
    """A block of Terraform, or an entry of a template.

    `type` is that of a resource, "" for what is none. `address` is what others call it, "" where nothing can;
    `mentions` are the addresses that it names itself. What is not `portable` cannot come along into an example.
    """

    type: str
    address: str
    lines: tuple[str, ...] = ()
    mentions: frozenset[str] = frozenset()
    expected: tuple[Expectation, ...] = ()
    portable: bool = True

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


_File: TypeAlias = tuple[datetime.date, list[_Block]]  # the day that a file sets, and its blocks


@dataclass(frozen=True, slots=True)
class _Piece:
    """Blocks of one file that may stand alone, with the day that the file sets."""

    blocks: tuple[_Block, ...]
    day: datetime.date

    @property
    def text(self) -> str:
        return "\n".join(block.text for block in self.blocks)

    @property
    def size(self) -> int:
        return sum(len(block.lines) for block in self.blocks)


def _pieces(policy: Policy, files: Iterable[_File], language: str, outcome: Outcome, word: str) -> list[_Piece]:
    """The pieces around each block of which the outcome is expected plainly.

    The policy's first type before its others, what has the word before what has not, plain spellings before odd ones,
    fewer blocks before more, few lines before many; of about equal ones the first, as fixtures begin with the plain.
    """
    order = policy.resources[language]
    found: list[tuple[tuple[int, bool, bool, int, int, int], _Piece]] = []
    for day, blocks in files:
        for block in blocks:
            if block.type not in order or not _plainly(block.expected, outcome):
                continue
            for company in _companies(block, blocks):
                # In the order of the file, so that it reads as it was written.
                piece = _Piece(tuple(each for each in blocks if each is block or each in company), day)
                if piece.size <= _LONGEST and all(each.portable for each in piece.blocks):
                    rank = order.index(block.type), word not in piece.text, _ODD.search(piece.text) is not None
                    found.append(((*rank, len(piece.blocks), piece.size // 3, len(found)), piece))
    return [piece for _, piece in sorted(found, key=lambda pair: pair[0])]


def _plainly(expected: Sequence[Expectation], outcome: Outcome) -> bool:
    """Whether one outcome is expected, whatever the values are."""
    return len(expected) == 1 and expected[0].outcome is outcome and not (expected[0].when or expected[0].part)


def _companies(block: _Block, blocks: Sequence[_Block]) -> Iterator[list[_Block]]:
    """What a block may need beside it: what it mentions, what mentions it, all that hangs together, or all there is."""
    together = _mentioned([block], blocks)
    yield list(together)
    referring = [each for each in blocks if block.address in each.mentions]
    if referring:
        yield _mentioned([block, *referring], blocks)
    for each in together:  # grows on the way
        together += [
            other
            for other in blocks
            if other not in together and (other.address in each.mentions or each.address in other.mentions)
        ]
    yield together
    everything = _self_contained(blocks)
    if block in everything:
        yield everything


def _self_contained(blocks: Sequence[_Block]) -> list[_Block]:
    """All blocks but those that cannot come along, and those that need them."""
    kept = [each for each in blocks if each.portable]
    gone = {each.address for each in blocks if not each.portable}
    while needing := [each for each in kept if each.mentions & gone]:
        gone |= {each.address for each in needing}
        kept = [each for each in kept if each not in needing]
    return kept


def _mentioned(start: Sequence[_Block], blocks: Sequence[_Block]) -> list[_Block]:
    """Blocks with all that they mention, over any number of steps."""
    found = list(start)
    for each in found:  # grows on the way
        if each.mentions:
            found += [other for other in blocks if other.address in each.mentions and other not in found]
    return found


def _terraform(text: str) -> list[_Block]:
    """The blocks of a formatted file: each begins and ends at the margin."""
    found: list[_Block] = []
    above: list[str] = []
    part: list[str] = []
    for line in text.splitlines():
        if part or re.match(r"[a-z]", line):
            part.append(line)
            if line.startswith("}") or (len(part) == 1 and line.endswith("}")):
                kind, *labels = re.findall(r'^[a-z]+|"[^"]+"', part[0].partition("{")[0])
                found.append(_terraform_block(kind, [label.strip('"') for label in labels], part, above))
                above, part = [], []
        else:
            above = [*above, line] if line.startswith("#") else []
    return found


def _terraform_block(kind: str, labels: Sequence[str], part: Sequence[str], above: Sequence[str]) -> _Block:
    lines, expected = _without_expectations(part, above)
    mentions = frozenset(
        "local" if word.startswith("local.") else word for word in _TRAVERSAL.findall("\n".join(lines[1:]))
    )
    match kind, labels:
        case "resource", [type_name, name]:
            return _Block(type_name, f"{type_name}.{name}", lines, mentions, expected)
        case "data", [type_name, name]:
            return _Block(f"data.{type_name}", f"data.{type_name}.{name}", lines, mentions, expected)
        case "provider", [name]:
            return _Block(f"provider.{name}", "", lines, mentions, expected)
        case "variable", [name]:
            return _Block("", f"var.{name}", lines)
        case "locals", []:
            return _Block("", "local", lines, mentions)
        case "module", [name]:
            return _Block("", f"module.{name}", lines, portable=False)
        case _:
            return _Block(kind, "", lines, mentions, expected)


def _cloudformation(text: str) -> list[_Block]:
    """The resources of a template, and its parameters and conditions, on which no example can rest."""
    sections: dict[str, list[str]] = {}
    name = ""
    for line in text.splitlines():
        if re.match(r"[A-Za-z]", line):
            name = line.partition(":")[0]
        sections.setdefault(name, []).append(line)
    found = [
        _Block("", logical, portable=False)
        for section in ("Parameters", "Conditions", "Mappings")
        for logical, _, _ in _entries(sections.get(section, ()))
    ]
    for logical, part, above in _entries(sections.get("Resources", ())):
        lines, expected = _without_expectations(part, above)
        declared = re.search(r'^(?:    |  \w+: \{)Type: "?([\w:]+)', "\n".join(lines), re.MULTILINE)
        if declared:
            mentions = frozenset(_LOGICAL_MENTION.findall("\n".join(lines[1:]))) - {logical}
            found.append(_Block(declared[1], logical, lines, mentions, expected))
    return found


def _entries(lines: Sequence[str]) -> Iterator[tuple[str, list[str], list[str]]]:
    """(logical id, lines, comments right above them) of each entry of a section."""
    starts = [number for number, line in enumerate(lines) if _LOGICAL_ID.match(line)]
    tops = []
    for start in starts:
        top = start
        while lines[top - 1].startswith("  #"):
            top -= 1
        tops.append(top)
    for start, top, end in zip(starts, tops, [*tops[1:], len(lines)][: len(tops)], strict=True):
        match = _LOGICAL_ID.match(lines[start])
        assert match is not None  # that is how the starts were found
        part = list(lines[start:end])
        while not part[-1].strip():
            part.pop()
        yield match[1], part, list(lines[top:start])


def _without_expectations(part: Sequence[str], above: Sequence[str]) -> tuple[tuple[str, ...], tuple[Expectation, ...]]:
    """The lines of a part that say nothing of what is expected, and what is expected of it."""
    expected = [each for line in (*above, *part) if (each := expectation_in(line))]
    return tuple(line for line in part if not expectation_in(line)), tuple(each for each in expected if not each.absent)


_SPLIT: Final = {"terraform": _terraform, "cloudformation": _cloudformation}


# ------------------------------------------------------------------ judging a piece


def _judged(policy: Policy, piece: _Piece, language: str, outcome: Outcome, scratch: str) -> Example | None:
    """The example that a piece makes; None where by itself it is anything else."""
    head, between = ("Resources:\n", "\n") if language == "cloudformation" else ("", "\n\n")
    text = head + between.join(block.text for block in piece.blocks) + "\n"
    path = Path(scratch, _FILES[language])
    path.write_text(text, encoding="utf-8")
    unit = Unit(_KINDS[language], scratch if language == "terraform" else str(path))
    stack = load_unit(unit, EngineOptions())
    judged = judge_stack(stack, [policy], today=piece.day)
    findings = [finding for finding in judged.findings if finding.address != ABSENT_ADDRESS]
    outcomes = {finding.outcome for finding in findings}
    plain = outcomes - {Outcome.NOT_APPLICABLE} == {outcome} and not any(finding.when for finding in findings)
    if stack.errors or not plain:
        return None
    deciding = next(finding for finding in findings if finding.outcome is outcome)
    return Example(text, deciding.evidence, piece.day if judged.dated else None)


def _whole(texts: Iterable[str], outcome: Outcome) -> Example | None:
    """The smallest root or template that lacks what is asked for, or that declares it."""
    found = []
    for source in texts:
        lines = source.splitlines()
        expected = [each for line in lines if (each := expectation_in(line))]
        if _answers(expected, outcome):
            kept = [line for line in lines if not expectation_in(line) and not TODAY.match(line)]
            text = "\n".join(kept).strip("\n")
            if text and len(kept) <= _LONGEST:
                found.append(text + "\n")
    return Example(min(found, key=lambda text: (text.count("\n"), text))) if found else None


def _answers(expected: Sequence[Expectation], outcome: Outcome) -> bool:
    """Whether a file expects the outcome of a duty of the whole stack, and nothing that speaks against it."""
    account = [each for each in expected if each.absent and each.part == "account"]
    declared = [each for each in expected if not each.absent]
    if outcome is Outcome.GAP:
        return bool(account) and all(each.outcome is Outcome.GAP for each in account) and not declared
    return bool(declared) and all(_plainly([each], Outcome.MET) for each in declared)
