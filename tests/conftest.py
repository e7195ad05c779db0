"""Hand-made values that tests of several parts use."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from srm_checks.model import Disposition, Domain, Evidence, Finding, Outcome, Severity, Side, SourceRange


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Tests leave the user's cache alone, and find nothing in it."""
    before = os.environ.get("XDG_CACHE_HOME")
    os.environ["XDG_CACHE_HOME"] = str(tmp_path_factory.mktemp("cache"))
    yield
    if before is None:
        del os.environ["XDG_CACHE_HOME"]
    else:
        os.environ["XDG_CACHE_HOME"] = before


@pytest.fixture
def make_finding() -> Callable[..., Finding]:
    """A gap of SRM-DAR-005 at line 2 of main.tf; any field can be changed."""

    def make(**changes: Any) -> Finding:
        fields: dict[str, Any] = {
            "policy_id": "SRM-DAR-005",
            "name": "rds-instance-unencrypted",
            "title": "RDS instance storage is not encrypted",
            "outcome": Outcome.GAP,
            "cause": None,
            "severity": Severity.HIGH,
            "side": Side.CUSTOMER,
            "service_model": "PaaS",
            "model_family": "PaaS",
            "model_decided_by": "aws_db_instance",
            "domain": Domain.DATA_AT_REST,
            "service": "rds",
            "aws_does": "AWS encrypts on its hosts once encryption is on.",
            "customer_does": "You switch encryption on and choose the key.",
            "message": "aws_db_instance.main is not encrypted at rest.",
            "fix": "Set storage_encrypted = true.",
            "framework": "terraform",
            "resource_type": "aws_db_instance",
            "address": "aws_db_instance.main",
            "root": ".",
            "location": SourceRange("main.tf", 2, 2),
            "block": SourceRange("main.tf", 1, 3),
            "attribute": "storage_encrypted",
            "when": None,
            "evidence": (Evidence("storage_encrypted", False, "e" * 16),),
            "origin": None,
            "call_chain": (),
            "frameworks": {"fsbp": ("RDS.3",)},
            "equivalents": ("CKV_AWS_16",),
            "source": "srm",
            "disposition": Disposition.NEW,
            "waiver": None,
            "fingerprint": "f" * 16,
        }
        return Finding(**{**fields, **changes})

    return make


@pytest.fixture(autouse=True)
def _no_colour_wishes(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the developer's terminal asks for must not change what a test sees."""
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)
