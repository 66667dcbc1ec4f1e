"""A child that a check needs: it serves one end of a socket pair, and is ended with the check."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from vblkfuzz.process.forked import Forked


@contextmanager
def child(serve: Callable[[socket.socket], None]) -> Iterator[Forked]:
    """Start a child, and kill it in the end; it ends by itself when `serve` returns.

    Raises:
        OSError: it cannot be started.
    """
    forked = Forked(serve)
    forked.start()
    try:
        yield forked
    finally:
        forked.stop()


def sleep(line: socket.socket) -> None:
    """Wait until the other end closes."""
    line.recv(1)
