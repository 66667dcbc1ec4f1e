"""The events of a trace, which rules judge.

An event records the actor, what it did, the request, and the causal path. Each process writes its
events as fixed-size records into a ring of its own in the arena. Merged by `turn` they are in one
total order, because only one process runs at a time in the deterministic modes.

`trace.kinds` has the meaning of the fields for each kind. A field that a kind does not use is 0
(`queue`: NO_QUEUE).
"""

from __future__ import annotations

from enum import IntEnum
from functools import lru_cache
from struct import Struct
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

NO_QUEUE: Final = 0xFF
UNTOUCHED: Final = 0xFF
"""Value of a SECTOR that the device did not write: the buffer of a read is filled with it."""


def data_name(value: int) -> str:
    """Return the value of a SECTOR as text."""
    return "untouched" if value == UNTOUCHED else f"data {value}"


class ActorId(IntEnum):
    """Actors: the guest, the threads of the device process, and the harness."""

    GUEST = 0
    VCPU = 1
    """VM exits of the guest, handled by the device under the BQL."""
    MAIN = 2
    """Main loop: operator commands (QMP, block jobs) and bottom halves of the main context."""
    IO0 = 3
    IO1 = 4
    HARNESS = 5
    """Backend completions, environment changes, scenario bookkeeping."""
    MONITOR = 6
    """The thread of a real device that reads operator commands (QMP)."""
    WORKER = 7
    """A thread of the thread pool of a real device, which does its I/O."""


def actor_name(code: int) -> str:
    """Return the name of an actor; a device outside this project may use codes of its own."""
    try:
        return ActorId(code).name.lower()
    except ValueError:
        return f"actor {code}"


class Frame(IntEnum):
    """Functions in a causal path: the innermost eight, one a byte, the innermost in the lowest."""

    STATUS = 1
    RESET = 2
    SYSTEM_RESET = 3
    QUEUE_RESET = 4
    START = 5
    STOP = 6
    STOP_BH = 7
    CLEANUP_HOST_NOTIFIER = 8
    HOST_NOTIFIER_READ = 9
    DIRECT_KICK = 10
    POLL = 11
    DRAINED_BEGIN = 12
    DRAINED_END = 13
    SET_AIO_CONTEXT = 14
    BLK_DRAIN = 15
    VM_STOP = 16
    VM_CONT = 17
    DMA_RESTART = 18
    COMPLETE = 19
    MIRROR = 20
    RESIZE = 21
    SNAPSHOT = 22
    DETACH = 23
    ATTACH = 24
    RESUME_PARKED = 25
    BLOCK_JOB = 26
    REOPEN = 27
    THROTTLE = 28
    REPLUG = 29


PATH_MASK: Final = 0xFFFF_FFFF_FFFF_FFFF


def path_names(path: int) -> str:
    """Return a causal path as text, outermost first: ``reset > stop > host_notifier_read``."""
    codes = [code for code in path.to_bytes(8, "big") if code]
    return " > ".join(Frame(code).name.lower() for code in codes)


@lru_cache(maxsize=4096)
def path_text(path: int) -> str:
    """Return a causal path as text; a device outside this project may use frames of its own.

    Cached: a campaign names the same few paths again and again.
    """
    try:
        return path_names(path)
    except ValueError:
        return f"{path:#x}"


class Event(NamedTuple):
    """One row of a trace; see `trace.kinds` for the meaning of the fields."""

    turn: int
    kind: int
    actor: int = ActorId.HARNESS
    queue: int = NO_QUEUE
    flag: int = 0
    head: int = 0
    request: int = 0
    epoch: int = 0
    value: int = 0
    path: int = 0
    length: int = 0
    """`len` of a used entry, in bytes, as the device wrote it: any u32."""


_new = tuple.__new__


def as_events(rows: Iterable[tuple[int, ...]]) -> list[Event]:
    """Return events with the fields of these rows."""
    return [_new(Event, row) for row in rows]


def frames_of(event: Event) -> bytes:
    """Return the codes of the frames on the causal path of an event, outermost first."""
    return event.path.to_bytes(8, "big")


EVENT_RECORD: Final = Struct("<IBBBBHHHHQI")
"""An `Event` as 28 bytes in the trace ring: turn u32, four u8, four u16, path u64, length u32."""
