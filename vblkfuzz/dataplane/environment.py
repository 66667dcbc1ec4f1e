"""Operations of the environment: one method for each, with the name of the operation."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vblkfuzz.dataplane.aio import AioContext


class Environment:
    """Switches poll mode of IOThreads; without an IOThread its operations have no effect."""

    def __init__(self, iothreads: Sequence[AioContext]) -> None:
        self._iothreads = iothreads

    def poll_on(self, index: int, *_: int) -> None:
        """Let the IOThread poll from its next turn on."""
        self._request(index, polling=True)

    def poll_off(self, index: int, *_: int) -> None:
        """Let the IOThread wait for notifiers from its next turn on."""
        self._request(index, polling=False)

    def _request(self, index: int, *, polling: bool) -> None:
        if self._iothreads:
            self._iothreads[index % len(self._iothreads)].poll_wanted = polling
