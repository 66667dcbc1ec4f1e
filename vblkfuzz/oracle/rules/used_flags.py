"""The rule of the used ring's flags: S32. They are 0 or 1, with EVENT_IDX 0.

A device suppresses kicks by the flag NO_NOTIFY (1) or, if EVENT_IDX is negotiated, by avail_event:
then it must set the flags to 0. It must not set another flag. The driver looks at them when it
takes used entries. It does not know of a reset of the system, or of another device in its place,
which ends what was negotiated: after one the flags are not judged until its next set-up. Neither
are they once the driver has broken the protocol: the ring may be among the memory that it lets the
device write. Source: virtio 1.2, 2.7.10.1 and 2.7.6; QEMU virtio_queue_split_set_notification.
"""

from __future__ import annotations

from collections.abc import Sequence

from vblkfuzz.oracle.rule import Report, Situation, rule
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace.event import Event
from vblkfuzz.trace.kinds import COLLECT, DRIVER_INIT, HOSTILE, RESET_CALL, USED_FLAGS
from vblkfuzz.trace.witness import Witness
from vblkfuzz.virtio.layout import USED_F_NO_NOTIFY

SEEN = Situation("flags_seen_with_event_idx", "A driver with EVENT_IDX took a used entry.")
SEEN_WITHOUT = Situation(
    "flags_seen_without_event_idx", "A driver without EVENT_IDX took a used entry."
)


@rule(
    "S32",
    title="The flags of the used ring are 0 or 1, with EVENT_IDX 0.",
    source="virtio 1.2, 2.7.10.1; QEMU virtio_queue_split_set_notification",
    instead=(
        "The only flag is NO_NOTIFY (1). A device with EVENT_IDX leaves avail_event behind to "
        "suppress kicks, and sets no flag."
    ),
    needs=(USED_FLAGS, COLLECT, DRIVER_INIT, HOSTILE, RESET_CALL),
    situations=(SEEN, SEEN_WITHOUT),
    witnesses=Witness.GUEST,
    path="none",
)
def S32(scenario: Scenario, events: Sequence[Event], report: Report) -> None:
    """`set_up`: the end of a set-up, as long as the driver relies on what was negotiated.

    In a packed ring the flags of the device area may have one of three values, of which DESC needs
    EVENT_IDX; the driver records none of these (2.8.10, 2.8.14).
    """
    set_up: Event | None = None
    for event in events:
        kind = event.kind
        if kind == DRIVER_INIT:
            set_up = event if event.flag else None
        elif kind == HOSTILE or (kind == RESET_CALL and event.flag):
            set_up = None
        elif set_up is not None:
            if kind == COLLECT:
                report.met(SEEN if set_up.head else SEEN_WITHOUT)
            elif kind == USED_FLAGS:
                _judge(set_up, event, report)


def _judge(set_up: Event, seen: Event, report: Report) -> None:
    """Judge flags: of a split ring with EVENT_IDX there must be none at all."""
    none = not set_up.length
    found = f"The used ring of queue {seen.queue} had the flags {seen.value:#x} at turn {seen.turn}"
    if set_up.head and none:
        why = f"although EVENT_IDX had been accepted at turn {set_up.turn}"
        report.violation(set_up, seen, f"{found}, {why}.")
    elif seen.value > USED_F_NO_NOTIFY:
        allowed = "0 or 1" if none else "0, 1 or, with EVENT_IDX, 2"
        why = f"but must be {allowed} after the set-up at turn {set_up.turn}"
        report.violation(set_up, seen, f"{found}, {why}.", "unknown")
