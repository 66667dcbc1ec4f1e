"""The rule of the device configuration: S15.

A resize changes the capacity that the driver reads. A configuration interrupt informs the driver;
it must not come before the change is visible. A driver that reads the same generation twice may
rely on an unchanged configuration in between. Source: virtio 1.2, 2.5, 4.1.4.3 and 5.2.4; QEMU
virtio_blk_resize, virtio_notify_config.
"""

from __future__ import annotations

from collections.abc import Sequence

from vblkfuzz.oracle.rule import Report, Situation, rule
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace.event import Event
from vblkfuzz.trace.kinds import CONFIG_IRQ, CONFIG_READ, END, RESET_CALL, RESET_RET, RESIZE, STATUS
from vblkfuzz.virtio.layout import STATUS_DRIVER_OK

RESIZED = Situation("resize_announced", "A driver got the interrupt for a resize.")
READ_RESIZED = Situation("config_read_after_resize", "The guest read the capacity after a resize.")


@rule(
    "S15",
    title="A resize is visible, then announced; the generation changes with it.",
    source="virtio 1.2, 2.5.2 and 4.1.4.3; QEMU virtio_blk_resize, virtio_notify_config",
    instead="Capacity and generation change together, then the driver gets one interrupt.",
    needs=(
        RESIZE,
        CONFIG_IRQ,
        CONFIG_READ,
        STATUS,
        RESET_CALL,
        RESET_RET,
        END,
    ),
    situations=(RESIZED, READ_RESIZED),
    decisive=(RESIZE, CONFIG_IRQ, CONFIG_READ),
)
def S15(scenario: Scenario, events: Sequence[Event], report: Report) -> None:
    """A driver that has set DRIVER_OK must get an interrupt; this is checked at END."""
    books = _Books(scenario.device.disk_sectors, events[0])
    for event in events:
        kind = event.kind
        if kind == STATUS:
            books.driver_ok = bool(event.value & STATUS_DRIVER_OK)
        elif kind == RESIZE:
            books.resize(event)
        elif kind == CONFIG_IRQ:
            books.interrupt(event, report)
        elif kind == CONFIG_READ:
            books.read(event, report)
        elif kind == RESET_CALL:
            books.driver_ok, books.owed = False, None
        elif kind == RESET_RET:
            books.reads.clear()
        elif kind == END and books.owed is not None:
            sentence = (
                f"The driver had not been told of the resize at turn {books.owed.turn} when "
                f"everything had settled (turn {event.turn})."
            )
            report.violation(books.owed, event, sentence, "missing")


class _Books:
    """What the driver has read, and the interrupts that it has not had yet."""

    __slots__ = ("_capacity", "_resize", "_resizes", "driver_ok", "owed", "reads")

    def __init__(self, capacity: int, start: Event) -> None:
        self.driver_ok = False
        self.owed: Event | None = None
        """The first resize without an interrupt."""
        self.reads: dict[int, Event] = {}
        """A CONFIG_READ of each generation in this epoch."""
        self._capacity = capacity
        self._resize = start
        self._resizes = 0

    def resize(self, resize: Event) -> None:
        self._capacity, self._resize = resize.value, resize
        self._resizes += 1
        if self.driver_ok and self.owed is None:
            self.owed = resize

    def interrupt(self, irq: Event, report: Report) -> None:
        """Count an interrupt: each resize allows one, and a further one is too early."""
        self._resizes -= 1
        self.owed = None
        if self._resizes >= 0:
            report.met(RESIZED)
            return
        self._resizes = 0
        sentence = (
            f"The configuration interrupt at turn {irq.turn} came without a change: the last one "
            f"was at turn {self._resize.turn}."
        )
        report.violation(self._resize, irq, sentence, "early")

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
            report.violation(known, read, sentence, "generation")
