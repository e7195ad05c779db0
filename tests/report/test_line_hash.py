"""The line hash is the one that GitHub's upload action computes."""

from __future__ import annotations

import pytest

from srm_checks.report.line_hash import line_hashes

EVERY = range(1, 1000)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["c129715d7a2bc9a3:1"]),
        (" a\nb\n  \t\tc\n d", ["271789c17abda88f:1", "54703d4cd895b18:1", "180aee12dab6264:1", "a23a3dc5e078b07b:1"]),
    ],
    ids=["empty file", "blanks left out"],
)
def test_published_values(text: str, expected: list[str]) -> None:
    assert list(line_hashes(text, EVERY).values()) == expected


def by_definition(text: str) -> list[str]:
    """The hash of each line, unit by unit: blanks dropped, each line end one line feed, 100 units from the start."""
    raw = text.encode("utf-16-le", "surrogatepass")
    units: list[int] = []
    starts = [0]
    after_return = False
    for unit in (int.from_bytes(raw[at : at + 2], "little") for at in range(0, len(raw), 2)):
        if unit in (0x20, 0x09) or (after_return and unit == 0x0A):
            after_return = False
            continue
        after_return = unit == 0x0D
        units.append(0x0A if after_return else unit)
        if units[-1] == 0x0A:
            starts.append(len(units))
    padded = [*units, 0xFFFF, *[0] * 100]
    seen: dict[int, int] = {}
    hashes = []
    for start in starts:
        value = sum(unit * pow(37, 99 - at, 1 << 64) for at, unit in enumerate(padded[start : start + 100])) % (1 << 64)
        seen[value] = seen.get(value, 0) + 1
        hashes.append(f"{value:x}:{seen[value]}")
    return hashes


@pytest.mark.parametrize(
    "text",
    [
        "a\nb",
        "a\r\nb\r\n",
        "a\rb",
        "a\r \nb",
        "\r\r\n\n",
        "x\n" * 5,
        "line one that is quite long\n" * 12,
        "\ufeffresource {\n}\n",
        "caf\u00e9 \U0001f600\n\U0001f600" + "y" * 99 + "\nz",
        "\x00\n\x00\x00\n",
        "k" * 250 + "\n" + "k" * 250,
    ],
    ids=[
        "LF",
        "CR LF",
        "CR",
        "a blank parts CR and LF",
        "empty lines",
        "equal lines are numbered",
        "long",
        "byte order mark",
        "beyond the first plane",
        "NUL",
        "over the window",
    ],
)
def test_it_is_what_the_definition_says(text: str) -> None:
    assert list(line_hashes(text, EVERY).values()) == by_definition(text)


def test_only_the_lines_asked_for_and_only_those_there_are() -> None:
    assert line_hashes("same\n" * 150, [0, 3, 999]) == {3: line_hashes("same\n" * 150, EVERY)[3]}
    assert line_hashes("same\n" * 150, [3])[3].endswith(":3")
