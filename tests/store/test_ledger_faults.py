"""Whatever happens to a ledger while rows are recorded: in the end it has each of them, once."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from vblkfuzz.store import ledger as ledger_module
from vblkfuzz.store.history import read_history
from vblkfuzz.store.ledger import Ledger
from vblkfuzz.store.summary import Finding

SIGNATURES = st.sampled_from([f"s{number}-x" for number in range(1, 6)])
_ENOUGH_PAGES = 1 << 30


class Recorded(RuleBasedStateMachine):
    """Records rows, with locks, a full disk, and files that are deleted or replaced."""

    def __init__(self) -> None:
        super().__init__()
        self._patch = pytest.MonkeyPatch()
        self._patch.setattr(ledger_module, "_RETRY_S", 0.0)
        self._patch.setattr("vblkfuzz.store.ledger_file._BUSY_MS", 0)
        self._folder = Path(tempfile.mkdtemp())
        self._path = self._folder / "campaign.sqlite"
        self._lock: sqlite3.Connection | None = None
        self._findings: list[str] = []
        self._seen: Counter[str] = Counter()
        self._met: set[str] = set()
        self._execs = 0
        self._ledger = Ledger(self._path)
        self._ledger.begin("2026-01-01T00:00:00+00:00", "reference", "inline", 1, 1)

    def _pages(self, number: int) -> None:
        """Let the disk have room for so many pages; it never becomes smaller than the file."""
        self._ledger._file._db.execute(f"PRAGMA max_page_count = {number}").fetchall()

    @rule(signature=SIGNATURES)
    def finding(self, signature: str) -> None:
        self._ledger.finding(Finding(signature, "S1", 1, float(len(self._findings)), "path"))
        self._findings.append(signature)

    @rule(signature=SIGNATURES, count=st.integers(1, 9))
    def seen(self, signature: str, count: int) -> None:
        self._ledger.seen(signature, count)
        self._seen[signature] += count

    @rule(names=st.sets(st.integers(0, 99).map(lambda number: f"met-{number}" * 99), max_size=5))
    def situations(self, names: set[str]) -> None:
        for name in sorted(names):
            self._ledger.situation(name, 1.0)
        self._met |= names

    @rule(execs=st.integers(1, 9))
    def progress(self, execs: int) -> None:
        self._execs += execs
        self._ledger.progress(float(self._execs), self._execs, 1, (0, 0))

    @precondition(lambda self: self._lock is None)
    @rule(kind=st.sampled_from(["IMMEDIATE", "EXCLUSIVE"]))
    def lock(self, kind: str) -> None:
        self._lock = sqlite3.connect(self._path, isolation_level=None)
        self._lock.execute(f"BEGIN {kind}")

    @precondition(lambda self: self._lock is not None)
    @rule()
    def let_go(self) -> None:
        assert self._lock is not None
        self._lock.close()
        self._lock = None

    @rule()
    def disk_is_full(self) -> None:
        self._pages(1)

    @rule()
    def disk_has_room(self) -> None:
        self._pages(_ENOUGH_PAGES)

    @precondition(lambda self: self._lock is None)
    @rule(replaced=st.booleans())
    def file_is_gone(self, replaced: bool) -> None:
        """It is noticed with the next row; nobody has opened what has its name by then."""
        self._path.unlink()
        if replaced:
            self._path.write_bytes(b"of somebody")
        self.situations({"next"})

    @precondition(lambda self: self._lock is None)
    @rule()
    def process_is_killed(self) -> None:
        """Its files are as they are now; SQLite has no thread that would write later."""
        self._pages(_ENOUGH_PAGES)
        self._ledger.situation("last", 1.0)
        self._met.add("last")
        assert self._ledger.problem == ""
        copy = self._folder / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        copy.mkdir()
        for end in ("", "-wal"):
            file = Path(f"{self._path}{end}")
            if file.exists():
                shutil.copy(file, copy)
        self._compare(copy / "campaign.sqlite")

    @invariant()
    def what_waits_is_said(self) -> None:
        assert bool(self._ledger._waiting) == bool(self._ledger.problem)

    def _compare(self, path: Path) -> None:
        history = read_history(path)
        (record,) = history.campaigns
        assert Counter(record.findings) == Counter(self._findings)
        assert set(record.met) == self._met
        assert record.execs == self._execs
        counted = {name: one.count for name, one in history.sightings.items()}
        assert counted == {name: self._seen[name] for name in self._findings}

    def teardown(self) -> None:
        try:
            if self._lock is not None:
                self._lock.close()
            self._pages(_ENOUGH_PAGES)
            self._ledger.end("now", 77)
            self._ledger.close()
            assert self._ledger.problem == ""
            self._compare(self._path)
            kinds = {path.name.partition(".other")[0] for path in self._folder.iterdir()}
            assert kinds <= {"campaign.sqlite", "copy"}
            others = self._folder.glob("campaign.sqlite.other-*")
            assert all(one.read_bytes() == b"of somebody" for one in others)
        finally:
            self._patch.undo()
            shutil.rmtree(self._folder)


TestRecorded = Recorded.TestCase
TestRecorded.settings = settings(
    max_examples=20, stateful_step_count=15, deadline=None, phases=[Phase.explicit, Phase.generate]
)
"""Without shrinking: an example takes half a second, because SQLite waits for the disk."""
