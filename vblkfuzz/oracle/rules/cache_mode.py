"""The rule of the cache mode: S31. What the driver writes is what it reads, and it is obeyed.

A driver with F_CONFIG_WCE chooses the mode in the field `writeback`. It stays until the driver
writes the field again or resets the device, also in a migration. As long as it is writethrough, a
write is stable when it ends: the device flushes it before it reports that. Judged are writes of
which backend events exist (IO_DONE), so on real devices only what the driver reads. Source: virtio
1.2, 5.2.4, 5.2.5, 5.2.6.2; QEMU virtio_blk_set_config, blk_set_enable_write_cache.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from vblkfuzz.oracle.rule import Report, Situation, rule
from vblkfuzz.oracle.rules.stable import Writethrough
from vblkfuzz.scenario.alphabet.guest import CACHE_MODES, REQUESTS
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace.event import Event
from vblkfuzz.trace.form import word
from vblkfuzz.trace.kinds import (
    FEATURES,
    FLUSHED,
    HOSTILE,
    IO_DONE,
    POP,
    PUSH,
    REQUEST,
    RESET_CALL,
    RESTORED,
    WRITEBACK,
    WRITEBACK_READ,
)
from vblkfuzz.trace.vhost_kinds import VHOST_CONNECTION
from vblkfuzz.trace.witness import Witness

MODE_READ = Situation("cache_mode_read_back", "The driver read the cache mode that it had set.")
THROUGH = Situation(
    "write_in_mode_writethrough",
    "A write ended in the mode writethrough.",
    witnesses=Witness.DEVICE,
)
RESTORED_THROUGH = Situation(
    "saved_in_mode_writethrough",
    "The driver read the cache mode of a restored VM, saved in the mode writethrough.",
)

_THROUGH: Final = CACHE_MODES.index("writethrough")
_ENDED: Final = 0
"""Flag of a VHOST_CONNECTION."""
_WRITES: Final = (REQUESTS.index("out"), REQUESTS.index("write_zeroes"))
"""A discarded sector may have any content, so a discard need not be flushed."""


@rule(
    "S31",
    title="The cache mode that the driver sets is read back; in writethrough a write is flushed.",
    source="virtio 1.2, 5.2.4, 5.2.6.2; QEMU virtio_blk_set_config",
    instead=(
        "A device keeps the mode until the driver changes it, across a migration too. In the mode "
        "writethrough it flushes each write before it pushes it."
    ),
    needs=(
        FEATURES,
        RESET_CALL,
        HOSTILE,
        RESTORED,
        WRITEBACK,
        WRITEBACK_READ,
        REQUEST,
        POP,
        IO_DONE,
        FLUSHED,
        PUSH,
        VHOST_CONNECTION,
    ),
    situations=(MODE_READ, THROUGH, RESTORED_THROUGH),
    witnesses=Witness.GUEST,
    decisive=(WRITEBACK_READ,),
    path="none",
)
def S31(scenario: Scenario, events: Sequence[Event], report: Report) -> None:
    """Judged is a driver from its set-up to the next reset, or until it breaks the protocol.

    Not judged: a mode that it sets while a front-end has no back-end, which could take it.
    It does not notice a reset of the whole system, after which it has no access to the device.
    """
    books = _Books(report)
    for event in events:
        _DO[event.kind](books, event)


class _Books:
    """The mode, and the writes that were made available since it is writethrough."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._mode = Writethrough()
        self._set: Event | None = None
        """The last WRITEBACK; None: the mode is unknown, or a violation of it was reported."""
        self._is_read = False
        """Whether the driver has read the mode since."""
        self._restored = False
        """Whether the VM was restored since then."""
        self._away = False
        """Whether there is no back-end."""
        self._asked: set[tuple[int, int]] = set()
        """Writes that are available, by queue and head."""
        self._running: set[int] = set()
        """Those dequeued, by serial."""
        self._ended: set[int] = set()
        """Those that have ended in the backend, and were not flushed since."""

    def forget(self, event: Event) -> None:
        """A reset or a set-up may choose any mode."""
        self._set = None
        self._mode.forget(event)
        self._drop()

    def _drop(self) -> None:
        for known in (self._asked, self._running, self._ended):
            known.clear()

    def write(self, event: Event) -> None:
        self._set, self._is_read, self._restored = event, False, False
        self._mode.write(event)
        if self._away:
            self._set = None
        if self._mode.since is None:
            self._drop()

    def connection(self, event: Event) -> None:
        self._away = event.flag == _ENDED

    def restored(self, event: Event) -> None:
        self._restored = True

    def read(self, event: Event) -> None:
        if self._set is None or not self._mode.set_up:
            return
        self._mode.read(event)
        self._report.met(MODE_READ)
        if self._restored and self._set.flag == _THROUGH:
            self._report.met(RESTORED_THROUGH)
        if event.value != self._set.flag:
            self._report_read(self._set, event)
            self._set = None
        self._is_read = True

    def _report_read(self, written: Event, read: Event) -> None:
        state = "restored" if self._restored else "changed" if self._is_read else "read_back"
        after = " after a restore of the VM" if self._restored else ""
        sentence = (
            f"The driver set the cache mode {word(CACHE_MODES, written.flag)} at turn "
            f"{written.turn}; it read {read.value} at turn {read.turn}{after} instead of "
            f"{written.flag}."
        )
        self._report.violation(written, read, sentence, state)

    def request(self, event: Event) -> None:
        if self._mode.since is not None and event.flag in _WRITES:
            self._asked.add((event.queue, event.head))
        else:
            self._asked.discard((event.queue, event.head))

    def pop(self, event: Event) -> None:
        if (event.queue, event.head) in self._asked:
            self._asked.remove((event.queue, event.head))
            self._running.add(event.request)

    def end(self, event: Event) -> None:
        if event.request in self._running and event.flag == 0:
            self._ended.add(event.request)
            self._report.met(THROUGH)

    def flush(self, event: Event) -> None:
        if event.request:
            self._ended.discard(event.request)
        else:
            self._ended.clear()

    def push(self, event: Event) -> None:
        self._running.discard(event.request)
        through = self._mode.since
        if event.request in self._ended and through is not None:
            self._ended.remove(event.request)
            sentence = (
                f"The write that was pushed at turn {event.turn} was not flushed before, although "
                f"the cache mode was writethrough since turn {through.turn}."
            )
            state = "restored-not_flushed" if self._restored else "not_flushed"
            self._report.violation(through, event, sentence, state)


_DO: Final = {
    FEATURES: _Books.forget,
    RESET_CALL: _Books.forget,
    HOSTILE: _Books.forget,
    RESTORED: _Books.restored,
    WRITEBACK: _Books.write,
    WRITEBACK_READ: _Books.read,
    REQUEST: _Books.request,
    POP: _Books.pop,
    IO_DONE: _Books.end,
    FLUSHED: _Books.flush,
    PUSH: _Books.push,
    VHOST_CONNECTION: _Books.connection,
}
