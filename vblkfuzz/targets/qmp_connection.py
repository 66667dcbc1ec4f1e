"""QMP on the wire: commands, answers and events, a JSON object each, over a Unix socket.

QEMU answers commands in the order in which they were sent (docs/interop/qmp-spec; only commands out
of band may overtake, and none is sent here), so they need no ids. It reads a command byte by byte,
with a system call for each: commands are as short as can be, without blanks and line ends.
"""

from __future__ import annotations

import json
import select
import socket
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_CHUNK: Final = 1 << 16
_CLOSED: Final = "QEMU has closed it"


class Answer:
    """The answer to a command, once it has come."""

    __slots__ = ("came", "refusal", "value")

    def __init__(self) -> None:
        self.came = False
        self.value: Any = None
        """What the command returns."""
        self.refusal: str | None = None
        """Why QEMU does not carry the command out; None: it does."""

    def take(self, message: Mapping[str, Any]) -> None:
        """Take the message that answers the command.

        Raises:
            KeyError: it is no answer.
        """
        if "error" in message:
            self.refusal = str(message["error"]["desc"])
        else:
            self.value = message["return"]
        self.came = True


class QmpConnection:
    """One connection, which it owns."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._poll = select.poll()
        self._poll.register(connection, select.POLLIN)
        self._rest = b""
        """The beginning of a message."""
        self._due: deque[Answer] = deque()
        """Answers that have not come, in the order of their commands."""
        self.greeting: Mapping[str, Any] = {}
        """What QEMU has said of itself; empty: nothing yet."""
        self.events: deque[dict[str, Any]] = deque()
        """Events that have come and were not taken."""
        self.heard = 0
        """Messages that have come."""
        self.ended = ""
        """Why nothing comes any more; empty: it may."""

    def close(self) -> None:
        """Close it."""
        self.ended = self.ended or "it was closed"
        self._socket.close()

    @property
    def is_cut(self) -> bool:
        """Whether the other side has closed it, also if that has not been read yet."""
        if self._socket.fileno() < 0:
            return True
        poll = select.poll()
        poll.register(self._socket, select.POLLRDHUP)
        return bool(poll.poll(0))

    def send(
        self, command: str, arguments: Mapping[str, object], fds: Sequence[int] = ()
    ) -> Answer:
        """Send a command, with copies of file descriptors; return its answer, which comes later.

        Raises:
            OSError: it cannot be sent.
        """
        message = {"execute": command} | ({"arguments": arguments} if arguments else {})
        data = json.dumps(message, separators=(",", ":")).encode()
        if fds:
            socket.send_fds(self._socket, [data], list(fds))
        else:
            self._socket.sendall(data)
        answer = Answer()
        self._due.append(answer)
        return answer

    def receive(self, patience_s: float) -> bool:
        """Take in what has come; wait at most so many seconds for it. Return whether it has."""
        if self.ended:
            time.sleep(max(patience_s, 0))
            return False
        if patience_s > 0 and not self._poll.poll(1000 * patience_s):
            return False
        try:
            data = self._socket.recv(_CHUNK, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError as error:
            self.ended = str(error)
            return False
        self.ended = "" if data else _CLOSED
        self._take(data)
        return bool(data)

    def _take(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            try:
                self._hear(json.loads(line.decode()))
            except (ValueError, LookupError, TypeError):
                self.ended = self.ended or f"no QMP message: {line[:80]!r}"

    def _hear(self, message: dict[str, Any]) -> None:
        """Take one message; raises an error of look-up or type if it is none of QMP."""
        self.heard += 1
        if "event" in message:
            self.events.append(message)
        elif "QMP" in message:
            self.greeting = message["QMP"]
        else:
            self._due.popleft().take(message)
