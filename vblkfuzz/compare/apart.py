"""A target in a process of its own, so that several real devices can run side by side.

A target's processes inherit what is open when they are forked. With two targets in one process,
those of the second would keep connections of the first open, and its back-end would wait for their
end. The process has a session of its own: ctrl-C is for the user's command, not for devices.

    scenario as canonical bytes  -> Trace, or the VblkfuzzError that was raised
"""

from __future__ import annotations

import os
import pickle
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from vblkfuzz.errors import ActorDied, HarnessError, VblkfuzzError
from vblkfuzz.process.forked import Forked
from vblkfuzz.scenario.codec import MAX_BYTES, decode_canonical, encode

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

    from vblkfuzz.scenario.scenario import Scenario
    from vblkfuzz.targets.target import Target
    from vblkfuzz.trace.trace import Trace

_PIECE: Final = 1 << 15
"""Bytes of an answer in one packet, behind a byte that says whether it is the last one."""
_END_S: Final = 30.0
"""Seconds for the target to stop."""


class Apart:
    """Satisfies `targets.target.Target`."""

    def __init__(self, make: Callable[[], Target]) -> None:
        self._make = make
        self._forked = Forked(self._serve)
        self.name = ""
        self.device = ""
        self.mode = ""

    def __enter__(self) -> Self:
        """Fork the process and start the target in it.

        Raises:
            VblkfuzzError: as the target does.
        """
        self._forked.start()
        try:
            self.name, self.device, self.mode = self._answer()
        except BaseException:
            self._forked.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Let the target stop, and end the process."""
        line = self._forked.line
        with suppress(OSError):  # it has ended already, or does not end
            line.shutdown(socket.SHUT_WR)
            line.settimeout(_END_S)
            while line.recv(1 + _PIECE):
                pass
        self._forked.stop()

    def run(self, scenario: Scenario) -> Trace:
        """Run one scenario.

        Raises:
            HarnessError: there is no complete trace; the target can be used again.
        """
        try:
            self._forked.line.send(encode(scenario))
        except OSError:
            raise ActorDied("the process of the target has ended") from None
        trace: Trace = self._answer()
        return trace

    def _answer(self) -> Any:  # noqa: ANN401  # whatever was sent
        pieces = []
        while True:
            try:
                piece = self._forked.line.recv(1 + _PIECE)
            except OSError:
                piece = b""
            if not piece:
                raise ActorDied("the process of the target has ended")
            pieces.append(piece[1:])
            if piece[0]:
                break
        found = pickle.loads(b"".join(pieces))  # written by our own process
        if isinstance(found, VblkfuzzError):
            raise found
        return found

    # --- In the process -----------------------------------------------------------------------

    def _serve(self, line: socket.socket) -> None:
        os.setsid()
        try:
            with self._make() as target:
                _send(line, (target.name, target.device, target.mode))
                while data := line.recv(MAX_BYTES):
                    _send(line, _run(target, data))
        except VblkfuzzError as error:
            _send(line, error)


def _run(target: Target, data: bytes) -> Trace | HarnessError:
    try:
        return target.run(decode_canonical(data))
    except HarnessError as error:
        return error


def _send(line: socket.socket, value: object) -> None:
    data = pickle.dumps(value)
    for at in range(0, len(data), _PIECE):
        last = at + _PIECE >= len(data)
        line.send(bytes([last]) + data[at : at + _PIECE])
