"""Who acted in each operation of a scenario."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.trace.event import ActorId
from vblkfuzz.trace.kinds import OP

if TYPE_CHECKING:
    from vblkfuzz.trace.trace import Trace

_THREADS: Final = frozenset(
    map(int, (ActorId.GUEST, ActorId.VCPU, ActorId.MAIN, ActorId.IO0, ActorId.IO1))
)


def lanes(trace: Trace) -> tuple[tuple[tuple[int, int], ...], ...]:
    """Return who acted in each operation, in the order of their first events.

    Each is an actor (ActorId), and how many events others had before it in that operation.
    Operations of the epilogue and of the probe are left out: no schedule reaches them.
    """
    found: list[dict[int, int]] = []
    count = 0
    for event in trace.events:
        if event.kind == OP:
            if event.head:
                break
            found.append({})
            count = 0
        elif found and event.actor in _THREADS:
            found[-1].setdefault(event.actor, count)
            count += 1
    return tuple(tuple(each.items()) for each in found)
