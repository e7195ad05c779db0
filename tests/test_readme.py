"""What the README says of options and configuration is true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from srm_checks import config
from srm_checks.cli import COMMANDS
from srm_checks.cli.policies import command as policies
from srm_checks.cli.scan import command as scan
from srm_checks.config.settings import SETTINGS
from srm_checks.report import FORMATS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_configuration_is_valid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    text = next(block for block in blocks if block.startswith("packs:"))
    Path("srm-checks.yaml").write_text(text, encoding="utf-8")
    named = set(re.findall(r"^(\w+):", text, re.MULTILINE))
    assert config.resolve(["."]).fail_on is not None
    assert named == set(SETTINGS), "the README shows every setting"


def test_the_options_exist() -> None:
    known = {option for command in (scan, policies) for parameter in command.params for option in parameter.opts}
    of_others = {"--external-checks-dir", "--format", "--help"}
    mentioned = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", README))
    assert mentioned - of_others <= known


def test_the_commands_and_formats_exist() -> None:
    commands = set(re.findall(r"^    srm-checks (\w+)", README, re.MULTILINE))
    assert commands <= set(COMMANDS)
    assert set(re.findall(r"-f (\w+)", README)) <= set(FORMATS)


def test_the_sample_is_what_the_command_prints(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from srm_checks.cli import run

    monkeypatch.chdir(ROOT)
    command, sample = re.search(r"\(`srm-checks ([^`]+)`\):\n\n```\n(.*?)```", README, re.DOTALL).groups()  # type: ignore[union-attr]
    assert run(command.split()) == 1
    assert capsys.readouterr().out == sample
