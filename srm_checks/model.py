"""The core types that flow through the house; standard library only.

An engine turns files into a `Stack`. Policies are judged on the `Stack` and give `Verdict`s; the catalogue turns
a verdict into a `Finding`. Every path in these types is relative to the working directory, POSIX style, and can be
opened as it is.

Values
------
The attributes of a resource are plain Python values (str, int, float, bool, list, dict with text keys) in which
these may stand anywhere:

* `ABSENT`: not set, null in HCL, `AWS::NoValue` in CloudFormation. A missing dict key means the same. `None` never
  stands in an attribute.
* `Unknown`: a value that the code does not show.
* `Choice`: one of two values, by a condition that the code does not decide.
* `Options`: one of several values, each as likely (AllowedValues without a default).
* `Repeated` (only as a list element): any number of elements, also none, each of which looks like its value.
* `Encoded`: a text that is the JSON of a value (`jsonencode(...)`, the `json` of a policy document data source).

A dict with the key `FURTHER_KEYS` speaks there of every key that it does not name: an open value says that any may
be there, a known one that all have it (the bare star among the principals of a policy).

A Terraform block is a list of dicts even where it may stand only once, in HCL and in a plan alike.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias, overload


class Outcome(str, enum.Enum):
    """What a policy says of a resource. `gap`: the customer's part is not met."""

    GAP = "gap"
    MET = "met"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not-applicable"

    __str__ = str.__str__


class Cause(str, enum.Enum):
    """Why an outcome is unknown."""

    UNRESOLVED_VALUE = "unresolved-value"
    OTHER_STACK = "other-stack"
    MISSING_REFERENCE = "missing-reference"
    PROVIDER_DEFAULT = "provider-default"
    NOT_EXPRESSIBLE = "not-expressible"
    UNDETERMINED_MODEL = "undetermined-model"

    __str__ = str.__str__


class Side(str, enum.Enum):
    """Who answers."""

    CUSTOMER = "customer"
    SHARED = "shared"
    AWS = "aws"

    __str__ = str.__str__


class Domain(str, enum.Enum):
    """The control domains, in the order that gives the cfn-lint ids their two digits."""

    PHYSICAL = "physical"
    OS_HOST = "os-host"
    PLATFORM = "platform"
    APPLICATION = "application"
    IDENTITY = "identity"
    DATA_AT_REST = "data-at-rest"
    DATA_IN_TRANSIT = "data-in-transit"
    NETWORK = "network"
    BACKUP = "backup"
    MONITORING = "monitoring"
    CONFIGURATION = "configuration"
    GOVERNANCE = "governance"

    __str__ = str.__str__

    @property
    def code(self) -> str:
        """The three letters that stand in a policy id."""
        return DOMAIN_CODES[self]


DOMAIN_CODES: Final[dict[Domain, str]] = dict(
    zip(Domain, ("PHY", "HOS", "PLT", "APP", "IAM", "DAR", "DIT", "NET", "BCK", "MON", "CFG", "GOV"), strict=True)
)


class Severity(str, enum.Enum):
    """From worst to mildest."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"

    __str__ = str.__str__

    @property
    def rank(self) -> int:
        """0 is the worst."""
        return list(Severity).index(self)


class Disposition(str, enum.Enum):
    """What triage made of a finding. `assumed`: the configuration says that somebody else provides it."""

    NEW = "new"
    BASELINED = "baselined"
    WAIVED = "waived"
    SUPPRESSED = "suppressed"
    ASSUMED = "assumed"

    __str__ = str.__str__


# ------------------------------------------------------------------ values


class _Absent:
    """The one value that means "not set"."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "ABSENT"

    def __bool__(self) -> bool:
        raise TypeError("ABSENT has no truth value: compare with `is ABSENT`")

    def __reduce__(self) -> str:
        return "ABSENT"


ABSENT: Final = _Absent()

FURTHER_KEYS: Final = "*"

Path: TypeAlias = tuple[str | int, ...]  # ("ingress", 0, "from_port")


@dataclass(frozen=True, slots=True)
class Ref:
    """A mention of a resource: `aws_s3_bucket.b[0].arn`, `!GetAtt B.Arn`.

    `target` is the address without its last instance key (`module.m["a"].aws_s3_bucket.b`) or the logical id;
    `key` the instance key where it is known; `attribute` the first attribute read, "" for the whole.
    """

    target: str
    key: str | int | None = None
    attribute: str = ""


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value that the code does not show.

    `text` is the expression as written, for messages. `refs` are the resources that it would come from.
    `present` says that it is surely set (an ARN of a declared resource), though not what it is.
    `parts` is what is known of a text: literal pieces, with None for each hole (`("arn:", None, "/*")`);
    a hole may be empty. None means that nothing is known. `cause` goes into the verdict. `subject` is the key under
    which two unknowns are the same value within a verdict (`module.db|var.env`, `Parameters/Env`); "" where there is
    no such thing. Under `FURTHER_KEYS`, `entries` are what the map surely has there, as (key, value), if that is all
    that it has: keys that are not known, and neither one of the known ones nor each other.
    """

    text: str = ""
    cause: Cause = Cause.UNRESOLVED_VALUE
    refs: tuple[Ref, ...] = ()
    present: bool = False
    parts: tuple[str | None, ...] | None = None
    subject: str = ""
    entries: tuple[tuple[Unknown, Any], ...] = ()


Literal: TypeAlias = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Test:
    """An undecided comparison: `subject` equals `value`.

    `subject` is a key: equal subjects have one value within a verdict, so it names its scope
    (`module.db|var.env`). `label` is how it reads in a message (`var.env`). An opaque condition is its own subject
    with the value True (`length(var.names) > 2`).
    """

    __test__ = False  # not a pytest class
    subject: str
    value: Literal
    label: str


@dataclass(frozen=True, slots=True)
class Not:
    of: Cond


@dataclass(frozen=True, slots=True)
class AllOf:
    of: tuple[Cond, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    of: tuple[Cond, ...]


Cond: TypeAlias = bool | Test | Not | AllOf | AnyOf


@dataclass(frozen=True, slots=True)
class Choice:
    """One of two values, by a condition that the code leaves open."""

    cond: Cond
    then: Any
    otherwise: Any


@dataclass(frozen=True, slots=True)
class Options:
    """One of several plain values; `subject` and `label` as in `Test`. Exhaustive: it is one of them."""

    subject: str
    label: str
    values: tuple[Literal, ...]


@dataclass(frozen=True, slots=True)
class Repeated:
    """As a list element: any number of elements (also none) that look like `value`.

    `Repeated(Unknown(...))` is a list of which nothing further is known.
    """

    value: Any


@dataclass(frozen=True, slots=True)
class Encoded:
    """A text that is the JSON of `value`; unknowns may stand inside."""

    value: Any


def negate(cond: Cond) -> Cond:
    """The opposite condition, in its simplest form."""
    if isinstance(cond, bool):
        return not cond
    return cond.of if isinstance(cond, Not) else Not(cond)


def all_of(conds: Iterable[Cond]) -> Cond:
    """The conjunction, simplified: False wins, True and repetitions fall away."""
    return _join(conds, neutral=True)


def any_of(conds: Iterable[Cond]) -> Cond:
    """The disjunction, simplified: True wins, False and repetitions fall away."""
    return _join(conds, neutral=False)


def _join(conds: Iterable[Cond], *, neutral: bool) -> Cond:
    kept: list[Cond] = []
    for cond in conds:
        if isinstance(cond, bool):
            if cond is not neutral:
                return cond
        elif cond not in kept:
            kept.append(cond)
    if not kept:
        return neutral
    if len(kept) == 1:
        return kept[0]
    return AllOf(tuple(kept)) if neutral else AnyOf(tuple(kept))


# ------------------------------------------------------------------ places


@dataclass(frozen=True, slots=True)
class SourceRange:
    """Lines of a file; counted from 1, both ends included."""

    path: str
    start_line: int
    end_line: int


@dataclass(frozen=True, slots=True)
class Call:
    """A module call on the way to a resource: address of the module, and where the call is written."""

    address: str
    path: str
    start_line: int


@dataclass(frozen=True, slots=True)
class Suppression:
    """An inline exception: `pattern` is what the author named (`SRM-DAR-005`, `E906005`, a prefix).

    `kind` is `checkov` (comment or Metadata.checkov: exact policy ids), `cfn-lint` (a resource's Metadata: full
    cfn-lint ids) or `cfn-lint-template` (the template's Metadata: prefixes hold).
    """

    pattern: str
    reason: str | None
    kind: str
    location: SourceRange


# ------------------------------------------------------------------ units and stacks


class UnitKind(str, enum.Enum):
    TERRAFORM = "terraform"
    PLAN = "plan"
    CLOUDFORMATION = "cloudformation"

    __str__ = str.__str__


FRAMEWORKS: Final = {
    UnitKind.TERRAFORM: "terraform",
    UnitKind.PLAN: "terraform_plan",
    UnitKind.CLOUDFORMATION: "cloudformation",
}


@dataclass(frozen=True, slots=True, order=True)
class Unit:
    """The smallest thing that can be scanned alone: a Terraform root module, a plan file, a template.

    `path` is the root's folder ("." for the working directory) or the file.
    """

    kind: UnitKind
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineOptions:
    """What the user gives to engines.

    `var_files`: Terraform variable files, in order of rising precedence. `parameters`: CloudFormation parameter
    values by name. `strict_parameters`: leave defaults out, as `parameters: strict` asks. `workspace`: Terraform's
    workspace where given (terraform.workspace is open otherwise). `front_end` says who parses Terraform: our own
    parser with Checkov's grammar behind it ("fast", "auto"), or that grammar alone ("checkov"). `providers`: the
    prefixes of the resource types that somebody asks for (`aws`); None for all.
    """

    var_files: tuple[str, ...] = ()
    parameters: Mapping[str, str] = field(default_factory=dict)
    strict_parameters: bool = False
    workspace: str | None = None
    front_end: str = "auto"
    providers: frozenset[str] | None = None


class LazyReferences(Sequence[tuple[Path, Ref]]):
    """The references of a resource, each attribute's found when it is asked for."""

    __slots__ = ("_find", "_found", "_paths")

    def __init__(self, paths: Iterable[Path], find: Callable[[Path], Sequence[Ref]]) -> None:
        self._paths = tuple(paths)
        self._find = find
        self._found: dict[Path, Sequence[Ref]] = {}

    def below(self, attribute: str | None) -> Iterator[tuple[Path, Ref]]:
        """Those that stand in a top-level attribute, or in all of them."""
        for path in self._paths:
            if attribute is None or not path or path[0] == attribute:
                refs = self._found.get(path)
                if refs is None:
                    refs = self._found[path] = self._find(path)
                for ref in refs:
                    yield path, ref

    def __iter__(self) -> Iterator[tuple[Path, Ref]]:
        return self.below(None)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]

    @overload
    def __getitem__(self, at: int) -> tuple[Path, Ref]: ...

    @overload
    def __getitem__(self, at: slice) -> Sequence[tuple[Path, Ref]]: ...

    def __getitem__(self, at: int | slice) -> tuple[Path, Ref] | Sequence[tuple[Path, Ref]]:
        return list(self)[at]


@dataclass(slots=True, kw_only=True)
class Resource:
    """A declared resource instance.

    `type` is `aws_db_instance`, `data.aws_iam_policy_document` or `AWS::RDS::DBInstance`; `address` the Terraform
    address with instance keys or the logical id; `base` the same without the last instance key. `block` spans the
    whole declaration; `lines` says where each attribute path is written. `exists` is the condition under which the
    resource is created (True where nothing is open). `references` lists for each attribute path the resources
    mentioned there, also where the value itself is known. `tags` are the tags that apply, provider defaults merged,
    as a dict, or Unknown. `module` is the module's address, "" for the root; `calls` leads from the root to it,
    outermost first. `trace` gives the places that decided the value at an attribute path where these lie elsewhere
    (module argument, tfvars, default), nearest first. A CloudFormation resource has its Properties as attributes,
    and CreationPolicy, DeletionPolicy, UpdatePolicy and UpdateReplacePolicy beside them. `region` is that of the
    resource's own provider, None where it is the stack's.
    """

    type: str
    address: str
    base: str
    attributes: dict[str, Any]
    block: SourceRange
    lines: Mapping[Path, SourceRange] = field(default_factory=dict)
    exists: Cond = True
    references: Sequence[tuple[Path, Ref]] = ()
    tags: Any = field(default_factory=dict)
    suppressions: tuple[Suppression, ...] = ()
    module: str = ""
    calls: tuple[Call, ...] = ()
    trace: Callable[[Path], tuple[SourceRange, ...]] = lambda path: ()
    former_bases: tuple[str, ...] = ()  # earlier addresses by `moved` blocks
    former_addresses: tuple[str, ...] = ()  # the same with their instance keys
    key: str | int | None = None
    region: Any = None

    @property
    def name(self) -> str:
        """The label of the resource: `main` of `module.m.aws_db_instance.main[0]`."""
        return self.base.rpartition(".")[2]

    def place(self, path: Path) -> SourceRange:
        """Where `path` is written, or its nearest ancestor, or the block's first line where it would stand."""
        for end in range(len(path), -1, -1):
            found = self.lines.get(path[:end])
            if found:
                return found
        return SourceRange(self.block.path, self.block.start_line, self.block.start_line)


@dataclass(frozen=True, slots=True)
class UnreadModule:
    """A module call whose source is not at hand; its resources were not seen."""

    address: str
    source: str
    path: str
    start_line: int


@dataclass(frozen=True, slots=True)
class ScanError:
    """An input, or a part of one, that could not be read. `kind`: parse, timeout, crash, unsupported."""

    path: str
    engine: str
    kind: str
    message: str


@dataclass(slots=True, kw_only=True)
class Stack:
    """All that one unit declares.

    `framework` is terraform, terraform_plan or cloudformation. `files` are the files that were read.
    `regions`: the Region of the default provider where it is known, else empty or Unknown values.
    `feasible` tells whether a set of decided tests can hold together; it gets (subject, value, holds) triples.
    Two values of one subject exclude each other without being asked.
    """

    unit: Unit
    resources: list[Resource]
    errors: list[ScanError] = field(default_factory=list)
    unread_modules: list[UnreadModule] = field(default_factory=list)
    files: set[str] = field(default_factory=set)
    region: Any = field(default_factory=lambda: Unknown("region"))
    feasible: Callable[[Iterable[tuple[str, Literal, bool]]], bool] = lambda decided: True

    @property
    def framework(self) -> str:
        return FRAMEWORKS[self.unit.kind]


# ------------------------------------------------------------------ verdicts and findings


ABSENT_ADDRESS: Final = "(absent)"  # the address of a resource that is not declared
UNCLASSIFIED: Final = "unclassified"  # the name of a finding of another engine that the catalogue does not know
HIDDEN: Final = "(hidden)"  # what evidence shows in place of a secret


@dataclass(frozen=True, slots=True)
class Evidence:
    """One attribute that decided: its path as text, its value as JSON-ready data (never a secret), a fingerprint."""

    path: str
    value: Any
    fingerprint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A policy's word on a resource.

    `paths` are the attribute paths that decided, first the one that is reported. `when` is the branch in words.
    `detail` adds what a message needs to say why it is unknown. `others` are further resources that had a say.
    """

    policy_id: str
    resource: Resource
    outcome: Outcome
    cause: Cause | None = None
    paths: tuple[Path, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    when: str | None = None
    detail: str = ""
    others: tuple[Resource, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A verdict with its annotation; field for field what the JSON report shows (contract.md section 6).

    `touches` are all files that had a part in the verdict; it stays out of the report and serves file arguments.
    `former` gives, for the address and for those in the evidence, the earlier addresses by `moved` blocks; it stays out
    of the report and serves the baseline. `side` and `domain` are None for a check of another engine that the catalogue
    does not know. `assumption` says who else provides the control, where that is assumed.
    """

    policy_id: str
    name: str
    title: str
    outcome: Outcome
    cause: Cause | None
    severity: Severity
    side: Side | None
    service_model: str | None
    model_family: str | None
    model_decided_by: str
    domain: Domain | None
    service: str
    aws_does: str
    customer_does: str
    message: str
    fix: str
    framework: str
    resource_type: str
    address: str
    root: str
    location: SourceRange
    block: SourceRange
    attribute: str | None
    when: str | None
    evidence: tuple[Evidence, ...]
    origin: SourceRange | None
    call_chain: tuple[Call, ...]
    frameworks: Mapping[str, tuple[str, ...]]
    equivalents: tuple[str, ...]
    source: str
    disposition: Disposition
    waiver: Mapping[str, Any] | None
    fingerprint: str
    suppression: Mapping[str, Any] | None = None
    account_wide: bool = False
    touches: frozenset[str] = frozenset()
    assumption: Mapping[str, Any] | None = None
    former: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def side_word(self) -> str:
        """Who answers, as a word; a check of another engine that the catalogue does not know is unclassified."""
        return str(self.side) if self.side else UNCLASSIFIED

    @property
    def domain_word(self) -> str:
        """The domain as a word; as `side_word`."""
        return str(self.domain) if self.domain else UNCLASSIFIED


def order(finding: Finding) -> tuple[Any, ...]:
    """The order of findings in every report: place first."""
    return (
        finding.location.path,
        finding.location.start_line,
        finding.policy_id,
        finding.address,
        finding.root,
        finding.framework,
    )
