"""The operators of a condition on an attribute: one entry of `OPERATORS` each.

The docstring of each function is its text in the language reference. A function gets one known value (never Unknown,
ABSENT or a Choice) or, where `on_list` is set, the list's elements, and the operand as prepared by `prepare`; it
answers TRUE, FALSE or UNKNOWN. Names follow Checkov's custom policies where Checkov has the operator.
"""

from __future__ import annotations

import dataclasses
import functools
import ipaddress
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from srm_checks import expressions
from srm_checks.model import ABSENT, FURTHER_KEYS, Cause, Choice, Encoded, Repeated, Unknown
from srm_checks.policy.access import Context, same
from srm_checks.policy.operands import (
    NUMBER,
    SCALAR,
    SCALARS,
    TEXT,
    YES,
    networks,
    number,
    regex,
    scalar,
    scalar_or_scalars,
    scalars,
    support,
    texts,
    version,
    version_parts,
    yes,
)
from srm_checks.policy.partial import fits
from srm_checks.policy.provenance import comes_from_reference, is_surely_given, path_in_store
from srm_checks.policy.truth import FALSE, NEGATED, TRUE, UNKNOWN
from srm_checks.policy.vpc_blocks import WIDEST_VPC, is_block_of_vpc

MAX_REGEX_TEXT: Final = 20_000


@dataclass(frozen=True, slots=True)
class Operator:
    """An operator.

    `test(value, operand, context)` decides on one value; for a list operator (`on_list`) `value` is a list of
    (element, certain) pairs, where an element may be Unknown. `prepare` checks and converts the operand once.
    `operand` is its JSON Schema. `negates` names the operator that this one is the opposite of. `reads_open` marks
    an operator that wants lists as they are and Unknown values as well; `on_open` is one's answer on an Unknown value
    alone. `hides` marks one whose values must not be shown.
    """

    name: str
    test: Callable[[Any, Any, Context], int]
    prepare: Callable[[Any], Any]
    operand: dict[str, Any]
    on_list: bool = False
    negates: str | None = None
    reads_open: bool = False
    on_open: Callable[[Unknown, Any, Context], int] | None = None
    hides: bool = False

    @property
    def doc(self) -> str:
        return (self.test.__doc__ or "").strip()


# ------------------------------------------------------------------ one value


def _truth(holds: bool) -> int:
    return TRUE if holds else FALSE


def as_bool(value: Any) -> bool | None:
    """True or False as both languages read it, None for anything else."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    return bool(value) if value in (0, 1) else None


def as_number(value: Any) -> float | None:
    """The number that a value stands for, None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        return value
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return None
    return None


def is_true(value: Any, operand: Any, context: Context) -> int:
    """The value is true, also when written as the text "true"."""
    return _truth(as_bool(value) is True)


def is_false(value: Any, operand: Any, context: Context) -> int:
    """The value is false, also when written as the text "false". A value that is neither true nor false is unknown."""
    found = as_bool(value)
    return UNKNOWN if found is None else _truth(not found)


def equals(value: Any, operand: Any, context: Context) -> int:
    """The value is the operand; numbers and booleans are also recognised as text."""
    return _truth(same(value, operand))


def equals_ignore_case(value: Any, operand: Any, context: Context) -> int:
    """The value is the operand, upper and lower case alike."""
    return _truth(str(value).lower() == str(operand).lower() or same(value, operand))


def within(value: Any, operand: Any, context: Context) -> int:
    """The value is one of the operand's values."""
    return _truth(any(same(value, item) for item in operand))


def starting_with(value: Any, operand: Any, context: Context) -> int:
    """The text begins with the operand, or with one of the operands."""
    return _truth(str(value).startswith(operand))


def ending_with(value: Any, operand: Any, context: Context) -> int:
    """The text ends with the operand, or with one of the operands."""
    return _truth(str(value).endswith(operand))


def containing_text(value: Any, operand: Any, context: Context) -> int:
    """The text holds the operand, or one of the operands, somewhere."""
    return _truth(any(item in str(value) for item in operand))


def regex_match(value: Any, operand: re.Pattern[str], context: Context) -> int:
    """The regular expression matches from the text's start; patterns that could take very long are refused."""
    text = str(value)
    return UNKNOWN if len(text) > MAX_REGEX_TEXT else _truth(operand.match(text) is not None)


def _compare(value: Any, holds: Callable[[float], bool]) -> int:
    number = as_number(value)
    return UNKNOWN if number is None else _truth(holds(number))


def greater_than(value: Any, operand: float, context: Context) -> int:
    """The number is greater than the operand."""
    return _compare(value, lambda number: number > operand)


def greater_than_or_equal(value: Any, operand: float, context: Context) -> int:
    """The number is the operand or greater."""
    return _compare(value, lambda number: number >= operand)


def less_than(value: Any, operand: float, context: Context) -> int:
    """The number is less than the operand."""
    return _compare(value, lambda number: number < operand)


def less_than_or_equal(value: Any, operand: float, context: Context) -> int:
    """The number is the operand or less."""
    return _compare(value, lambda number: number <= operand)


def version_at_least(value: Any, operand: tuple[int, ...], context: Context) -> int:
    """The version is the operand or later, number by number; parts that are not written count as equal."""
    parts = version_parts(value)
    if parts is None:
        return UNKNOWN
    length = min(len(parts), len(operand))
    if parts[:length] != operand[:length]:
        return _truth(parts[:length] > operand[:length])
    return TRUE


def _networks_of(value: Any) -> Any:
    try:
        return ipaddress.ip_network(str(value).strip(), strict=False)
    except ValueError:
        return None


def cidr_intersects(value: Any, operand: tuple[Any, ...], context: Context) -> int:
    """A CIDR block (IPv4 or IPv6) shares at least one address with an operand."""
    network = _networks_of(value)
    if network is None:
        return UNKNOWN
    return _truth(any(network.version == other.version and network.overlaps(other) for other in operand))


def cidr_range_subset(value: Any, operand: tuple[Any, ...], context: Context) -> int:
    """A CIDR block (IPv4 or IPv6) lies wholly inside one of the operands."""
    network = _networks_of(value)
    if network is None:
        return UNKNOWN
    return _truth(any(network.version == other.version and network.subnet_of(other) for other in operand))


# ------------------------------------------------------------------ lists

Elements = Sequence[tuple[Any, bool]]  # (element, certain); an element may be Unknown


def _some(elements: Elements, test: Callable[[Any], int]) -> int:
    """Kleene's or over elements of which some may be unknown or may not be there."""
    answer = FALSE
    for element, certain in elements:
        truth = UNKNOWN if isinstance(element, Unknown) else test(element)
        if truth == TRUE and certain:
            return TRUE
        if truth != FALSE:
            answer = UNKNOWN
    return answer


def _could_equal(element: Any, item: Any) -> int:
    if isinstance(element, Unknown):
        return UNKNOWN if fits(element, str(item), whole=True) else FALSE
    return _truth(same(element, item))


def contains(value: Elements, operand: tuple[Any, ...], context: Context) -> int:
    """The list holds the operand, or each of the operands. A single value counts as a list of one."""
    return min((_holds(value, item) for item in operand), key=(FALSE, UNKNOWN, TRUE).index, default=TRUE)


def _holds(elements: Elements, item: Any) -> int:
    answer = FALSE
    for element, certain in elements:
        truth = _could_equal(element, item)
        if truth == TRUE and certain:
            return TRUE
        if truth != FALSE:
            answer = UNKNOWN
    return answer


def intersects(value: Elements, operand: tuple[Any, ...], context: Context) -> int:
    """The list holds at least one of the operands. A single value counts as a list of one."""
    return max((_holds(value, item) for item in operand), key=(FALSE, UNKNOWN, TRUE).index, default=FALSE)


def subset(value: Elements, operand: tuple[Any, ...], context: Context) -> int:
    """Every element of the list is one of the operands; an empty list is."""
    answer = TRUE
    for element, _certain in value:
        truths = [_could_equal(element, item) for item in operand]
        if TRUE in truths:
            continue
        if UNKNOWN in truths or not _certain:
            answer = UNKNOWN
        else:
            return FALSE
    return answer


def _length(elements: Elements) -> tuple[int, int | None]:
    """The least and the greatest length; the greatest is None where it is open."""
    least = sum(certain for _element, certain in elements)
    return least, (least if least == len(elements) else None)


def _length_test(elements: Elements, holds: Callable[[int], bool], *, growing: bool | None) -> int:
    least, greatest = _length(elements)
    if greatest is not None:
        return _truth(holds(least))
    if growing is True and holds(least):
        return TRUE
    if growing is False and not holds(least):
        return FALSE
    return UNKNOWN


def length_equals(value: Elements, operand: float, context: Context) -> int:
    """The list has exactly that many elements."""
    truth = _length_test(value, lambda n: n == operand, growing=None)
    return FALSE if truth == UNKNOWN and _length(value)[0] > operand else truth


def length_greater_than(value: Elements, operand: float, context: Context) -> int:
    """The list has more elements than the operand."""
    return _length_test(value, lambda n: n > operand, growing=True)


def length_greater_than_or_equal(value: Elements, operand: float, context: Context) -> int:
    """The list has at least that many elements."""
    return _length_test(value, lambda n: n >= operand, growing=True)


def length_less_than(value: Elements, operand: float, context: Context) -> int:
    """The list has fewer elements than the operand."""
    return _length_test(value, lambda n: n < operand, growing=False)


def length_less_than_or_equal(value: Elements, operand: float, context: Context) -> int:
    """The list has at most that many elements."""
    return _length_test(value, lambda n: n <= operand, growing=False)


def is_empty(value: Elements, operand: Any, context: Context) -> int:
    """The list, map or text has nothing in it."""
    if len(value) == 1:
        only, certain = value[0]
        if isinstance(only, dict) and certain:
            return _is_empty_map(only, context)
        if only == "" and certain:
            return TRUE
    return _length_test(value, lambda n: n == 0, growing=False)


def _is_empty_map(value: dict[str, Any], context: Context) -> int:
    known = [inner for key, inner in value.items() if key != FURTHER_KEYS]
    if any(map(_surely_there, known)) or any(context.read(inner) is not ABSENT for inner in known):
        return FALSE
    return UNKNOWN if FURTHER_KEYS in value else TRUE


def cidr_covers(value: Elements, operand: tuple[Any, ...], context: Context) -> int:
    """A CIDR block (IPv4 or IPv6) covers the whole of an operand: `0.0.0.0/0` covers every IPv4 block.

    In a list, one such element is enough.
    """

    def covers(element: Any) -> int:
        network = _networks_of(element)
        if network is None:
            return UNKNOWN
        return _truth(any(network.version == other.version and other.subnet_of(network) for other in operand))

    return _some([entry for entry in value if not _too_narrow(entry[0], operand, context)], covers)


def _too_narrow(element: Any, operand: tuple[Any, ...], context: Context) -> bool:
    """Whether an open block surely covers no operand.

    Its prefix is known, or it is the block of a VPC or subnet, or it can be none of the wider blocks.
    """
    if not isinstance(element, Unknown):
        return False
    if all(network.prefixlen < WIDEST_VPC for network in operand) and is_block_of_vpc(element, context):
        return True
    if element.parts and element.parts[-1] is not None:
        tail = re.search(r"/(\d+)$", element.parts[-1])
        return tail is not None and all(int(tail.group(1)) > network.prefixlen for network in operand)
    if not element.subject:
        return False
    wider = {str(network.supernet(new_prefix=length)) for network in operand for length in range(network.prefixlen + 1)}
    return not any(context.index.stack.feasible([(element.subject, block, True)]) for block in sorted(wider))


def action_matches(value: Elements, operand: tuple[str, ...], context: Context) -> int:
    """An IAM action pattern of the list (with `*` and `?`, upper and lower case alike) covers one of the operands."""
    return _some(value, lambda element: _truth(_covers_action(str(element), operand)))


@functools.lru_cache(maxsize=4096)
def _covers_action(pattern: str, actions: tuple[str, ...]) -> bool:
    glob = _iam_glob(pattern)
    return any(glob.fullmatch(action.lower()) for action in actions)


def _iam_glob(pattern: str) -> re.Pattern[str]:
    pieces = re.split(r"([*?]+)", pattern.lower())
    return re.compile(
        "".join(
            (".*" if "*" in piece else "." * len(piece)) if i % 2 else re.escape(piece)
            for i, piece in enumerate(pieces)
        )
    )


# ------------------------------------------------------------------ look-ups


def in_support(value: Any, operand: dict[str, Any], context: Context) -> int:
    """The version is in support on the day of the scan, and still will be in `warn_days` days.

    `product` names a product of the catalogue's end-of-support data (or several: the first that lists the version
    counts); a longer version than the data's counts as its longest prefix (8.0.35 as 8.0). A version that is not
    listed, or one without a date, is unknown. `until` is the date that counts: end_of_standard_support (the default),
    end_of_extended_support, block_create or block_update. `pattern` is a regular expression with one group, which
    takes the version out of a longer text, such as the name of an image; it may match anywhere, also in the written
    pieces of a text that is partly open, and in the path of a look-up in the Parameter Store. `no_match` is the outcome
    for a text in which it does not match: unknown (the default), not-applicable, met or gap.
    """
    pattern: re.Pattern[str] | None = operand["pattern"]
    if pattern is None:
        return _supported(str(value), operand, context)
    found = pattern.search(str(value)[:MAX_REGEX_TEXT])
    version = found.group(1) if found else None
    return operand["no_match"] if version is None else _supported(version, operand, context)


def _in_support_open(value: Unknown, operand: dict[str, Any], context: Context) -> int:
    pattern: re.Pattern[str] | None = operand["pattern"]
    if pattern is None:
        return UNKNOWN
    path = path_in_store(value)
    if path is not None:
        return in_support(path, operand, context)
    text = "".join(_HOLE if part is None else part for part in value.parts or (None,))
    found = pattern.search(text[:MAX_REGEX_TEXT])
    if found is None or found.group(1) is None:
        return UNKNOWN
    # Beside a hole the version may go on.
    around = text[max(found.start(1) - 1, 0) : found.end(1) + 1]
    return UNKNOWN if _HOLE in around else _supported(found.group(1), operand, context)


_HOLE: Final = "\ue000"


def _supported(version: str, operand: dict[str, Any], context: Context) -> int:
    from srm_checks.catalogue.support import ends

    for product in operand["product"]:
        end = ends(product, version, operand["until"])
        if end is None:
            continue
        if isinstance(end, str):
            return {"none-announced": TRUE, "ended": FALSE}.get(end, UNKNOWN)
        left = (end - context.environment.today).days
        return _truth(left > operand["warn_days"])
    return UNKNOWN


def has_secret(value: Any, operand: Any, context: Context) -> int:
    """The text, or a value in the map, holds a credential in clear text (found by detect-secrets).

    A reference to a secret store, a dynamic reference or a placeholder is none.
    """
    from srm_checks.policy.secrets import holds_secret

    return holds_secret(value, context)


def is_literal_secret(value: Any, operand: Any, context: Context) -> int:
    """The attribute is itself a secret (a password, say) and is written out: any text that is not a reference."""
    from srm_checks.policy.secrets import is_clear_text_secret

    return is_clear_text_secret(value, context)


def expression_contains(value: Any, operand: tuple[str, ...], context: Context) -> int:
    """The expression by which a value that is not known is written holds the operand, or one of the operands.

    Upper and lower case alike. It tells an image that is looked up by a telling name; of known values it tells nothing.
    A plan has no expressions: the one reference that a value comes from stands for its expression, and without such a
    one the answer is unknown.
    """
    if not isinstance(value, Unknown):
        return FALSE
    if not expressions.is_shown(value.text):
        return UNKNOWN
    text = value.text.lower()
    return _truth(any(item.lower() in text for item in operand))


def is_reference(value: Any, operand: Any, context: Context) -> int:
    """The value comes from a resource, a data source, a store, another stack or the account; it is not written out.

    What it refers to need not be in view. What comes from a variable without a value may be either.
    """
    if not isinstance(value, Unknown):
        return FALSE
    return TRUE if comes_from_reference(value) else UNKNOWN


def is_given(value: Any, operand: Any, context: Context) -> int:
    """The value is set, and neither an empty text nor an empty map; of a list, one element is. References are given.

    It is unknown only where the value may turn out to be empty.
    """
    if isinstance(value, Unknown):
        return TRUE if is_surely_given(value) else UNKNOWN
    if isinstance(value, list):
        answer = FALSE
        for element, _index, certain in context.elements(value):
            truth = is_given(element, operand, context)
            if truth == TRUE and certain:
                return TRUE
            answer = answer if truth == FALSE else UNKNOWN
        return answer
    if isinstance(value, dict):
        return NEGATED[_is_empty_map(value, context)]
    return _truth(value != "")


# ------------------------------------------------------------------ the table


def _opposite(of: Operator, name: str, doc: str) -> Operator:
    def test(value: Any, operand: Any, context: Context) -> int:
        return NEGATED[of.test(value, operand, context)]

    test.__doc__ = doc
    return dataclasses.replace(of, name=name, test=test, negates=of.name)


def _table() -> dict[str, Operator]:
    one = [
        Operator("equals", equals, scalar, SCALAR),
        Operator("equals_ignore_case", equals_ignore_case, scalar, SCALAR),
        Operator("within", within, scalars, SCALARS),
        Operator("is_true", is_true, yes, YES),
        Operator("is_false", is_false, yes, YES),
        Operator("starting_with", starting_with, texts, {"anyOf": [TEXT, {"type": "array", "items": TEXT}]}),
        Operator("ending_with", ending_with, texts, {"anyOf": [TEXT, {"type": "array", "items": TEXT}]}),
        Operator("containing_text", containing_text, texts, {"anyOf": [TEXT, {"type": "array", "items": TEXT}]}),
        Operator("regex_match", regex_match, regex, TEXT),
        Operator("greater_than", greater_than, number, NUMBER),
        Operator("greater_than_or_equal", greater_than_or_equal, number, NUMBER),
        Operator("less_than", less_than, number, NUMBER),
        Operator("less_than_or_equal", less_than_or_equal, number, NUMBER),
        Operator("version_at_least", version_at_least, version, {"type": ["string", "number"]}),
        Operator("in_support", in_support, support, {"type": "object"}, on_open=_in_support_open),
        Operator("has_secret", has_secret, yes, YES, reads_open=True, hides=True),
        Operator(
            "expression_contains",
            expression_contains,
            texts,
            {"anyOf": [TEXT, {"type": "array", "items": TEXT}]},
            reads_open=True,
        ),
        Operator("is_reference", is_reference, yes, YES, reads_open=True),
        Operator("is_given", is_given, yes, YES, reads_open=True),
        Operator("is_literal_secret", is_literal_secret, yes, YES, reads_open=True, hides=True),
    ]
    many = [
        Operator("contains", contains, scalar_or_scalars, {"anyOf": [SCALAR, SCALARS]}, on_list=True),
        Operator("intersects", intersects, scalars, SCALARS, on_list=True),
        Operator("subset", subset, scalars, SCALARS, on_list=True),
        Operator("length_equals", length_equals, number, NUMBER, on_list=True),
        Operator("length_greater_than", length_greater_than, number, NUMBER, on_list=True),
        Operator("length_greater_than_or_equal", length_greater_than_or_equal, number, NUMBER, on_list=True),
        Operator("length_less_than", length_less_than, number, NUMBER, on_list=True),
        Operator("length_less_than_or_equal", length_less_than_or_equal, number, NUMBER, on_list=True),
        Operator("is_empty", is_empty, yes, YES, on_list=True),
        Operator(
            "action_matches",
            action_matches,
            texts,
            {"anyOf": [TEXT, {"type": "array", "items": TEXT}]},
            on_list=True,
        ),
    ]
    cidr = {"anyOf": [TEXT, {"type": "array", "items": TEXT}]}
    some = [
        Operator("cidr_intersects", _over_elements(cidr_intersects), networks, cidr, on_list=True),
        Operator("cidr_covers", cidr_covers, networks, cidr, on_list=True),
        Operator("cidr_range_subset", _over_all_elements(cidr_range_subset), networks, cidr, on_list=True),
    ]
    table = {operator.name: operator for operator in (*one, *many, *some)}
    opposites = {
        "not_equals": ("equals", "The value is not the operand."),
        "not_equals_ignore_case": ("equals_ignore_case", "The value is not the operand, upper and lower case alike."),
        "not_within": ("within", "The value is none of the operand's values."),
        "not_starting_with": ("starting_with", "The text begins with none of the operands."),
        "not_ending_with": ("ending_with", "The text ends with none of the operands."),
        "not_containing_text": ("containing_text", "The text holds none of the operands."),
        "not_regex_match": ("regex_match", "The regular expression does not match from the text's start."),
        "not_contains": ("contains", "The list lacks the operand, or one of the operands."),
        "not_intersects": ("intersects", "The list holds none of the operands."),
        "not_subset": ("subset", "The list has an element that is none of the operands."),
        "length_not_equals": ("length_equals", "The list has another number of elements."),
        "is_not_empty": ("is_empty", "The list, map or text has something in it."),
        "not_cidr_intersects": ("cidr_intersects", "No CIDR block shares an address with an operand."),
        "not_cidr_covers": ("cidr_covers", "No CIDR block covers the whole of an operand."),
        "cidr_range_not_subset": ("cidr_range_subset", "A CIDR block reaches beyond every operand."),
        "is_no_reference": (
            "is_reference",
            "The value is written out; it comes from no resource or data source.",
        ),
        "has_no_secret": ("has_secret", "No credential stands in clear text in the text or the map's values."),
        "is_no_literal_secret": (
            "is_literal_secret",
            "The attribute, itself a secret, is a reference or not written out.",
        ),
    }
    for name, (of, doc) in opposites.items():
        table[name] = _opposite(table[of], name, doc)
    return dict(sorted(table.items()))


def _over_elements(test: Callable[[Any, Any, Context], int]) -> Callable[[Any, Any, Context], int]:
    def some(value: Elements, operand: Any, context: Context) -> int:
        return _some(value, lambda element: test(element, operand, context))

    some.__doc__ = (test.__doc__ or "") + "\n\n    In a list, one such element is enough."
    return some


def _over_all_elements(test: Callable[[Any, Any, Context], int]) -> Callable[[Any, Any, Context], int]:
    def every(value: Elements, operand: Any, context: Context) -> int:
        return NEGATED[_some(value, lambda element: NEGATED[test(element, operand, context)])]

    every.__doc__ = (test.__doc__ or "") + "\n\n    In a list, every element must."
    return every


OPERATORS: Final[dict[str, Operator]] = _table()

PRESENCE: Final = {
    "exists": (
        "The attribute is set to something; null, `AWS::NoValue` and an empty block list are not. A list of blocks "
        "that may all not be there is unknown, or judged in each branch."
    ),
    "not_exists": "The attribute is not set.",
}


def presence(value: Any, context: Context) -> int:
    """Whether an attribute is set: TRUE, FALSE or UNKNOWN. A list is where it surely has an element."""
    if value is ABSENT:
        return FALSE
    if isinstance(value, Unknown):
        return TRUE if value.present else UNKNOWN
    if not isinstance(value, list):
        return TRUE
    if any(map(_surely_there, value)):  # what the others hang on then need not be decided
        return TRUE
    answer = FALSE
    for _element, _index, certain in context.elements(value):
        if certain:
            return TRUE
        answer = UNKNOWN
    return answer


def _surely_there(element: Any) -> bool:
    """Whether an element of a list is there in every branch."""
    if isinstance(element, Choice):
        return _surely_there(element.then) and _surely_there(element.otherwise)
    return element is not ABSENT and not isinstance(element, Repeated)


def cause_of(value: Any) -> Cause:
    return value.cause if isinstance(value, Unknown) else Cause.UNRESOLVED_VALUE


def as_text(value: Any) -> Any:
    """A fully known `Encoded` as the text that it stands for; other values as they are."""
    if isinstance(value, Encoded):
        import json

        try:
            return json.dumps(value.value)
        except TypeError:
            return Unknown("jsonencode(...)")
    return value
