"""Operations of the backend: one method for each, with the name of the operation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vblkfuzz.dataplane.request import IoResult
from vblkfuzz.scenario.alphabet.backend import PICKS

if TYPE_CHECKING:
    from vblkfuzz.dataplane.backend import Backend


class BackendControl:
    """Controls the requests that the backend holds; every operation takes effect at once."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def complete(self, which: int, result: int, *_: int) -> None:
        """End held requests; `which` is a position in PICKS, `result` an IoResult."""
        self._backend.complete(PICKS[which], IoResult(result))

    def hold(self, *_: int) -> None:
        """Keep requests that are submitted from now on in flight."""
        self._backend.holding = True

    def release(self, *_: int) -> None:
        """Stop holding; end all held requests without error."""
        self._backend.release()

    def flush(self, *_: int) -> None:
        """End held requests other than reads without error."""
        self._backend.flush()

    def answer(self, *_: int) -> None:
        """Do nothing: the model has no front-end, which sends messages."""
