"""The rule of data: S14.

The n-th request of the driver writes the data n, so the data that a read finds (SECTOR) identifies
the request that wrote it. A request runs from its pop to its push; requests whose times overlap may
take effect in any order. `oracle.rules.disk` computes the data that a read may find. A read that
the backend has failed, and that ended OK all the same, finds such data or has left its buffer as it
was, as far as its used length goes. On the model the disk itself is compared in the end (DISK), so
that a mistake in a sector that no read shows is found, too. The rule also covers requests beyond
the end of a resized disk. Source: virtio 1.2, 5.2.6; QEMU virtio_blk_sect_range_ok,
blk_check_byte_request.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from vblkfuzz.limits import SECTOR_SIZE
from vblkfuzz.oracle.rule import Report, Situation, rule
from vblkfuzz.oracle.rules.accesses import RANGED, Access, Accesses
from vblkfuzz.oracle.rules.disk import ANYTHING, UNKNOWN, ZEROES, Disk
from vblkfuzz.oracle.rules.stable import Stable
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace.ending import NO_STATUS
from vblkfuzz.trace.event import UNTOUCHED, Event
from vblkfuzz.trace.kinds import (
    COLLECT,
    DISK,
    FEATURES,
    FLUSHED,
    HOSTILE,
    IO_DONE,
    POP,
    POWER_LOSS,
    PUSH,
    QUEUE_RESET,
    REQUEST,
    RESET_CALL,
    RESET_RET,
    RESIZE,
    SECTOR,
    SHAPE,
    WRITEBACK,
    WRITEBACK_READ,
)
from vblkfuzz.trace.sector_data import UNWRITTEN
from vblkfuzz.trace.witness import Witness
from vblkfuzz.virtio.request.blk import BlkStatus

READ_BACK = Situation("data_read_back", "A read found what a request had written.")
READ_BESIDE = Situation("read_beside_write", "A read could find the data of several requests.")
AT_REST = Situation(
    "disk_at_rest", "The disk held what a request had written at the end.", witnesses=Witness.DEVICE
)
READ_LATER = Situation("data_read_after_reset", "A read found data of an earlier epoch.")
READ_AFTER_LOSS = Situation(
    "data_read_after_power_loss", "A read after a power loss found data.", witnesses=Witness.DEVICE
)
READ_STABLE = Situation(
    "data_read_after_power_loss_without_flush",
    "A read after a loss of power found data that was written without F_FLUSH.",
    witnesses=Witness.DEVICE,
)
READ_THROUGH = Situation(
    "data_read_after_power_loss_in_writethrough",
    "A read after a loss of power found data that was written in the mode writethrough.",
    witnesses=Witness.DEVICE,
)
RESIZE_IN_USE = Situation("resize_with_request_in_use", "A resize met a request in use.")

_STABLE: Final = {Stable.DECLINED: READ_STABLE, Stable.WRITETHROUGH: READ_THROUGH}
_WHY: Final = {
    Stable.DECLINED: ("not_stable", "without F_FLUSH"),
    Stable.WRITETHROUGH: ("not_through", "in the mode writethrough"),
}
"""State and words of what overwrites data for good."""

_OK, _IOERR = int(BlkStatus.OK), int(BlkStatus.IOERR)
_SHOWS: Final = frozenset({SECTOR, DISK})


@rule(
    "S14",
    title="A read finds what was written last; a flush, or its end without F_FLUSH or in the mode "
    "writethrough, makes it last; the capacity is respected.",
    source="virtio 1.2, 5.2.4, 5.2.5.2, 5.2.6.2; QEMU virtio_blk_sect_range_ok, "
    "blk_check_byte_request",
    instead="A write takes effect between its dequeue and its push, or never, and before a flush.",
    needs=(
        FEATURES,
        SHAPE,
        REQUEST,
        POP,
        IO_DONE,
        PUSH,
        COLLECT,
        SECTOR,
        DISK,
        FLUSHED,
        HOSTILE,
        QUEUE_RESET,
        RESET_CALL,
        RESET_RET,
        RESIZE,
        POWER_LOSS,
        WRITEBACK,
        WRITEBACK_READ,
    ),
    situations=(
        READ_BACK,
        READ_BESIDE,
        READ_LATER,
        READ_AFTER_LOSS,
        READ_STABLE,
        READ_THROUGH,
        RESIZE_IN_USE,
        AT_REST,
    ),
    witnesses=Witness.GUEST | Witness.MEMORY | Witness.POP | Witness.DISK,
    handlers_alike=True,
    leads_to=("S14",),
    leads_to_in={
        "refused": ("S21",),
        "no_status": ("S21",),  # the same, on a device that shows less
        "unwritten": ("S24",),  # data may come late
    },
)
def S14(scenario: Scenario, events: Sequence[Event], report: Report) -> None:
    """Nothing is judged from when the guest breaks the protocol to the next reset of the device.

    Its requests are undefined then. What they may have written is unknown after that.
    """
    shown = frozenset([event.head for event in events if event.kind in _SHOWS])
    disks = [Disk(events[0], shown) for _ in range(scenario.device.units)]
    accesses = Accesses(scenario.device, disks)
    books = _Books(accesses, disks, report)
    running, pushed = accesses.running, accesses.pushed
    for time, event in enumerate(events):
        kind = event.kind
        if kind == REQUEST:
            accesses.ask(event)
        elif kind == POP:
            accesses.begin(event, time)
        elif kind == IO_DONE:
            if event.request in running:
                running[event.request].failed = event.flag != 0
        elif kind == PUSH:
            access = accesses.ended(event, time)
            if access is not None and (event.flag == _IOERR or access.end > accesses.least):
                books.refused_or_not(access, event)
        elif kind == COLLECT:
            books.collected = access = pushed.pop((event.queue, event.head), None)
            books.length = event.length
            if access is not None and event.flag == NO_STATUS:
                books.no_status(access, event)
        elif kind == SECTOR:
            books.sector(event)
        else:
            _RARE[kind](books, event, time)


class _Books:
    """Judges what the guest and the harness find."""

    __slots__ = (
        "_accesses",
        "_disks",
        "_hostile",
        "_power_lost_at",
        "_report",
        "_reset_at",
        "_resize",
        "collected",
        "length",
    )

    def __init__(self, accesses: Accesses, disks: Sequence[Disk], report: Report) -> None:
        self._report = report
        self._accesses = accesses
        self._disks = disks
        """By unit."""
        self._resize: Event | None = None
        self._power_lost_at = -1
        self._hostile = False
        self._reset_at = -1
        self.collected: Access | None = None
        """What the guest has collected last."""
        self.length = 0
        """The used length of that, bytes."""

    def refused_or_not(self, access: Access, push: Event) -> None:
        """A request beyond the end is refused, whatever becomes of errors; others are not.

        S29 and S30 are about those that must be refused for another reason.
        """
        if self._hostile or access.code not in RANGED:
            return
        low, high = self._accesses.capacities(access)
        if push.flag == _OK and access.end > high:
            what, sectors, state = "ended well", high, "beyond_end"
        elif push.flag == _IOERR and access.end <= low and not (access.answer or access.failed):
            what, sectors, state = "was refused", low, "refused"
        else:
            return
        first = self._resize or access.pop
        sentence = (
            f"Request {push.request}, of the sectors below {access.end}, {what} at turn "
            f"{push.turn}, although the disk had {sectors} (turn {first.turn})."
        )
        self._report.violation(first, push, sentence, state)

    def no_status(self, access: Access, collect: Event) -> None:
        if self._hostile:
            return
        sentence = (
            f"The guest found no status that the standard knows at turn {collect.turn}, for a "
            f"request that was dequeued at turn {access.pop.turn} and pushed."
        )
        self._report.violation(access.pop, collect, sentence, "no_status")

    def sector(self, event: Event) -> None:
        access = self.collected
        if access is None or self._hostile or event.flag == UNWRITTEN:
            return
        allowed = access.allowed.get(event.head, ())
        if ANYTHING in allowed:
            return
        if UNKNOWN in allowed:
            self._learn(access, event)
            return
        if access.failed and not self._counts(access, event.head):
            return
        left = access.failed and event.value == UNTOUCHED
        if event.flag or (event.value not in allowed and not left):
            self._report_data(access, event)
            return
        if access.failed:  # what it found, if anything, decides nothing
            return
        if event.value != ZEROES:
            self._note(access, event, len(allowed))
        if len(allowed) > 1:
            access.disk.found(event.head, event.value, access.begin, access.pushed, event)

    def _counts(self, access: Access, sector: int) -> bool:
        """Whether the used length covers a sector: a driver must not look at more (2.7.8.3)."""
        return (sector - access.first + 1) * SECTOR_SIZE <= self.length

    def _learn(self, access: Access, found: Event) -> None:
        """Expect an unknown sector to keep what a read has found there."""
        if not (found.flag or access.failed or found.value == UNTOUCHED):
            access.disk.learn(found.head, found.value, access.begin, access.pushed, found)

    def _note(self, access: Access, found: Event, choices: int) -> None:
        self._report.met(READ_BACK)
        if choices > 1:
            self._report.met(READ_BESIDE)
        if self._power_lost_at >= 0:
            self._report.met(READ_AFTER_LOSS)
        write = access.disk.last(found.head, found.value)
        if write is not None and write.stable and write.end <= self._power_lost_at:
            self._report.met(_STABLE[write.stable])
        if write is not None and write.begin < self._reset_at:
            self._report.met(READ_LATER)

    def _report_data(self, access: Access, found: Event) -> None:
        first, state, why = _overwriting(access.disk, found, access.begin) or (
            access.pop,
            "unwritten",
            "which no request had written there; it was dequeued",
        )
        of_unit = f" of unit {access.unit}" if len(self._disks) > 1 else ""
        sentence = (
            f"A read found {_data(found)} in sector {found.head}{of_unit} at turn {found.turn}, "
            f"{why} at turn {first.turn}."
        )
        self._report.violation(first, found, sentence, state)

    def hostile(self, event: Event, time: int) -> None:
        """The guest breaks the protocol."""
        self._hostile = True

    def shape(self, event: Event, time: int) -> None:
        self._accesses.shape = event.flag

    def features(self, event: Event, time: int) -> None:
        self._accesses.features(event)

    def disk(self, event: Event, time: int) -> None:
        """Judge a sector of the disk, when all has settled."""
        allowed = self._disks[0].may_hold(event.head, time)
        if self._hostile or UNKNOWN in allowed:
            return
        if event.value != ZEROES:
            self._report.met(AT_REST)
        if (event.flag or event.value not in allowed) and ANYTHING not in allowed:
            self._report_disk(event, time)

    def _report_disk(self, found: Event, time: int) -> None:
        first, state, why = found, "unwritten", "which no request had written there"
        overwriting = _overwriting(self._disks[0], found, time)
        if overwriting is not None:
            first, state, why = overwriting
            why = f"{why} at turn {first.turn}"
        sentence = (
            f"The disk held {_data(found)} in sector {found.head} at the end (turn "
            f"{found.turn}), {why}."
        )
        self._report.violation(first, found, sentence, f"disk_{state}")

    def resize(self, event: Event, time: int) -> None:
        self._resize = event
        self._accesses.resize(event.value, time)
        if self._accesses.running and not self._hostile:
            self._report.met(RESIZE_IN_USE)

    def flush(self, event: Event, time: int) -> None:
        """The backend was flushed, by no request."""
        if not event.request:  # else one write was flushed
            for disk in self._disks:
                disk.flush(time, event)

    def lose_power(self, event: Event, time: int) -> None:
        for disk in self._disks:
            disk.lose_power(time)
        self._power_lost_at = time
        self._accesses.lose_power()

    def cache_mode(self, event: Event, time: int) -> None:
        """The driver sets the cache mode, or reads it back, or a reset begins."""
        mode = self._accesses.stability.mode
        if event.kind == WRITEBACK:
            mode.write(event)
        elif event.kind == WRITEBACK_READ:
            mode.read(event)
        else:
            mode.forget(event)

    def reset(self, event: Event, time: int) -> None:
        self._reset_at = time
        self._accesses.reset(event, time)
        if self._hostile:
            self._hostile = False
            for disk in self._disks:
                disk.forget(time, event)

    def reset_queue(self, event: Event, time: int) -> None:
        self._accesses.reset_queue(event, time)


def _overwriting(disk: Disk, found: Event, begin: int) -> tuple[Event, str, str] | None:
    """Return what had overwritten the data found; None if the data was never in that sector.

    That is an event, its state and words for it.
    """
    write = None if found.flag else disk.last(found.head, found.value)
    by = write and disk.overwriter(found.head, write, begin)
    if write is not None and write.flush is not None:
        if write.through:
            state, how = _WHY[write.through]
            return write.flush, state, f"overwritten by a write {how} that ended"
        state = "not_flushed" if write.flush.kind == PUSH else "not_flushed_by_stop"
        return write.flush, state, "overwritten before the flush that ended"
    if write is not None and by is not None:
        return by.event, "cut" if write.cut else "stale", f"overwritten by data {by.data}"
    return None


def _data(found: Event) -> str:
    """Return what a SECTOR or a DISK shows; *mixed*, its first byte alone is that of a request."""
    return f"mixed data {found.value}" if found.flag else f"data {found.value}"


_RARE: Final = {
    DISK: _Books.disk,
    HOSTILE: _Books.hostile,
    SHAPE: _Books.shape,
    FEATURES: _Books.features,
    QUEUE_RESET: _Books.reset_queue,
    RESET_CALL: _Books.cache_mode,
    WRITEBACK: _Books.cache_mode,
    WRITEBACK_READ: _Books.cache_mode,
    RESET_RET: _Books.reset,
    RESIZE: _Books.resize,
    FLUSHED: _Books.flush,
    POWER_LOSS: _Books.lose_power,
}
