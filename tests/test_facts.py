"""Facts about files: remembered while a file's state on disk is the same, and no longer."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from srm_checks.facts import Facts

OLD = time.time_ns() - 3_600_000_000_000


def length(path: str) -> int:
    return len(Path(path).read_bytes())


def unasked(path: str) -> int:
    raise AssertionError(f"{path} was read again")


def remembered(facts: Facts) -> Facts:
    """What the next scan knows."""
    return Facts(json.loads(json.dumps(facts.kept())))


@pytest.fixture
def aged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that counts as long unchanged: its clock is set back, and so is that of the margin."""
    monkeypatch.setattr("srm_checks.facts._SETTLED", 0)
    path = tmp_path / "a.tf"
    path.write_text("12345")
    return path


def test_a_file_in_the_same_state_is_not_read_again(aged: Path) -> None:
    facts = Facts()
    assert facts.of(str(aged), "length", length) == 5
    assert facts.of(str(aged), "length", unasked) == 5
    later = remembered(facts)
    assert later.of(str(aged), "length", unasked) == 5
    assert later.kept() is None  # nothing new


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_what_is_no_ordinary_file_is_not_read(tmp_path: Path) -> None:
    pipe, endless = tmp_path / "pipe.tf", tmp_path / "zero.tf"
    os.mkfifo(pipe)
    endless.symlink_to("/dev/zero")
    facts = Facts()
    assert facts.mark(str(pipe)) != facts.mark(str(endless))


def test_what_is_huge_goes_by_its_size_and_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.tf"
    path.write_text("1234")
    exact = Facts().mark(str(path))
    monkeypatch.setattr("srm_checks.facts._LARGEST", 3)
    assert Facts().mark(str(path)) != exact
    before = Facts().mark(str(path))
    os.utime(path, ns=(OLD, OLD))
    assert Facts().mark(str(path)) != before


def test_facts_of_other_names_are_found_out(aged: Path) -> None:
    facts = Facts()
    facts.of(str(aged), "length", length)
    later = remembered(facts)
    mark = later.mark(str(aged))
    assert remembered(later).of(str(aged), "length", unasked) == 5
    assert remembered(later).mark(str(aged)) == mark


def test_another_content_of_the_same_size_and_time_is_noticed(aged: Path) -> None:
    os.utime(aged, ns=(OLD, OLD))
    facts = Facts()
    before = facts.mark(str(aged))
    later = remembered(facts)
    time.sleep(0.02)  # the clock of the file system does not tick with every write
    aged.write_text("54321")
    os.utime(aged, ns=(OLD, OLD))
    assert later.mark(str(aged)) != before


def test_a_file_that_takes_the_place_of_another_is_noticed(aged: Path, tmp_path: Path) -> None:
    facts = Facts()
    before = facts.mark(str(aged))
    other = tmp_path / "b.tf"
    other.write_text("54321")
    os.replace(other, aged)
    assert remembered(facts).mark(str(aged)) != before


def test_a_young_file_is_not_remembered(tmp_path: Path) -> None:
    path = tmp_path / "a.tf"
    path.write_text("12345")
    facts = Facts()
    facts.of(str(path), "length", length)
    assert facts.kept() == {}


def test_one_scan_sees_one_state(aged: Path) -> None:
    facts = Facts()
    before = facts.mark(str(aged))
    aged.write_text("another")
    assert facts.mark(str(aged)) == before
    assert remembered(facts).mark(str(aged)) != before


def test_a_file_that_is_gone_raises(aged: Path) -> None:
    facts = Facts()
    facts.mark(str(aged))
    later = remembered(facts)
    aged.unlink()
    with pytest.raises(OSError, match="No such file"):
        later.mark(str(aged))


@pytest.mark.parametrize("entry", [None, [], [1], [[1, 2, 3, 4], []], {"a": 1}, "text"])
def test_what_is_damaged_is_found_out_again(aged: Path, entry: object) -> None:
    assert Facts({str(aged): entry}).of(str(aged), "length", length) == 5
