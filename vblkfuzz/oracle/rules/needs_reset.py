"""The rule of the broken device: S20. It says that it needs a reset.

A device that cannot use what it finds in a ring serves nothing any more until it is reset. The
driver learns of it by DEVICE_NEEDS_RESET in the device status, and of that by a configuration
interrupt; without them it waits for ever. The witness is what the guest reads (STATUS_READ): a
driver that broke the protocol looks whenever it collects, and before it resets. Source: virtio
1.2, 2.1.2; QEMU virtio_error.
"""

from __future__ import annotations

from collections.abc import Sequence

from vblkfuzz.oracle.rule import Report, Situation, rule
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace.event import Event
from vblkfuzz.trace.kinds import (
    BROKEN,
    CONFIG_IRQ,
    END,
    RESET_CALL,
    RESET_RET,
    STATUS,
    STATUS_READ,
)
from vblkfuzz.virtio.layout import STATUS_DRIVER_OK, STATUS_NEEDS_RESET

SEEN = Situation("needs_reset_seen", "The guest read the status of a broken device.")
TOLD = Situation("needs_reset_told", "A driver was told that the device needs a reset.")


@rule(
    "S20",
    title="A device that is broken says DEVICE_NEEDS_RESET, and tells the driver.",
    source="virtio 1.2, 2.1.2; QEMU virtio_error",
    instead=(
        "The device sets DEVICE_NEEDS_RESET, then gives a driver that has set DRIVER_OK a "
        "configuration interrupt."
    ),
    needs=(
        BROKEN,
        CONFIG_IRQ,
        STATUS,
        STATUS_READ,
        RESET_CALL,
        RESET_RET,
        END,
    ),
    situations=(SEEN, TOLD),
    decisive=(BROKEN,),
)
def S20(scenario: Scenario, events: Sequence[Event], report: Report) -> None:
    """The interrupt is judged when all has settled, the status at each look.

    A reset that has begun ends both debts. What a driver writes over the bit is its own fault.
    """
    broken: Event | None = None
    owed: Event | None = None
    driver_ok = False
    for event in events:
        kind = event.kind
        if kind == BROKEN:
            broken = event
            owed = event if driver_ok else None
        elif kind == CONFIG_IRQ:
            if owed:
                report.met(TOLD)
            owed = None
        elif kind == STATUS_READ:
            if broken:
                _judge_status(broken, event, report)
        elif kind == STATUS:
            driver_ok = bool(event.value & STATUS_DRIVER_OK)
            broken = None
        elif kind == END:
            if owed:
                _report_untold(owed, event, report)
        else:  # RESET_CALL, RESET_RET
            broken, owed, driver_ok = None, None, False


def _judge_status(broken: Event, read: Event, report: Report) -> None:
    report.met(SEEN)
    if not read.value & STATUS_NEEDS_RESET:
        sentence = (
            f"The guest read the status {read.value:#x} at turn {read.turn}, without "
            f"DEVICE_NEEDS_RESET, although the device was broken since turn {broken.turn}."
        )
        report.violation(broken, read, sentence, "unsaid")


def _report_untold(broken: Event, end: Event, report: Report) -> None:
    sentence = (
        f"The driver had not been told that the device was broken at turn {broken.turn} when "
        f"everything had settled (turn {end.turn})."
    )
    report.violation(broken, end, sentence, "untold")
