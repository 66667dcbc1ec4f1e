"""The IOThreads of a QEMU: how many it can have, their options, and who handles which queue.

With several, the queues take turns, as in the model: queue 0 is handled by the first IOThread,
queue 1 by the second one, and so on (iothread_vq_mapping_apply, a mapping that names no queue).
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from vblkfuzz.limits import MAX_IOTHREADS
from vblkfuzz.targets.iothread_polling import iothread_id
from vblkfuzz.targets.qemu.release import release_of
from vblkfuzz.trace.event import ActorId

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_SINCE: Final[Mapping[str, tuple[int, int]]] = MappingProxyType({"blk": (9, 0), "scsi": (10, 0)})
"""First version with iothread-vq-mapping, by kind of the device."""
ACTORS: Final = MappingProxyType(
    {iothread_id(index): ActorId(ActorId.IO0 + index) for index in range(MAX_IOTHREADS)}
)
"""The actor of each IOThread, by its id."""


def most_iothreads(version: str, kind: str) -> int:
    """Return how many IOThreads a kind of device can have in a QEMU of this version."""
    return MAX_IOTHREADS if release_of(version) >= _SINCE[kind] else 1


def iothread_options(count: int) -> Iterator[str]:
    """Yield the options that make IOThreads.

    One worker thread each: requests end in the order in which they were submitted.
    """
    for index in range(count):
        yield f"-object iothread,id={iothread_id(index)},poll-max-ns=0,thread-pool-max=1"


def actor_of(iothreads: int, queue: int) -> ActorId:
    """Return the actor that handles a queue while the device runs on so many IOThreads."""
    return ACTORS[iothread_id(queue % iothreads)] if iothreads else ActorId.MAIN
