"""`srm-checks config` and `srm-checks completion`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from srm_checks.cli import run
from tests.repositories import write


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("SRM_CHECKS_")]:
        monkeypatch.delenv(name)
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)


class TestShow:
    def test_each_value_and_where_it_comes_from(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write({"srm-checks.yaml": "select: [SRM-DAR-*]\n"})
        monkeypatch.setenv("SRM_CHECKS_FAIL_ON", "high")
        assert run(["config", "show"]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert 'select                ["SRM-DAR-*"]  (srm-checks.yaml:1:1)' in lines
        assert 'fail_on               "high"  (SRM_CHECKS_FAIL_ON)' in lines
        assert "max_unknown           not set  (default)" in lines

    def test_for_another_path(self, capsys: pytest.CaptureFixture[str]) -> None:
        write({"infra/srm-checks.yaml": "scope: account\n"})
        run(["config", "show", "infra", "-f", "json"])
        told = json.loads(capsys.readouterr().out)
        assert told["source"] == "infra/srm-checks.yaml"
        assert told["settings"]["scope"] == {"value": "account", "origin": "infra/srm-checks.yaml:1:1"}

    def test_a_mistake_is_told(self, capsys: pytest.CaptureFixture[str]) -> None:
        write({"srm-checks.yaml": "fial_on: high\n"})
        assert run(["config", "show"]) == 2
        assert "srm-checks.yaml:1:1: unknown setting 'fial_on'; did you mean 'fail_on'?" in capsys.readouterr().err

    def test_hostile_values_come_out_inert(self, capsys: pytest.CaptureFixture[str]) -> None:
        write({"srm-checks.yaml": 'select: ["\\e[31m"]\n'})
        run(["config", "show"])
        assert "\x1b" not in capsys.readouterr().out


def test_the_schema_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["config", "schema"]) == 0
    assert "fail_on" in json.loads(capsys.readouterr().out)["properties"]


class TestCompletion:
    @pytest.mark.parametrize("shell", ["zsh", "fish"])
    def test_the_script(self, capsys: pytest.CaptureFixture[str], shell: str) -> None:
        assert run(["completion", shell]) == 0
        assert "_SRM_CHECKS_COMPLETE=" in capsys.readouterr().out

    def test_an_unknown_shell(self) -> None:
        assert run(["completion", "cmd"]) == 2

    @pytest.mark.parametrize(
        ("words", "expected"),
        [
            ("srm-checks sc", "scan"),
            ("srm-checks waivers pr", "prune"),
            ("srm-checks scan --fail-on h", "high"),
            ("srm-checks scan --domain data-at", "data-at-rest"),
            ("srm-checks scan --bas", "--baseline"),
        ],
    )
    def test_what_the_shell_is_told(self, words: str, expected: str) -> None:
        environment: dict[str, Any] = {
            **os.environ,
            "_SRM_CHECKS_COMPLETE": "bash_complete",
            "COMP_WORDS": words,
            "COMP_CWORD": str(len(words.split()) - 1),
        }
        result = subprocess.run(
            [sys.executable, "-c", "from srm_checks.__main__ import main; main()"],
            env={**environment, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        )
        assert f"plain,{expected}" in result.stdout.splitlines()
