"""The line hash by which GitHub code scanning knows an alert again after its line has moved.

The upload action of GitHub computes `primaryLocationLineHash` where a SARIF file lacks it: for each line a polynomial
hash over the 100 UTF-16 code units from the line's start, blanks and tabs left out, line ends counted as one line
feed, the end of the file as U+FFFF and then zeros. Equal hashes in one file are told apart by a running number.
Emitting the same value makes the alert the same one whichever side computes it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Final

_WINDOW: Final = 100
_FACTOR: Final = 37
_MASK: Final = (1 << 64) - 1
_END: Final = "\uffff"
_BLANKS: Final = {ord(" "): None, ord("\t"): None}
_ASTRAL: Final = re.compile("[\U00010000-\U0010ffff]")


def line_hashes(text: str, lines: Iterable[int]) -> dict[int, str]:
    """The hash of each of `lines` (counted from 1), as `hex:number`; lines that the text does not have are left out."""
    windows = _windows(text)
    wanted = set(lines)
    seen: Counter[str] = Counter()
    found = {}
    for number, window in enumerate(windows, start=1):
        seen[window] += 1
        if number in wanted:
            found[number] = f"{_hash(window):x}:{seen[window]}"
    return found


def _windows(text: str) -> list[str]:
    """For each line the code units that its hash covers."""
    units = _ASTRAL.sub(_surrogates, text.replace("\r\n", "\n").replace("\r", "\n").translate(_BLANKS))
    padded = units + _END + "\0" * _WINDOW
    starts = [0, *(match.end() for match in re.finditer("\n", units))]
    return [padded[start : start + _WINDOW] for start in starts]


def _surrogates(match: re.Match[str]) -> str:
    high, low = divmod(ord(match.group()) - 0x10000, 0x400)
    return chr(0xD800 + high) + chr(0xDC00 + low)


def _hash(window: str) -> int:
    value = 0
    for unit in window:
        value = (value * _FACTOR + ord(unit)) & _MASK
    return value
