"""Configuration: where it is found, what it may say, and how a mistake is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from srm_checks import config
from srm_checks.config import Config
from srm_checks.errors import UsageError
from srm_checks.model import Severity


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(config.ENVIRONMENT_VARIABLE, raising=False)


def write(path: str, text: str) -> str:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text, encoding="utf-8")
    return path


class TestSearch:
    def test_no_file_gives_the_defaults(self) -> None:
        assert config.resolve(["."]) == Config()

    def test_found_upward_from_the_scanned_path(self) -> None:
        write("srm-checks.yaml", "max_unknown: 3\n")
        Path("infra/prod").mkdir(parents=True)
        found = config.resolve(["infra/prod"])
        assert (found.max_unknown, found.source) == (3, "srm-checks.yaml")

    def test_found_from_a_file_argument(self) -> None:
        write("infra/srm-checks.yaml", "max_unknown: 3\n")
        assert config.resolve([write("infra/main.tf", "")]).max_unknown == 3

    def test_the_nearest_wins(self) -> None:
        write("srm-checks.yaml", "max_unknown: 1\n")
        write("infra/srm-checks.yaml", "max_unknown: 2\n")
        assert config.resolve(["infra"]).max_unknown == 2

    def test_several_paths_search_from_what_they_share(self) -> None:
        write("srm-checks.yaml", "max_unknown: 1\n")
        write("a/srm-checks.yaml", "max_unknown: 2\n")
        Path("b").mkdir()
        assert config.resolve(["a", "b"]).max_unknown == 1

    def test_the_search_ends_at_the_top_of_the_repository(self) -> None:
        write("srm-checks.yaml", "max_unknown: 1\n")
        Path("inner/.git").mkdir(parents=True)
        assert config.resolve(["inner"]) == Config()

    def test_pyproject_counts_only_with_its_table(self) -> None:
        write("pyproject.toml", "[tool.srm-checks]\nmax_unknown = 4\n")
        write("infra/pyproject.toml", "[project]\nname = 'x'\n")
        assert config.resolve(["infra"]).max_unknown == 4

    def test_somebody_elses_broken_pyproject_does_not_matter(self) -> None:
        write("pyproject.toml", "[broken\n")
        assert config.resolve(["."]) == Config()

    def test_the_yaml_file_wins_over_pyproject_beside_it(self) -> None:
        write("pyproject.toml", "[tool.srm-checks]\nmax_unknown = 4\n")
        write("srm-checks.yaml", "max_unknown: 5\n")
        assert config.resolve(["."]).max_unknown == 5

    def test_the_environment_wins_over_the_search(self, monkeypatch: pytest.MonkeyPatch) -> None:
        write("srm-checks.yaml", "max_unknown: 1\n")
        monkeypatch.setenv(config.ENVIRONMENT_VARIABLE, write("other.yaml", "max_unknown: 2\n"))
        assert config.resolve(["."]).max_unknown == 2

    def test_the_named_file_wins_over_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(config.ENVIRONMENT_VARIABLE, write("other.yaml", "max_unknown: 2\n"))
        assert config.resolve(["."], write("mine.toml", "max_unknown = 3\n")).max_unknown == 3

    def test_a_named_file_must_exist(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with pytest.raises(UsageError, match=r"nope\.toml: .*--config"):
            config.resolve(["."], "nope.toml")
        monkeypatch.setenv(config.ENVIRONMENT_VARIABLE, "gone.yaml")
        with pytest.raises(UsageError, match=r"gone\.yaml: .*SRM_CHECKS_CONFIG"):
            config.resolve(["."])


class TestSettings:
    def test_all_settings(self) -> None:
        text = """\
packs: [aws-baseline, ./org-pack]
select: [SRM-DAR-*]
ignore: SRM-DAR-004
exclude: [legacy/**, "*.generated.tf"]
fail_on: high
max_unknown: 0
scope: account
undeclared: gap
parameter_defaults: strict
policy_parameters: {SRM-BCK-001: {minimum_days: 30}}
"""
        assert config.load(write("conf/srm-checks.yaml", text)) == Config(
            packs=("aws-baseline", "conf/org-pack"),
            select=("SRM-DAR-*",),
            ignore=("SRM-DAR-004",),
            exclude=("conf/legacy/**", "*.generated.tf"),
            fail_on=Severity.HIGH,
            max_unknown=0,
            scope="account",
            undeclared="gap",
            strict_parameters=True,
            policy_parameters={"SRM-BCK-001": {"minimum_days": 30}},
            source="conf/srm-checks.yaml",
        )

    def test_toml_says_the_same(self) -> None:
        yaml = config.load(write("srm-checks.yaml", "fail_on: never\nselect: [SRM-NET-*]\n"))
        toml = config.load(write("pyproject.toml", '[tool.srm-checks]\nfail_on = "never"\nselect = ["SRM-NET-*"]\n'))
        bare = config.load(write("bare.toml", 'fail_on = "never"\nselect = ["SRM-NET-*"]\n'))
        assert yaml.fail_on is toml.fail_on is bare.fail_on is None
        assert yaml.select == toml.select == bare.select == ("SRM-NET-*",)

    def test_a_pack_path_counts_from_the_file(self, monkeypatch: pytest.MonkeyPatch) -> None:
        write("srm-checks.yaml", "packs: [./packs/org]\n")
        Path("deep").mkdir()
        monkeypatch.chdir("deep")
        assert config.resolve(["."]).packs == ("../packs/org",)


MISTAKES = [
    (
        "an unknown key in YAML",
        "a.yaml",
        "select: []\nfial_on: high\n",
        r"a\.yaml:2:1: .*'fial_on'.*did you mean 'fail_on'",
    ),
    ("an unknown key in TOML", "a.toml", "no_such_setting_xyz = 1\n", r"a\.toml: .*'no_such_setting_xyz'"),
    (
        "an unknown key in the table",
        "pyproject.toml",
        "[tool.srm-checks]\npack = 1\n",
        r"tool\.srm-checks.*did you mean 'packs'",
    ),
    ("broken TOML", "a.toml", "[tool\nbroken", r"a\.toml: not valid TOML"),
    ("TOML that is not text", "a.toml", "\udcff", r"a\.toml: not valid TOML"),
    ("broken YAML", "a.yaml", "select: [\n", r"a\.yaml:2:1: not valid YAML"),
    ("a key twice", "a.yaml", "scope: stack\nscope: account\n", r"a\.yaml:2:1: .*stands twice"),
    ("a list instead of settings", "a.yaml", "- x\n", r"a\.yaml:1:1"),
    ("an unknown severity", "a.yaml", "fail_on: hihg\n", r"a\.yaml:1:1: fail_on: .*did you mean 'high'"),
    ("a severity that is no text", "a.yaml", "fail_on: [high]\n", r"fail_on"),
    ("a negative limit", "a.yaml", "max_unknown: -3\n", r"max_unknown: must be a whole number"),
    ("a boolean as limit", "a.yaml", "max_unknown: true\n", r"max_unknown: must be a whole number"),
    ("numbers as ids", "a.yaml", "select: [1]\n", r"select: must be a list of texts"),
    ("a mapping as packs", "a.yaml", "packs: {a: b}\n", r"packs: must be a list of texts"),
    ("an unknown mode", "a.yaml", "parameter_defaults: lax\n", r"parameter_defaults: must be one of use, strict"),
    (
        "parameters that are a list",
        "a.yaml",
        "policy_parameters: [1]\n",
        r"policy_parameters: must give parameters by policy id",
    ),
    ("parameters without their policy", "a.yaml", "policy_parameters: {days: 3}\n", r"policy_parameters: must give"),
    ("a pyproject without the table", "pyproject.toml", "[project]\n", r"has no table \[tool\.srm-checks\]"),
    ("a table that is none", "pyproject.toml", "[tool]\nsrm-checks = 1\n", r"must be a table"),
]


@pytest.mark.parametrize(
    ("name", "text", "message"), [case[1:] for case in MISTAKES], ids=[case[0] for case in MISTAKES]
)
def test_a_mistake_is_told_with_its_place(name: str, text: str, message: str) -> None:
    Path(name).write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(UsageError, match=message):
        config.load(name)
