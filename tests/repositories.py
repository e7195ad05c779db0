"""Small git repositories for tests, made with the real git."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "a",
    "GIT_AUTHOR_EMAIL": "a@example.com",
    "GIT_COMMITTER_NAME": "a",
    "GIT_COMMITTER_EMAIL": "a@example.com",
}


def git(*arguments: str, folder: str | Path = ".") -> str:
    """What git prints; fails the test where git fails."""
    return subprocess.run(
        ["git", "-c", "protocol.file.allow=always", *arguments],
        cwd=folder,
        env=ENVIRONMENT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()


def write(files: Mapping[str, str], folder: str | Path = ".") -> None:
    for name, text in files.items():
        path = Path(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def commit(files: Mapping[str, str], folder: str | Path = ".") -> str:
    """Write the files, add everything and commit; gives the commit. The repository is made where there is none."""
    if not Path(folder, ".git").exists():
        git("init", "-q", "-b", "main", folder=folder)
    write(files, folder)
    git("add", "-A", folder=folder)
    git("commit", "-q", "--allow-empty", "-m", "x", folder=folder)
    return git("rev-parse", "HEAD", folder=folder)


def database(name: str, encrypted: str) -> str:
    """An `aws_db_instance` whose encryption is the given expression."""
    return (
        f'resource "aws_db_instance" "{name}" {{\n  engine            = "postgres"\n'
        f"  storage_encrypted = {encrypted}\n}}\n"
    )
