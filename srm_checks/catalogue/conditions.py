"""The small language of the tests in model_conditions.tsv, and its evaluation with three values.

    test    = "otherwise" | clause {", and " clause}
    clause  = "resource present" | "related: " words of related.CLAUSES | [attribute " "] check
    check   = "present" | "absent" | "present or absent" | ["absent or "] compare | "option " namespace " " name " "
              ["absent or "] compare | "an AWS deep learning image"
    compare = "== " word | "!= " word | "in " words | "all in " words | "contains only " word | "starts with " word |
              "does not start with " word

The first clause of a test reads the attribute that stands in the row, a later one the attribute that it names. A
comparison with an attribute that is not set holds only after `absent or`. Over a list, every element must pass.
A `related:` clause is answered by other resources: the package related has a function for each of its words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple, TypeAlias

from srm_checks.catalogue.related import CLAUSES
from srm_checks.catalogue.related.settings import settings_template
from srm_checks.catalogue.scene import Reading, Scene
from srm_checks.model import ABSENT, Path, Repeated, Resource, Unknown
from srm_checks.policy.access import Context, Segments, same
from srm_checks.policy.partial import on_partial
from srm_checks.policy.truth import FALSE, NEGATED, TRUE, UNKNOWN

Found: TypeAlias = list[tuple[Any, Path]]
Check: TypeAlias = Callable[[Any], int]


class ConditionError(ValueError):
    """A test of the data file is not in the language; the text quotes it."""


class Always(NamedTuple):
    """Holds for every resource of the type; `fallback` where it is the case for what no other one fits."""

    fallback: bool

    def read(self, scene: Scene) -> Reading:
        return Reading(TRUE)


class Related(NamedTuple):
    """Other resources answer; `words` say what is asked of them."""

    words: str

    def read(self, scene: Scene) -> Reading:
        return CLAUSES[self.words](scene)


class AttributeCheck(NamedTuple):
    """A check of one attribute; `attribute` as it is written in the framework (`compute_resources.type`)."""

    attribute: str
    segments: Segments
    check: Check

    def read(self, scene: Scene) -> Reading:
        context = scene.context
        looked_up = context.lookup(scene.resource.attributes, self.segments, ())
        found = [(_plain_list(value, context), path) for value, path in looked_up]
        return Reading(_every(self.check(value) for value, _path in found), self.attribute, tuple(found))


def _plain_list(value: Any, context: Context) -> Any:
    """A list with its elements as they are in this scenario; any other value unchanged."""
    if not isinstance(value, list):
        return value
    return [element if certain else Repeated(element) for element, _index, certain in context.elements(value)]


class OptionCheck(NamedTuple):
    """A check of one entry of a list of (namespace, name, value) settings.

    Where the resource has no such entry, the one of the template that it names counts.
    """

    attribute: str
    namespace: str
    name: str
    check: Check

    def read(self, scene: Scene) -> Reading:
        value, path = scene.context.lookup(scene.resource.attributes, (self.attribute,), ())[0]
        found, absent = self._find(scene.context, value, path)
        if not found and absent is ABSENT:
            template, words = settings_template(scene)
            if words:
                return Reading(UNKNOWN, self.name, missing=(words,))
            if template is not None:
                return self._of_template(scene, template)
        found = found or [(absent, path)]
        return Reading(_every(self.check(value) for value, _path in found), self.name, tuple(found))

    def _of_template(self, scene: Scene, template: Resource) -> Reading:
        value, path = scene.context.lookup(template.attributes, (self.attribute,), ())[0]
        found, absent = self._find(scene.context, value, path)
        found = found or [(absent, path)]
        truth = _every(self.check(value) for value, _path in found)
        value, path = found[0]
        place = template.place(path)
        words = f"{template.address}: {shown(self.name, value)}"
        if truth == UNKNOWN:
            return Reading(truth, self.name, missing=(words,))
        return Reading(truth, self.name, decided_by=f"{words}, {place.path}:{place.start_line}")

    def _find(self, context: Context, settings: Any, path: Path) -> tuple[Found, Any]:
        """The values of the entry, and what holds where there is none: ABSENT, or Unknown where one may be there."""
        absent: Any = ABSENT
        found: Found = []
        for setting, index, certain in context.elements(settings):
            if isinstance(setting, Unknown):
                absent = setting
                continue
            here = path if index is None else (*path, index)
            fit = _every(
                _equal(_named(setting, names, context), wanted)
                for names, wanted in ((_NAMESPACE, self.namespace), (_OPTION, self.name))
            )
            if fit == TRUE and certain:
                name = next((name for name in _VALUE if name in setting), _VALUE[0])
                found.append((_named(setting, _VALUE, context), (*here, name)))
            elif fit != FALSE:
                absent = Unknown(f"an entry of {self.attribute}")
        return found, absent


def shown(attribute: str, value: Any) -> str:
    """`launch_type = FARGATE`, `eks_configuration is set`."""
    if value is ABSENT or value == []:
        return f"{attribute} not set"
    if isinstance(value, Unknown):
        return f"{attribute} is {value.text or 'not known'}"
    if isinstance(value, bool):
        return f"{attribute} = {'true' if value else 'false'}"
    if isinstance(value, list) and all(isinstance(element, (str, int)) for element in value):
        value = ", ".join(map(str, value))
    if isinstance(value, (list, dict)):
        return f"{attribute} is set"
    text = str(value)
    return f"{attribute} = {text if len(text) <= _MAX_SHOWN else text[: _MAX_SHOWN - 3] + '...'}"


_MAX_SHOWN: Final = 80  # characters of a value
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

    def read(self, scene: Scene) -> tuple[int, tuple[Reading, ...]]:
        """The truth for a resource in a scenario, with what each clause read; raises `Undecided`.

        Clauses after one that does not hold are not read.
        """
        readings: list[Reading] = []
        for clause in self.clauses:
            readings.append(clause.read(scene))
            if readings[-1].truth == FALSE:
                break
        return _every(reading.truth for reading in readings), tuple(readings)


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
        if words not in CLAUSES:
            raise ConditionError(f"no clause {words!r} for other resources in {test!r}")
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
_ECR_IMAGE: Final = re.compile(r"(?P<account>\d{12})\.dkr\.ecr\.")
_PREBUILT_IMAGE: Final = "data.aws_sagemaker_prebuilt_ecr_image"  # the provider's look-up of images that AWS publishes


def _deep_learning_image(value: Any) -> int:
    if value is ABSENT:
        return FALSE
    text = str(value)
    if isinstance(value, Unknown):
        if value.refs and all(_PREBUILT_IMAGE in f".{ref.target}" for ref in value.refs):
            return TRUE
        text = (value.parts or (None,))[0] or ""
    match = _ECR_IMAGE.match(text)
    if match is None:
        return UNKNOWN if isinstance(value, Unknown) else FALSE
    return TRUE if match["account"] == _DEEP_LEARNING_ACCOUNT else UNKNOWN


_NAMED_CHECKS: Final[dict[str, Check]] = {
    "present": _present,
    "absent": lambda value: NEGATED[_present(value)],
    "present or absent": lambda value: TRUE,
    "an AWS deep learning image": _deep_learning_image,
}
