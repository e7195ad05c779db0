"""CloudFormation parameter files, in the forms that AWS tools read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from srm_checks import reads
from srm_checks.errors import UsageError


def read_parameters(path: str) -> dict[str, str]:
    """The parameter values by name that a file gives, as CloudFormation texts.

    The file is JSON or YAML: a list of {ParameterKey, ParameterValue} (AWS CLI), {"Parameters": {...}} (CodePipeline),
    or a mapping of names to values. A `UsePreviousValue` gives no value. Raises `UsageError`.
    """
    data = _read(path)
    if isinstance(data, list):
        return dict(entry for item in data for entry in _pair(path, item))
    if isinstance(data, Mapping):
        inner = data.get("Parameters")
        values = inner if isinstance(inner, Mapping) else data
        return {_name(path, name): _text(path, str(name), value) for name, value in values.items()}
    raise UsageError(f"{path}: must hold a list of ParameterKey and ParameterValue, or a mapping of names to values")


def _read(path: str) -> Any:
    import yaml

    reads.file(path)
    try:
        with open(path, encoding="utf-8-sig") as stream:
            # JSON is YAML; the plain loader would turn `007` and dates into something else, so scalars stay texts.
            return yaml.load(stream, Loader=yaml.BaseLoader)
    except OSError as error:
        raise UsageError(f"{path}: the parameter file cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: the parameter file is not UTF-8 text") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else path
        raise UsageError(f"{place}: neither JSON nor YAML: {error.problem}") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise UsageError(f"{path}: neither JSON nor YAML: {error}") from error


def _pair(path: str, item: Any) -> list[tuple[str, str]]:
    if not isinstance(item, Mapping) or "ParameterKey" not in item:
        raise UsageError(f"{path}: every entry of the list needs a ParameterKey and a ParameterValue")
    name = _name(path, item["ParameterKey"])
    if "ParameterValue" in item:
        return [(name, _text(path, name, item["ParameterValue"]))]
    if item.get("UsePreviousValue") in ("true", "True"):
        return []
    raise UsageError(f"{path}: {name} has no ParameterValue")


def _name(path: str, name: Any) -> str:
    if isinstance(name, str) and name:
        return name
    raise UsageError(f"{path}: {name!r} is not the name of a parameter")


def _text(path: str, name: str, value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ",".join(value)  # as CloudFormation writes a CommaDelimitedList
    raise UsageError(f"{path}: the value of {name} must be a text or a list of texts")
