"""`scan --write-baseline`, `--baseline` and `--diff`: what was there before does not fail the gate, what is new does."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from srm_checks.cli import run
from tests.repositories import commit, database, git, write

ONLY = ("--select", "SRM-DAR-005", "--select", "SRM-NET-001")
TEMPLATE = """\
AWSTemplateFormatVersion: "2010-09-09"
Resources:
  Db:
    Type: AWS::RDS::DBInstance
    Properties: {Engine: postgres, StorageEncrypted: false}
"""
MODULE = 'variable "enc" {\n  type = bool\n}\n' + database("main", "var.enc")


def root(encrypted: str = "true") -> str:
    return (
        f'variable "enc" {{\n  default = {encrypted}\n}}\n'
        'module "db" {\n  source = "../../modules/db"\n  enc    = var.enc\n}\n' + database("old", "false")
    )


TREE = {
    "modules/db/main.tf": MODULE,
    "envs/a/main.tf": root(),
    "envs/b/main.tf": root(),
    "cfn/stack.yaml": TEMPLATE,
}


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("SRM_CHECKS_", "GIT_"))]:
        monkeypatch.delenv(name)
    (tmp_path / "repo").mkdir()
    monkeypatch.chdir(tmp_path / "repo")


@pytest.fixture
def scan(capfd: pytest.CaptureFixture[str]) -> Any:
    """Runs `scan` with JSON; gives the exit code, the report and standard error."""

    def call(*arguments: str) -> tuple[int, Any, str]:
        code = run(["scan", *(arguments if "--select" in arguments else (*arguments, *ONLY)), "-f", "json"])
        captured = capfd.readouterr()
        return code, json.loads(captured.out) if captured.out else None, captured.err

    return call


def new(report: Any) -> list[tuple[str, str]]:
    return [
        (finding["resource"]["root"], finding["resource"]["address"])
        for finding in report["findings"]
        if finding["disposition"] == "new"
    ]


class TestBaseline:
    @pytest.fixture(autouse=True)
    def _known(self, scan: Any) -> None:
        commit(TREE)
        code, report, notes = scan("--write-baseline", "base.json")
        assert (code, len(new(report))) == (1, 3)
        assert "wrote the baseline with 3 findings" in notes
        git("add", "-A")
        git("commit", "-q", "-m", "baseline")

    def check(self, scan: Any, *expected: tuple[str, str], arguments: tuple[str, ...] = ()) -> Any:
        code, report, notes = scan("--baseline", "base.json", *arguments)
        assert new(report) == list(expected)
        assert code == (1 if expected else 0)
        return report, notes

    def test_nothing_changed(self, scan: Any) -> None:
        report, notes = self.check(scan)
        assert {finding["disposition"] for finding in report["findings"]} == {"baselined"}
        assert report["compared"] == [{"kind": "baseline", "name": "base.json", "fixed": []}]
        assert "no longer there" not in notes

    def test_moved_lines_and_another_layout(self, scan: Any) -> None:
        text = "# a\n\n" + root().replace("  ", "\t").replace("default = true", "default    =    true")
        write({"envs/a/main.tf": text, "cfn/stack.yaml": "# a\n" + TEMPLATE})
        self.check(scan)

    def test_a_block_in_another_file(self, scan: Any) -> None:
        write(
            {"envs/a/main.tf": root().replace(database("old", "false"), ""), "envs/a/db.tf": database("old", "false")}
        )
        self.check(scan)

    def test_from_a_subfolder(self, scan: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir("envs")
        code, report, notes = scan("--baseline", "../base.json")
        assert (code, new(report)) == (0, [])
        assert "no longer there" not in notes

    def test_a_moved_block(self, scan: Any) -> None:
        moved = "moved {\n  from = aws_db_instance.old\n  to   = aws_db_instance.renamed\n}\n"
        write({"envs/a/main.tf": root().replace('"old"', '"renamed"') + moved})
        self.check(scan)

    def test_renamed_without_a_moved_block_it_is_another(self, scan: Any) -> None:
        write({"envs/a/main.tf": root().replace('"old"', '"renamed"')})
        self.check(scan, ("envs/a", "aws_db_instance.renamed"))

    def test_instances_that_move_to_keys(self, scan: Any) -> None:
        text = database("old", "false").replace("engine  ", "for_each = { x = 1 }\n  engine")
        moved = 'moved {\n  from = aws_db_instance.old\n  to   = aws_db_instance.old["x"]\n}\n'
        write({"envs/a/main.tf": root().replace(database("old", "false"), text) + moved})
        self.check(scan)

    def test_renamed_roots_and_templates(self, scan: Any) -> None:
        git("mv", "envs", "live")
        git("mv", "cfn/stack.yaml", "cfn/database.yaml")
        report, _notes = self.check(scan)
        assert report["compared"][0]["fixed"] == []

    def test_a_template_renamed_without_git_knowing_yet(self, scan: Any) -> None:
        Path("cfn/stack.yaml").rename("cfn/database.yaml")
        self.check(scan)

    def test_another_template_is_no_renamed_one(self, scan: Any) -> None:
        Path("cfn/stack.yaml").unlink()
        filler = "".join(f"  # line {number} of another template altogether\n" for number in range(80))
        commit({"cfn/other.yaml": filler + TEMPLATE})
        self.check(scan, ("cfn/other.yaml", "Db"))

    def test_one_that_is_weakened_is_the_only_new_one(self, scan: Any) -> None:
        write({"envs/b/main.tf": root("false")})
        self.check(scan, ("envs/b", "module.db.aws_db_instance.main"))

    def test_a_fixed_one_is_told_and_pruned_on_rewriting(self, scan: Any) -> None:
        write({"envs/a/main.tf": root().replace("= false", "= true")})
        report, notes = self.check(scan)
        assert [key["root"] for key in report["compared"][0]["fixed"]] == ["envs/a"]
        assert "1 finding of base.json no longer there: SRM-DAR-005 aws_db_instance.old in envs/a" in notes
        scan("--baseline", "base.json", "--write-baseline", "base.json")
        assert {item["root"] for item in json.loads(Path("base.json").read_text())["findings"]} == {
            "envs/b",
            "cfn/stack.yaml",
        }

    def test_rewriting_from_a_part_keeps_the_rest(self, scan: Any) -> None:
        before = Path("base.json").read_text()
        scan("envs/a", "--write-baseline", "base.json")
        scan("cfn/stack.yaml", "--write-baseline", "base.json")
        assert Path("base.json").read_text() == before

    def test_what_cannot_be_read_is_not_fixed(self, scan: Any) -> None:
        write({"envs/a/main.tf": 'resource "x" {'})
        code, report, _notes = scan("--baseline", "base.json")
        assert (code, report["compared"][0]["fixed"]) == (3, [])

    def test_one_more_open_port_is_new_and_one_fewer_is_not(self, scan: Any) -> None:
        def group(*ports: int) -> str:
            rules = "".join(
                f'  ingress {{\n    from_port   = {port}\n    to_port     = {port}\n    protocol    = "tcp"\n'
                f'    cidr_blocks = ["0.0.0.0/0"]\n  }}\n'
                for port in ports
            )
            return f'resource "aws_security_group" "web" {{\n{rules}}}\n'

        write({"envs/a/net.tf": group(22)})
        scan("--write-baseline", "base.json")
        write({"envs/a/net.tf": group(3389, 22)})
        self.check(scan, ("envs/a", "aws_security_group.web"))
        scan("--write-baseline", "base.json")
        write({"envs/a/net.tf": group(22)})
        self.check(scan)

    def test_the_configuration_can_name_it(self, scan: Any) -> None:
        write({"srm-checks.yaml": "baseline: base.json\n"})
        assert scan()[0] == 0
        write({"srm-checks.yaml": "baseline: other.json\n"})
        assert scan()[0] == 2
        assert scan("--write-baseline", "other.json")[0] == 1
        assert scan()[0] == 0

    def test_another_file_is_not_overwritten(self, scan: Any) -> None:
        code, _report, notes = scan("--write-baseline", "cfn/stack.yaml")
        assert code == 2
        assert "not a baseline" in notes
        assert Path("cfn/stack.yaml").read_text() == TEMPLATE


class TestDiff:
    @pytest.fixture(autouse=True)
    def _committed(self) -> None:
        commit(TREE)

    def test_nothing_changed(self, scan: Any) -> None:
        code, report, _notes = scan("--diff", "HEAD")
        assert (code, new(report)) == (0, [])
        assert report["compared"] == [{"kind": "revision", "name": git("rev-parse", "HEAD"), "fixed": []}]

    def test_a_variable_opens_a_gap_in_a_file_that_is_not_touched(self, scan: Any) -> None:
        write({"envs/b/main.tf": root("false")})
        code, report, _notes = scan("--diff", "HEAD")
        assert (code, new(report)) == (1, [("envs/b", "module.db.aws_db_instance.main")])

    def test_between_commits(self, scan: Any) -> None:
        commit({"envs/b/main.tf": root("false")})
        assert new(scan("--diff", "HEAD")[1]) == []
        assert new(scan("--diff", "HEAD~1")[1]) == [("envs/b", "module.db.aws_db_instance.main")]

    def test_a_new_root_is_all_new(self, scan: Any) -> None:
        write({"envs/c/main.tf": root()})
        assert new(scan("--diff", "HEAD")[1]) == [("envs/c", "aws_db_instance.old")]
        assert new(scan("envs/c", "--diff", "HEAD")[1]) == [("envs/c", "aws_db_instance.old")]

    def test_what_went_is_told(self, scan: Any) -> None:
        write({"envs/a/main.tf": root().replace("= false", "= true")})
        assert [key["root"] for key in scan("--diff", "HEAD")[1]["compared"][0]["fixed"]] == ["envs/a"]

    def test_renamed_folders_are_followed(self, scan: Any) -> None:
        git("mv", "envs", "live")
        assert new(scan("--diff", "HEAD")[1]) == []

    def test_from_a_subfolder_and_with_a_file(self, scan: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        write({"envs/b/main.tf": root("false")})
        monkeypatch.chdir("envs/b")
        expected = [(".", "module.db.aws_db_instance.main")]
        assert new(scan("--diff", "HEAD")[1]) == expected
        assert new(scan("main.tf", "--diff", "HEAD")[1]) == expected
        assert new(scan("../../modules/db/main.tf", "--diff", "HEAD")[1]) == [
            (".", "module.db.aws_db_instance.main"),
        ]

    def test_exclusions_hold_on_both_sides(self, scan: Any) -> None:
        write({"srm-checks.yaml": "exclude: [envs/a/**, stack.yaml]\n"})
        code, report, _notes = scan("--diff", "HEAD")
        assert (code, {finding["resource"]["root"] for finding in report["findings"]}) == (0, {"envs/b"})
        assert report["compared"][0]["fixed"] == []
        commit({"envs/a/main.tf": "resource {"})
        assert "could not be read" not in scan("--diff", "HEAD")[2]

    def test_a_variable_file_that_changed(self, scan: Any) -> None:
        commit({"prod.tfvars": "enc = true\n"})
        assert new(scan("--diff", "HEAD", "--var-file", "prod.tfvars")[1]) == []
        write({"prod.tfvars": "enc = false\n"})
        assert len(new(scan("--diff", "HEAD", "--var-file", "prod.tfvars")[1])) == 2

    def test_a_suppression_that_is_taken_away_is_a_new_finding(self, scan: Any) -> None:
        skip = "\n  #checkov:skip=SRM-DAR-005:for now\n}\n"
        commit({"envs/a/main.tf": root().removesuffix("\n}\n") + skip})
        write({"envs/a/main.tf": root()})
        assert new(scan("--diff", "HEAD")[1]) == [("envs/a", "aws_db_instance.old")]

    def test_a_root_that_could_not_be_read_before_is_told(self, scan: Any) -> None:
        commit({"envs/a/main.tf": 'resource "x" {'})
        write({"envs/a/main.tf": root()})
        code, report, notes = scan("--diff", "HEAD")
        assert (code, new(report)) == (1, [("envs/a", "aws_db_instance.old")])
        assert "envs/a/main.tf could not be read at " in notes

    def test_together_with_a_baseline(self, scan: Any) -> None:
        scan("envs/a", "--write-baseline", "base.json")
        write({"envs/c/main.tf": root()})
        assert new(scan("--diff", "HEAD", "--baseline", "base.json")[1]) == [("envs/c", "aws_db_instance.old")]

    @pytest.mark.parametrize("revision", ["no-such-rev", "-x", "HEAD~7"])
    def test_an_unknown_revision(self, scan: Any, revision: str) -> None:
        code, report, notes = scan("--diff", revision)
        assert (code, report) == (2, None)
        assert "there is no such" in notes

    def test_a_path_outside_of_the_repository(self, scan: Any, tmp_path: Path) -> None:
        write({"main.tf": database("x", "false")}, tmp_path / "elsewhere")
        code, _report, notes = scan("../elsewhere", "--diff", "HEAD")
        assert code == 2
        assert "lies outside of the repository" in notes
