"""Requests that the backend holds until the scenario ends them.

The backend's operations (`scenario.alphabet`: hold, release, complete, flush) work on this list. A
request takes effect on the disk when it ends, not when it arrives, and not at all if it fails.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vblkfuzz.scenario.alphabet.backend import PICKS
from vblkfuzz.targets.nbd.protocol import Command, NbdRequest

if TYPE_CHECKING:
    from collections.abc import Callable

_NEWEST: Final = PICKS.index("newest")
_ALL: Final = PICKS.index("all")


class Held(NamedTuple):
    """A request and its connection."""

    connection: int
    """fd of the client's socket."""
    request: NbdRequest


class HeldRequests:
    """The held requests, oldest first."""

    def __init__(self) -> None:
        self.holding = False
        """Whether new requests are held."""
        self._requests: list[Held] = []

    def __len__(self) -> int:
        return len(self._requests)

    def add(self, held: Held) -> None:
        """Hold a request."""
        self._requests.append(held)

    def take(self, pick: int) -> list[Held]:
        """Remove and return the requests that `pick` (an index of `PICKS`) selects, if any."""
        if pick == _ALL:
            return self._take(lambda _held: True)
        place = len(self._requests) - 1 if pick == _NEWEST else pick
        return [self._requests.pop(place)] if 0 <= place < len(self._requests) else []

    def take_writes(self) -> list[Held]:
        """Remove and return all but reads: those end with a flush of the backend's cache."""
        return self._take(lambda held: held.request.command != Command.READ)

    def take_flushes(self) -> list[Held]:
        """Remove and return the flushes."""
        return self._take(lambda held: held.request.command == Command.FLUSH)

    def drop(self, connection: int) -> None:
        """Drop the requests of a closed connection."""
        self._take(lambda held: held.connection == connection)

    def _take(self, wanted: Callable[[Held], bool]) -> list[Held]:
        taken = [held for held in self._requests if wanted(held)]
        self._requests = [held for held in self._requests if not wanted(held)]
        return taken
