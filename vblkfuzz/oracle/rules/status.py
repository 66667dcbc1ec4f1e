"""The rule of what a reset leaves: S25. The status reads as the driver left it.

A driver that resets the device waits until the status reads 0; one bit that stays, or comes back,
and it waits for ever or takes the device for one that is set up. Until the next reset the status
reads as the driver wrote it: the device itself may only add DEVICE_NEEDS_RESET, once it is broken.
A reset, of the device or of one queue, also disables queues: the driver cannot use one of which
queue_enable still reads 1. The reset of one queue leaves the others enabled. A reset does not
change what the device offers: the features are the same each time that the driver reads them, as no
operation reconfigures the device. (The capacity after a reset is a matter of S15.) Each offer has
VERSION_1, and F_FLUSH if it has F_CONFIG_WCE.

The witness is what the guest reads. The driver does not know of a reset of the system, so after one
only a status that must be 0 is judged, until the driver has seen it. Source: virtio 1.2, 2.1.2,
2.2, 2.4.1, 2.6.1, 4.1.4.3, 5.2.5.2 and 6.1; QEMU virtio_reset, virtio_queue_reset.
"""

from __future__ import annotations

from collections.abc import Sequence

from vblkfuzz.oracle.ended import ended
from vblkfuzz.oracle.rule import Report, Situation, rule
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace.event import Event
from vblkfuzz.trace.kinds import (
    BROKEN,
    DRIVER_INIT,
    ENABLE_READ,
    FEATURES,
    QUEUE_RESET,
    RESET_CALL,
    RESET_RET,
    STATUS_READ,
)
from vblkfuzz.trace.witness import Witness
from vblkfuzz.virtio.layout import F_VERSION_1, STATUS_NEEDS_RESET
from vblkfuzz.virtio.request.blk import F_CONFIG_WCE, F_FLUSH

AFTER_RESET = Situation("status_read_after_reset", "The guest read the status after a reset.")
SET_UP = Situation("status_read_of_set_up_device", "The guest read the status that it had set.")
QUEUE_READ = Situation("queue_enable_read", "The guest read queue_enable after a reset.")
OFFERED = Situation("features_read", "The guest read the offered features.")
OFFERED_AGAIN = Situation(
    "features_read_after_reset", "The guest read the offered features again after a reset."
)

_VERSION_1, _FLUSH, _CONFIG_WCE = 1 << F_VERSION_1, 1 << F_FLUSH, 1 << F_CONFIG_WCE


@rule(
    "S25",
    title="The status reads as the driver wrote it, 0 after a reset; a reset disables queues and "
    "keeps the offered features, among them VERSION_1.",
    source="virtio 1.2, 2.1.2, 2.2, 2.4.1, 2.6.1, 4.1.4.3, 5.2.5.2 and 6.1; QEMU virtio_reset",
    instead=(
        "A reset has set the status and queue_enable to 0 when the driver goes on, and they stay "
        "0 until the driver writes them. What the device offers is no state of the driver's; it "
        "has VERSION_1, and F_FLUSH if it has F_CONFIG_WCE."
    ),
    needs=(
        STATUS_READ,
        ENABLE_READ,
        FEATURES,
        DRIVER_INIT,
        BROKEN,
        QUEUE_RESET,
        RESET_CALL,
        RESET_RET,
    ),
    situations=(AFTER_RESET, SET_UP, QUEUE_READ, OFFERED, OFFERED_AGAIN),
    witnesses=Witness.GUEST,
)
def S25(scenario: Scenario, events: Sequence[Event], report: Report) -> None:
    """Each read is compared with what the driver wrote last, which the event says."""
    books = _Books(events[0])
    for event in events:
        kind = event.kind
        if kind == STATUS_READ:
            books.read(event, report)
        elif kind == ENABLE_READ:
            books.read_queue(event, report)
        elif kind == FEATURES:
            books.read_features(event, report)
        elif kind == DRIVER_INIT:
            books.since = event if event.flag else books.since
        elif kind == BROKEN:
            books.may_add = STATUS_NEEDS_RESET
        elif kind == RESET_CALL:
            books.unknown = books.unknown or event.flag > 0
        else:  # RESET_RET, QUEUE_RESET
            books.reset(event)


class _Books:
    """What the status may be."""

    __slots__ = ("_offer", "_zero", "may_add", "since", "unknown")

    def __init__(self, start: Event) -> None:
        self.since = start
        """The last reset or set-up."""
        self.may_add = 0
        """Bits that the device may have set itself."""
        self.unknown = False
        """Whether the device was reset behind the driver's back since it last read a status."""
        self._zero = False
        """Whether the driver has read 0 since the last reset."""
        self._offer: Event | None = None
        """The FEATURES of the first set-up."""

    def reset(self, reset: Event) -> None:
        """Process the end of a reset, of the device or of one queue."""
        self.since = reset
        if reset.kind == RESET_RET:
            self.may_add = 0
            self._zero = False

    def read(self, read: Event, report: Report) -> None:
        """Judge a status."""
        wrote = read.head
        if wrote and self.unknown:
            return
        self.unknown = False
        report.met(SET_UP if wrote else AFTER_RESET)
        wrong = (read.value ^ wrote) & ~(self.may_add & ~wrote)
        if not wrong:
            self._zero = self._zero or not wrote
            return
        if wrote:
            state = "lost" if wrong & wrote else "added"
        else:
            state = "back" if self._zero else "kept"
        sentence = (
            f"The guest read the status {read.value:#x} at turn {read.turn}, which should be "
            f"{wrote:#x} since turn {self.since.turn}."
        )
        report.violation(self.since, read, sentence, state)

    def read_queue(self, read: Event, report: Report) -> None:
        """Judge a queue_enable."""
        report.met(QUEUE_READ)
        since = self.since
        if since.kind == QUEUE_RESET and read.queue != since.queue:
            self._read_other(read, report)
        elif read.flag:
            sentence = (
                f"Queue {read.queue} was still enabled at turn {read.turn}, after the "
                f"{ended(since)} at turn {since.turn}."
            )
            report.violation(self.since, read, sentence, "enabled")

    def _read_other(self, read: Event, report: Report) -> None:
        """Judge a queue_enable that was 1 before the reset of another queue."""
        if read.flag or self.unknown:
            return
        sentence = (
            f"Queue {read.queue} was disabled at turn {read.turn}, after the reset of queue "
            f"{self.since.queue} at turn {self.since.turn}."
        )
        report.violation(self.since, read, sentence, "disabled")

    def read_features(self, read: Event, report: Report) -> None:
        """Judge the features that the device offers."""
        _judge_offer(read, report)
        if self._offer is None:
            self._offer = read
            return
        report.met(OFFERED_AGAIN)
        changed = _offered(read) ^ _offered(self._offer)
        if changed:
            bits = [str(bit) for bit in range(changed.bit_length()) if changed >> bit & 1]
            what = "bits" if len(bits) > 1 else "bit"
            sentence = (
                f"The device offered other features at turn {read.turn} than at turn "
                f"{self._offer.turn}: {what} {', '.join(bits)} changed."
            )
            report.violation(self._offer, read, sentence, "offer")


def _judge_offer(read: Event, report: Report) -> None:
    """Judge one offer. A trace from before the field has no bit above 15: VERSION_1 is unknown."""
    report.met(OFFERED)
    offered = _offered(read)
    if read.length and not offered & _VERSION_1:
        sentence = f"The device did not offer VERSION_1 (bit 32) at turn {read.turn}."
        report.violation(read, read, sentence, "no_version_1")
    if offered & _CONFIG_WCE and not offered & _FLUSH:
        sentence = (
            f"The device offered F_CONFIG_WCE (bit 11) without F_FLUSH (bit 9) at turn {read.turn}."
        )
        report.violation(read, read, sentence, "no_flush")


def _offered(features: Event) -> int:
    return features.head | features.length << 16
