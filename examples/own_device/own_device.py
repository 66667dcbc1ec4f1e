"""An example of your own device: at most two requests run at a time, the others wait.

`Throttled` keeps waiting requests in the list of parked ones, as QEMU does in a drained node, so
drains and resets handle them. `Forgetful` has a bug: it keeps them in a list of its own, which a
reset does not clear.
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
    """Runs at most `LIMIT` requests; a further one waits until another has ended."""

    def submit(self, thread: Thread, request: Request) -> Steps:
        """Send a request to the backend, or put it on the waiting list."""
        if self.in_flight < LIMIT:
            yield from super().submit(thread, request)
        else:
            yield POINT
            self.waiting().append(request)
            self._trace(PARK, thread, request)

    def run_next(self) -> None:
        """Run the next waiting request, because one has ended."""
        if self.waiting() and not self.in_drain:
            self._wake(self.waiting().pop(0))

    def waiting(self) -> list[Request]:
        """Return the requests that wait."""
        return self.parked


class ForgetfulBackend(ThrottledBackend):
    """A backend with a bug: a reset cancels parked requests, but not those that wait here."""

    def waiting(self) -> list[Request]:
        """Return the requests that wait."""
        if not hasattr(self, "_waiting"):
            self._waiting: list[Request] = []
        return self._waiting


class Throttled(VirtioBlk):
    """A device that runs at most `LIMIT` requests at a time."""

    summary = "at most two requests at a time"
    block_backend = ThrottledBackend

    def complete(self, thread: Thread, request: Request) -> Steps:
        """Complete a request that the backend has ended."""
        yield from super().complete(thread, request)
        assert isinstance(self.blk, ThrottledBackend)
        self.blk.run_next()


class Forgetful(Throttled):
    """The same device with the bug."""

    summary = "at most two requests at a time; a reset does not cancel the others"
    block_backend = ForgetfulBackend
