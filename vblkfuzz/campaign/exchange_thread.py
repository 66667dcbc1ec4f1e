"""The thread that exchanges with the store: what the store does never holds a campaign up.

It is the one thread of the orchestrator. Of a store that is slow, full or gone a line is said, and
it is tried again; all that is to go there is in the output folder, and goes up later, if need be
with the next campaign of this folder.
"""

from __future__ import annotations

import queue
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vblkfuzz.campaign.exchange import Exchange, node_of
from vblkfuzz.errors import UsageError
from vblkfuzz.launch.plan import Message
from vblkfuzz.store.history import LEDGER
from vblkfuzz.store.shared_files import is_url, shared_files
from vblkfuzz.store.shared_store import Beat, SharedStore

if TYPE_CHECKING:
    from vblkfuzz.campaign.options import CampaignOptions
    from vblkfuzz.store.shared_files import SharedFiles
    from vblkfuzz.store.summary import Summary

INTERVAL_S: Final = 30.0
"""Seconds between two exchanges."""
SOON_S: Final = 1.0
"""The same while the first input of the workers is not on record."""
JOIN_S: Final = 5.0
"""Seconds in which a store is to say what it is of, before workers start without knowing."""
LEAVE_S: Final = 5.0
"""Seconds for the last exchange: who is told to leave has ten in all."""
COUNT_S: Final = 5.0
"""Seconds after which a finding is counted, though the store has not taken it yet."""


class ExchangeThread:
    """Exchanges until `finish`.

    Args:
        files: those of the store.
        out: the output folder.
        run: a name of this campaign that no other one has.
        setup: target and device.
    """

    def __init__(self, files: SharedFiles, out: Path, run: str, setup: tuple[str, str]) -> None:
        self._url = files.url
        self._out = out
        self._store = SharedStore(files)
        self._setup = setup
        node = node_of(out)
        self.beat = Beat(node, run, started=_now())
        """What the campaign has done so far; the orchestrator replaces it."""
        self._exchange = Exchange(self._store, out, node, run)
        self._wake = threading.Event()
        self._leaves = False
        self._joined = threading.Event()
        """The store has answered, or failed."""
        self._has_joined = False
        self._refused: UsageError | None = None
        self._problem = ""
        self._told_unreadable = False
        self._said: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="exchange", daemon=True)

    def begin(self) -> None:
        """Begin; wait a moment for the store to say that it is of this target and device.

        Raises:
            UsageError: it is of something else.
        """
        self._thread.start()
        if not self._joined.wait(JOIN_S):
            self._said.put(f"{self._url}: the store has not answered yet; the campaign goes on")
        if self._refused:
            raise self._refused

    def note(self, summary: Summary, workers: int) -> None:
        """Note the figures of now, for the next beat."""
        self.beat = replace(
            self.beat,
            seconds=round(summary.seconds, 1),
            workers=workers,
            execs=summary.execs,
            features=summary.features,
            corpus=summary.corpus,
            seen=dict(summary.seen),
        )

    def publish(self) -> None:
        """Let the thread look for new findings now."""
        self._wake.set()

    def is_first(self, finding: Path) -> bool | None:
        """Whether this node wrote a finding to the store; None: it is not there yet."""
        return self._exchange.published.get(finding)

    def messages(self) -> list[Message]:
        """Return what is to be said, each once."""
        found = []
        while not self._said.empty():
            found.append(Message("warning", self._said.get()))
        return found

    def finish(self) -> None:
        """Exchange a last time, and end; a store that is too slow is left."""
        self._leaves = True
        self._wake.set()
        self._thread.join(LEAVE_S)
        left = self._thread.is_alive()
        if left or self._problem:
            why = "it is slow" if left else self._problem
            rest = f"what it lacks is in {self._out}, and goes up with the next campaign there"
            self._said.put(f"{self._url}: the last exchange has failed: {why}; {rest}")

    # --- In the thread ------------------------------------------------------------------------

    def _run(self) -> None:
        next_s = 0.0
        while not self._refused:
            self._wake.clear()
            leaves = self._leaves
            whole = leaves or time.monotonic() >= next_s
            if whole:
                next_s = time.monotonic() + INTERVAL_S
            self._try(whole=whole, leaves=leaves)
            if self._exchange.waits:
                next_s = min(next_s, time.monotonic() + SOON_S)
            if leaves:
                break
            if not self._leaves:
                self._wake.wait(max(0.0, next_s - time.monotonic()))
        self._exchange.close()

    def _try(self, *, whole: bool, leaves: bool) -> None:
        """Exchange once; note what is wrong, and say it if it is new."""
        before, problem = self._problem, ""
        try:
            self._exchange_once(whole=whole, leaves=leaves)
        except UsageError as error:
            self._refused = error
            if self._joined.is_set():
                self._said.put(str(error))
        except Exception as error:  # whatever a library of a cloud raises: the campaign goes on
            kind = "" if isinstance(error, OSError) else f"{type(error).__name__}: "
            problem = f"{kind}{getattr(error, 'strerror', None) or error}"
        self._problem = problem
        self._joined.set()
        if problem and not before:
            self._said.put(f"{self._url}: {problem}; the campaign goes on, and tries again")
        elif before and not problem and not self._refused:
            self._said.put(f"{self._url}: exchanges again")

    def _exchange_once(self, *, whole: bool, leaves: bool) -> None:
        if self._has_joined:
            self._store.check_there()
        if not self._has_joined or self._problem:
            self._store.join(*self._setup)
            self._has_joined = True
            self._joined.set()
        if not whole:
            self._exchange.publish()
            return
        self._exchange.turn()
        self._say_unreadable()
        beat = replace(self.beat, written=_now(), ended=leaves, problem=self._problem)
        self._store.beat(beat)

    def _say_unreadable(self) -> None:
        """Say once that there are files of others which this node cannot read."""
        paths = list(self._store.unreadable)
        if not paths or self._told_unreadable:
            return
        self._told_unreadable = True
        more = f", and {len(paths) - 1} more" if len(paths) > 1 else ""
        why = self._store.unreadable[paths[0]]
        self._said.put(f"{self._url}: {paths[0]}: {why}{more}: left out")


def check_store(store: str, out: Path) -> None:
    """Check a store as far as that needs no answer of it, before a campaign changes its folder.

    Raises:
        UsageError: it cannot be used, or is an output folder: their parts have the same names.
    """
    if not store:
        return
    shared_files(store)
    place = Path(store)
    if not is_url(store) and (place.absolute() == out.absolute() or (place / LEDGER).exists()):
        raise UsageError(f"{store}: is the output folder of a campaign; choose another --store")


def joined_store(options: CampaignOptions, run: str) -> ExchangeThread | None:
    """Join the store of a campaign, if it has one.

    Raises:
        UsageError: it cannot be used, or is of another device.
    """
    if not options.store:
        return None
    files, setup = shared_files(options.store), (options.target, options.device)
    exchange = ExchangeThread(files, options.out, run, setup)
    exchange.begin()
    return exchange


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
