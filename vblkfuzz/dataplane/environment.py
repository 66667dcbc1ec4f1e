"""What changes around the device: a method an operation, named like it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vblkfuzz.dataplane.aio import AioContext


class Environment:
    """How IOThreads wait for work; without one there is nothing to change."""

    def __init__(self, iothreads: Sequence[AioContext]) -> None:
        self._iothreads = iothreads

    def poll_on(self, index: int, *_: int) -> None:
        """The IOThread polls from its next turn on."""
        self._want(index, polling=True)

    def poll_off(self, index: int, *_: int) -> None:
        """The IOThread waits for notifiers from its next turn on."""
        self._want(index, polling=False)

    def _want(self, index: int, *, polling: bool) -> None:
        if self._iothreads:
            self._iothreads[index % len(self._iothreads)].poll_wanted = polling
