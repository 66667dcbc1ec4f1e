"""Care for the corpus of a campaign: inputs that others make needless leave while it runs.

A campaign keeps an input for a feature that was new. Later inputs have that feature too, mostly
more of them, so most of a corpus is needless after a while, and each worker that starts reads it.
When the recorded inputs have doubled, those remain that together have all features
(`feedback.minimal_corpus`).

Only files whose input is on record, under one fingerprint, leave. libFuzzer itself deletes files
that it has found shorter ones for; if one of them is needed, it is written again from the record.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Final

from vblkfuzz.counted import counted
from vblkfuzz.feedback.minimal_corpus import Measured, cover_in_order, order
from vblkfuzz.launch.plan import Message
from vblkfuzz.store.atomic import write_file
from vblkfuzz.store.damaged_inputs import quarantine_damaged
from vblkfuzz.store.feature_counts import merge_counts
from vblkfuzz.store.feature_record import RecordReader, merge_segments
from vblkfuzz.store.input_name import input_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from vblkfuzz.store.feature_record import Entry

LEAST: Final = 512
"""Inputs below which none leave."""
_PAUSE_S: Final = 1.0
"""Seconds between two looks at the record."""


class CorpusCare:
    """Keeps the corpus of an output folder small. One process of a campaign does so.

    Args:
        out: the output folder.
        on_message: called with what is said on the screen.
    """

    def __init__(self, out: Path, on_message: Callable[[Message], None]) -> None:
        """Look at what earlier campaigns have left; no worker runs yet."""
        self._out = out
        self._corpus = out / "corpus"
        self._on_message = on_message
        self._reader = RecordReader(out)
        self._fingerprint = ""
        self._entries: dict[str, Entry] = {}
        """By name: those that remained the last time, and new ones."""
        self._limit = LEAST
        self._next_s = 0.0
        self._complained = False
        self._begin()

    def _begin(self) -> None:
        try:
            quarantine_damaged(self._corpus, self._out / "quarantine", self._say)
            merge_segments(self._out)
            merge_counts(self._out)
            self._read()
            there = set(os.listdir(self._corpus))
            # A file that the user has deleted does not come back.
            self._entries = {name: one for name, one in self._entries.items() if name in there}
            self._reduce_if_many()
        except OSError as error:
            self._complain(error)

    def turn(self) -> None:
        """Take in what workers have recorded; reduce the corpus if it has doubled."""
        now_s = time.monotonic()
        if now_s < self._next_s:
            return
        self._next_s = now_s + _PAUSE_S
        try:
            self._read()
            self._reduce_if_many()
        except OSError as error:
            self._complain(error)

    def _read(self) -> None:
        for fingerprint, entry in self._reader.added():
            if fingerprint != self._fingerprint:
                self._fingerprint, self._entries = fingerprint, {}
            self._entries[entry.name] = entry

    def _reduce_if_many(self) -> None:
        if len(self._entries) >= self._limit:
            self.reduce()
            self._limit = max(LEAST, 2 * len(self._entries))

    def reduce(self) -> None:
        """Remove the files of recorded inputs that have no feature of their own.

        Raises:
            OSError: the folder cannot be read or written.
        """
        needed, there = self._write_needed()
        needless = [name for name in self._entries if name in there and name not in needed]
        for name in needless:
            (self._corpus / name).unlink(missing_ok=True)
        self._entries = {name: self._entries[name] for name in sorted(needed)}
        if needless:
            left = counted(len(needed), "input")
            self._say(f"{left} of {len(there):,} remain: the others had no feature of their own")

    def finish(self) -> None:
        """Write the inputs that are needed and gone, after the last worker has ended."""
        try:
            self._read()
            self._write_needed()
        except OSError as error:
            self._complain(error)

    def _write_needed(self) -> tuple[set[str], set[str]]:
        """Write needed inputs that are gone; return the names of needed ones, and of those there.

        Raises:
            OSError: the folder cannot be read or written.
        """
        there = set(os.listdir(self._corpus))
        needed = {input_name(data) for data in _needed(self._entries.values())}
        for name in sorted(needed - there):
            write_file(self._corpus / name, self._entries[name].data)
        return needed, there

    def _say(self, sentence: str) -> None:
        self._on_message(Message("corpus", sentence))

    def _complain(self, error: OSError) -> None:
        if not self._complained:
            self._complained = True
            self._say(f"{self._corpus}: not looked after: {error.strerror or error}")


def _needed(entries: Iterable[Entry]) -> list[bytes]:
    """Return inputs that together have all features."""
    each = (Measured(one.data, frozenset(one.features)) for one in sorted(entries, key=order))
    return [one.data for one in cover_in_order(each)]
