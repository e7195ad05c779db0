"""JSON Schema (2020-12) of `srm-checks.yaml`, for editors; made from the table of settings."""

from __future__ import annotations

from typing import Any

from srm_checks.config.settings import SETTINGS


def json_schema() -> dict[str, Any]:
    """The schema of a configuration file, and of the table `[tool.srm-checks]`."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:srm-checks:config:1",
        "title": "srm-checks configuration",
        "type": "object",
        "properties": {
            key: {
                **setting.schema,
                "description": setting.help,
                **({} if setting.default is None else {"default": setting.default}),
            }
            for key, setting in SETTINGS.items()
        },
        "additionalProperties": False,
    }
