"""From what a command raises to the exit code and the words on standard error."""

from __future__ import annotations

import subprocess
import sys

import click
import pytest

from srm_checks import cli
from srm_checks.cli import COMMANDS, run
from srm_checks.cli.console import Console, verbosity
from srm_checks.errors import EnvironmentProblem, InputError, PackError, UsageError


@pytest.fixture
def fail_with(monkeypatch: pytest.MonkeyPatch) -> list[BaseException]:
    """The command `fail` raises what is put into the list."""
    raised: list[BaseException] = []

    @click.command("fail")
    @verbosity
    def fail() -> None:
        raise raised[0]

    monkeypatch.setattr(cli.LazyGroup, "get_command", lambda self, ctx, name: fail)
    monkeypatch.setattr(cli, "COMMANDS", {"fail": ""})
    return raised


OUTCOMES = [
    (UsageError("that is wrong"), 2, "srm-checks: error: that is wrong\n"),
    (
        PackError(["a.yaml:1:1: x", "a.yaml:2:1: y"]),
        2,
        "srm-checks: error: a.yaml:1:1: x\nsrm-checks: error: a.yaml:2:1: y\n",
    ),
    (EnvironmentProblem("no engine"), 3, "srm-checks: error: no engine\n"),
    (InputError("a.tf", "cannot be read"), 3, "srm-checks: error: cannot be read\n"),
    (KeyboardInterrupt(), 130, ""),
    (UsageError("\x1b[31m"), 2, "srm-checks: error: \\x1b[31m\n"),
]


@pytest.mark.parametrize(
    ("error", "code", "message"), OUTCOMES, ids=[type(case[0]).__name__ + str(case[1]) for case in OUTCOMES]
)
def test_exit_codes(
    fail_with: list[BaseException], capsys: pytest.CaptureFixture[str], error: BaseException, code: int, message: str
) -> None:
    fail_with.append(error)
    assert run(["fail"]) == code
    assert capsys.readouterr().err.lstrip("\n") == message


def test_an_interrupt_that_python_has_wrapped_is_one(
    fail_with: list[BaseException], capsys: pytest.CaptureFixture[str]
) -> None:
    error = RuntimeError("Error calling __set_name__")
    error.__cause__ = KeyboardInterrupt()
    fail_with.append(error)
    assert run(["fail"]) == 130
    assert capsys.readouterr().err == ""


class TestAMistakeOfOurs:
    def test_is_one_sentence(self, fail_with: list[BaseException], capsys: pytest.CaptureFixture[str]) -> None:
        fail_with.append(ZeroDivisionError("oh"))
        assert run(["fail"]) == 3
        error = capsys.readouterr().err
        assert error.startswith(
            "srm-checks: error: this is a mistake in srm-checks: ZeroDivisionError: oh; run again with -v"
        )
        assert "Traceback" not in error

    def test_shows_its_traceback_with_v(
        self, fail_with: list[BaseException], capsys: pytest.CaptureFixture[str]
    ) -> None:
        fail_with.append(ZeroDivisionError("oh"))
        assert run(["fail", "-v"]) == 3
        assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["scam", "."], "there is no command 'scam'. Did you mean 'scan'?"),
        (["zzzzzz"], "there is no command 'zzzzzz'. Commands: scan, "),
        (["scan", ".", "--no-such-option"], "--no-such-option"),
        (["scan", ".", "--fail-no", "high"], "--fail-on"),
        (["scan", ".", "-f", "docx"], "'docx' is not a format"),
        (["scan", ".", "--fail-on", "hihg"], "'hihg' is not a severity. Did you mean 'high'?"),
        (["scan", ".", "--side", "vendor"], "'vendor' is not a side. There are: customer, shared, aws."),
        (["scan", ".", "--domain", "data-at-rset"], "Did you mean 'data-at-rest'?"),
        (["scan", ".", "--service-model", "pass"], "is not a service model"),
        (["scan", ".", "--scope", "stck"], "Did you mean 'stack'?"),
        (["scan", ".", "--engine", "chekov"], "Did you mean 'checkov'?"),
        (["scan", ".", "--max-unknown", "-3"], "--max-unknown"),
        (["scan", ".", "--max-unknown", "2", "--fail-on-unknown"], "contradict each other"),
        (["scan", ".", "--today", "tomorrow"], "--today"),
        (
            ["scan", ".", "--config", "nope.toml"],
            "nope.toml: the configuration file that --config names does not exist",
        ),
        (["scan", ".", "--parameters", "nope.json"], "nope.json: the parameter file cannot be read"),
        (["path", "chekov"], "Did you mean 'checkov'?"),
        (["policies", "--domain", "x"], "is not a domain"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_usage_is_2_with_a_message(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.out == ""


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([command, "--help"]) == 0
    assert f"Usage: srm-checks {command}" in capsys.readouterr().out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    from srm_checks import __version__

    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"srm-checks {__version__}\n"


class TestConsole:
    def test_notes_are_dropped_when_quiet(self, capsys: pytest.CaptureFixture[str]) -> None:
        Console(quiet=True).note("x")
        Console(quiet=False).note("y")
        assert capsys.readouterr().err == "note: y\n"

    def test_details_come_only_when_asked_for(self, capsys: pytest.CaptureFixture[str]) -> None:
        Console().detail("x")
        Console(verbose=True).detail("y")
        assert capsys.readouterr().err == "y\n"


HEAVY = ("checkov", "cfnlint", "hcl2", "lark", "rich", "detect_secrets", "networkx", "sympy")


def imported_by(code: str) -> set[str]:
    """The modules that are there after running the code in a new interpreter."""
    script = f"import sys\n{code}\nprint('\\n' + ' '.join(sys.modules), file=sys.stderr)"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in result.stderr.splitlines()[-1].split()}


class TestImports:
    def test_the_command_line_imports_no_yaml_and_no_engine(self) -> None:
        modules = imported_by("import srm_checks.cli")
        assert "click" in modules
        assert not modules & {*HEAVY, "yaml"}

    def test_help_imports_no_engine(self) -> None:
        assert not imported_by("from srm_checks.cli import run\nassert run(['--help']) == 0") & {*HEAVY, "yaml"}

    def test_scan_help_imports_no_engine(self) -> None:
        assert not imported_by("from srm_checks.cli import run\nassert run(['scan', '--help']) == 0") & {*HEAVY, "yaml"}

    def test_policies_imports_no_engine(self) -> None:
        assert not imported_by("from srm_checks.cli import run\nassert run(['policies']) == 0") & set(HEAVY)


class TestProcess:
    def test_python_m(self) -> None:
        result = subprocess.run(
            [sys.executable, "-m", "srm_checks", "--version"], capture_output=True, text=True, check=True
        )
        assert result.stdout.startswith("srm-checks ")

    def test_a_reader_that_leaves_early_makes_no_noise(self) -> None:
        process = subprocess.Popen(
            [sys.executable, "-m", "srm_checks", "--help"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        error = process.stderr.read()
        process.stderr.close()
        assert process.wait() == 0
        assert error == b""
