"""Configuration: where it is found, what it may say, and how a mistake is told."""

from __future__ import annotations

import datetime
import json
import os
from pathlib import Path
from typing import Any

import pytest

from srm_checks import config
from srm_checks.config import Config
from srm_checks.config.schema import json_schema
from srm_checks.errors import UsageError
from srm_checks.gate import Budget, Group, Limit
from srm_checks.model import Severity
from srm_checks.triage.assumptions import Assumption
from srm_checks.triage.terms import Scope


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("SRM_CHECKS_")]:
        monkeypatch.delenv(name)


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
    ("an unknown group", "a.yaml", "fail_on: {sides: {}}\n", r"a\.yaml:1:11: fail_on\.sides: .*did you mean 'side'"),
    (
        "an unknown word of a group",
        "a.yaml",
        "fail_on:\n  domain:\n    data-at-rset: low\n",
        r"a\.yaml:3:5: fail_on\.domain\.data-at-rset: unknown domain .*did you mean 'data-at-rest'",
    ),
    ("an unknown limit of a group", "a.yaml", "fail_on: {side: {aws: lwo}}\n", r"a\.yaml:1:18: .*did you mean 'low'"),
    ("a group without words", "a.yaml", "fail_on: {side: low}\n", r"fail_on\.side: must give a value by side"),
    ("a budget that is none", "a.yaml", "fail_on: {unknown: {side: {aws: -1}}}\n", r"whole number from 0"),
    ("an unknown budget", "a.yaml", "fail_on: {unknown: {totl: 1}}\n", r"a\.yaml:1:21: .*did you mean 'total'"),
    (
        "two limits for all unknowns",
        "a.yaml",
        "max_unknown: 1\nfail_on: {unknown: 2}\n",
        r"a\.yaml:2:1: fail_on sets max_unknown, which stands here already",
    ),
    ("an assumption without evidence", "a.yaml", "assume:\n- {control: A, by: b}\n", r"a\.yaml:2:3: assume\.0: lacks"),
    (
        "an assumption without an end",
        "a.yaml",
        "assume:\n- {control: A, by: b, evidence: c, expires: soon}\n",
        r"a\.yaml:2:36: assume\.0\.expires: must be a date",
    ),
    ("a flag that is no flag", "a.yaml", "suppress_equivalents: 3\n", r"must be yes or no"),
    ("a path that is none", "a.yaml", "baseline: [x]\n", r"baseline: must be the path of a file"),
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


class TestByWhoAnswers:
    def test_limits_and_budgets(self) -> None:
        text = """\
fail_on:
  default: high
  side: {shared: never}
  domain: {identity: low}
  model: {IaaS: critical, undetermined: info}
  policy: {SRM-NET-*: medium}
  unknown: {total: 9, domain: {identity: 0}}
"""
        found = config.load(write("srm-checks.yaml", text))
        assert (found.fail_on, found.max_unknown) == (Severity.HIGH, 9)
        assert found.limits == (
            Limit(Group("side", "shared"), None),
            Limit(Group("domain", "identity"), Severity.LOW),
            Limit(Group("model", "IaaS"), Severity.CRITICAL),
            Limit(Group("model", "undetermined"), Severity.INFO),
            Limit(Group("policy", "SRM-NET-*"), Severity.MEDIUM),
        )
        assert found.budgets == (Budget(Group("domain", "identity"), 0),)

    def test_without_a_default_it_stays_medium(self) -> None:
        assert config.load(write("srm-checks.yaml", "fail_on: {side: {aws: low}}\n")).fail_on is Severity.MEDIUM

    def test_a_number_of_unknowns_in_short(self) -> None:
        assert config.load(write("srm-checks.yaml", "fail_on: {unknown: 3}\n")).max_unknown == 3

    def test_toml_says_the_same(self) -> None:
        text = "[fail_on.side]\nshared = 'never'\n[fail_on.unknown]\ntotal = 2\n"
        found = config.load(write("a.toml", text))
        assert (found.limits, found.max_unknown) == ((Limit(Group("side", "shared"), None),), 2)


class TestAssume:
    def test_an_assumption(self) -> None:
        text = """\
assume:
  - control: SRM-MON-001
    by: platform team
    evidence: https://wiki.example/trail
    expires: 2030-06-30
    scope: {root: envs/*}
"""
        (entry,) = config.load(write("conf/srm-checks.yaml", text)).assume
        assert entry == Assumption(
            control="SRM-MON-001",
            by="platform team",
            evidence="https://wiki.example/trail",
            expires=datetime.date(2030, 6, 30),
            scope=Scope(root="/conf/envs/*"),
            at="conf/srm-checks.yaml:2:5",
        )

    def test_toml_says_the_same(self) -> None:
        text = "[[assume]]\ncontrol = 'A'\nby = 'b'\nevidence = 'c'\nexpires = 2030-06-30\n"
        assert config.load(write("a.toml", text)).assume[0].expires == datetime.date(2030, 6, 30)


class TestWaiversFile:
    def test_the_nearest_one_is_found(self) -> None:
        write("srm-waivers.yaml", "waivers: []\n")
        Path("infra").mkdir()
        found = config.resolve(["infra"])
        assert (found.waivers, found.origins["waivers"].place) == ("srm-waivers.yaml", "found")

    def test_the_named_one_wins_and_counts_from_the_file(self) -> None:
        write("srm-waivers.yaml", "waivers: []\n")
        write("conf/srm-checks.yaml", "waivers: ../other.yaml\n")
        assert config.resolve(["conf"]).waivers == "other.yaml"


class TestEnvironment:
    @pytest.mark.parametrize(
        ("name", "text", "field", "value"),
        [
            ("FAIL_ON", "high", "fail_on", Severity.HIGH),
            ("FAIL_ON", "never", "fail_on", None),
            ("MAX_UNKNOWN", "3", "max_unknown", 3),
            ("PACKS", "aws-baseline, ./org", "packs", ("aws-baseline", "org")),
            ("SELECT", "SRM-DAR-*,SRM-NET-*", "select", ("SRM-DAR-*", "SRM-NET-*")),
            ("IGNORE", "SRM-DAR-004", "ignore", ("SRM-DAR-004",)),
            ("EXCLUDE", "legacy/**", "exclude", ("legacy/**",)),
            ("SCOPE", "account", "scope", "account"),
            ("UNDECLARED", "gap", "undeclared", "gap"),
            ("PARAMETER_DEFAULTS", "strict", "strict_parameters", True),
            ("BASELINE", "b.json", "baseline", "b.json"),
            ("WAIVERS", "w.yaml", "waivers", "w.yaml"),
            ("EXPIRED_WAIVERS", "finding", "expired_waivers", "finding"),
            ("SUPPRESS_EQUIVALENTS", "yes", "suppress_equivalents", True),
            ("TODAY", "2030-01-02", "today", datetime.date(2030, 1, 2)),
        ],
    )
    def test_it_wins_over_the_file(
        self, monkeypatch: pytest.MonkeyPatch, name: str, text: str, field: str, value: Any
    ) -> None:
        write("srm-checks.yaml", "fail_on: low\nmax_unknown: 9\nselect: [SRM-IAM-*]\nbaseline: other.json\n")
        monkeypatch.setenv(f"SRM_CHECKS_{name}", text)
        assert getattr(config.resolve(["."]), field) == value

    def test_an_empty_one_says_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SRM_CHECKS_FAIL_ON", "")
        assert config.resolve(["."]) == Config()

    def test_a_limit_replaces_those_by_group(self, monkeypatch: pytest.MonkeyPatch) -> None:
        write("srm-checks.yaml", "fail_on: {side: {aws: low}, unknown: {side: {aws: 0}}}\n")
        monkeypatch.setenv("SRM_CHECKS_FAIL_ON", "high")
        found = config.resolve(["."])
        assert (found.limits, len(found.budgets)) == ((), 1)
        monkeypatch.setenv("SRM_CHECKS_MAX_UNKNOWN", "3")
        assert config.resolve(["."]).budgets == ()

    @pytest.mark.parametrize(
        ("name", "text", "message"),
        [
            ("FAIL_ON", "hihg", r"SRM_CHECKS_FAIL_ON: .*did you mean 'high'"),
            ("MAX_UNKNOWN", "-1", r"SRM_CHECKS_MAX_UNKNOWN: must be a whole number"),
            ("SUPPRESS_EQUIVALENTS", "maybe", r"SRM_CHECKS_SUPPRESS_EQUIVALENTS: must be yes or no"),
            ("TODAY", "soon", r"SRM_CHECKS_TODAY is 'soon'"),
        ],
    )
    def test_a_mistake_names_the_variable(
        self, monkeypatch: pytest.MonkeyPatch, name: str, text: str, message: str
    ) -> None:
        monkeypatch.setenv(f"SRM_CHECKS_{name}", text)
        with pytest.raises(UsageError, match=message):
            config.resolve(["."])

    def test_a_near_miss_is_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SRM_CHECKS_FAIL_NO", "high")
        monkeypatch.setenv("SRM_CHECKS_HOME_GROWN_THING", "x")
        assert config.resolve(["."]).notes == (
            "the environment variable SRM_CHECKS_FAIL_NO is no setting; did you mean SRM_CHECKS_FAIL_ON?",
        )


def test_origins(monkeypatch: pytest.MonkeyPatch) -> None:
    write("srm-checks.yaml", "# ours\nselect: SRM-DAR-*\nexclude: [a/b]\n")
    monkeypatch.setenv("SRM_CHECKS_FAIL_ON", "high")
    Path("deep").mkdir()
    monkeypatch.chdir("deep")
    origins = config.resolve(["."]).origins
    told = {key: (origins[key].value, origins[key].place) for key in ("select", "exclude", "fail_on", "scope")}
    assert told == {
        "select": ("SRM-DAR-*", "../srm-checks.yaml:2:1"),
        "exclude": (["../a/b"], "../srm-checks.yaml:3:1"),
        "fail_on": ("high", "SRM_CHECKS_FAIL_ON"),
        "scope": ("stack", "default"),
    }


class TestSchema:
    """The schema for editors takes and refuses what the reader takes and refuses."""

    VALID = (
        "fail_on: never\n",
        "fail_on: {default: high, side: {aws: low}, unknown: {total: 3, policy: {SRM-*: 0}}}\n",
        "packs: aws-baseline\nmax_unknown: 0\nundeclared: gap\nsuppress_equivalents: yes\n",
        'assume: [{control: A, by: b, evidence: c, expires: "2030-01-01", scope: {root: x}}]\n',
        "policy_parameters: {SRM-BCK-001: {minimum_days: 30}}\n",
    )

    def errors(self, text: str) -> list[str]:
        jsonschema = pytest.importorskip("jsonschema")
        yaml = pytest.importorskip("yaml")
        validator = jsonschema.Draft202012Validator(json_schema())
        return [error.message for error in validator.iter_errors(yaml.safe_load(text))]

    @pytest.mark.parametrize("text", VALID)
    def test_what_is_right(self, text: str) -> None:
        config.load(write("a.yaml", text))
        assert self.errors(text) == []

    @pytest.mark.parametrize(
        "text",
        [case[2] for case in MISTAKES if case[1] == "a.yaml" and "stands" not in case[3] and "expires" not in case[3]],
    )
    def test_what_is_wrong(self, text: str) -> None:
        yaml = pytest.importorskip("yaml")
        try:
            yaml.safe_load(text)
        except yaml.YAMLError:
            return
        assert self.errors(text)

    def test_it_is_json(self) -> None:
        assert json.loads(json.dumps(json_schema()))["additionalProperties"] is False
