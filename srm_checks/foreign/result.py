"""What goes to the worker process and comes back: plain values that JSON can carry."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One engine on one unit. `engine` is checkov or cfn-lint, `framework` as in `model.Stack.framework`."""

    engine: str
    framework: str
    path: str
    var_files: tuple[str, ...] = ()

    def to_data(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> Job:
        return cls(**{**data, "var_files": tuple(data["var_files"])})


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One result of an engine's check that failed, or that somebody told the engine to skip (`reason` is then a text).

    `resource` is Checkov's name of the resource, `template_path` cfn-lint's path into the template; one of them is
    empty. `attributes` are the keys that Checkov's check looked at, in its notation (`ingress/[0]/from_port`). `path`
    is as the engine gives it, lines count from 1.
    """

    check_id: str
    title: str
    detail: str = ""
    resource: str
    template_path: tuple[str, ...] = ()
    path: str
    start_line: int
    end_line: int
    attributes: tuple[str, ...] = ()
    severity: str | None = None
    reason: str | None = None

    def to_data(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> Result:
        return cls(
            **{
                **data,
                "template_path": tuple(data["template_path"]),
                "attributes": tuple(data["attributes"]),
            }
        )
