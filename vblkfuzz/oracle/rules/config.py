"""The rule of the device configuration: S15.

A resize changes the capacity that the driver reads. A configuration interrupt informs the driver;
it must not come before the change is visible. A driver that reads the same generation twice may
rely on an unchanged configuration in between. A broken device gives the same interrupt for its
status (S20). Before DRIVER_OK there is no interrupt. Source: virtio 1.2, 2.1.2, 2.4.1, 2.5, 4.1.4.3
and 5.2.4; QEMU virtio_blk_resize, virtio_notify_config.
"""

from __future__ import annotations

from collections.abc import Sequence

from vblkfuzz.oracle.rule import Report, Situation, rule
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace.event import Event
from vblkfuzz.trace.kinds import (
    BROKEN,
    CONFIG_IRQ,
    CONFIG_READ,
    END,
    RESET_CALL,
    RESET_RET,
    RESIZE,
    RESTORED,
    STATUS,
)
from vblkfuzz.virtio.layout import STATUS_DRIVER_OK

RESIZED = Situation("resize_announced", "A driver got the interrupt for a resize.")
READ_RESIZED = Situation("config_read_after_resize", "The guest read the capacity after a resize.")


@rule(
    "S15",
    title="A resize is visible, then announced; the generation changes with it.",
    source="virtio 1.2, 2.1.2, 2.4.1, 2.5.2 and 4.1.4.3; QEMU virtio_notify_config",
    instead="Capacity and generation change together, then the driver gets one interrupt.",
    needs=(
        RESIZE,
        CONFIG_IRQ,
        CONFIG_READ,
        BROKEN,
        STATUS,
        RESET_CALL,
        RESET_RET,
        RESTORED,
        END,
    ),
    situations=(RESIZED, READ_RESIZED),
    decisive=(RESIZE, CONFIG_IRQ, CONFIG_READ),
)
def S15(scenario: Scenario, events: Sequence[Event], report: Report) -> None:
    """Owed is an interrupt to a driver that had written DRIVER_OK, judged when all has settled."""
    books = _Books(scenario.device.disk_sectors, events[0])
    for event in events:
        kind = event.kind
        if kind == STATUS:
            books.write_status(event)
        elif kind == RESIZE:
            books.resize(event)
        elif kind == CONFIG_IRQ:
            books.interrupt(event, report)
        elif kind == CONFIG_READ:
            books.read(event, report)
        elif kind == BROKEN:
            books.change(event)
        elif kind == RESET_CALL:
            books.driver_ok, books.owed = False, None
        elif kind == RESET_RET:
            books.end_epoch(event)
        elif kind == RESTORED:
            books.restored = True
        elif kind == END and books.owed is not None:
            sentence = (
                f"The driver had not been told of the resize at turn {books.owed.turn} when "
                f"everything had settled (turn {event.turn})."
            )
            report.violation(books.owed, event, sentence, "missing")


class _Books:
    """What the driver knows and is owed."""

    __slots__ = (
        "_capacity",
        "_changed",
        "_changes",
        "_reset",
        "_resize",
        "_there",
        "driver_ok",
        "owed",
        "reads",
        "restored",
    )

    def __init__(self, capacity: int, start: Event) -> None:
        self.driver_ok = False
        self.owed: Event | None = None
        """The first resize that the driver was not told of."""
        self.reads: dict[int, Event] = {}
        """A CONFIG_READ of each generation in this epoch."""
        self.restored = False
        """Whether the VM was restored in this epoch: a count that begins again is another bug."""
        self._capacity = capacity
        self._resize = start
        self._changed = start
        """The last reason for an interrupt."""
        self._changes = 0
        """Reasons that no interrupt has told of."""
        self._reset = start
        self._there = False
        """Whether the driver has written DRIVER_OK since the last reset."""

    def write_status(self, status: Event) -> None:
        self.driver_ok = bool(status.value & STATUS_DRIVER_OK)
        self._there = self._there or self.driver_ok

    def end_epoch(self, reset: Event) -> None:
        self.reads.clear()
        self.restored = False
        self._reset, self._there = reset, False

    def change(self, event: Event) -> None:
        """Something has changed that the device may tell of once."""
        self._changed = event
        self._changes += 1

    def resize(self, resize: Event) -> None:
        self._capacity, self._resize = resize.value, resize
        self.change(resize)
        if self.driver_ok and self.owed is None:
            self.owed = resize

    def interrupt(self, irq: Event, report: Report) -> None:
        """Each change may be announced once; an interrupt beyond that comes too early."""
        self._changes -= 1
        self.owed = None
        if not self._there:
            self._report_nobody(irq, report)
        elif self._changes < 0:
            self._report_early(irq, report)
        elif self._changed.kind == RESIZE:
            report.met(RESIZED)
        self._changes = max(self._changes, 0)

    def _report_nobody(self, irq: Event, report: Report) -> None:
        sentence = (
            f"The configuration interrupt at turn {irq.turn} went to a driver that had not written "
            f"DRIVER_OK since turn {self._reset.turn}."
        )
        report.violation(self._reset, irq, sentence, "nobody")

    def _report_early(self, irq: Event, report: Report) -> None:
        sentence = (
            f"The configuration interrupt at turn {irq.turn} came without a change: the last one "
            f"was at turn {self._changed.turn}."
        )
        report.violation(self._changed, irq, sentence, "early")

    def read(self, read: Event, report: Report) -> None:
        if self._resize.kind == RESIZE:
            report.met(READ_RESIZED)
        known = self.reads.setdefault(read.head, read)
        if read.value != self._capacity:
            sentence = (
                f"The guest read a capacity of {read.value} sectors at turn {read.turn}; it had "
                f"been {self._capacity} since turn {self._resize.turn}."
            )
            report.violation(self._resize, read, sentence, "stale")
        elif known.value != read.value:
            sentence = (
                f"The guest read capacities of {known.value} sectors at turn {known.turn} and of "
                f"{read.value} at turn {read.turn}, both of generation {read.head}."
            )
            state = "generation-restored" if self.restored else "generation"
            report.violation(known, read, sentence, state)
