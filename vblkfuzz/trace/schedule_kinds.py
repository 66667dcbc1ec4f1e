"""Event kinds of what the schedule does to an actor: a part of the table in `trace.kinds`."""

from __future__ import annotations

from typing import Final

from vblkfuzz.scenario.scenario import Go
from vblkfuzz.trace.kind import kind

_GOES: Final = tuple(go.name.lower() for go in Go)

STORES_DELAYED: Final = kind(
    4,
    "the schedule holds the actor's stores to guest memory since its last barrier in its store "
    "buffer; value: size in bytes",
    value="{} bytes",
)
STORES_SEEN: Final = kind(5, "from here on other actors see those stores")
HELD: Final = kind(
    6,
    "the schedule holds the thread of a real device: with *main*, *io0*, *io1* until that thread "
    "and all others rest, with *guest*, *vcpu*, *next* over the next operation; value: the point; "
    "head: which deviation of the schedule, from 0",
    flags=_GOES,
    value="point {}",
    head="deviation {}",
)
GOES_ON: Final = kind(
    7,
    "the thread that the schedule held goes on; the fields are those of its HELD",
    flags=_GOES,
    value="point {}",
    head="deviation {}",
)
