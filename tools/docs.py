"""Write the documentation that is made from the code. Run: python tools/docs.py"""

from __future__ import annotations

import os
from pathlib import Path

from srm_checks.guide.pages import pages
from srm_checks.policy.reference import markdown

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    os.chdir(ROOT)
    (ROOT / "docs" / "policy-language.md").write_text(markdown(), encoding="utf-8")
    folder = ROOT / "docs" / "policies"
    folder.mkdir(exist_ok=True)
    current = pages()
    for page in folder.glob("*.md"):
        if page.stem not in current:
            page.unlink()  # of a policy that is gone, or has another name
    for name, text in current.items():
        (folder / f"{name}.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
