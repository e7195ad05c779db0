"""Tells CloudFormation templates and Terraform plans from other YAML and JSON by a look at their bytes.

Most YAML and JSON of a repository belongs to others (Kubernetes, workflows, package.json), so a file is judged by
searches that run at the speed of memory; JSON is parsed only where these speak for a template.
"""

from __future__ import annotations

import codecs
import json
import re
from typing import Final

from srm_checks.errors import InputError
from srm_checks.model import UnitKind

ENDINGS: Final = (".yaml", ".yml", ".json", ".template")
MAX_BYTES: Final = 50 * 1024 * 1024
"""Larger files are not read; no template may be larger than 1 MB, and plans of this size are not seen."""

_HEAD_BYTES = 4096
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it starts with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# AWS::RDS::DBInstance, Custom::X, and the types of other publishers and of modules.
_RESOURCE_TYPE = re.compile(rb"Type[\"']?\s*:\s*[\"']?(?:Custom::|[A-Za-z0-9]+::[A-Za-z0-9]+::)")
_TRANSFORM = re.compile(rb"AWS::(?:Serverless|LanguageExtensions|Include|CodeDeploy|SecretsManager)")
_JSON_START = re.compile(rb"(?:\xef\xbb\xbf|\s|//[^\r\n]*|/\*.*?\*/)*\{", re.DOTALL)
_OTHER_LINE = re.compile(rb"[ \t]*(?:#[^\r\n]*|%[^\r\n]*|---[ \t]*(?:#[^\r\n]*)?)?(?:[\r\n]+|\Z)")


def looks_like_ours(name: str) -> bool:
    """Whether files of this name are worth a look."""
    lower = name.lower()
    return lower.endswith(ENDINGS) and not lower.endswith((".tf.json", ".tofu.json", ".tfvars.json"))


def classify(path: str) -> UnitKind | None:
    """The kind of unit that a file is, or None if it is not one.

    Raises OSError where the file cannot be read, and InputError where it seems to be ours but is too large.
    """
    with open(path, "rb") as file:
        head = file.read(_HEAD_BYTES)
        rest = file.read(MAX_BYTES - _HEAD_BYTES + 1)
    if len(head) + len(rest) > MAX_BYTES:
        if _seems_ours(_as_utf8(head)):
            raise InputError(path, f"The file is larger than {MAX_BYTES // 1024**2} MB.", kind="unsupported")
        return None
    data = _as_utf8(head + rest)
    if is_plan(data):
        return UnitKind.PLAN
    return UnitKind.CLOUDFORMATION if is_template(data) else None


def is_plan(data: bytes) -> bool:
    """Whether UTF-8 bytes look like the output of `terraform show -json PLAN`. State files do not."""
    return (
        b'"format_version"' in data
        and (b'"planned_values"' in data or b'"resource_changes"' in data)
        and (b'"terraform_version"' in data or b'"configuration"' in data)
    )


def is_template(data: bytes) -> bool:
    """Whether UTF-8 bytes look like a CloudFormation or SAM template, whole or broken."""
    has_version = b"AWSTemplateFormatVersion" in data
    has_resources = b"Resources" in data and (
        _RESOURCE_TYPE.search(data) is not None or _TRANSFORM.search(data) is not None
    )
    if not has_version and not has_resources:
        return False
    if _JSON_START.match(data):
        return _is_json_template(data)
    return (has_version and _has_top_level_key(data, b"AWSTemplateFormatVersion")) or (
        has_resources and _has_top_level_key(data, b"Resources")
    )


def _is_json_template(data: bytes) -> bool:
    try:
        value = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return True  # broken, or YAML in flow style: its engine says which
    return isinstance(value, dict) and ("AWSTemplateFormatVersion" in value or "Resources" in value)


def _has_top_level_key(data: bytes, key: bytes) -> bool:
    """Whether a YAML text has the key at the margin of its first line of content, or at the left margin.

    Templates embedded in other documents (a ConfigMap, a workflow's script) stand further in.
    """
    at = 0
    while at < len(data) and (match := _OTHER_LINE.match(data, at)) and match.end() > at:
        at = match.end()
    spaces = re.compile(rb" *").match(data, at)
    margin = spaces.group() if spaces else b""
    pattern = rb"(?:\A(?:\xef\xbb\xbf)*|[\r\n\0])(?:---[ \t]+)?(?:" + margin + rb")?[\"']?" + key + rb"[\"']?[ \t\0]*:"
    return re.search(pattern, data) is not None


def _seems_ours(head: bytes) -> bool:
    return b"AWSTemplateFormatVersion" in head or (b'"format_version"' in head and b'"terraform_version"' in head)


def _as_utf8(data: bytes) -> bytes:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data.decode(encoding, errors="replace").encode()
    return data
