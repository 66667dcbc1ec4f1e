"""Requests that the back-end holds until the scenario ends them, oldest first.

A request takes effect on the disk when it ends, not when it is taken, and not at all if it fails.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.scenario.alphabet.backend import PICKS
from vblkfuzz.virtio.request.blk import RequestType

if TYPE_CHECKING:
    from collections.abc import Callable

    from vblkfuzz.targets.vhost_user_frontend.ring import Taken

_NEWEST: Final = PICKS.index("newest")
_ALL: Final = PICKS.index("all")


class HeldRequests:
    """The held requests."""

    def __init__(self) -> None:
        self._requests: list[Taken] = []

    def __len__(self) -> int:
        return len(self._requests)

    def add(self, taken: Taken) -> None:
        """Hold a request."""
        self._requests.append(taken)

    def take(self, pick: int = _ALL) -> list[Taken]:
        """Remove and return the requests that `pick` (an index of `PICKS`) selects, if any."""
        if pick == _ALL:
            return self._take(lambda _taken: True)
        place = len(self._requests) - 1 if pick == _NEWEST else pick
        return [self._requests.pop(place)] if 0 <= place < len(self._requests) else []

    def take_writes(self) -> list[Taken]:
        """Remove and return all but reads: those end with a flush of the backend's cache."""
        return self._take(lambda taken: taken.request.type != RequestType.IN)

    def drop_stopped(self) -> None:
        """Drop the requests of rings that do not run any more; they stay noted."""
        self._take(lambda taken: taken.ring.queue is None)

    def _take(self, wanted: Callable[[Taken], bool]) -> list[Taken]:
        found = [taken for taken in self._requests if wanted(taken)]
        self._requests = [taken for taken in self._requests if taken not in found]
        return found
