"""Names as an attacker would choose them: each format must show them and do nothing."""

from __future__ import annotations

from typing import Final

SCRIPT: Final = "<script>alert(1)</script>"

HOSTILE: Final = (
    SCRIPT,
    "<img src=http://e.invalid/x onerror=y>",
    "x' onmouseover='y",
    'x" autofocus onfocus="y',
    "]]>",
    "<!--",
    "&lt;b&gt;",
    "a|b",
    "a\\|b",
    "a`b``c",
    "`",
    "[l](http://e.invalid)",
    "![i](http://e.invalid)",
    "@everyone #1 http://e.invalid",
    "# h",
    "=cmd()",
    "+1",
    "-1+1",
    "@SUM(A1)",
    "a,b",
    'a"b',
    "::error::x",
    "##[add-mask]x",
    "%0A::error::x",
    "\n::error::x",
    "\r\n| a | b |",
    "100%",
    "\x1b[31mred\x1b]0;t\x07",
    "\u202etxt.exe",
    "caf\u00e9 \u65e5\u672c \U0001f600",
    "\x00\x08\ufffe\udc80",
)
