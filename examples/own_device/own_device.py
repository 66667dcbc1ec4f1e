"""A device of one's own: at most two requests run at a time, the others wait.

`Throttled` parks what must wait where QEMU parks the requests of a drained node, so that drains and
resets know of it. `Forgetful` is the first attempt: it keeps a list that nobody else knows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz import VirtioBlk
from vblkfuzz.dataplane.block_backend import BlockBackend
from vblkfuzz.dataplane.thread import POINT, Steps, Thread
from vblkfuzz.trace.kinds import PARK

if TYPE_CHECKING:
    from vblkfuzz.dataplane.request import Request

LIMIT: Final = 2


class ThrottledBackend(BlockBackend):
    """Lets `LIMIT` requests run; further ones wait until one has ended."""

    def submit(self, thread: Thread, request: Request) -> Steps:
        """Send a request to the backend, or let it wait."""
        if self.in_flight < LIMIT:
            yield from super().submit(thread, request)
        else:
            yield POINT
            self.waiting().append(request)
            self._trace(PARK, thread, request)

    def run_next(self) -> None:
        """A request has ended: the next one may run."""
        if self.waiting() and not self.in_drain:
            self._wake(self.waiting().pop(0))

    def waiting(self) -> list[Request]:
        """Return the requests that wait."""
        return self.parked


class ForgetfulBackend(ThrottledBackend):
    """The bug: a reset cancels what is parked, but not what waits here."""

    def waiting(self) -> list[Request]:
        """Return the requests that wait."""
        if not hasattr(self, "_waiting"):
            self._waiting: list[Request] = []
        return self._waiting


class Throttled(VirtioBlk):
    """A device with a limit."""

    summary = "at most two requests at a time"
    block_backend = ThrottledBackend

    def complete(self, thread: Thread, request: Request) -> Steps:
        """The backend has ended a request."""
        yield from super().complete(thread, request)
        assert isinstance(self.blk, ThrottledBackend)
        self.blk.run_next()


class Forgetful(Throttled):
    """The same with the bug."""

    summary = "at most two requests at a time; a reset forgets the others"
    block_backend = ForgetfulBackend
