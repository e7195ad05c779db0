"""Terraform's functions over values that are wholly known.

Each takes plain values and returns one, or raises FunctionError where Terraform would report an error.
"""

from __future__ import annotations

import base64
import binascii
import csv
import hashlib
import io
import ipaddress
import json
import math
import posixpath
import re
import urllib.parse
from collections.abc import Callable
from typing import Any, Final

from srm_checks.engines.terraform import yaml_values
from srm_checks.engines.terraform.values import (
    TEXT_LIMIT,
    SetValue,
    same,
    text_of,
)
from srm_checks.model import ABSENT

_GO_GROUP = re.compile(r"\(\?P?<")
_RANGE_LIMIT: Final = 1024  # Terraform's own


class FunctionError(Exception):
    """The call fails, as it would in Terraform."""


# ------------------------------------------------------------------ arguments


def text(value: Any) -> str:
    """An argument that must be a text."""
    found = text_of(value)
    if found is None:
        raise FunctionError("a text is needed")
    return found


def number(value: Any) -> int | float:
    """An argument that must be a number."""
    if isinstance(value, bool):
        raise FunctionError("a number is needed")
    if isinstance(value, (int, float)):
        return value
    if isinstance(value, str):
        try:
            parsed = int(value) if re.fullmatch(r"[+-]?\d+", value) else float(value)
        except ValueError:
            raise FunctionError("a number is needed") from None
        return tidy(parsed)
    raise FunctionError("a number is needed")


def whole(value: Any) -> int:
    """An argument that must be a whole number."""
    found = tidy(number(value))
    if not isinstance(found, int):
        raise FunctionError("a whole number is needed")
    return found


def elements(value: Any) -> list[Any]:
    """An argument that must be a list or a set."""
    if isinstance(value, list):
        return value
    raise FunctionError("a list is needed")


def mapping(value: Any) -> dict[str, Any]:
    """An argument that must be a map."""
    if isinstance(value, dict):
        return value
    raise FunctionError("a map is needed")


def tidy(value: int | float) -> int | float:
    """Whole numbers are ints."""
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        return int(value)
    return value


def as_set(values: list[Any]) -> SetValue:
    """The distinct values; scalars in Terraform's order."""
    kept: list[Any] = []
    seen: set[Any] = set()
    for value in values:
        if isinstance(value, (str, int, float)):
            key = (isinstance(value, str), isinstance(value, bool), value)
            if key not in seen:
                seen.add(key)
                kept.append(value)
        elif not any(same(value, other) for other in kept):
            kept.append(value)
    if all(isinstance(value, str) for value in kept):
        kept.sort()
    elif all(isinstance(value, (int, float)) for value in kept):
        kept.sort(key=float)
    return SetValue(kept)


# ------------------------------------------------------------------ texts


def _chomp(value: Any) -> str:
    return re.sub(r"(\r?\n|\r)+\Z", "", text(value))


def _indent(spaces: Any, value: Any) -> str:
    return text(value).replace("\n", "\n" + " " * max(0, min(whole(spaces), 1000)))


def _title(value: Any) -> str:
    return re.sub(r"(?<!\w)\w", lambda found: upper(found.group()), text(value))


def upper(value: str) -> str:
    """Capitals letter by letter: what has no single capital stays."""
    return "".join(c.upper() if len(c.upper()) == 1 else c for c in value)


def _trim(value: Any, characters: Any) -> str:
    return text(value).strip(text(characters))


def _trimprefix(value: Any, prefix: Any) -> str:
    return text(value).removeprefix(text(prefix))


def _trimsuffix(value: Any, suffix: Any) -> str:
    return text(value).removesuffix(text(suffix))


def _split(separator: Any, value: Any) -> list[str]:
    if not text(separator):
        return list(text(value))
    return text(value).split(text(separator))


def _substr(value: Any, offset: Any, length: Any) -> str:
    whole_text, start, size = text(value), whole(offset), whole(length)
    if start < 0:
        start += len(whole_text)
    if start < 0:
        raise FunctionError("the offset lies before the text")
    return whole_text[start:] if size < 0 else whole_text[start : start + size]


def _replace(value: Any, old: Any, new: Any) -> str:
    subject, pattern, by = text(value), text(old), text(new)
    if len(pattern) > 1 and pattern.startswith("/") and pattern.endswith("/"):
        template = re.sub(r"\$(\d+)|\$\{(\w+)\}|\$(\w+)", _group_reference, by.replace("\\", "\\\\"))
        return limited(_pattern(pattern[1:-1]).sub(template, subject))
    return limited(subject.replace(pattern, by))


def _group_reference(found: re.Match[str]) -> str:
    return rf"\g<{next(group for group in found.groups() if group)}>"


def _pattern(source: str) -> re.Pattern[str]:
    if re.search(r"[*+}][^)]*\)[*+{]", source):
        # nested repetitions take exponential time here, and do not in Go; no answer is better than no end
        raise Undecidable
    try:
        return re.compile(_GO_GROUP.sub("(?P<", source).replace("\\z", "\\Z"))
    except re.error as problem:
        raise Undecidable from problem


class Undecidable(Exception):
    """The result exists, but is not computed here."""


def _captures(found: re.Match[str]) -> Any:
    if found.re.groupindex:
        return {name: ABSENT if value is None else value for name, value in found.groupdict().items()}
    if found.re.groups:
        return [ABSENT if value is None else value for value in found.groups()]
    return found.group()


def _regex(pattern: Any, value: Any) -> Any:
    found = _pattern(text(pattern)).search(text(value))
    if not found:
        raise FunctionError("the pattern does not match")
    return _captures(found)


def _regexall(pattern: Any, value: Any) -> list[Any]:
    return [_captures(found) for found in _pattern(text(pattern)).finditer(text(value))]


def limited(value: str) -> str:
    """A text, if it is not beyond measure."""
    if len(value) > TEXT_LIMIT:
        raise Undecidable
    return value


# ------------------------------------------------------------------ numbers


def _extreme(pick: Callable[..., Any]) -> Callable[..., Any]:
    def call(*values: Any) -> Any:
        if not values:
            raise FunctionError("a number is needed")
        return pick(map(number, values))

    return call


def _pow(base: Any, exponent: Any) -> int | float:
    b, e = number(base), number(exponent)
    if abs(e) > 1024:
        raise Undecidable
    try:
        return tidy(b**e)
    except (OverflowError, ZeroDivisionError) as problem:
        raise FunctionError(str(problem)) from problem


def _log(value: Any, base: Any) -> int | float:
    try:
        return tidy(math.log(number(value), number(base)))
    except (ValueError, ZeroDivisionError) as problem:
        raise FunctionError(str(problem)) from problem


def _parseint(value: Any, base: Any) -> int:
    try:
        return int(text(value), whole(base))
    except ValueError as problem:
        raise FunctionError(str(problem)) from problem


def _signum(value: Any) -> int:
    found = number(value)
    return (found > 0) - (found < 0)


def _range(*bounds: Any) -> list[Any]:
    numbers = [number(bound) for bound in bounds]
    if not 1 <= len(numbers) <= 3:
        raise FunctionError("one to three numbers are needed")
    start, end = (0, numbers[0]) if len(numbers) == 1 else (numbers[0], numbers[1])
    step = numbers[2] if len(numbers) == 3 else (1 if start <= end else -1)
    if not step:
        raise FunctionError("the step must not be zero")
    values: list[Any] = []
    at = start
    while (at < end) if step > 0 else (at > end):
        if len(values) >= _RANGE_LIMIT:
            raise FunctionError("too many numbers")
        values.append(tidy(at))
        at += step
    return values


def _sum(values: Any) -> int | float:
    if not elements(values):
        raise FunctionError("a number is needed")
    return tidy(sum(map(number, values)))


# ------------------------------------------------------------------ collections


def _setintersection(first: Any, *rest: Any) -> SetValue:
    kept = [value for value in elements(first) if all(any(same(value, v) for v in elements(other)) for other in rest)]
    return as_set(kept)


def _setsubtract(first: Any, second: Any) -> SetValue:
    return as_set([value for value in elements(first) if not any(same(value, v) for v in elements(second))])


def _setunion(*sets: Any) -> SetValue:
    return as_set([value for one in sets for value in elements(one)])


def _setsymmetricdifference(first: Any, second: Any) -> SetValue:
    return as_set([*_setsubtract(first, second), *_setsubtract(second, first)])


def _sort(values: Any) -> list[str]:
    return sorted(map(text, elements(values)))


def _chunklist(values: Any, size: Any) -> list[Any]:
    width = whole(size)
    if width < 0:
        raise FunctionError("the size must not be negative")
    items = elements(values)
    return [items[at : at + width] for at in range(0, len(items), width)] if width else [items]


def _matchkeys(values: Any, keys: Any, wanted: Any) -> list[Any]:
    if len(elements(values)) != len(elements(keys)):
        raise FunctionError("lists of one length are needed")
    return [value for value, key in zip(values, keys, strict=True) if any(same(key, w) for w in elements(wanted))]


def _transpose(value: Any) -> dict[str, Any]:
    turned: dict[str, list[str]] = {}
    for key, members in mapping(value).items():
        for member in elements(members):
            turned.setdefault(text(member), []).append(key)
    return {key: sorted(turned[key]) for key in sorted(turned)}


def _index(values: Any, value: Any) -> int:
    for at, element in enumerate(elements(values)):
        if same(element, value):
            return at
    raise FunctionError("the value is not in the list")


# ------------------------------------------------------------------ encodings


def _base64decode(value: Any) -> str:
    try:
        return base64.b64decode(text(value), validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError) as problem:
        raise FunctionError("the text is not Base64 of UTF-8") from problem


def _hash(name: str, *, as_base64: bool = False) -> Callable[[Any], str]:
    def call(value: Any) -> str:
        digest = hashlib.new(name, text(value).encode(), usedforsecurity=False).digest()
        return base64.b64encode(digest).decode() if as_base64 else digest.hex()

    return call


def _jsondecode(value: Any) -> Any:
    try:
        return _from_json(json.loads(text(value)))
    except ValueError as problem:
        raise FunctionError("the text is not JSON") from problem
    except RecursionError as problem:
        raise Undecidable from problem


def _from_json(value: Any) -> Any:
    if value is None:
        return ABSENT
    if isinstance(value, float):
        return tidy(value)
    if isinstance(value, list):
        return [_from_json(element) for element in value]
    if isinstance(value, dict):
        return {key: _from_json(element) for key, element in value.items()}
    return value


def _yamldecode(value: Any) -> Any:
    try:
        return yaml_values.decode(text(value))
    except yaml_values.NotYaml as problem:
        raise FunctionError("the text is not YAML") from problem
    except yaml_values.NotComputed as problem:
        raise Undecidable from problem


def _csvdecode(value: Any) -> list[Any]:
    try:
        return [dict(row) for row in csv.DictReader(io.StringIO(text(value)), strict=True)]
    except csv.Error as problem:
        raise FunctionError("the text is not CSV") from problem


def _urlencode(value: Any) -> str:
    return urllib.parse.quote_plus(text(value))


# ------------------------------------------------------------------ networks


def _network(prefix: Any) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    try:
        return ipaddress.ip_network(text(prefix), strict=False)
    except ValueError as problem:
        raise FunctionError("the text is not a CIDR range") from problem


def _cidrhost(prefix: Any, host: Any) -> str:
    network, at = _network(prefix), whole(host)
    if not -network.num_addresses <= at < network.num_addresses:
        raise FunctionError("the network has no such host")
    return str(network[at])


def _cidrnetmask(prefix: Any) -> str:
    network = _network(prefix)
    if network.version == 6:
        raise FunctionError("IPv6 has no netmask")
    return str(network.netmask)


def _cidrsubnet(prefix: Any, newbits: Any, netnum: Any) -> str:
    network, bits, at = _network(prefix), whole(newbits), whole(netnum)
    length = network.prefixlen + bits
    if bits < 0 or length > network.max_prefixlen or not 0 <= at < (1 << bits):
        raise FunctionError("the network has no such part")
    base = int(network.network_address) + (at << (network.max_prefixlen - length))
    return f"{type(network.network_address)(base)}/{length}"


def _cidrsubnets(prefix: Any, *newbits: Any) -> list[str]:
    network = _network(prefix)
    at = int(network.network_address)
    last = at + network.num_addresses
    found: list[str] = []
    for bits in newbits:
        length = network.prefixlen + whole(bits)
        if not network.prefixlen < length <= network.max_prefixlen:
            raise FunctionError("the network has no such part")
        size = 1 << (network.max_prefixlen - length)
        at = -(-at // size) * size
        if at + size > last:
            raise FunctionError("the network has no room left")
        found.append(f"{type(network.network_address)(at)}/{length}")
        at += size
    return found


# ------------------------------------------------------------------ the table


PLAIN_FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "abs": lambda value: abs(number(value)),
    "base64decode": _base64decode,
    "base64encode": lambda value: base64.b64encode(text(value).encode()).decode(),
    "base64sha256": _hash("sha256", as_base64=True),
    "base64sha512": _hash("sha512", as_base64=True),
    "basename": lambda value: posixpath.basename(text(value)),
    "ceil": lambda value: math.ceil(number(value)),
    "chomp": _chomp,
    "chunklist": _chunklist,
    "cidrhost": _cidrhost,
    "cidrnetmask": _cidrnetmask,
    "cidrsubnet": _cidrsubnet,
    "cidrsubnets": _cidrsubnets,
    "csvdecode": _csvdecode,
    "dirname": lambda value: posixpath.dirname(text(value)) or ".",
    "floor": lambda value: math.floor(number(value)),
    "indent": _indent,
    "index": _index,
    "log": _log,
    "matchkeys": _matchkeys,
    "max": _extreme(max),
    "md5": _hash("md5"),
    "min": _extreme(min),
    "parseint": _parseint,
    "pow": _pow,
    "range": _range,
    "regex": _regex,
    "regexall": _regexall,
    "replace": _replace,
    "setintersection": _setintersection,
    "setsubtract": _setsubtract,
    "setsymmetricdifference": _setsymmetricdifference,
    "setunion": _setunion,
    "sha1": _hash("sha1"),
    "sha256": _hash("sha256"),
    "sha512": _hash("sha512"),
    "signum": _signum,
    "sort": _sort,
    "split": _split,
    "strcontains": lambda value, part: text(part) in text(value),
    "strrev": lambda value: text(value)[::-1],
    "substr": _substr,
    "sum": _sum,
    "title": _title,
    "transpose": _transpose,
    "trim": _trim,
    "trimprefix": _trimprefix,
    "trimspace": lambda value: text(value).strip(),
    "trimsuffix": _trimsuffix,
    "urlencode": _urlencode,
    "yamldecode": _yamldecode,
}

jsondecode = _jsondecode
