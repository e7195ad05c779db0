"""The shape of a policy, after loading: frozen values and the conditions compiled for each resource type."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from srm_checks.model import DOMAIN_CODES, Cause, Domain, Severity, Side

if TYPE_CHECKING:
    from srm_checks.policy.access import Condition

GUIDE_URL = "https://srm-checks.readthedocs.io/policies"


@dataclass(frozen=True, slots=True)
class Compiled:
    """A policy for one resource type. `doubts` are (condition, cause) pairs that turn a gap into unknown."""

    require: Condition
    applies: Condition | None = None
    doubts: tuple[tuple[Condition, Cause], ...] = ()


class Lazily(Mapping[str, Compiled]):
    """The conditions by resource type, each compiled when it is first asked for.

    A library has hundreds of policies, and a scan meets a few dozen types.
    """

    __slots__ = ("_done", "_make", "_types")

    def __init__(self, types: Iterable[str], make: Callable[[str], Compiled]) -> None:
        self._types = dict.fromkeys(types)
        self._make = make
        self._done: dict[str, Compiled] = {}

    def __getitem__(self, type_name: str) -> Compiled:
        compiled = self._done.get(type_name)
        if compiled is None:
            if type_name not in self._types:
                raise KeyError(type_name)
            compiled = self._done[type_name] = self._make(type_name)
        return compiled

    def __iter__(self) -> Iterator[str]:
        return iter(self._types)

    def __len__(self) -> int:
        return len(self._types)


@dataclass(frozen=True, slots=True)
class Absence:
    """A duty that some resource of the stack, or of the account, must fulfil.

    `of`: the types that can fulfil it, each with the condition that one must meet (a declared one that `applies` leaves
    out is beside the point). `because_of`: the types whose presence
    makes the duty matter (none: it always matters). `account_wide`: one answer for all units together.
    `each`: those that are declared must all meet the condition, such as the defaults of several Regions.
    """

    of: Mapping[str, Compiled]
    because_of: frozenset[str]
    account_wide: bool
    each: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One requirement on the customer's side, for Terraform and CloudFormation.

    `resources` are the judged types by language; `not_expressible` says for a language why there are none.
    `compiled` holds the conditions by resource type; `absence` is set instead for a duty of the whole stack.
    `body` is the policy as written. `parameters` are the values in force. `pack` and `path` say where it comes from.
    """

    id: str
    name: str
    title: str
    domain: Domain
    side: Side
    severity: Severity
    aws_does: str
    customer_does: str
    why: str
    fix: Mapping[str, str]
    frameworks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    equivalents: tuple[str, ...] = ()
    resources: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    not_expressible: Mapping[str, str] = field(default_factory=dict)
    compiled: Mapping[str, Compiled] = field(default_factory=dict)
    absence: Absence | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    mandatory: bool = False
    undeclared_is_gap: bool = False
    pack: str = ""
    path: str = ""
    digest: str = ""
    body: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def cfn_lint_id(self) -> str:
        """The rule id in cfn-lint (contract.md section 5): SRM-DAR-005 is E906005, ACME-DAR-005 is E9ACME06005."""
        return cfn_lint_id(self.id)

    @property
    def url(self) -> str:
        """The page of this policy."""
        return f"{GUIDE_URL}/{self.name}/"

    def types(self) -> frozenset[str]:
        """All resource types that this policy judges."""
        return frozenset(name for names in self.resources.values() for name in names)

    def mentions(self) -> Iterator[str]:
        """All resource types that it names, those of related resources too."""
        yield from _types_in(self.body)


def _types_in(node: Any) -> Iterator[str]:
    if isinstance(node, Mapping):
        for key, value in node.items():
            if key in ("resources", "because_of"):
                yield from _texts_in(value)
            else:
                yield from _types_in(value)
    elif isinstance(node, list):
        for item in node:
            yield from _types_in(item)


def _texts_in(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, (Mapping, list)):
        for item in node.values() if isinstance(node, Mapping) else node:
            yield from _texts_in(item)


def cfn_lint_id(policy_id: str) -> str:
    """The cfn-lint id of a policy id."""
    prefix, code, number = policy_id.split("-")
    place = list(DOMAIN_CODES.values()).index(code) + 1
    return f"E9{'' if prefix == 'SRM' else prefix}{place:02d}{number}"
