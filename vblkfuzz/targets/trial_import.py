"""A trial: a user's module is imported in a child first, since it may end its process.

It can call `os._exit`, crash, raise KeyboardInterrupt as if the user had, or never end. In the
child that ends the child only. What it raises otherwise is left to the import that counts.
"""

from __future__ import annotations

import os
import resource
import select
import signal
from functools import partial
from typing import TYPE_CHECKING, Final

from vblkfuzz.errors import UsageError
from vblkfuzz.limits import IMPORT_LIMIT_S
from vblkfuzz.process.forked import Forked
from vblkfuzz.trace.fault import signal_name

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from io import FileIO

_GOOD: Final = b"good"
_INTERRUPT: Final = b"interrupt"


def try_import(where: str, load: Callable[[], bytes]) -> bytes:
    """Import a module in a child that ends then; return what `load` returned there.

    Args:
        where: the beginning of a message.
        load: imports it, and says something of it.

    Returns:
        Nothing if `load` has raised something, or this is not Linux: a user's device cannot run
        there anyway.

    Raises:
        UsageError: the module ends the child, or takes longer than `IMPORT_LIMIT_S`.
    """
    if not hasattr(os, "pidfd_open"):
        return b""
    with open(os.memfd_create("vblkfuzz-said", os.MFD_CLOEXEC), "w+b", buffering=0) as said:
        forked = Forked(partial(_serve, load, said))
        forked.start()
        try:
            answer = _answer(forked)
            wrong = _ending(forked.pid) if not answer else "raises KeyboardInterrupt"
        finally:
            forked.stop()
        if answer != _GOOD:
            raise UsageError(f"{where}: its module {wrong}")
        said.seek(0)
        return said.read()


def _serve(load: Callable[[], bytes], said: FileIO, line: socket.socket) -> None:
    """Import in the child; what it prints is left to the import that counts."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (IMPORT_LIMIT_S, IMPORT_LIMIT_S + 1))
    signal.signal(signal.SIGXCPU, signal.SIG_DFL)
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    answer = _GOOD
    try:
        said.write(load())
    except KeyboardInterrupt:
        answer = _INTERRUPT
    except BaseException:  # the same is raised again by the import that counts
        answer = _GOOD
    line.send(answer)


def _answer(forked: Forked) -> bytes:
    """Wait until the child has answered, or ended: a process it has left may hold the line."""
    pidfd = os.pidfd_open(forked.pid)
    try:
        poll = select.poll()
        poll.register(pidfd, select.POLLIN)
        poll.register(forked.line, select.POLLIN)
        poll.poll()
        forked.line.setblocking(False)
        return forked.line.recv(len(_INTERRUPT))
    except (BlockingIOError, ConnectionResetError):
        return b""
    finally:
        os.close(pidfd)


def _ending(pid: int) -> str:
    """Return how a child that gave no answer has ended; it stays to be reaped."""
    ended = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    assert ended is not None
    if ended.si_code == os.CLD_EXITED:
        return f"ends the process when it is imported: exit status {ended.si_status}"
    if ended.si_status == signal.SIGXCPU:
        return f"is not imported within {IMPORT_LIMIT_S} s of processor time"
    return f"ends the process when it is imported: {signal_name(ended.si_status)}"
