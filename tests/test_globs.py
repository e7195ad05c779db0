"""Globs over paths and over addresses."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from srm_checks.globs import address_pattern, literally, match_address, match_path, path_pattern

PATHS = [
    ("a name at any depth", "main.tf", "envs/prod/main.tf", True),
    ("a star stays within a name", "envs/*/main.tf", "envs/a/b/main.tf", False),
    ("two stars span folders", "envs/**/main.tf", "envs/a/b/main.tf", True),
    ("two stars also span none", "envs/**/main.tf", "envs/main.tf", True),
    ("a folder holds for all below it", "envs/prod", "envs/prod/db/main.tf", True),
    ("but not for a name that begins alike", "envs/prod", "envs/production/main.tf", False),
    ("a leading dot-slash does not matter", "./envs/prod", "envs/prod/main.tf", True),
    ("one of several characters", "env[ab]/x.tf", "enva/x.tf", True),
    ("none of several characters", "env[!ab]/x.tf", "enva/x.tf", False),
    ("a dot is a dot", "main.tf", "mainxtf", False),
]


@pytest.mark.parametrize(("glob", "path", "hit"), [case[1:] for case in PATHS], ids=[case[0] for case in PATHS])
def test_paths(glob: str, path: str, hit: bool) -> None:
    assert bool(path_pattern(glob).match(path)) is hit


@pytest.mark.parametrize(
    ("glob", "path", "hit"),
    [
        ("../tree/old", "old/main.tf", True),
        ("../tree/old", "older/main.tf", False),
        ("../old", "old/main.tf", False),
        ("../../home/*/old", "old/main.tf", True),
        ("../**/old", "a/old/main.tf", True),
        ("../far/old", "../far/old/main.tf", True),
        ("/../tree", "main.tf", True),
        ("old", "../tree/old/main.tf", True),
    ],
)
def test_a_glob_that_leads_up_from_the_working_directory(
    glob: str, path: str, hit: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it stands in a configuration above of what is scanned."""
    here = tmp_path / "home" / "tree"
    here.mkdir(parents=True)
    monkeypatch.chdir(here)
    assert match_path(glob, path) is hit


def test_an_impossible_range_is_an_error() -> None:
    with pytest.raises(re.error):
        path_pattern("[z-a]/x")


@pytest.mark.parametrize("path", ["a/b.tf", "we[ird]/na*me?.tf", "plain/[!x]"])
def test_a_path_taken_literally(path: str) -> None:
    assert path_pattern("/" + literally(path)).match(path)
    assert not path_pattern("/" + literally(path)).match(path + "x")


ADDRESSES = [
    ("the address itself", "aws_db_instance.main", "aws_db_instance.main", True),
    ("without its key it means all instances", "aws_db_instance.main", 'aws_db_instance.main["a"]', True),
    ("also in a module with instances", "module.db.aws_x.y", "module.db[0].aws_x.y", True),
    ("brackets are no range", "aws_x.y[0]", "aws_x.y[0]", True),
    ("another instance", "aws_x.y[0]", "aws_x.y[1]", False),
    ("a star takes dots too", "module.legacy.*", "module.legacy.module.db.aws_x.y", True),
    ("a longer name is another resource", "aws_x.y", "aws_x.yz", False),
]


@pytest.mark.parametrize(
    ("glob", "address", "hit"), [case[1:] for case in ADDRESSES], ids=[case[0] for case in ADDRESSES]
)
def test_addresses(glob: str, address: str, hit: bool) -> None:
    assert match_address(address_pattern(glob), address) is hit
