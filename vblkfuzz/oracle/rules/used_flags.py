"""The rule of the used ring's flags: S32. With EVENT_IDX they are 0.

A device suppresses kicks by the flag NO_NOTIFY or, if EVENT_IDX is negotiated, by avail_event: then
it must set the flags to 0. The driver looks at them when it takes used entries. It does not know of
a reset of the system, which ends what was negotiated: after one the flags are not judged until its
next set-up. Neither are they once the driver has broken the protocol: the ring may be among the
memory that it lets the device write. Source: virtio 1.2, 2.7.10.1 and 2.7.6; QEMU
virtio_queue_split_set_notification.
"""

from __future__ import annotations

from collections.abc import Sequence

from vblkfuzz.oracle.rule import Report, Situation, rule
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace.event import Event
from vblkfuzz.trace.kinds import COLLECT, DRIVER_INIT, HOSTILE, RESET_CALL, USED_FLAGS
from vblkfuzz.trace.witness import Witness

SEEN = Situation("flags_seen_with_event_idx", "A driver with EVENT_IDX took a used entry.")


@rule(
    "S32",
    title="With EVENT_IDX the flags of the used ring are 0.",
    source="virtio 1.2, 2.7.10.1; QEMU virtio_queue_split_set_notification",
    instead="A device with EVENT_IDX leaves avail_event behind to suppress kicks, and no flag.",
    needs=(USED_FLAGS, COLLECT, DRIVER_INIT, HOSTILE, RESET_CALL),
    situations=(SEEN,),
    witnesses=Witness.GUEST,
    path="none",
)
def S32(scenario: Scenario, events: Sequence[Event], report: Report) -> None:
    """`event_idx`: the end of a set-up with EVENT_IDX, as long as the driver relies on it."""
    event_idx: Event | None = None
    for event in events:
        kind = event.kind
        if kind == DRIVER_INIT:
            event_idx = event if event.flag and event.head else None
        elif kind == HOSTILE or (kind == RESET_CALL and event.flag == 1):
            event_idx = None
        elif event_idx is not None:
            if kind == COLLECT:
                report.met(SEEN)
            elif kind == USED_FLAGS:
                _report(event_idx, event, report)


def _report(set_up: Event, seen: Event, report: Report) -> None:
    sentence = (
        f"The used ring of queue {seen.queue} had the flags {seen.value:#x} at turn {seen.turn}, "
        f"although EVENT_IDX had been accepted at turn {set_up.turn}."
    )
    report.violation(set_up, seen, sentence)
