"""Terraform's functions that say something exact also where a part of their arguments is not known.

Each takes its site and arguments without a Choice at their top, and gives FAILED (or raises FunctionError) where
Terraform would report an error.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable
from typing import Any, Final

from srm_checks.engines.terraform import functions_plain as plain
from srm_checks.engines.terraform.functions_plain import FunctionError, Undecidable
from srm_checks.engines.terraform.operations import (
    equality,
    from_cond,
    index_of,
    is_text,
    joined_parts,
    settled,
)
from srm_checks.engines.terraform.site import Site
from srm_checks.engines.terraform.values import (
    ELEMENT_LIMIT,
    FAILED,
    OMITTED,
    TEXT_LIMIT,
    ObjectValue,
    OpenMap,
    SetValue,
    choice,
    condition_of,
    conjoin,
    derived,
    element_of,
    encode,
    is_known,
    may_be_omitted,
    number_text,
    same,
    text_of,
)
from srm_checks.model import ABSENT, Choice, Cond, Encoded, Repeated, Unknown, any_of

_FORMAT = re.compile(r"%(?:\[(\d+)\])?([-+# 0]*)(\d*)(?:\.(\d+))?([a-zA-Z%])")


def _is_open(values: list[Any]) -> bool:
    """Whether the length of a list is not known."""
    return any(isinstance(element, Repeated) for element in values)


def _any_element(value: Unknown) -> Repeated:
    """All elements of an unknown collection."""
    subject = f"{value.subject}[*]" if value.subject else ""
    return Repeated(element_of(value, derived(f"{value.text}[*]", [value], subject=subject)))


def _as_elements(value: Any) -> list[Any]:
    """A collection as a list, whose elements may be repeated ones."""
    if isinstance(value, Unknown):
        return [_any_element(value)]
    return plain.elements(value)


def _limited(values: list[Any]) -> list[Any]:
    if len(values) > ELEMENT_LIMIT:
        raise Undecidable
    return values


# ------------------------------------------------------------------ maps


def _merge(site: Site, *maps: Any) -> Any:
    known: dict[str, Any] = {}
    rest: list[Any] = []
    for one in maps:
        if one is ABSENT:
            continue
        if isinstance(one, Unknown):
            known, rest = {}, [*rest, *known.values(), _any_element(one).value]
        elif isinstance(one, OpenMap):
            known, rest = dict(one.known), [*rest, *known.values(), one.rest]
        elif isinstance(one, Repeated):
            known, rest = {}, [*rest, *known.values(), one.value]
        elif isinstance(one, ObjectValue):
            known, rest = {}, [*rest, *known.values(), one.unknown()]
        else:
            for key, value in plain.mapping(one).items():
                known[key] = _over(value, known[key]) if key in known and may_be_omitted(value) else value
    if not rest:
        return known
    return OpenMap(known, rest[0] if len(rest) == 1 else site.unknown(*rest))


def _over(value: Any, below: Any) -> Any:
    """A conditional entry over an earlier one."""
    if value is OMITTED:
        return below
    if isinstance(value, Choice):
        return choice(value.cond, _over(value.then, below), _over(value.otherwise, below))
    return value


def _lookup(site: Site, container: Any, key: Any, *default: Any) -> Any:
    if isinstance(container, (Unknown, ObjectValue)):
        return site.unknown(container, key, *default, fallible=not default)
    found = index_of(container, key, site)
    if not default:
        return found
    return _or_default(found, default[0])


def _or_default(found: Any, default: Any) -> Any:
    if found is FAILED:
        return default
    if isinstance(found, Choice):
        return choice(found.cond, _or_default(found.then, default), _or_default(found.otherwise, default))
    return found


def _keys(site: Site, value: Any) -> Any:
    if isinstance(value, dict):
        return sorted(value)
    if isinstance(value, OpenMap):
        return [*sorted(value.known), Repeated(site.unknown(value.rest, present=True))]
    if isinstance(value, Unknown):
        return [_any_element(value)]
    raise FunctionError("a map is needed")


def _values(site: Site, value: Any) -> Any:
    if isinstance(value, dict):
        return [value[key] for key in sorted(value)]
    if isinstance(value, OpenMap):
        return [*(value.known[key] for key in sorted(value.known)), Repeated(value.rest)]
    if isinstance(value, Unknown):
        return [_any_element(value)]
    raise FunctionError("a map is needed")


def _zipmap(site: Site, keys: Any, values: Any) -> Any:
    if isinstance(keys, Unknown) or isinstance(values, Unknown):
        return OpenMap({}, site.unknown(keys, values))
    names, members = plain.elements(keys), plain.elements(values)
    if _is_open(names) or _is_open(members) or not all(map(is_known, names)):
        return OpenMap({}, site.unknown(keys, values))
    if len(names) != len(members):
        raise FunctionError("lists of one length are needed")
    return {plain.text(name): member for name, member in zip(names, members, strict=True)}


def _tomap(site: Site, value: Any) -> Any:
    return value if isinstance(value, (dict, OpenMap, Unknown, ObjectValue)) else FAILED


# ------------------------------------------------------------------ lists


def _concat(site: Site, *lists: Any) -> Any:
    return _limited([element for one in lists for element in _as_elements(one)])


def _flatten(site: Site, value: Any) -> Any:
    return _limited(list(_flat(value)))


def _flat(value: Any, *, repeated: bool = False) -> list[Any]:
    found: list[Any] = []
    for element in _as_elements(value):
        if isinstance(element, Repeated):
            inner = element.value
            if isinstance(inner, list):
                found += [part if isinstance(part, Repeated) else Repeated(part) for part in _flat(inner)]
            else:
                found.append(element)
        elif isinstance(element, list):
            found += _flat(element)
        elif isinstance(element, Unknown) and not is_text(element):
            # a list of any length, or a scalar: in either case elements of which nothing is known
            found.append(_any_element(element))
        elif isinstance(element, Choice):
            found += _flat_choice(element)
        else:
            found.append(element)
    return found


def _flat_choice(value: Choice) -> list[Any]:
    """An element with branches; where they are lists, each of their elements is there only in its branch."""
    branches = (value.then, value.otherwise)
    if not any(isinstance(branch, (list, Choice, Unknown)) for branch in branches):
        return [value]
    found = []
    for holds, branch in zip((True, False), branches, strict=True):
        if branch is OMITTED:
            continue
        for element in _flat([branch]):
            if isinstance(element, Repeated):
                found.append(element)
            else:
                found.append(choice(value.cond, element, OMITTED) if holds else choice(value.cond, OMITTED, element))
    return found


def _element(site: Site, values: Any, at: Any) -> Any:
    if isinstance(values, Unknown):
        return site.unknown(values, at, fallible=True)
    items = plain.elements(values)
    if isinstance(at, Unknown):
        return index_of(items, at, site)
    position = plain.whole(at)
    if _is_open(items):
        return index_of(items, position, site)
    if not items:
        return FAILED
    return items[position % len(items)]


def _length(site: Site, value: Any) -> Any:
    if isinstance(value, (Unknown, OpenMap)):
        return site.unknown(value, present=True)
    if isinstance(value, SetValue) and len(value) > 1 and not is_known(value):
        return site.unknown(value, present=True)  # unknown elements may be equal
    if isinstance(value, list):
        return site.unknown(value, present=True) if _is_open(value) else len(value)
    if isinstance(value, dict):
        return len(value)
    if isinstance(value, Encoded) and not is_known(value):
        return site.unknown(value, present=True)
    return len(plain.text(value))


def _slice(site: Site, values: Any, start: Any, end: Any) -> Any:
    if isinstance(start, Unknown) or isinstance(end, Unknown):
        return [Repeated(site.unknown(values, start, end))]
    first, last = plain.whole(start), plain.whole(end)
    if isinstance(values, Unknown):  # so many elements, or it fails
        if not 0 <= first <= last <= ELEMENT_LIMIT:
            return FAILED
        return [index_of(values, at, Site(f"{values.text}[{at}]", "")) for at in range(first, last)]
    items = plain.elements(values)
    closed = next((at for at, element in enumerate(items) if isinstance(element, Repeated)), None)
    if closed is not None and last > closed:
        return [Repeated(site.unknown(values))]
    if not 0 <= first <= last <= len(items):
        return FAILED
    return items[first:last]


def _reverse(site: Site, values: Any) -> Any:
    return list(reversed(_as_elements(values)))


def _distinct(site: Site, values: Any) -> Any:
    kept: list[Any] = []
    for element in _as_elements(values):
        if not any(same(element, other) for other in kept):
            kept.append(element)
    return kept


def _compact(site: Site, values: Any) -> Any:
    kept: list[Any] = []
    for element in _as_elements(values):
        if isinstance(element, Unknown) and not _surely_not_empty(element):
            kept.append(Repeated(element))  # there if it is neither null nor empty
        elif isinstance(element, Choice):
            kept += _compact_choice(element)
        elif element is not ABSENT and element != "":
            kept.append(element)
    return kept


def _compact_choice(value: Choice) -> list[Any]:
    def compacted(branch: Any) -> Any:
        if isinstance(branch, Choice):
            return choice(branch.cond, compacted(branch.then), compacted(branch.otherwise))
        return OMITTED if branch is ABSENT or branch == "" or branch is FAILED else branch

    result = compacted(value)
    return [] if result is OMITTED else [result]


def _toset(site: Site, values: Any) -> Any:
    if isinstance(values, Unknown):
        return values
    items = plain.elements(values)
    if all(map(is_known, items)):
        return plain.as_set(items)
    return SetValue(_distinct(site, items))


def _tolist(site: Site, values: Any) -> Any:
    if isinstance(values, Unknown):
        return values
    return list(plain.elements(values))


def _setproduct(site: Site, *sets: Any) -> Any:
    lists = [_as_elements(one) for one in sets]
    if any(map(_is_open, lists)):
        return [Repeated([_sample(site, one) for one in lists])]
    if math.prod(map(len, lists)) > ELEMENT_LIMIT:
        raise Undecidable
    return [list(combination) for combination in itertools.product(*lists)]


def _one(site: Site, value: Any) -> Any:
    if isinstance(value, Unknown):
        return site.unknown(value, fallible=True)
    if not isinstance(value, list):
        return value
    if _is_open(value):
        if len(value) == 1 and isinstance(value[0].value, ObjectValue):
            found = value[0].value
            exists = getattr(found, "exists", None)
            return choice(exists, found, ABSENT) if exists is not None else found
        return site.unknown(value, fallible=True)
    if len(value) > 1:
        return FAILED
    return value[0] if value else ABSENT


def _contains(site: Site, values: Any, wanted: Any) -> Any:
    if isinstance(values, Unknown):
        return from_cond(site.test())
    conds: list[Cond] = []
    for element in plain.elements(values):
        if isinstance(element, Repeated):
            equal: Any = None
        else:
            equal = equality(element, wanted, site) if not isinstance(element, Choice) else None
        cond = site.test() if equal is None else condition_of(equal)
        conds.append(site.test() if cond is None else cond)
    return from_cond(any_of(conds))


def _alltrue(site: Site, values: Any) -> Any:
    return _quantified(conjoin, site, values)


def _anytrue(site: Site, values: Any) -> Any:
    return _quantified(any_of, site, values)


def _quantified(join: Callable[[Any], Cond], site: Site, values: Any) -> Any:
    conds: list[Cond] = []
    for element in _as_elements(values):
        cond = None if isinstance(element, Repeated) else condition_of(element)
        if element is ABSENT:
            cond = False
        conds.append(site.test() if cond is None else cond)
    return from_cond(join(conds))


def _coalesce(site: Site, *values: Any) -> Any:
    doubtful: list[Any] = []
    for value in values:
        if value is ABSENT or value == "":
            continue
        if isinstance(value, Unknown) and not value.present:
            doubtful.append(value)
        elif not doubtful:
            return settled(value) if isinstance(value, Unknown) else value
        else:
            return site.unknown(*doubtful, value, present=True)
    if doubtful:
        return site.unknown(*doubtful, present=True, fallible=True)
    return FAILED


def _coalescelist(site: Site, *lists: Any) -> Any:
    for position, one in enumerate(lists):
        if one is ABSENT or one == []:
            continue
        if isinstance(one, list) and not all(isinstance(element, Repeated) for element in one):
            return one
        return site.unknown(*lists[position:], present=True)
    return FAILED


def _surely_not_empty(value: Unknown) -> bool:
    return value.parts is not None and any(value.parts)


# ------------------------------------------------------------------ texts with holes


def _pieces(value: Any) -> list[str | None] | None:
    """A scalar as pieces of text with holes; None where it is no scalar."""
    found = text_of(value)
    if found is not None:
        return [found]
    if isinstance(value, Unknown):
        return list(value.parts) if value.parts is not None else [None]
    return [None] if isinstance(value, Encoded) else None


def _with_holes(site: Site, pieces: list[str | None], sources: list[Any]) -> Any:
    parts = joined_parts(pieces)
    if sum(len(part) for part in parts if part) > TEXT_LIMIT:
        return site.unknown(*sources, present=True)
    if None in parts:
        return site.unknown(*sources, present=True, parts=parts, fallible=True)
    return "".join(part for part in parts if part is not None)


def _join(site: Site, separator: Any, *lists: Any) -> Any:
    glue = _pieces(separator)
    if glue is None:
        return FAILED
    pieces: list[str | None] = []
    first = True
    for element in (element for one in lists for element in _as_elements(one)):
        if isinstance(element, Repeated):
            pieces.append(None)  # any number of elements, with what separates them
        else:
            found = _pieces(element)
            if found is None:
                return FAILED
            pieces += found if first else [*glue, *found]
        first = False
    return _with_holes(site, pieces, [separator, *lists])


def _format(site: Site, pattern: Any, *values: Any) -> Any:
    if isinstance(pattern, Unknown):
        return _format_open(site, pattern, values)
    source = plain.text(pattern)
    pieces: list[str | None] = []
    at = position = 0
    for found in _FORMAT.finditer(source):
        pieces.append(source[at : found.start()])
        at = found.end()
        index, flags, width, precision, verb = found.groups()
        if verb == "%":
            pieces.append("%")
            continue
        if index:
            position = int(index) - 1
        if position >= len(values):
            return FAILED
        pieces += _formatted(values[position], flags, width, precision, verb)
        position += 1
    pieces.append(source[at:])
    return _with_holes(site, pieces, [pattern, *values])


def _format_open(site: Site, pattern: Unknown, values: tuple[Any, ...]) -> Any:
    """A pattern with holes. A hole may hold verbs, so that behind it only what is no verb is known."""
    if pattern.parts is None:
        return site.unknown(pattern, *values, present=True, fallible=True)
    pieces: list[str | None] = []
    for part in pattern.parts:
        if part is None:
            pieces.append(None)
            continue
        at = 0
        for found in _FORMAT.finditer(part):
            pieces += [part[at : found.start()], "%" if found[5] == "%" else None]
            at = found.end()
        pieces.append(part[at:])
        if "%" in part[at:]:  # a verb that a hole cuts in two
            return site.unknown(pattern, *values, present=True, fallible=True)
    return _with_holes(site, pieces, [pattern, *values])


def _formatted(value: Any, flags: str, width: str, precision: str | None, verb: str) -> list[str | None]:
    if isinstance(value, Unknown) or not is_known(value):
        bare = verb in "sv" and not width and precision is None
        return _pieces(value) or [None] if bare else [None]
    if verb == "s":
        shown = plain.text(value)
        if precision is not None:
            shown = shown[: int(precision)]
    elif verb == "v":
        found = text_of(value)
        shown = encode(value) if found is None else found
    elif verb == "q":
        shown = encode(plain.text(value))
    elif verb == "t":
        shown = plain.text(value)
        if shown not in ("true", "false"):
            raise FunctionError("a bool is needed")
    else:
        return [_formatted_number(plain.number(value), flags, width, precision, verb)]
    return [shown.ljust(int(width)) if "-" in flags and width else shown.rjust(int(width or 0))]


def _formatted_number(value: int | float, flags: str, width: str, precision: str | None, verb: str) -> str:
    if verb in "dboxX":
        shown: Any = int(value)
        precision = None
    elif verb in "feEgG":
        shown = float(value)
    else:
        raise FunctionError(f"no such verb: {verb}")
    if verb in "gG" and precision is None and not flags and not width:
        return number_text(plain.tidy(value))
    if verb == "b":
        shown, verb = format(shown, "b"), "s"
        flags = flags.replace("0", "")
    verb_text = f"%{flags}{width}{'.' + precision if precision is not None else ''}{verb}"
    return str(verb_text % shown)


def _formatlist(site: Site, pattern: Any, *values: Any) -> Any:
    lists = [value for value in values if isinstance(value, list)]
    if any(isinstance(value, Unknown) for value in values) or any(map(_is_open, lists)):
        return [Repeated(_format(site, pattern, *(_sample(site, value) for value in values)))]
    length = max((len(one) for one in lists), default=1)
    if any(len(one) != length for one in lists):
        return FAILED
    return [
        _format(_at(site, at), pattern, *(value[at] if isinstance(value, list) else value for value in values))
        for at in range(length)
    ]


def _sample(site: Site, value: Any) -> Any:
    """What any element of a list looks like; a value that is no list is the same for all."""
    if isinstance(value, list):
        only = value[0] if len(value) == 1 else None
        return only.value if isinstance(only, Repeated) else derived(site.text, [value])
    return _any_element(value).value if isinstance(value, Unknown) else value


def _at(site: Site, at: int) -> Site:
    """The site of one element of a list."""
    return Site(site.text, f"{site.subject}[{at}]" if site.subject else "")


def _by_piece(change: Callable[[str], str]) -> Callable[..., Any]:
    """A function that changes letter by letter, and so every known piece of a text."""

    def call(site: Site, value: Any) -> Any:
        if isinstance(value, Unknown):
            parts = value.parts and tuple(None if part is None else change(part) for part in value.parts)
            return site.unknown(value, present=True, parts=parts)
        return change(plain.text(value))

    return call


def _starts(site: Site, value: Any, prefix: Any) -> Any:
    return _affix(site, value, prefix, 0, str.startswith)


def _ends(site: Site, value: Any, suffix: Any) -> Any:
    return _affix(site, value, suffix, -1, str.endswith)


def _affix(site: Site, value: Any, affix: Any, at: int, test: Callable[[str, str], bool]) -> Any:
    if isinstance(affix, Unknown) or (isinstance(value, Encoded) and not is_known(value)):
        return from_cond(site.test())
    wanted = plain.text(affix)
    if not isinstance(value, Unknown):
        return test(plain.text(value), wanted)
    piece = value.parts[at] if value.parts else None
    if piece is not None and (test(piece, wanted) or not test(wanted, piece)):
        return test(piece, wanted)
    return from_cond(site.test())


# ------------------------------------------------------------------ conversions


def _tostring(site: Site, value: Any) -> Any:
    if value is ABSENT or isinstance(value, (Unknown, Encoded)):
        return value
    return plain.text(value)


def _tonumber(site: Site, value: Any) -> Any:
    return value if value is ABSENT or isinstance(value, Unknown) else plain.number(value)


def _tobool(site: Site, value: Any) -> Any:
    if value is ABSENT or isinstance(value, (Unknown, bool)):
        return value
    if value in ("true", "false"):
        return value == "true"
    return FAILED


def _same_value(site: Site, value: Any) -> Any:
    return value


def _jsonencode(site: Site, value: Any) -> Any:
    return Encoded(value)


def _jsondecode(site: Site, value: Any) -> Any:
    if isinstance(value, Encoded):
        return value.value
    if isinstance(value, Unknown):
        return site.unknown(value, fallible=True)
    return plain.jsondecode(value)


def _not_computed(site: Site, *values: Any) -> Any:
    """A function whose result exists but is not computed here."""
    return site.unknown(*values, present=True, fallible=True)


def _different_each_time(site: Site, *values: Any) -> Any:
    """A function that gives another value whenever it is called, so that nothing equals it."""
    return Unknown(text=site.text, present=True)


OPEN_FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "abspath": _not_computed,
    "alltrue": _alltrue,
    "anytrue": _anytrue,
    "base64gzip": _not_computed,
    "bcrypt": _different_each_time,
    "coalesce": _coalesce,
    "coalescelist": _coalescelist,
    "compact": _compact,
    "concat": _concat,
    "contains": _contains,
    "distinct": _distinct,
    "element": _element,
    "endswith": _ends,
    "ephemeralasnull": _same_value,
    "flatten": _flatten,
    "format": _format,
    "formatdate": _not_computed,
    "formatlist": _formatlist,
    "issensitive": _not_computed,
    "join": _join,
    "jsondecode": _jsondecode,
    "jsonencode": _jsonencode,
    "keys": _keys,
    "length": _length,
    "lookup": _lookup,
    "lower": _by_piece(str.lower),
    "merge": _merge,
    "nonsensitive": _same_value,
    "one": _one,
    "pathexpand": _not_computed,
    "plantimestamp": _different_each_time,
    "reverse": _reverse,
    "rsadecrypt": _not_computed,
    "sensitive": _same_value,
    "setproduct": _setproduct,
    "slice": _slice,
    "startswith": _starts,
    "textdecodebase64": _not_computed,
    "textencodebase64": _not_computed,
    "timeadd": _not_computed,
    "timecmp": _not_computed,
    "timestamp": _different_each_time,
    "tobool": _tobool,
    "tolist": _tolist,
    "tomap": _tomap,
    "tonumber": _tonumber,
    "toset": _toset,
    "tostring": _tostring,
    "upper": _by_piece(plain.upper),
    "uuid": _different_each_time,
    "uuidv5": _not_computed,
    "values": _values,
    "yamlencode": _not_computed,
    "zipmap": _zipmap,
}

# Functions that pass elements on as they are, also those that are there only in some branch.
PASSES_ELEMENTS: Final = frozenset(
    {
        "coalesce",
        "compact",
        "concat",
        "ephemeralasnull",
        "flatten",
        "jsonencode",
        "lookup",
        "merge",
        "nonsensitive",
        "reverse",
        "sensitive",
        "tolist",
        "tomap",
        "toset",
        "values",
    }
)
# Functions that look at the elements themselves.
LOOKS_INSIDE: Final = frozenset({"contains", "distinct", "format", "formatlist", "join", "zipmap"})
