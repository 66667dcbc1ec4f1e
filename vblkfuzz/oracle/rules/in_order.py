"""The rule of F_IN_ORDER: S51. Requests come back in the order in which they were made available.

A device that offers the feature promises it, so a driver that has accepted it may find the next
used entry, and reuse descriptors, by counting. The driver of vblkfuzz reads each id all the same. A
used entry that stands for several requests is one after another to it (`virtio.in_order`). Judged
until the driver breaks the protocol, and again from its next set-up on. Source: virtio 1.2, 2.7.9
and 2.8.9; QEMU virtqueue_ordered_flush.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from vblkfuzz.oracle.rule import Report, rule
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace.ending import FOREIGN
from vblkfuzz.trace.event import Event
from vblkfuzz.trace.kinds import COLLECT, DRIVER_INIT, HOSTILE, PUBLISH, QUEUE_RESET, RESET_RET
from vblkfuzz.trace.witness import Witness


@rule(
    "S51",
    title="With F_IN_ORDER, requests come back in the order in which they were made available.",
    source="virtio 1.2, 2.7.9 and 2.8.9; QEMU virtqueue_ordered_flush",
    instead="A request that ends before an older one of its queue waits for that one.",
    needs=(DRIVER_INIT, PUBLISH, COLLECT, QUEUE_RESET, RESET_RET, HOSTILE),
    no_situations="needs in_order, which is drawn on request only",
    witnesses=Witness.GUEST,
    path="none",
)
def S51(scenario: Scenario, events: Sequence[Event], report: Report) -> None:
    """`sent`: by queue the requests that the driver has not got back, by head, the oldest first."""
    sent: dict[int, dict[int, Event]] = defaultdict(dict)
    judged = False
    for event in events:
        kind = event.kind
        if kind in (DRIVER_INIT, RESET_RET):
            sent.clear()
            judged = kind == DRIVER_INIT and event.flag != 0 and event.value != 0
        elif kind == HOSTILE:
            judged = False
        elif kind == QUEUE_RESET:
            sent[event.queue].clear()
        elif kind == PUBLISH and judged:
            sent[event.queue][event.head] = event
        elif kind == COLLECT and judged and event.flag != FOREIGN:
            _judge(sent[event.queue], event, report)


def _judge(sent: dict[int, Event], collect: Event, report: Report) -> None:
    """Judge one answer; each request is named once, so a late one is reported once."""
    oldest = next(iter(sent.values()), None)
    published = sent.pop(collect.head, None)
    if published is not None and oldest is not None and oldest is not published:
        sentence = (
            f"The driver got head {collect.head} of queue {collect.queue} back at turn "
            f"{collect.turn}, before the older request of turn {oldest.turn}, although F_IN_ORDER "
            "was negotiated."
        )
        report.violation(oldest, collect, sentence)
