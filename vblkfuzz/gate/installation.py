"""The filter of a process that is about to start; its listener goes to the one that starts it."""

from __future__ import annotations

import socket
from typing import Final

from vblkfuzz.gate.filter import Calls, install

_WORD: Final = 256


class NoGate(Exception):
    """This machine has no user notification; the text says why."""


class Installation:
    """One filter, from fork to exec."""

    def __init__(self, calls: Calls = Calls.LINES) -> None:
        self._calls = calls
        self._ours, self._theirs = socket.socketpair()

    def prepare(self) -> None:
        """Install the filter; the child calls this last before execve(2).

        A machine that has none starts the program without it.
        """
        try:
            listener = install(self._calls)
        except OSError as error:
            self._theirs.send((error.strerror or str(error)).encode())
        else:
            socket.send_fds(self._theirs, [b"\0"], [listener])

    def listener(self) -> int:
        """Return the listener; the parent calls this once the program runs.

        Raises:
            NoGate: there is none.
        """
        word, fds, _, _ = socket.recv_fds(self._ours, _WORD, 1)
        if not fds:
            raise NoGate(word.decode())
        return fds[0]

    def close(self) -> None:
        """Close both ends."""
        self._ours.close()
        self._theirs.close()
