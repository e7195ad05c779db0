"""Write the documentation that is made from the code. Run: python tools/docs.py"""

from __future__ import annotations

from pathlib import Path

from srm_checks.policy.reference import markdown

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    (ROOT / "docs" / "policy-language.md").write_text(markdown(), encoding="utf-8")


if __name__ == "__main__":
    main()
