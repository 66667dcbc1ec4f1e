"""Processes that do the same work at the same time, as the workers of a campaign do."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Self

from vblkfuzz.errors import HarnessError
from vblkfuzz.process.forked import Forked, close_all_but

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from types import TracebackType

_READY: Final = b"ready"
_END: Final = bytes(4)
"""No more pieces of work."""


class Crew:
    """As many processes as told; each opens what it works with itself.

    Args:
        size: number of processes.
        open_work: opens in a process what it needs; entered, it is what is called for one piece of
            work. It is called in the new process, so nothing of it is shared.
    """

    def __init__(
        self, size: int, open_work: Callable[[], AbstractContextManager[Callable[[], object]]]
    ) -> None:
        self._open_work = open_work
        self._members = [Forked(self._serve) for _ in range(size)]

    def _serve(self, line: socket.socket) -> None:
        close_all_but(line.fileno())
        with self._open_work() as work:
            line.send(_READY)
            while count := int.from_bytes(line.recv(4), "little"):
                for _ in range(count):
                    work()
                line.send(_READY)

    def __enter__(self) -> Self:
        """Start the processes, and wait until each is ready.

        Raises:
            HarnessError: one of them has ended.
        """
        for member in self._members:
            member.start()
        self._wait()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Let the processes close what they have opened, and end them."""
        for member in self._members:
            with suppress(OSError):  # one that has ended by itself
                member.line.send(_END)
                member.line.recv(1)
            member.stop()

    def rate(self, count: int) -> float:
        """Let each do `count` pieces of work; return the pieces per second of all together.

        Raises:
            HarnessError: one of them has ended.
        """
        start = time.perf_counter()
        for member in self._members:
            member.line.send(count.to_bytes(4, "little"))
        self._wait()
        return count * len(self._members) / (time.perf_counter() - start)

    def _wait(self) -> None:
        for member in self._members:
            if member.line.recv(len(_READY)) != _READY:
                raise HarnessError("a process of the benchmark has ended by itself")
