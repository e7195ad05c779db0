"""Resource types and addresses in the names that Checkov and cfn-lint give to resources."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from srm_checks.catalogue import types
from srm_checks.foreign.annotation import PROVIDER

_KEY: Final = r'\[(?:"(?:[^"\\]|\\.)*"|[^\]"])*\]'
_MODULES: Final = re.compile(rf"(?:module\.[^.\[]+(?:{_KEY})?\.)*")
_TERRAFORM_BLOCK: Final = re.compile(r'(?m)^\s*(resource|data)\s+"?([A-Za-z0-9_]+)"?\s+"?([A-Za-z0-9_-]+)"?')
_PROVIDER_BLOCK: Final = re.compile(r'(?m)\A\s*provider\s+"?([A-Za-z0-9_-]+)"?')
_TYPE: Final = r"(?P<type>[A-Za-z0-9]+(?:::[A-Za-z0-9_@-]+){1,3})"
_TEMPLATE_TYPE: Final = re.compile(rf"""(?m)^\s*["']?Type["']?\s*:\s*["']?{_TYPE}["']?\s*,?\s*$""")
_TEMPLATE_FLOW_TYPE: Final = re.compile(rf"""[{{,]\s*["']?Type["']?\s*:\s*["']?{_TYPE}""")
_LOGICAL_ID: Final = re.compile(r"""\A\s*["']?([A-Za-z0-9]+)["']?\s*:""")


class ResourceName(NamedTuple):
    """A resource's type (None where the name does not tell) and address, in Terraform's and CloudFormation's terms."""

    type_name: str | None
    address: str


def from_checkov(name: str) -> ResourceName:
    """The name that Checkov gives: `module.m.aws_lb.a[0]`, `aws_iam_policy_document.d`, `AWS::S3::Bucket.B`, `aws.x`.

    Checkov leaves the word `data` out of the address of a data source; it is put back where only a data source has
    the name.
    """
    if "::" in name:
        type_name, _, logical_id = name.rpartition(".")
        return ResourceName(type_name or None, logical_id) if type_name else ResourceName(None, name)
    prefix = _MODULES.match(name)
    modules = prefix.group() if prefix else ""
    rest = name[len(modules) :]
    first, _, label = rest.partition(".")
    if not label:
        return ResourceName(None, name)
    if first == "data":
        return ResourceName(f"data.{label.partition('.')[0]}", name)
    if first == "aws":
        return ResourceName(PROVIDER, "provider.aws" if label == "default" else f"provider.aws.{label}")
    if types.describe(first) is None and types.describe(types.DATA_PREFIX + first) is not None:
        return ResourceName(types.DATA_PREFIX + first, f"{modules}data.{rest}")
    return ResourceName(first, name)


def from_source(text: str) -> ResourceName | None:
    """The resource whose source text begins here, as a SARIF snippet holds it; None where it shows none."""
    block = _TERRAFORM_BLOCK.match(text)
    if block:
        kind, type_name, label = block.groups()
        data = types.DATA_PREFIX if kind == "data" else ""
        return ResourceName(data + type_name, f"{data}{type_name}.{label}")
    provider = _PROVIDER_BLOCK.match(text)
    if provider:
        return ResourceName(PROVIDER, f"provider.{provider.group(1)}")
    found = _TEMPLATE_TYPE.search(text) or _TEMPLATE_FLOW_TYPE.search(text)
    if not found:
        return None
    logical_id = _LOGICAL_ID.match(text)
    return ResourceName(found["type"], logical_id.group(1) if logical_id else found["type"])
