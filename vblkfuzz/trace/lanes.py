"""Who acted in each operation of a scenario, and what became of requests there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vblkfuzz.trace.event import ActorId
from vblkfuzz.trace.kinds import OP, POP, PUSH, UNPARK

if TYPE_CHECKING:
    from vblkfuzz.trace.trace import Trace

_THREADS: Final = frozenset(
    map(int, (ActorId.GUEST, ActorId.VCPU, ActorId.MAIN, ActorId.IO0, ActorId.IO1))
)
_DEEDS: Final = {POP: 1, PUSH: 2, UNPARK: 4}
"""A bit for what a thread may do to a request."""


class Acted(NamedTuple):
    """A thread that acted in an operation."""

    actor: int
    """`ActorId`."""
    before: int
    """How many events others had before its first one, in that operation."""
    deeds: int
    """What it did to requests there: a bit for each kind of deed."""


class Lane(NamedTuple):
    """One operation, and who acted while no later one had begun."""

    code: int
    """Code of the operation."""
    acted: tuple[Acted, ...]
    """In the order of their first events."""


def lanes(trace: Trace) -> tuple[Lane, ...]:
    """Return a lane for each operation.

    Operations of the epilogue and of the probe are left out: no schedule reaches them.
    """
    found: list[tuple[int, dict[int, list[int]]]] = []
    threads: dict[int, list[int]] = {}
    count = 0
    for event in trace.events:  # indices: this runs for most executions
        actor = event[2]
        if actor in _THREADS:
            if actor not in threads:
                threads[actor] = [count, 0]
            count += 1
            if event[1] in _DEEDS:
                threads[actor][1] |= _DEEDS[event[1]]
        elif event[1] == OP:
            if event.head:
                break
            threads, count = {}, 0
            found.append((event.flag, threads))
    return tuple(
        [
            Lane(code, tuple([Acted(actor, *rest) for actor, rest in each.items()]))
            for code, each in found
        ]
    )
