"""The qtest protocol: lines of text that read and write ports and memory of the machine.

Writes are *posted*: they are sent with the next command whose answer is needed, and their answers
are read with it. Source: QEMU docs/devel/qtest, softmmu/qtest.c.
"""

from __future__ import annotations

import socket
from typing import Final

_CHUNK: Final = 1 << 16


class QTest:
    """One connection.

    Methods raise OSError or EOFError if it has ended, ValueError if QEMU refuses a command.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._posted: list[str] = []
        self._rest = b""

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
        self._posted.append(command)
        return int(self._exchange()[-1].split()[1], 16)

    def _exchange(self) -> list[str]:
        commands, self._posted = self._posted, []
        if commands:
            self._connection.sendall("\n".join((*commands, "")).encode())
        return [self._answer(command) for command in commands]

    def _answer(self, command: str) -> str:
        while b"\n" not in self._rest:
            data = self._connection.recv(_CHUNK)
            if not data:
                raise EOFError("qtest connection")
            self._rest += data
        line, _, self._rest = self._rest.partition(b"\n")
        answer = line.decode()
        if not answer.startswith("OK"):
            raise ValueError(f"qtest: {command}: {answer}")
        return answer
