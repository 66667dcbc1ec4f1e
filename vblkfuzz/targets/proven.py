"""Whether a scenario itself has shown that the device still works, so that no probe is needed.

Only some things can hurt a device: what operator and backend do, ring contents that break the
protocol, the reset of a queue, a reset while requests are under way. After the last of them each
queue has shown that it works when a request that it dequeued afterwards was collected. A scenario
without any of them needs no probe: what a plain init or reset breaks, the next request shows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.scenario.alphabet.ops import OPS
from vblkfuzz.trace.ending import ENDED_OK
from vblkfuzz.trace.kinds import (
    BROKEN,
    COLLECT,
    DRIVER_INIT,
    FEATURES,
    HOSTILE,
    OP,
    POP,
    PUBLISH,
    QUEUE_RESET,
    RESET_CALL,
    STRAY_KICK,
)
from vblkfuzz.virtio.request.blk import F_MQ

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vblkfuzz.trace.event import Event

_HURTS: Final = frozenset({BROKEN, HOSTILE, QUEUE_RESET, STRAY_KICK})
_OPERATES: Final = frozenset(spec.code for spec in OPS if spec.owner != "guest")


def is_proven(events: Sequence[Event], queues: int) -> bool:
    """Whether the events of a scenario show that a device with so many queues still works."""
    proof = _Proof(queues)
    for event in events:
        proof.note(event)
    return not proof.doubtful


def queues_in_use(events: Sequence[Event], queues: int) -> int:
    """Return how many queues of a device with so many the driver uses; without F_MQ the first."""
    features = (event.value for event in reversed(events) if event.kind == FEATURES)
    return queues if next(features, 0) >> F_MQ & 1 else 1


class _Proof:
    """What is known after each event."""

    def __init__(self, queues: int) -> None:
        self.doubtful: set[int] = set()
        """Queues that have shown nothing since the last event that can hurt the device."""
        self._queues = queues
        self._used = 1
        """Queues that the driver uses; without F_MQ only the first."""
        self._under_way: set[tuple[int, int]] = set()
        """Queue and head of each request that is published and not collected."""
        self._dequeued: set[tuple[int, int]] = set()
        """Those that were dequeued since the last event that can hurt the device."""

    def note(self, event: Event) -> None:
        """Take the next event."""
        kind, place = event.kind, (event.queue, event.head)
        if kind in _HURTS or (kind == OP and event.flag in _OPERATES):
            self._doubt()
        elif kind == RESET_CALL:
            if self._under_way:
                self._doubt()
        elif kind == PUBLISH:
            self._under_way.add(place)
        elif kind == POP:
            self._dequeued.add(place)
        elif kind == COLLECT:
            self._under_way.discard(place)
            if event.flag == ENDED_OK and place in self._dequeued:
                self.doubtful.discard(event.queue)
        elif kind == FEATURES:
            self._used = queues_in_use((event,), self._queues)
        elif kind == DRIVER_INIT:
            self._under_way.clear()

    def _doubt(self) -> None:
        self.doubtful.update(range(self._used))
        self._dequeued.clear()
