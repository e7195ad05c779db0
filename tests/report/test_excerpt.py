"""What of a source line is shown, and where the caret stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from srm_checks.report.excerpt import Sources, span, window
from srm_checks.report.inert import columns, inert


def marked(line: str, attribute: str | None) -> str:
    start, end, _own = span(line, attribute)
    return line[start:end]


@pytest.mark.parametrize(
    ("line", "attribute", "expected"),
    [
        ("  storage_encrypted = false", "storage_encrypted", "storage_encrypted"),
        ("  cidr_blocks = []", "ingress.0.cidr_blocks", "cidr_blocks"),
        ("  ingress {", "ingress.0.cidr_blocks", "ingress"),
        ('      "StorageEncrypted": false,', "StorageEncrypted", "StorageEncrypted"),
        ("  kms_key_id = var.encrypted", "encrypted", "encrypted"),
        ("  not_encrypted = 1", "encrypted", "not_encrypted = 1"),
        ('resource "aws_db_instance" "x" {', "storage_encrypted", 'resource "aws_db_instance" "x"'),
        ("  Db:", "StorageEncrypted", "Db:"),
        ("{", None, "{"),
    ],
)
def test_span(line: str, attribute: str | None, expected: str) -> None:
    assert marked(line, attribute) == expected


def test_a_long_line_is_cut_around_what_is_pointed_at() -> None:
    line = "a" * 500 + "KEY" + "b" * 500
    shown, start, end = window(line, 500, 503, 60)
    assert shown[start:end] == "KEY"
    assert len(shown) <= 60
    assert shown.startswith("...")
    assert shown.endswith("...")


def test_a_long_line_that_begins_with_the_key() -> None:
    shown, start, end = window("KEY" + "b" * 500, 0, 3, 60)
    assert (shown[start:end], len(shown)) == ("KEY", 60)


class TestSources:
    def test_lines_count_from_one_and_lose_their_ends(self, tmp_path: Path) -> None:
        path = tmp_path / "main.tf"
        path.write_bytes(b"\xef\xbb\xbfone\r\n\ttwo\n")
        sources = Sources()
        assert [sources.line(str(path), number) for number in (1, 2)] == ["one", "    two"]
        assert sources.line(str(path), 9) is None
        assert sources.line(str(path), 0) is None

    def test_other_encodings_do_not_stop_a_report(self, tmp_path: Path) -> None:
        (tmp_path / "wide.yaml").write_bytes("Key: é\n".encode("utf-16"))
        (tmp_path / "latin.tf").write_bytes("x = 'é'".encode("latin-1"))
        assert Sources().line(str(tmp_path / "wide.yaml"), 1) == "Key: é"
        assert Sources().line(str(tmp_path / "latin.tf"), 1) == "x = '\ufffd'"

    def test_a_folder_or_a_missing_file_has_no_lines(self, tmp_path: Path) -> None:
        assert Sources().line(str(tmp_path), 1) is None
        assert Sources().line(str(tmp_path / "gone.tf"), 1) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("é 日本", "é 日本"),
        ("\x1b[31m", "\\x1b[31m"),
        ("a\nb\tc", "a\\nb\\tc"),
        ("\u202e", "\\u202e"),
        ("\u200b\u2028", "\\u200b\\u2028"),
        ("\udc80", "\\udc80"),
        ("\x9b31m", "\\x9b31m"),
    ],
)
def test_inert(text: str, expected: str) -> None:
    assert inert(text) == expected


def test_columns_count_wide_characters_twice() -> None:
    assert columns("abc") == 3
    assert columns("日本") == 4
    assert columns("e\u0301") == 1
