"""Marks: the same from any folder, without positions, different for whatever matters."""

from __future__ import annotations

from pathlib import Path

import pytest

from srm_checks.identity import evidence_fingerprint, fingerprint, repository_path, without_positions

MARK = ("SRM-DAR-005", "terraform", "envs/prod", "aws_db_instance.main", "storage_encrypted", False)


def test_the_same_facts_have_the_same_mark() -> None:
    assert evidence_fingerprint(*MARK) == evidence_fingerprint(*MARK)


@pytest.mark.parametrize("place", range(len(MARK)))
def test_each_fact_matters(place: int) -> None:
    other = list(MARK)
    other[place] = True if place == 5 else f"{other[place]}x"
    assert evidence_fingerprint(*other) != evidence_fingerprint(*MARK)


def test_facts_do_not_run_into_each_other() -> None:
    assert fingerprint("A", "b", "c", "de") != fingerprint("A", "b", "cd", "e")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("storage_encrypted", "storage_encrypted"),
        ("ingress.0.cidr_blocks.12", "ingress.*.cidr_blocks.*"),
        ("aws_x.b[0].rule.3", "aws_x.b[0].rule.*"),
        ("Policies.v2.0x", "Policies.v2.0x"),
    ],
)
def test_positions_in_lists_do_not_matter(path: str, expected: str) -> None:
    assert without_positions(path) == expected


def test_element_is_known_at_another_position() -> None:
    head = MARK[:4]
    assert evidence_fingerprint(*head, "ingress.0", {"port": 22}) == evidence_fingerprint(
        *head, "ingress.3", {"port": 22}
    )


class TestRepositoryPath:
    def test_counts_from_the_top_of_the_work_tree(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "repo/.git").mkdir(parents=True)
        (tmp_path / "repo/envs/prod").mkdir(parents=True)
        monkeypatch.chdir(tmp_path / "repo/envs")
        assert repository_path("prod") == "envs/prod"
        monkeypatch.chdir(tmp_path)
        assert repository_path("repo/envs/prod") == "envs/prod"

    def test_else_from_the_configuration_file(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "infra/envs").mkdir(parents=True)
        (tmp_path / "infra/srm-checks.yaml").touch()
        monkeypatch.chdir(tmp_path)
        assert repository_path("infra/envs") == "envs"

    def test_else_from_the_working_directory(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "envs").mkdir()
        monkeypatch.chdir(tmp_path)
        assert repository_path("envs") == "envs"
        assert repository_path(".") == "."

    def test_a_template_counts_from_where_it_lies(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "repo/.git").mkdir(parents=True)
        (tmp_path / "repo/t.yaml").touch()
        monkeypatch.chdir(tmp_path)
        assert repository_path("repo/t.yaml") == "t.yaml"
