"""Another revision's files, laid out beside the work tree: as committed, and nothing of the repository is run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from srm_checks.errors import UsageError
from srm_checks.triage.revision import Side, commit_of, laid_out
from tests.repositories import commit, git, write


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "repo").mkdir()
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.chdir(tmp_path / "repo")


def files(side: Side) -> dict[str, str]:
    return {
        path.relative_to(side.top).as_posix(): path.read_text()
        for path in sorted(Path(side.top).rglob("*"))
        if path.is_file() and path.name != ".git"
    }


class TestCommit:
    def test_a_revision_in_any_way_of_writing(self) -> None:
        first = commit({"a.tf": ""})
        second = commit({"a.tf": "x"})
        for words, expected in (("HEAD", second), ("HEAD~1", first), ("main", second), (first[:10], first)):
            assert commit_of(words) == (os.path.realpath("."), expected)

    @pytest.mark.parametrize("revision", ["no-such-rev", "HEAD~9", "--all", "-h", "--since=1.1.2020", "", "HEAD:a.tf"])
    def test_what_is_no_commit(self, revision: str) -> None:
        commit({"a.tf": ""})
        with pytest.raises(UsageError, match="there is no such"):
            commit_of(revision)

    def test_without_a_repository(self) -> None:
        with pytest.raises(UsageError, match="needs a git repository"):
            commit_of("HEAD")

    def test_a_shallow_clone_says_how_to_get_it(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        first = commit({"a.tf": ""})
        commit({"a.tf": "x"})
        git("clone", "-q", "--depth=1", f"file://{tmp_path}/repo", str(tmp_path / "clone"))
        monkeypatch.chdir(tmp_path / "clone")
        with pytest.raises(UsageError, match=r"this clone is shallow .*fetch --depth=1"):
            commit_of(first)


class TestFiles:
    def test_they_are_as_committed(self) -> None:
        old = commit({"a.tf": "old", "sub/b.tf": "same", "gone.tf": "x"})
        Path("gone.tf").unlink()
        commit({"a.tf": "new"})
        write({"a.tf": "newer", "untracked.tf": "x"})
        with laid_out(".", old) as side:
            assert files(side) == {"a.tf": "old", "gone.tf": "x", "sub/b.tf": "same"}

    def test_nothing_stays_and_nothing_changes(self, tmp_path: Path) -> None:
        old = commit({"a.tf": "old"})
        before = git("for-each-ref"), git("worktree", "list"), git("status", "--porcelain")
        with laid_out(".", old):
            pass
        assert list((tmp_path / "temporary").iterdir()) == []
        assert before == (git("for-each-ref"), git("worktree", "list"), git("status", "--porcelain"))

    def test_also_after_a_failure(self, tmp_path: Path) -> None:
        old = commit({"a.tf": "old"})
        with pytest.raises(ZeroDivisionError), laid_out(".", old):
            raise ZeroDivisionError
        assert list((tmp_path / "temporary").iterdir()) == []

    def test_the_working_directory_has_its_counterpart(self, monkeypatch: pytest.MonkeyPatch) -> None:
        old = commit({"envs/prod/main.tf": "x"})
        monkeypatch.chdir("envs")
        with laid_out("..", old) as side:
            assert Path(side.path("prod/main.tf")).read_text() == "x"
            assert side.original(side.path("prod/main.tf")) == "prod/main.tf"
            assert side.existing(["prod", "new/deeper"]) == (side.path("prod"), side.path("."))

    def test_a_glob_has_its_counterpart(self) -> None:
        old = commit({"envs/main.tf": "x"})
        with laid_out(".", old) as side:
            assert side.glob("*.tf") == "*.tf"
            assert side.glob("envs/**") == side.path("envs/**")

    def test_neither_filters_nor_export_rules_apply(self) -> None:
        git("init", "-q")
        git("config", "filter.spoil.smudge", "touch smudged; cat")
        old = commit({".gitattributes": "*.tf filter=spoil export-ignore\n", "a.tf": "$Id$ old"})
        with laid_out(".", old) as side:
            assert files(side)["a.tf"] == "$Id$ old"
        assert not Path("smudged").exists()

    def test_no_program_of_the_repository_runs(self) -> None:
        old = commit({"a.tf": "x"})
        write({"monitor.sh": '#!/bin/sh\ntouch "$(dirname "$0")/ran"\n'})
        Path("monitor.sh").chmod(0o755)
        git("config", "core.fsmonitor", str(Path("monitor.sh").resolve()))
        with laid_out(".", old):
            pass
        assert not Path("ran").exists()

    def test_names_that_git_would_quote(self) -> None:
        old = commit({'we "ird\t\n é.tf': "x"})
        with laid_out(".", old) as side:
            assert list(files(side)) == ['we "ird\t\n é.tf']

    def test_links_stay_links(self) -> None:
        write({"modules/db/main.tf": "x"})
        os.symlink("../modules/db", "link")
        os.symlink("modules/db/main.tf", "file.tf")
        old = commit({})
        with laid_out(".", old) as side:
            assert os.readlink(os.path.join(side.top, "link")) == "../modules/db"
            assert Path(side.top, "file.tf").read_text() == "x"

    def test_what_is_ignored_and_read_is_the_same_on_both_sides(self) -> None:
        old = commit({".gitignore": ".terraform\n*.tfvars\n*.log\n", "envs/main.tf": "x"})
        write({"envs/.terraform/modules/modules.json": "{}", "envs/prod.tfvars": "a = 1", "envs/x.log": "x"})
        with laid_out(".", old) as side:
            assert Path(side.top, "envs/.terraform/modules/modules.json").read_text() == "{}"
            assert Path(side.top, "envs/prod.tfvars").read_text() == "a = 1"
            assert not Path(side.top, "envs/x.log").exists()

    def test_submodules_are_laid_out_at_their_commit(self, tmp_path: Path) -> None:
        (tmp_path / "module").mkdir()
        commit({"main.tf": "old"}, tmp_path / "module")
        git("init", "-q")
        git("submodule", "--quiet", "add", str(tmp_path / "module"), "modules/db")
        old = commit({"main.tf": "x"})
        commit({"main.tf": "new"}, "modules/db")
        commit({})
        with laid_out(".", old) as side:
            assert files(side)["modules/db/main.tf"] == "old"
            assert side.notes == ()

    def test_a_missing_object_is_an_error(self) -> None:
        old = commit({"a.tf": "only here"})
        name = git("rev-parse", "HEAD:a.tf")
        object_file = Path(".git/objects", name[:2], name[2:])
        object_file.chmod(0o644)
        object_file.unlink()
        with pytest.raises(UsageError, match="git could not give the files"), laid_out(".", old):
            pass
