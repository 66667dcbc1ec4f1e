"""Requests that wait at the backend, and which of them a scenario ends when.

The backend's operations (`scenario.alphabet`: hold, release, complete, flush) work on this list. A
request takes effect on the disk when it ends, not when it comes, and not at all if it fails.
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
    """A request and the connection it came by."""

    connection: int
    request: NbdRequest


class HeldRequests:
    """Oldest first."""

    def __init__(self) -> None:
        self.holding = False
        """Whether new requests wait."""
        self._requests: list[Held] = []

    def __len__(self) -> int:
        return len(self._requests)

    def add(self, held: Held) -> None:
        """Let a request wait."""
        self._requests.append(held)

    def take(self, pick: int) -> list[Held]:
        """Take the requests that a completion means (`PICKS`); nothing if there is no such one."""
        if pick == _ALL:
            return self._take(lambda _held: True)
        place = len(self._requests) - 1 if pick == _NEWEST else pick
        return [self._requests.pop(place)] if 0 <= place < len(self._requests) else []

    def take_writes(self) -> list[Held]:
        """Take all but reads: what a flush of the backend's cache ends."""
        return self._take(lambda held: held.request.command != Command.READ)

    def drop(self, connection: int) -> None:
        """Forget the requests of a connection that is gone."""
        self._take(lambda held: held.connection == connection)

    def _take(self, wanted: Callable[[Held], bool]) -> list[Held]:
        taken = [held for held in self._requests if wanted(held)]
        self._requests = [held for held in self._requests if not wanted(held)]
        return taken
