"""The files through which others run the tool: hooks, the GitHub Action, the GitLab template."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from srm_checks import __version__
from srm_checks.cli import run
from tests.repositories import commit, database, write

REPOSITORY = Path(__file__).parent.parent
HOOKS = {hook["id"]: hook for hook in yaml.safe_load((REPOSITORY / ".pre-commit-hooks.yaml").read_text())}
ACTION = yaml.safe_load((REPOSITORY / "action.yml").read_text())
STEPS = {step.get("id", step.get("name")): step for step in ACTION["runs"]["steps"]}
GITLAB_INPUTS, GITLAB = yaml.safe_load_all((REPOSITORY / "templates/srm-checks.yml").read_text())


class TestHooks:
    def test_the_two_hooks(self) -> None:
        assert {name: hook["pass_filenames"] for name, hook in HOOKS.items()} == {
            "srm-checks": True,
            "srm-checks-all": False,
        }
        assert HOOKS["srm-checks-all"]["stages"] == ["pre-push", "manual"]

    @pytest.mark.parametrize("name", HOOKS)
    def test_their_command_is_one_of_ours(self, name: str, capsys: pytest.CaptureFixture[str]) -> None:
        words = [*shlex.split(HOOKS[name]["entry"]), *HOOKS[name]["args"]]
        assert words[0] == "srm-checks"
        assert run([*words[1:], "--help"]) == 0

    @pytest.mark.parametrize(
        ("path", "ours"),
        [
            ("a/main.tf", True),
            ("main.tofu", True),
            ("main.tf.json", True),
            ("prod.auto.tfvars", True),
            ("stack.yaml", True),
            ("stack.yml", True),
            ("stack.template", True),
            ("README.md", False),
            ("main.py", False),
            ("tf", False),
        ],
    )
    def test_which_files_start_them(self, path: str, ours: bool) -> None:
        for hook in HOOKS.values():
            assert bool(re.search(hook["files"], path)) is ours

    def test_a_changed_file_among_a_thousand_reads_only_the_roots_that_it_touches(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.chdir(tmp_path)
        tree = {f"envs/e{number}/main.tf": database("db", "true") for number in range(1000)}
        module = 'variable "enc" {\n  default = true\n}\n' + database("db", "var.enc")
        for number in (1, 2):
            tree[f"envs/e{number}/module.tf"] = 'module "m" {\n  source = "../../modules/m"\n}\n'
        commit({**tree, "modules/m/main.tf": module})
        write({"modules/m/main.tf": module.replace("true", "false")})
        code = run(["scan", "modules/m/main.tf", "--select", "SRM-DAR-005", "-f", "json"])
        report = json.loads(capfd.readouterr().out)
        assert (code, report["inputs"]["terraform_roots"]) == (1, 2)
        assert {finding["resource"]["root"] for finding in report["findings"]} == {"envs/e1", "envs/e2"}


class TestAction:
    def test_what_it_uses_is_pinned(self) -> None:
        used = [step["uses"] for step in ACTION["runs"]["steps"] if "uses" in step]
        assert len(used) == 2
        assert all(re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}", name) for name in used)

    def test_no_input_becomes_part_of_a_script(self) -> None:
        assert not any("${{" in step.get("run", "") for step in ACTION["runs"]["steps"])

    def test_every_input_is_used(self) -> None:
        text = json.dumps(ACTION["runs"])
        assert [name for name in ACTION["inputs"] if f"inputs.{name} " not in text] == []

    def test_the_upload_happens_only_when_asked_and_also_after_a_failed_gate(self) -> None:
        condition = STEPS["Upload to code scanning"]["if"]
        assert "always()" in condition
        assert "inputs.sarif == 'true'" in condition
        assert ACTION["inputs"]["sarif"]["default"] == "false"

    @pytest.fixture
    def scan(self, tmp_path: Path) -> Any:
        """Runs the action's scan step as GitHub's runner does; gives the exit code, the output and the step's outputs."""
        bash = shutil.which("bash")
        if bash is None:
            pytest.skip("needs bash")
        (tmp_path / "temp/srm-checks/bin").mkdir(parents=True)
        program = tmp_path / "temp/srm-checks/bin/srm-checks"
        program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m srm_checks "$@"\n')
        program.chmod(0o755)
        (tmp_path / "work").mkdir()
        outputs = tmp_path / "outputs"
        outputs.touch()

        def scan(**inputs: str) -> tuple[int, str, str]:
            given = {name: ACTION["inputs"][name]["default"] for name in ACTION["inputs"]} | inputs
            environment = {
                name: re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda match: given[match[1]], value)
                for name, value in STEPS["scan"]["env"].items()
            }
            result = subprocess.run(
                [bash, "--noprofile", "--norc", "-eo", "pipefail", "-c", STEPS["scan"]["run"]],
                cwd=tmp_path / "work",
                env={
                    **{name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "SRM_"))},
                    **environment,
                    "PYTHONPATH": str(REPOSITORY),
                    "RUNNER_TEMP": str(tmp_path / "temp"),
                    "GITHUB_OUTPUT": str(outputs),
                },
                capture_output=True,
                text=True,
            )
            return result.returncode, result.stdout + result.stderr, outputs.read_text()

        return scan

    def test_the_scan(self, scan: Any, tmp_path: Path) -> None:
        write({"work/a b/main.tf": database("db", "false"), "work/c/main.tf": database("db", "true")}, tmp_path)
        code, out, outputs = scan(paths="a b\nc", args="--select\nSRM-DAR-005")
        assert code == 1
        assert "::error" in out
        files = dict(line.split("=", 1) for line in outputs.splitlines())
        assert json.loads(Path(files["sarif-file"]).read_text())["version"] == "2.1.0"
        assert json.loads(Path(files["json-file"]).read_text())["summary"]["gap"] == 1

    def test_a_looser_gate(self, scan: Any, tmp_path: Path) -> None:
        write({"work/main.tf": database("db", "false")}, tmp_path)
        assert scan(args="--select\nSRM-DAR-005", **{"fail-on": "never"})[0] == 0

    def test_wrong_input_uploads_nothing(self, scan: Any) -> None:
        code, out, outputs = scan(baseline="$(touch ran); nope.json")
        assert (code, outputs) == (2, "")
        assert "$(touch ran); nope.json: the baseline does not exist" in out


class TestGitLab:
    def test_it_installs_this_version(self) -> None:
        assert GITLAB_INPUTS["spec"]["inputs"]["package"]["default"] == f"srm-checks=={__version__}"

    def test_its_command_is_one_of_ours(self, capsys: pytest.CaptureFixture[str]) -> None:
        (script,) = GITLAB["srm-checks"]["script"]
        words = [word for word in shlex.split(script) if "$[[" not in word and word not in ("inputs.options", "]]")]
        words = words[words.index("scan") : words.index("--format") + 8]
        assert run([*words, "--help"]) == 0

    def test_every_report_is_written(self) -> None:
        job = GITLAB["srm-checks"]
        written = set(re.findall(r"--format [\w-]+=(\S+)", job["script"][0]))
        assert written == set(job["artifacts"]["reports"].values()) == set(job["artifacts"]["paths"])

    def test_every_input_is_used(self) -> None:
        text = json.dumps(GITLAB)
        assert [name for name in GITLAB_INPUTS["spec"]["inputs"] if f"inputs.{name} " not in text] == []
