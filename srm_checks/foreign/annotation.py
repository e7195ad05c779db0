"""What the catalogue adds to a result of another engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from srm_checks.catalogue import checks, types
from srm_checks.catalogue.models import ModelDecision
from srm_checks.model import UNCLASSIFIED, Domain, Severity, Side

UNDETERMINED: Final = "undetermined"
# What stands for the type of a finding on something that is no resource, and how it is called.
PROVIDER: Final = "(provider)"
SECTION: Final = "(section)"
NO_RESOURCE: Final = {PROVIDER: "provider block", SECTION: "section of the template"}
_NO_TYPE: Final = "no resource type is named"


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """Who answers for the subject of a check, on a resource of one type.

    `domain`, `side` and `severity` are None for a check that the catalogue does not classify; they are never guessed.
    `service_model` and `model_family` are None where they are undetermined; `model_decided_by` then says why.
    """

    check_id: str
    domain: Domain | None
    side: Side | None
    severity: Severity | None
    service: str | None
    service_model: str | None
    model_family: str | None
    model_decided_by: str
    policies: tuple[str, ...] = ()
    aws_does: str = ""
    customer_does: str = ""

    @property
    def classified(self) -> bool:
        """Whether the catalogue knows the check."""
        return self.domain is not None

    def suffix(self) -> str:
        """What is added to a name or message, without characters that break a Markdown table or a SARIF link."""
        return _suffix(self.properties())

    def properties(self) -> dict[str, Any]:
        """The annotation as JSON-ready data, in a fixed order."""
        return {
            "classified": self.classified,
            "side": self.side and str(self.side),
            "service_model": self.service_model,
            "model_family": self.model_family,
            "model_decided_by": self.model_decided_by,
            "domain": self.domain and str(self.domain),
            "severity": self.severity and str(self.severity),
            "service": self.service,
            "aws_does": self.aws_does or None,
            "customer_does": self.customer_does or None,
            "policies": list(self.policies),
        }


def without_suffix(text: str, properties: Any) -> str:
    """A name or message as the engine wrote it; `properties` are those of an earlier annotation, None without one."""
    return text.removesuffix(_suffix(properties)) if isinstance(properties, Mapping) else text


def _suffix(properties: Mapping[str, Any]) -> str:
    model = properties.get("service_model") or UNDETERMINED
    if not properties.get("classified"):
        return f" ({UNCLASSIFIED}, {model})"
    return f" ({properties.get('side')}, {model}, {properties.get('domain')})"


def annotate(check_id: str, type_name: str | None, decision: ModelDecision | None = None) -> Annotation:
    """The annotation of a check on a resource of a type (None: not known).

    `decision` is the resource's service model where its code was read; without it a type whose configuration decides
    stays undetermined.
    """
    entry = checks.describe(check_id)
    described = types.describe(type_name) if type_name else None
    model = decision or _model(type_name, described)
    aws_does = customer_does = ""
    if entry and model.service_model:
        aws_does, customer_does = types.sentence(entry.domain, model.service_model)
    return Annotation(
        check_id=check_id,
        domain=entry.domain if entry else None,
        side=entry.side if entry else None,
        severity=entry.severity if entry else None,
        service=described.service_key if described else None,
        service_model=model.service_model,
        model_family=model.model_family,
        model_decided_by=model.decided_by,
        policies=entry.policies if entry else (),
        aws_does=aws_does,
        customer_does=customer_does,
    )


def _model(type_name: str | None, entry: types.TypeEntry | None) -> ModelDecision:
    if type_name is None:
        return ModelDecision(None, None, _NO_TYPE)
    if type_name in NO_RESOURCE:
        return ModelDecision(None, None, f"it stands in a {NO_RESOURCE[type_name]}, not in a resource")
    if entry is None:
        return ModelDecision(None, None, f"{type_name} is not in the catalogue")
    if entry.model_source == types.CONFIGURATION:
        return ModelDecision(None, None, f"the configuration of {type_name} decides, and its code is not at hand")
    if entry.service_model is None:
        return ModelDecision(None, None, f"the catalogue has no model for {type_name}")
    return ModelDecision(entry.service_model, entry.model_family, type_name)
