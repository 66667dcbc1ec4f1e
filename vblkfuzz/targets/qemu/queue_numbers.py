"""Numbers of queues: a scenario counts queues that take requests, a device all of them.

virtio-scsi begins with the queues for control and events (virtio 1.2, 5.6.2); in a scenario they
are `driver.memory_map.SIDE_QUEUES`.
"""

from __future__ import annotations

from vblkfuzz.driver.memory_map import SIDE_QUEUES
from vblkfuzz.limits import MAX_QUEUES
from vblkfuzz.virtio.request.scsi import FIRST_REQUEST_QUEUE

_ALL: int = MAX_QUEUES + len(SIDE_QUEUES)


def queues_of(kind: str) -> int:
    """Return how many virtqueues the device of a kind has here."""
    return _ALL if kind == "scsi" else MAX_QUEUES


def number_on_device(kind: str, queue: int) -> int:
    """Return the device's number of a scenario's queue."""
    return (queue + FIRST_REQUEST_QUEUE) % _ALL if kind == "scsi" else queue


def number_in_scenario(kind: str, queue: int) -> int:
    """Return the scenario's number of a device's queue."""
    return (queue - FIRST_REQUEST_QUEUE) % _ALL if kind == "scsi" else queue
