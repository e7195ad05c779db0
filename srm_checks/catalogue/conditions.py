"""The small language of the tests in model_conditions.tsv, and its evaluation with three values.

    test    = "otherwise" | clause {", and " clause}
    clause  = "resource present" | "related: " words | [attribute " "] check
    check   = "present" | "absent" | "present or absent" | ["absent or "] compare | "option " namespace " " name " "
              ["absent or "] compare | "an AWS deep learning image" | "names an AWS bundle"
    compare = "== " word | "!= " word | "in " words | "all in " words | "contains only " word | "starts with " word |
              "does not start with " word

The first clause of a test reads the attribute that stands in the row, a later one the attribute that it names. A
comparison with an attribute that is not set holds only after `absent or`. Over a list, every element must pass.
A `related:` clause needs other resources; it is never decided here and its words say what is missing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple, TypeAlias

from srm_checks.model import ABSENT, Path, Repeated, Unknown
from srm_checks.policy.access import Context, Segments, same
from srm_checks.policy.partial import on_partial
from srm_checks.policy.truth import FALSE, NEGATED, TRUE, UNKNOWN

Found: TypeAlias = list[tuple[Any, Path]]
Check: TypeAlias = Callable[[Any], int]


class ConditionError(ValueError):
    """A test of the data file is not in the language; the text quotes it."""


class Reading(NamedTuple):
    """What a clause said: its truth, the attribute that it read, and the values found there with their paths."""

    truth: int
    attribute: str = ""
    found: tuple[tuple[Any, Path], ...] = ()
    missing: str = ""


class Always(NamedTuple):
    """Holds for every resource of the type; `fallback` where it is the case for what no other one fits."""

    fallback: bool

    def read(self, attributes: Any, context: Context) -> Reading:
        return Reading(TRUE)


class Related(NamedTuple):
    """Needs other resources; `words` say what of them."""

    words: str

    def read(self, attributes: Any, context: Context) -> Reading:
        return Reading(UNKNOWN, missing=self.words)


class AttributeCheck(NamedTuple):
    """A check of one attribute; `attribute` as it is written in the framework (`compute_resources.type`)."""

    attribute: str
    segments: Segments
    check: Check

    def read(self, attributes: Any, context: Context) -> Reading:
        found = [(_plain_list(value, context), path) for value, path in context.lookup(attributes, self.segments, ())]
        return Reading(_every(self.check(value) for value, _path in found), self.attribute, tuple(found))


def _plain_list(value: Any, context: Context) -> Any:
    """A list with its elements as they are in this scenario; any other value unchanged."""
    if not isinstance(value, list):
        return value
    return [element if certain else Repeated(element) for element, _index, certain in context.elements(value)]


class OptionCheck(NamedTuple):
    """A check of one entry of a list of (namespace, name, value) settings."""

    attribute: str
    namespace: str
    name: str
    check: Check

    def read(self, attributes: Any, context: Context) -> Reading:
        settings, path = context.lookup(attributes, (self.attribute,), ())[0]
        missing: Any = ABSENT
        found: Found = []
        for setting, index, certain in context.elements(settings):
            if isinstance(setting, Unknown):
                missing = setting
                continue
            here = path if index is None else (*path, index)
            fit = _every(
                _equal(_named(setting, names, context), wanted)
                for names, wanted in ((_NAMESPACE, self.namespace), (_OPTION, self.name))
            )
            if fit == TRUE and certain:
                found.append((_named(setting, _VALUE, context), here))
            elif fit != FALSE:
                missing = Unknown(f"an entry of {self.attribute}")
        found = found or [(missing, path)]
        return Reading(_every(self.check(value) for value, _path in found), self.name, tuple(found))


_NAMESPACE: Final = ("namespace", "Namespace")
_OPTION: Final = ("name", "OptionName")
_VALUE: Final = ("value", "Value")


def _named(setting: Any, names: tuple[str, str], context: Context) -> Any:
    if not isinstance(setting, dict):
        return ABSENT
    return context.read(next((setting[name] for name in names if name in setting), ABSENT))


Clause: TypeAlias = Always | Related | AttributeCheck | OptionCheck


class Condition(NamedTuple):
    """A parsed test: all of its clauses must hold."""

    text: str
    clauses: tuple[Clause, ...]

    @property
    def needs_related(self) -> bool:
        """Whether other resources have a say."""
        return any(isinstance(clause, Related) for clause in self.clauses)

    def read(self, attributes: Any, context: Context) -> tuple[int, tuple[Reading, ...]]:
        """The truth for a resource's attributes in a scenario, with what each clause read; raises `Undecided`."""
        readings = tuple(clause.read(attributes, context) for clause in self.clauses)
        return _every(reading.truth for reading in readings), readings


def parse(test: str, attribute: str) -> Condition:
    """Read a test of the data file; raises `ConditionError` where it is not in the language."""
    head, marker, words = test.partition("related: ")  # the words of `related:` reach to the end
    parts = [part for part in head.removesuffix(", and ").split(", and ") if part]
    clauses: list[Clause] = []
    for number, part in enumerate(parts):
        if number:
            attribute, _, part = part.partition(" ")
        clauses.append(_clause(part, attribute, test))
    if marker:
        clauses.append(Related(words))
    if not clauses:
        raise ConditionError(f"an empty test: {test!r}")
    return Condition(test, tuple(clauses))


def _clause(text: str, attribute: str, test: str) -> Clause:
    if text in ("resource present", "otherwise"):
        return Always(fallback=text == "otherwise")
    if not attribute:
        raise ConditionError(f"no attribute to read for {text!r} in {test!r}")
    if text.startswith("option "):
        namespace, name, rest = text.removeprefix("option ").split(" ", 2)
        return OptionCheck(attribute, namespace, name, _check(rest, test))
    return AttributeCheck(attribute, tuple(attribute.split(".")), _check(text, test))


_COMPARE: Final = re.compile(
    r"(?P<sign>==|!=|in|all in|contains only|starts with|does not start with) (?P<operand>\S.*)"
)


def _check(text: str, test: str) -> Check:
    named = _NAMED_CHECKS.get(text)
    if named:
        return named
    absent_holds = text.startswith("absent or ")
    match = _COMPARE.fullmatch(text.removeprefix("absent or "))
    if match is None:
        raise ConditionError(f"cannot read {text!r} in {test!r}")
    compare = _comparison(match["sign"], tuple(match["operand"].split(", ")))

    def check(value: Any) -> int:
        return (TRUE if absent_holds else FALSE) if value is ABSENT else compare(value)

    return check


def _comparison(sign: str, operands: tuple[str, ...]) -> Check:
    if sign in ("==", "in"):
        return lambda value: _one_of(value, operands)
    if sign == "!=":
        return lambda value: NEGATED[_one_of(value, operands)]
    if sign in ("contains only", "all in"):
        return lambda value: _all_of(value, operands)
    if sign == "starts with":
        return lambda value: _starts(value, operands)
    return lambda value: NEGATED[_starts(value, operands)]


# ------------------------------------------------------------------ checks of one value


def _every(truths: Iterable[int]) -> int:
    answer = TRUE
    for truth in truths:
        if truth == FALSE:
            return FALSE
        if truth == UNKNOWN:
            answer = UNKNOWN
    return answer


def _equal(value: Any, operand: str) -> int:
    if value is ABSENT:
        return FALSE
    if isinstance(value, Unknown):
        return on_partial("equals", value, operand)
    return TRUE if same(value, operand) else FALSE


def _one_of(value: Any, operands: tuple[str, ...]) -> int:
    if isinstance(value, Unknown):
        return on_partial("within", value, operands)
    return TRUE if any(same(value, operand) for operand in operands) else FALSE


def _all_of(value: Any, operands: tuple[str, ...]) -> int:
    if not isinstance(value, list):
        return _one_of(value, operands)
    if not value:
        return FALSE
    if all(isinstance(element, Repeated) for element in value):
        return UNKNOWN  # perhaps there is no element
    return _every(_one_of(element.value if isinstance(element, Repeated) else element, operands) for element in value)


def _starts(value: Any, operands: tuple[str, ...]) -> int:
    if isinstance(value, Unknown):
        return on_partial("starting_with", value, operands)
    return TRUE if str(value).startswith(operands) else FALSE


def _present(value: Any) -> int:
    if value is ABSENT or value == []:
        return FALSE
    if isinstance(value, Unknown):
        return TRUE if value.present else UNKNOWN
    if isinstance(value, list) and all(isinstance(element, Repeated) for element in value):
        return UNKNOWN
    return TRUE


# AWS publishes its deep learning containers from this account in most Regions; a few Regions have accounts of their
# own, so that an image of any other registry account leaves the question open.
_DEEP_LEARNING_ACCOUNT: Final = "763104351884"
_ECR_IMAGE: Final = re.compile(r"(?P<account>\d{12})\.dkr\.ecr\.[\w-]+\.amazonaws\.com(?:\.cn)?/")


def _deep_learning_image(value: Any) -> int:
    if value is ABSENT:
        return FALSE
    if isinstance(value, Unknown):
        return UNKNOWN
    match = _ECR_IMAGE.match(str(value))
    if match is None:
        return FALSE
    return TRUE if match["account"] == _DEEP_LEARNING_ACCOUNT else UNKNOWN


def _bundle_of_aws(value: Any) -> int:
    """A bundle's id does not show who made it."""
    return FALSE if value is ABSENT else UNKNOWN


_NAMED_CHECKS: Final[dict[str, Check]] = {
    "present": _present,
    "absent": lambda value: NEGATED[_present(value)],
    "present or absent": lambda value: TRUE,
    "an AWS deep learning image": _deep_learning_image,
    "names an AWS bundle": _bundle_of_aws,
}
