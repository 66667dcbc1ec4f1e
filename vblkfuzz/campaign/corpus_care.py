"""Care for the corpus of a campaign: inputs that others make needless leave while it runs.

A campaign keeps an input for a feature that was new. Later inputs have that feature too, mostly
more of them, so most of a corpus is needless after a while, and each worker that starts reads it.
When the recorded inputs have doubled, those remain that together have all features
(`feedback.minimal_corpus`).

Only files whose input is on record, under one fingerprint, leave, and none on a real device.
libFuzzer itself deletes files that it has found shorter ones for; if one of them is needed, it is
written again from the record.

The orchestrator has other work: what is to be done comes in steps, of which each turn does as many
as there is time for.
"""

from __future__ import annotations

import os
import time
from math import inf
from typing import TYPE_CHECKING, Final

from vblkfuzz.counted import counted
from vblkfuzz.feedback.minimal_corpus import Cover, Measured, cover
from vblkfuzz.launch.plan import Message
from vblkfuzz.store.atomic import write_file
from vblkfuzz.store.damaged_inputs import quarantine_damaged
from vblkfuzz.store.feature_counts import merge_counts
from vblkfuzz.store.feature_record import RecordReader, merge_segments
from vblkfuzz.store.input_name import input_name

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from pathlib import Path

    from vblkfuzz.store.feature_record import Entry

LEAST: Final = 512
"""Inputs below which none leave."""
_PAUSE_S: Final = 1.0
"""Seconds between two looks at the record."""
_SLICE_S: Final = 0.1
"""Seconds of work in one turn."""
_LAST_S: Final = 2.0
"""Seconds for files to leave after the last worker has ended: some disks take 3 ms for each. The
next campaign in the folder goes on with it."""


class CorpusCare:
    """Keeps the corpus of an output folder small. One process of a campaign does so.

    Args:
        out: the output folder.
        on_message: called with what is said on the screen.
        exact: an input shows the same features each time, as on the model. Else none leaves: what
            made it needless may have shown a feature by chance.
    """

    def __init__(
        self, out: Path, on_message: Callable[[Message], None], *, exact: bool = True
    ) -> None:
        """Put damaged files of earlier campaigns away; no worker runs yet."""
        self._out = out
        self._exact = exact
        self._corpus = out / "corpus"
        self._on_message = on_message
        self._reader = RecordReader(out)
        self._fingerprint = ""
        self._cover = Cover()
        self._entries: dict[bytes, Entry] = {}
        """Those of the cover, by input."""
        self._needless: set[str] = set()
        """Names of recorded inputs whose files are to leave."""
        self._limit = LEAST
        """Of how many recorded inputs some leave."""
        self._many = LEAST
        """Of how many inputs in the cover it is made anew, with fewer."""
        self._work: Iterator[None] | None = None
        self._next_s = 0.0
        self._end_s = inf
        """When no more files are to leave, as `time.monotonic`."""
        self._complained = False
        try:
            quarantine_damaged(self._corpus, out / "quarantine", self._say)
        except OSError as error:
            self._complain(error)

    def begin(self) -> None:
        """Take over what earlier campaigns have recorded; no worker runs yet."""
        try:
            merge_segments(self._out)
            merge_counts(self._out)
            if not self._exact:
                return
            # A file that the user has deleted does not come back.
            self._work = self._steps(set(os.listdir(self._corpus)))
            next(self._work)  # it has opened the record, to which no worker has added anything
        except OSError as error:
            self._complain(error)

    def turn(self) -> None:
        """Take in what workers have recorded; reduce the corpus if it has doubled."""
        now_s = time.monotonic()
        if self._work is None:
            if now_s < self._next_s or not self._exact:
                return
            self._work = self._steps()
        try:
            for _ in self._work:
                if time.monotonic() >= now_s + _SLICE_S:
                    return
        except OSError as error:
            self._complain(error)
        self._work, self._next_s = None, time.monotonic() + _PAUSE_S

    def reduce(self) -> None:
        """Remove the files of recorded inputs that have no feature of their own.

        Raises:
            OSError: the folder cannot be read or written.
        """
        self._read()
        for _ in self._reducing(thin=True):
            pass

    def finish(self) -> None:
        """Write the inputs that are needed and gone, after the last worker has ended."""
        if not self._exact:
            return
        self._end_s = time.monotonic() + _LAST_S
        try:
            self._read()
            for _ in self._writing(set(os.listdir(self._corpus))):
                pass
        except OSError as error:
            self._complain(error)

    @property
    def _is_late(self) -> bool:
        """Whether what can be left to the next campaign is left to it."""
        return time.monotonic() >= self._end_s

    def _read(self) -> None:
        """Take in all that is on record."""
        for work in (self._work, self._steps()):
            for _ in work or ():
                pass
        self._work = None

    # --- In steps: each `yield` is a place to go on with other work -----------------------------

    def _steps(self, there: Collection[str] | None = None) -> Iterator[None]:
        """Take in what is new on record, of files with these names, None: of all; reduce if many.

        Raises:
            OSError: the folder cannot be read or written.
        """
        added = self._reader.added()
        yield
        for fingerprint, entry in added:
            if there is None or entry.name in there:
                self._take(fingerprint, entry)
            if len(self._cover) + len(self._needless) >= self._limit and not self._is_late:
                yield from self._reducing(thin=len(self._cover) >= self._many)
            yield

    def _take(self, fingerprint: str, entry: Entry) -> None:
        if fingerprint != self._fingerprint:
            self._fingerprint = fingerprint
            self._cover, self._entries, self._needless = Cover(), {}, set()
        for data in self._cover.add(entry.data, entry.features):
            self._needless.add(input_name(data))
            self._entries.pop(data, None)
        if entry.data in self._cover:
            self._entries[entry.data] = entry
            self._needless.discard(entry.name)

    def _reducing(self, *, thin: bool) -> Iterator[None]:
        """Remove files that are needless; `thin`: also those whose features are in several others.

        Raises:
            OSError: the folder cannot be read or written.
        """
        if thin:
            self._thin()
        there = set(os.listdir(self._corpus))
        yield from self._writing(there)
        needless = self._needless & there
        for name in sorted(needless):
            if self._is_late:
                return
            (self._corpus / name).unlink(missing_ok=True)
            yield
        self._needless.clear()
        remain = len(there) - len(needless)
        # Each time a good part of the folder leaves, also while most of it has not run yet.
        self._limit = max(LEAST, 2 * len(self._cover), remain // 4)
        if needless:
            left = counted(remain, "input")
            self._say(f"{left} of {len(there):,} remain: the others had no feature of their own")

    def _thin(self) -> None:
        features = {data: frozenset(one.features) for data, one in self._entries.items()}
        kept = {one.data for one in cover(Measured(*one) for one in features.items())}
        self._needless.update(input_name(data) for data in features.keys() - kept)
        self._cover, self._entries = Cover(), {data: self._entries[data] for data in sorted(kept)}
        for data in self._entries:
            self._cover.add(data, features[data])
        self._many = max(LEAST, 2 * len(kept))

    def _writing(self, there: Collection[str]) -> Iterator[None]:
        """Write needed inputs whose files are gone.

        Raises:
            OSError: the folder cannot be written.
        """
        for data in self._entries:
            if (name := input_name(data)) not in there:
                write_file(self._corpus / name, data)
                yield

    def _say(self, sentence: str) -> None:
        self._on_message(Message("corpus", sentence))

    def _complain(self, error: OSError) -> None:
        if not self._complained:
            self._complained = True
            self._say(f"{self._corpus}: not looked after: {error.strerror or error}")
