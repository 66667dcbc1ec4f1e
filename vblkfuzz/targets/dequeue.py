"""A dequeue that an exact witness observed."""

from __future__ import annotations

from typing import NamedTuple


class Dequeue(NamedTuple):
    """One request was taken from a queue."""

    queue: int
    actor: int
    """The thread, an `ActorId`."""
