"""The rule of heads: S26. A device takes the request that stands at its place in the avail ring.

S7 judges how far a device has dequeued, this rule what: the n-th entry names the head that the
driver wrote there, also where the ring and its index wrap. A device that keeps an entry from an
earlier round, or takes the next one first, executes a request that was not due.

A driver that broke the ring protocol may have left anything in its entries; then nothing is judged
on that queue until its next reset. Source: virtio 1.2, 2.7.6 and 2.7.13; QEMU virtqueue_get_head.
"""

from __future__ import annotations

from collections.abc import Sequence

from vblkfuzz.oracle.naming.consequence import REQUEST_GOES_ON
from vblkfuzz.oracle.rule import Report, Situation, rule
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace.event import Event
from vblkfuzz.trace.kinds import HOSTILE, POP, PUBLISH, QUEUE_RESET, RESET_RET

HEADS_DIFFER = Situation("heads_differ", "Entries of a queue had different heads.")


@rule(
    "S26",
    title="The head of a dequeue is the one that was made available at that avail index.",
    source="virtio 1.2, 2.7.6 and 2.7.13; QEMU virtqueue_get_head",
    instead="The device takes each entry of the avail ring once, in order, as it stands there.",
    needs=(PUBLISH, POP, HOSTILE, QUEUE_RESET, RESET_RET),
    situations=(HEADS_DIFFER,),
    path="none",
    leads_to=(*REQUEST_GOES_ON, "L1"),
)
def S26(scenario: Scenario, events: Sequence[Event], report: Report) -> None:
    """An entry that the driver has not written is S7's concern."""
    entries: dict[tuple[int, int], Event] = {}
    hostile: set[int] = set()
    for event in events:
        kind = event.kind
        if kind == PUBLISH:
            entries[event.queue, event.value] = event
            if event.flag == 1:
                hostile.add(event.queue)
        elif kind == POP:
            publish = entries.get((event.queue, event.value))
            if publish is None or event.queue in hostile:
                continue
            if publish.head != event.head:
                _report(publish, event, report)
            elif event.head:
                report.met(HEADS_DIFFER)
        elif kind == HOSTILE:
            hostile.add(event.queue)
        else:
            _forget(event, entries, hostile)


def _forget(reset: Event, entries: dict[tuple[int, int], Event], hostile: set[int]) -> None:
    """Process a reset, of the device or of one queue."""
    if reset.kind == RESET_RET:
        entries.clear()
        hostile.clear()
        return
    hostile.discard(reset.queue)
    for place in [place for place in entries if place[0] == reset.queue]:
        del entries[place]


def _report(publish: Event, pop: Event, report: Report) -> None:
    sentence = (
        f"The pop at turn {pop.turn} took head {pop.head} from queue {pop.queue} at avail idx "
        f"{pop.value}, where the guest had put head {publish.head} (turn {publish.turn})."
    )
    report.violation(publish, pop, sentence)
