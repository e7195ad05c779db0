"""The values of parameters and pseudo parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from srm_checks.engines.cloudformation.branching import options
from srm_checks.engines.cloudformation.constraints import Constraints
from srm_checks.engines.cloudformation.source import Source, key_of
from srm_checks.engines.cloudformation.text import literal_text, plain
from srm_checks.model import ABSENT, EngineOptions, Literal, Options, ScanError, SourceRange, Unknown

# Each is set in every stack; what of its text is certain is in the parts.
PSEUDO: Final[dict[str, Any]] = {
    "AWS::NoValue": ABSENT,
    "AWS::Region": Unknown("AWS::Region", present=True, subject="AWS::Region"),
    "AWS::AccountId": Unknown("AWS::AccountId", present=True, subject="AWS::AccountId"),
    "AWS::Partition": Unknown("AWS::Partition", present=True, parts=("aws", None), subject="AWS::Partition"),
    "AWS::StackName": Unknown("AWS::StackName", present=True, subject="AWS::StackName"),
    "AWS::StackId": Unknown("AWS::StackId", present=True, parts=("arn:", None), subject="AWS::StackId"),
    "AWS::URLSuffix": Unknown("AWS::URLSuffix", present=True, parts=("amazonaws.com", None), subject="AWS::URLSuffix"),
    "AWS::NotificationARNs": Unknown("AWS::NotificationARNs", subject="AWS::NotificationARNs"),
}


SUBJECT_PREFIX: Final = "Parameters/"
_UNBOUND: Final = Constraints()


@dataclass(frozen=True, slots=True)
class Parameter:
    """A declared parameter: its value, and where that is written (None where it is given from outside, or open).

    `constraints` is what bounds the value where that is open.
    """

    name: str
    value: Any
    origin: SourceRange | None = None
    is_number: bool = False
    constraints: Constraints = _UNBOUND

    @property
    def subject(self) -> str:
        return subject_of(self.name)


def subject_of(name: str) -> str:
    """The key under which a parameter's value is the same throughout a verdict."""
    return f"{SUBJECT_PREFIX}{name}"


def read_parameters(
    section: Any, source: Source, given: EngineOptions, errors: list[ScanError]
) -> dict[str, Parameter]:
    """All declared parameters by name; a declaration that cannot be read is open, and noted in `errors`."""
    if section is None:
        return {}
    if not isinstance(section, Mapping):
        errors.append(_error(source, None, "Parameters is not a mapping. Declare each parameter under its name."))
        return {}
    parameters = {}
    for key, body in section.items():
        name = str(key)
        if isinstance(body, Mapping):
            parameters[name] = _read(name, key, body, source, given)
            continue
        if not name.startswith("Fn::"):
            errors.append(_error(source, key, f"parameter {name} is not a mapping. Give it a Type."))
        parameters[name] = Parameter(name, Unknown(name, subject=subject_of(name)))
    return parameters


def _read(name: str, key: Any, body: Mapping[str, Any], source: Source, given: EngineOptions) -> Parameter:
    kind = str(body.get("Type") or "String")
    is_number = kind == "Number"
    if kind.startswith("AWS::SSM::Parameter::Value<"):
        # What is given or is the default is the path in the Parameter Store, not the value.
        path = given.parameters.get(name, None if given.strict_parameters else body.get("Default"))
        text = f"{name}, read from {path if isinstance(path, str) else 'the Parameter Store'}"
        return Parameter(name, Unknown(text, present=True, subject=subject_of(name)))
    if name in given.parameters:
        return Parameter(name, convert(given.parameters[name], kind), is_number=is_number)
    default = body.get("Default")
    if default is not None and not given.strict_parameters:
        line = source.line(key_of(body, "Default")) or source.line(key)
        return Parameter(name, convert(default, kind), line, is_number)
    constraints = _UNBOUND if is_list(kind) else Constraints.of(body)
    present = _never_empty(kind) or constraints.refuse("")
    unknown = Unknown(name, present=present, subject=subject_of(name))
    value: Any = unknown
    line = None
    if not is_list(kind):
        allowed = allowed_values(body, kind)
        if allowed:
            value = options(subject_of(name), name, allowed)
            line = source.line(key_of(body, "AllowedValues")) or source.line(key)
    return Parameter(name, value, line, is_number, constraints)


def is_list(kind: str) -> bool:
    """Whether a parameter type's value is a list."""
    return kind == "CommaDelimitedList" or kind.startswith("List<")


def allowed_values(body: Any, kind: str) -> tuple[Literal, ...]:
    """The AllowedValues as plain values of the parameter's type; empty where there are none that can be read."""
    allowed = body.get("AllowedValues") if isinstance(body, Mapping) else None
    if not isinstance(allowed, list):
        return ()
    values = [convert(value, kind) for value in allowed]
    return tuple(values) if all(isinstance(value, str | int | float) for value in values) else ()


def convert(value: Any, kind: str) -> Any:
    """A given or default value in its parameter type: numbers as numbers, lists as lists of text, else text."""
    if isinstance(value, list):
        return [convert(element, _element(kind)) for element in value]
    text = literal_text(plain(value))
    if text is None:
        return Unknown(str(value), present=True)
    if is_list(kind):
        return [convert(part.strip(), _element(kind)) for part in text.split(",")] if text.strip() else []
    return number(text) if kind == "Number" else text


def number(text: str) -> Literal:
    """The number that `text` writes; the text itself where it writes none."""
    for parse in (int, float):
        try:
            return parse(text)
        except ValueError:
            continue
    return text


def _element(kind: str) -> str:
    return kind[len("List<") : -1] if kind.startswith("List<") else "String"


def _never_empty(kind: str) -> bool:
    """Whether CloudFormation refuses an empty value by the type alone, so that whoever deploys must give one."""
    return kind == "Number" or kind.startswith(("AWS::", "List<AWS::"))


def open_allowed(parameters: Mapping[str, Parameter]) -> dict[str, tuple[Literal, ...]]:
    """The values left open by AllowedValues, by subject."""
    return {p.subject: p.value.values for p in parameters.values() if isinstance(p.value, Options)}


def _error(source: Source, key: Any, what: str) -> ScanError:
    line = source.line(key)
    place = f"{source.path}:{line.start_line}" if line else source.path
    return ScanError(source.path, "cfn-lint", "parse", f"{place}: {what}")
