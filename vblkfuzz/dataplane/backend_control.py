"""What a scenario does to the backend: a method an operation, named like it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vblkfuzz.dataplane.request import IoResult
from vblkfuzz.scenario.alphabet.backend import PICKS

if TYPE_CHECKING:
    from vblkfuzz.dataplane.backend import Backend


class BackendControl:
    """Takes effect at once, on behalf of the host's storage."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def complete(self, which: int, result: int, *_: int) -> None:
        """End held requests; `which` is a position in PICKS."""
        self._backend.complete(PICKS[which], IoResult(result))

    def hold(self, *_: int) -> None:
        """Keep what is submitted from now on in flight."""
        self._backend.holding = True

    def release(self, *_: int) -> None:
        """Stop holding; end all held requests well."""
        self._backend.release()

    def flush(self, *_: int) -> None:
        """End held writes and flushes well."""
        self._backend.flush()
