"""Whether this machine has what a gate needs: tried on a process that does nothing else."""

from __future__ import annotations

import os
import select
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from vblkfuzz.gate.installation import Installation, NoGate
from vblkfuzz.gate.listener import Gone, Listener, Stop
from vblkfuzz.process.forked import Forked

if TYPE_CHECKING:
    import socket

_SWALLOWED: Final = b"never written"
_WRITTEN: Final = b"written by the kernel"
_PATIENCE_MS: Final = 5000


@lru_cache(maxsize=1)
def why_no_gate() -> str:
    """Return why this machine has no gate, in a few words; empty: it has. It is tried once."""
    return trial()


def trial() -> str:
    """As `why_no_gate`, tried now."""
    installation = Installation()

    def ask(line: socket.socket) -> None:
        installation.prepare()
        line.send(b"ready")
        for text in (_SWALLOWED, _WRITTEN):
            os.write(line.fileno(), text)

    child = Forked(ask)
    child.start()
    try:
        child.line.settimeout(_PATIENCE_MS / 1000)
        child.line.recv(len(_WRITTEN))
        return _answered(installation.listener(), child)
    except NoGate as error:
        return f"no seccomp user notification: {error}"
    except OSError as error:
        return f"seccomp: a call cannot be answered: {error.strerror or error}"
    finally:
        child.stop()
        installation.close()


def _answered(fd: int, child: Forked) -> str:
    """Answer the two writes of a child; return what went wrong.

    Raises:
        OSError: the kernel refuses an answer, or nothing arrives.
    """
    try:
        listener = Listener(fd, child.pid)
    except OSError as error:
        os.close(fd)
        return f"the memory of a child process cannot be read: {error.strerror}"
    try:
        for wanted, answer in ((_SWALLOWED, listener.swallow), (_WRITTEN, listener.carry_out)):
            stop = _stop_of(listener)
            if listener.text(stop) != wanted:
                return "the memory of a child process cannot be read"
            answer(stop)
    except Gone:
        return "seccomp: a call that was held ends the process"
    finally:
        listener.close()
    written = child.line.recv(len(_WRITTEN))
    return "" if written == _WRITTEN else "seccomp: a call that was held cannot go on"


def _stop_of(listener: Listener) -> Stop:
    poll = select.poll()
    poll.register(listener.fd, select.POLLIN)
    poll.poll(_PATIENCE_MS)
    stop = listener.receive() if listener.asked else None
    if stop is None:
        raise TimeoutError(0, "it is not held")
    return stop
