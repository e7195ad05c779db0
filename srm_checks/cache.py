"""What earlier scans found, by content: a unit whose files have not changed is not read by an engine again.

An entry holds what the unit read (reads.py) and its report. It counts while every one of these reads would give the
same again; all else that has a say (policies, options, versions, the environment) is in its key. The cache is never
needed: where it cannot be read or written, a scan does without it. It holds JSON only, so that a cache that somebody
else has filled can make a scan wrong but cannot run code.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final

from srm_checks import reads
from srm_checks.facts import Facts
from srm_checks.reads import Kind, States

if TYPE_CHECKING:
    from srm_checks.unit_report import UnitReport

FILE: Final = "results.sqlite"
MAX_BYTES: Final = 256 * 1024 * 1024  # of reports and packs; the least recently used go first
VARIANTS: Final = 6  # states of one unit that are kept, so that changing branches costs nothing
_SHAPE: Final = 2  # of the tables
_DAY: Final = 86_400
_WAIT: Final = 3.0  # seconds for another scan's writing
_TABLES: Final = """
CREATE TABLE units (
    id INTEGER PRIMARY KEY, key TEXT NOT NULL, reads TEXT NOT NULL, whole INTEGER NOT NULL, day TEXT NOT NULL,
    report TEXT NOT NULL, seconds REAL NOT NULL, used INTEGER NOT NULL
);
CREATE INDEX units_key ON units (key);
CREATE TABLE packs (key TEXT PRIMARY KEY, body TEXT NOT NULL, used INTEGER NOT NULL);
CREATE TABLE answers (key TEXT PRIMARY KEY, body TEXT NOT NULL, used INTEGER NOT NULL);
"""
_DAMAGE: Final = (ValueError, KeyError, TypeError, IndexError)


def default_folder() -> str:
    """The user's cache folder for this tool, by the custom of the system."""
    if os.name == "nt" and os.environ.get("LOCALAPPDATA"):
        return os.path.join(os.environ["LOCALAPPDATA"], "srm-checks", "cache")
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(base, "srm-checks")


class Cache:
    """An open cache. Everything fails softly: what cannot be read is not there, what cannot be written is not kept."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.problem: str | None = None
        self._used: set[int] = set()
        self._base = self._open()

    def __enter__(self) -> Cache:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # ---------------------------------------------------------------- units

    def find(self, key: str, states: States, *, whole: bool, today: str) -> UnitReport | None:
        """The report of a unit, if all that it rests on is still the same. `whole`: with what is met."""
        from srm_checks import unit_json

        for number, read, is_whole, day in self._rows(
            "SELECT id, reads, whole, day FROM units WHERE key = ? ORDER BY id DESC", key
        ):
            if whole > is_whole or day not in ("", today):
                continue
            try:
                entries = json.loads(read)
                if any(states.of(kind, path) != state for kind, path, state in entries):
                    continue
                ((text,),) = self._rows("SELECT report FROM units WHERE id = ?", number)
                report = unit_json.load(text)
            except _DAMAGE:
                _debug("a damaged entry of %s is dropped", self.folder)
                self._change("DELETE FROM units WHERE id = ?", number)
                continue
            self._used.add(number)
            reads.taken(entries)
            return report if whole or not is_whole else _open_only(report)
        return None

    def keep(
        self,
        key: str,
        report: UnitReport,
        rests_on: Mapping[tuple[Kind, str], str],
        *,
        whole: bool,
        today: str,
        seconds: float,
    ) -> None:
        """Remember a report, with the states of all that was read for it."""
        from srm_checks import unit_json

        read = json.dumps([[kind, path, state] for (kind, path), state in sorted(rests_on.items())])
        day = today if report.dated else ""
        self._change("DELETE FROM units WHERE key = ? AND reads = ? AND day = ?", key, read, day)
        self._change(
            "INSERT INTO units (key, reads, whole, day, report, seconds, used) VALUES (?, ?, ?, ?, ?, ?, ?)",
            key, read, int(whole), day, unit_json.dump(report), seconds, int(time.time()),
        )  # fmt: skip
        self._change(
            "DELETE FROM units WHERE key = ? AND id NOT IN "
            "(SELECT id FROM units WHERE key = ? ORDER BY id DESC LIMIT ?)",
            key, key, VARIANTS,
        )  # fmt: skip

    def seconds(self, key: str) -> float | None:
        """What judging the unit last cost; None if it is not known."""
        return next(
            (row[0] for row in self._rows("SELECT seconds FROM units WHERE key = ? ORDER BY id DESC", key)), None
        )

    # ---------------------------------------------------------------- packs and answers

    def pack(self, key: str) -> Any:
        """Plain data kept under a key; None if there is none."""
        return self._body("packs", key)

    def keep_pack(self, key: str, body: Any) -> None:
        """Remember plain data under a key."""
        self._keep_body("packs", key, body)

    def answer(self, key: str) -> Any:
        """What a whole scan once said (replay.py), as plain data; None if there is none."""
        return self._body("answers", key)

    def keep_answer(self, key: str, body: Any) -> None:
        """Remember what a whole scan said."""
        self._keep_body("answers", key, body)

    def _body(self, table: str, key: str) -> Any:
        for (body,) in self._rows(f"SELECT body FROM {table} WHERE key = ?", key):
            try:
                return json.loads(body)
            except ValueError:
                self._change(f"DELETE FROM {table} WHERE key = ?", key)
        return None

    def _keep_body(self, table: str, key: str, body: Any) -> None:
        self._change(
            f"INSERT OR REPLACE INTO {table} (key, body, used) VALUES (?, ?, ?)",
            key,
            json.dumps(body),
            int(time.time()),
        )

    @contextlib.contextmanager
    def facts(self) -> Iterator[Facts]:
        """What is known of the files below and around the working directory; what is found out meanwhile is kept."""
        from srm_checks.versions import code_mark

        key = digest(["files", os.getcwd(), code_mark()])
        known = self.pack(key)
        facts = Facts(known if isinstance(known, dict) else None)
        yield facts
        found = facts.kept()
        if found is not None:
            self.keep_pack(key, found)

    # ---------------------------------------------------------------- the file

    def close(self) -> None:
        """Write what is to be kept, in bounds."""
        if self._base is None:
            return
        self._mark_used()
        self._shrink()
        with self._softly():
            self._base.commit()
        base, self._base = self._base, None
        if base is not None:
            with contextlib.suppress(sqlite3.Error):
                base.close()

    def _mark_used(self) -> None:
        """Note the use of entries, once a day for each: a scan that finds all should write nothing."""
        now = int(time.time())
        for number in self._used:
            for (used,) in self._rows("SELECT used FROM units WHERE id = ?", number):
                if now - used > _DAY:
                    self._change("UPDATE units SET used = ? WHERE id = ?", now, number)

    def _shrink(self) -> None:
        if self._base is None or not self._base.in_transaction:
            return
        for table, column in (("units", "report"), ("packs", "body"), ("answers", "body")):
            key = "id" if table == "units" else "key"
            rows = list(self._rows(f"SELECT {key}, length({column}) FROM {table} ORDER BY used DESC"))
            total = 0
            for name, size in rows:
                total += size
                if total > MAX_BYTES:
                    self._change(f"DELETE FROM {table} WHERE {key} = ?", name)

    def _open(self) -> sqlite3.Connection | None:
        """The open file; a damaged one is made anew."""
        for attempt in range(2):
            try:
                return self._connected()
            except sqlite3.DatabaseError as error:
                if attempt or _is_busy(error) or not self._removed():
                    self._give_up(str(error))
                    break
            except OSError as error:
                self._give_up(error.strerror or str(error))
                break
        return None

    def _removed(self) -> bool:
        try:
            os.unlink(os.path.join(self.folder, FILE))
        except OSError:
            return False
        return True

    def _connected(self) -> sqlite3.Connection:
        if not os.path.isdir(self.folder):
            _make(self.folder)
        base = sqlite3.connect(os.path.join(self.folder, FILE), timeout=_WAIT)
        try:
            base.execute("PRAGMA synchronous = OFF")
            (shape,) = base.execute("PRAGMA user_version").fetchone()
            if shape != _SHAPE:
                base.execute("BEGIN IMMEDIATE")
                (shape,) = base.execute("PRAGMA user_version").fetchone()  # another scan may have been here
                if shape != _SHAPE:
                    for table in ("units", "packs", "answers"):
                        base.execute(f"DROP TABLE IF EXISTS {table}")
                    for statement in _TABLES.split(";"):
                        base.execute(statement)
                    base.execute(f"PRAGMA user_version = {_SHAPE}")
                base.commit()
            base.execute("SELECT count(*) FROM units WHERE id = 0").fetchone()
        except BaseException:
            base.close()
            raise
        return base

    def _rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        if self._base is not None:
            with self._softly():
                return self._base.execute(query, values).fetchall()
        return []

    def _change(self, query: str, *values: object) -> None:
        if self._base is not None:
            with self._softly():
                self._base.execute(query, values)

    @contextlib.contextmanager
    def _softly(self) -> Iterator[None]:
        """A fault of the file ends its use; the scan goes on."""
        try:
            yield
        except sqlite3.Error as error:
            base, self._base = self._base, None
            self._give_up(str(error))
            if base is not None:
                with contextlib.suppress(sqlite3.Error):
                    base.close()
            if not isinstance(error, sqlite3.OperationalError):
                self._removed()  # a damaged file: the next scan makes a new one

    def _give_up(self, why: str) -> None:
        self.problem = why
        _debug("the cache in %s is not used: %s", self.folder, why)


def _debug(message: str, *values: object) -> None:
    import logging  # which costs more than all else that a warm scan does with the cache's file

    logging.getLogger(__name__).debug(message, *values, exc_info=True)


def _is_busy(error: sqlite3.DatabaseError) -> bool:
    return "locked" in str(error) or "busy" in str(error)


def _make(folder: str) -> None:
    """A cache folder that backups, git and our own scans leave alone."""
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, ".gitignore"), "w", encoding="utf-8") as stream:
        stream.write("*\n")
    tag = "Signature: 8a477f597d28d172789f06886806bc55\n# The cache of srm-checks; it can be removed at any time.\n"
    with open(os.path.join(folder, "CACHEDIR.TAG"), "w", encoding="utf-8") as stream:
        stream.write(tag)


def _open_only(report: UnitReport) -> UnitReport:
    from dataclasses import replace

    from srm_checks.unit_report import OPEN

    return replace(report, findings=tuple(finding for finding in report.findings if finding.outcome in OPEN))


def digest(parts: Iterable[object]) -> str:
    """One mark for the values, each by its repr."""
    mark = hashlib.sha256()
    for part in parts:
        mark.update(repr(part).encode("utf-8", "surrogateescape"))
        mark.update(b"\0")
    return mark.hexdigest()
