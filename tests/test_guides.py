"""What the guides show can be used as it stands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from srm_checks import config
from srm_checks.cli import COMMANDS
from srm_checks.cli.scan import command as scan
from srm_checks.report import FORMATS
from srm_checks.triage import waivers

DOCS = Path(__file__).parent.parent / "docs"
GATE = (DOCS / "gate.md").read_text(encoding="utf-8")
CI = (DOCS / "ci.md").read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


@pytest.mark.parametrize("text", [block for block in blocks(GATE, "yaml") if block.startswith("# srm-checks.yaml")])
def test_the_configuration_of_the_gate_guide_is_valid(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("srm-checks.yaml").write_text(text, encoding="utf-8")
    assert config.load("srm-checks.yaml") != config.Config(source="srm-checks.yaml")


def test_the_waivers_of_the_gate_guide_are_valid() -> None:
    (text,) = [block for block in blocks(GATE, "yaml") if block.startswith("waivers:")]
    assert len(waivers.parse("srm-waivers.yaml", text)) == 1


@pytest.mark.parametrize("text", blocks(CI, "yaml"))
def test_the_pipelines_are_yaml(text: str) -> None:
    assert yaml.safe_load(text)


@pytest.mark.parametrize("guide", [GATE, CI], ids=["gate", "ci"])
def test_the_commands_formats_and_options_exist(guide: str) -> None:
    assert set(re.findall(r"srm-checks (scan|[a-z]+) (?:-|[a-z]+ )", guide)) <= set(COMMANDS)
    assert set(re.findall(r"-f ([a-z-]+)", guide)) <= set(FORMATS)
    known = {option for parameter in scan.params for option in parameter.opts}
    for line in re.findall(r"srm-checks scan(.*)", guide):
        assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", line)) <= known
