"""Whether the guest was called at all for the requests that a queue has served.

How many calls there are is up to the device and to the clock. But the first used entry of a ring
must be announced, unless the driver has asked for fewer calls (virtio 1.2, 2.7.7.2). So the first
ring of a queue is looked at, between one set-up of the device and the next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.compare.key import Key
from vblkfuzz.trace.kinds import (
    CALLED,
    COLLECT,
    DRIVER_INIT,
    END,
    HOSTILE,
    QUEUE_RESET,
    RESET_CALL,
    SUPPRESS_CALLS,
    USED_EVENT,
)

if TYPE_CHECKING:
    from vblkfuzz.trace.event import Event

_BY_GUEST: Final = 0
"""Flag of a RESET_CALL."""
_BEGIN: Final = 0
"""Flag of a DRIVER_INIT."""


class Calls:
    """The calls of each queue in each life of the device."""

    def __init__(self) -> None:
        self.sights: dict[Key, str] = {}
        self._life = 0
        self._served: set[int] = set()
        self._called: set[int] = set()
        self._doubted: set[int] = set()
        """Queues about which nothing can be said."""
        self._silent = False
        """The same for all queues."""

    def note(self, event: Event) -> None:
        """Take the next event."""
        kind = event.kind
        if kind == COLLECT:
            self._served.add(event.queue)
        elif kind == CALLED and event.flag:
            self._called.add(event.queue)
        elif kind in _DOUBTS:
            self._doubted.add(event.queue)
        elif kind == HOSTILE or (kind == RESET_CALL and event.flag != _BY_GUEST):
            self._silent = True
        elif kind == END or (kind == DRIVER_INIT and event.flag != _BEGIN):
            self._end_life()

    def _end_life(self) -> None:
        if not self._silent:
            for queue in sorted(self._served - self._doubted):
                key = Key("call", self._life, f"queue {queue} calls for a used entry")
                self.sights[key] = "yes" if queue in self._called else "no"
        self._life += 1
        self._silent = False
        for queues in (self._served, self._called, self._doubted):
            queues.clear()


_DOUBTS: Final = frozenset({SUPPRESS_CALLS, USED_EVENT, QUEUE_RESET})
