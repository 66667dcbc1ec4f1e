"""The qtest protocol: lines of text that read and write ports and memory of the machine.

Writes are *posted*: they are sent with the next command whose answer is needed, and their answers
are read with it. Source: QEMU docs/devel/qtest, softmmu/qtest.c.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_CHUNK: Final = 1 << 16
_SHORTEST: Final = len("OK\n")
"""Bytes of the shortest answer: that of a write."""


class QTest:
    """One connection.

    Methods raise OSError or EOFError if it has ended, ValueError if QEMU refuses a command.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._posted: list[str] = []

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def post(self, command: str) -> None:
        """Queue a command; it is sent by the next `flush` or `ask`."""
        self._posted.append(command)

    def flush(self) -> None:
        """Send the posted commands and wait for their answers."""
        self._exchange()

    def ask(self, command: str) -> int:
        """Send the posted commands and one that reads; return its value."""
        return self.ask_all([command])[0]

    def ask_all(self, commands: Sequence[str]) -> list[int]:
        """Send the posted commands and others, in one go; return the values of those that read."""
        self._posted += commands
        words = [answer.split() for answer in self._exchange()[-len(commands) :]]
        return [int(each[1], 16) for each in words if len(each) > 1]

    def _exchange(self) -> list[str]:
        """Send the posted commands; return their answers, one for each."""
        commands, self._posted = self._posted, []
        if not commands:
            return []
        self._connection.sendall("\n".join((*commands, "")).encode())
        # QEMU sends each answer by itself: a receive for each would take longer than the answer.
        data = self._receive(_SHORTEST * (len(commands) - 1), socket.MSG_WAITALL)
        while data.count(b"\n") < len(commands):
            if not (more := self._receive(_CHUNK)):
                raise EOFError("qtest connection")
            data += more
        answers = data.decode().splitlines()
        for command, answer in zip(commands, answers, strict=True):
            if not answer.startswith("OK"):
                raise ValueError(f"qtest: {command}: {answer}")
        return answers

    def _receive(self, size: int, flags: int = 0) -> bytes:
        return self._connection.recv(size, flags) if size else b""
