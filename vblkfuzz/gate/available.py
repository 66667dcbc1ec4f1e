"""Whether this machine has what a gate needs: tried on a process that does nothing else."""

from __future__ import annotations

import os
import select
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from vblkfuzz.gate.installation import Installation, NoGate
from vblkfuzz.gate.listener import Gone, Listener
from vblkfuzz.process.forked import Forked

if TYPE_CHECKING:
    import socket

_LINE: Final = b"0@0:event of a trial\n"
_PATIENCE_MS: Final = 5000


@lru_cache(maxsize=1)
def why_no_gate() -> str:
    """Return why this machine has no gate, in a few words; empty: it has."""
    installation = Installation()

    def ask(line: socket.socket) -> None:
        installation.prepare()
        line.send(b"ready")
        os.write(line.fileno(), _LINE)

    child = Forked(ask)
    child.start()
    try:
        child.line.recv(len(_LINE))
        return _trial(installation.listener(), child.pid)
    except NoGate as error:
        return f"no seccomp user notification: {error}"
    finally:
        child.stop()
        installation.close()


def _trial(fd: int, pid: int) -> str:
    """Answer the one write of the process `pid`; return what went wrong."""
    try:
        listener = Listener(fd, pid)
    except OSError as error:
        os.close(fd)
        return f"the memory of a child process cannot be read: {error.strerror}"
    try:
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        poll.poll(_PATIENCE_MS)
        stop = listener.receive() if listener.asked else None
        if stop is None or listener.text(stop) != _LINE:
            return "seccomp user notification does not arrive"
        listener.swallow(stop)
        return ""
    except (Gone, OSError) as error:
        return f"seccomp user notification: {error}"
    finally:
        listener.close()
