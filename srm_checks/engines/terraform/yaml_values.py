"""`yamldecode`: YAML as Terraform reads it, which is not in all as PyYAML constructs it."""

from __future__ import annotations

import re
from typing import Any, Final

from srm_checks.engines.terraform.values import number_text
from srm_checks.model import ABSENT

_TAG: Final = "tag:yaml.org,2002:"
_BOOLS: Final = {
    "true": True,
    "yes": True,
    "on": True,
    "y": True,
    "false": False,
    "no": False,
    "off": False,
    "n": False,
}
_INTEGER = re.compile(r"[+-]?(0|[1-9]\d*)")
_FLOAT = re.compile(r"[+-]?\d+\.\d*([eE][+-]?\d+)?")


class NotYaml(Exception):
    """The text is no YAML."""


class NotComputed(Exception):
    """The YAML has what is not read here: aliases, dates, binary data, numbers to other bases."""


def decode(text: str) -> Any:
    """The value of a YAML document. Raises NotYaml, or NotComputed where the value is not sure."""
    import yaml  # only where a module asks for it

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=loader)):
            raise NotComputed  # aliases can build values beyond measure
        node = yaml.compose(text, Loader=loader)
        return ABSENT if node is None else _value(node)
    except yaml.YAMLError as problem:
        raise NotYaml from problem
    except RecursionError as problem:
        raise NotComputed from problem


def _value(node: Any) -> Any:
    if node.id == "sequence":
        return [_value(element) for element in node.value]
    if node.id == "mapping":
        return {_key(key): _value(value) for key, value in node.value}
    return _scalar(node)


def _key(node: Any) -> str:
    value = _scalar(node) if node.id == "scalar" else ABSENT
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return number_text(value)
    if not isinstance(value, str):
        raise NotComputed
    return value


def _scalar(node: Any) -> Any:
    text, tag = str(node.value), str(node.tag).removeprefix(_TAG)
    plain = not node.style
    if tag == "null":
        return ABSENT
    if plain and text.lower() in _BOOLS:
        return _BOOLS[text.lower()]
    if tag == "str":
        return text
    if tag == "int" and _INTEGER.fullmatch(text):
        return int(text)
    if tag == "float" and _FLOAT.fullmatch(text):
        value = float(text)
        return int(value) if value.is_integer() else value
    raise NotComputed
