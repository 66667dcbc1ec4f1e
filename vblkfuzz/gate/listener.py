"""The gate's end of the filter: the threads that ask, and the answers (seccomp_unotify(2))."""

from __future__ import annotations

import errno
import fcntl
import os
import select
from contextlib import suppress
from struct import Struct
from typing import Final, NamedTuple

from vblkfuzz.gate.filter import EVENTFD_BYTES, WRITE

_RECEIVE, _SEND = 0xC0502100, 0xC0182101
"""SECCOMP_IOCTL_NOTIF_RECV and _SEND."""
_SET_FLAGS, _SYNC_WAKE_UP = 0x40082104, 1
"""Since Linux 6.6: the one that is woken runs next, on the processor of the one that wakes it."""
_CONTINUE: Final = 1
"""SECCOMP_USER_NOTIF_FLAG_CONTINUE: the kernel carries the call out."""
_NOTIFICATION: Final = Struct("<QIIiIQ6Q")
"""struct seccomp_notif: id, thread, flags; the call: number, architecture, address, arguments."""
_ANSWER: Final = Struct("<QqiI")
"""struct seccomp_notif_resp: id, result, error, flags."""
_MOST: Final = 4096
"""Bytes of one write that are read; a trace line is shorter."""
_GONE: Final = frozenset({errno.ENOENT, errno.EINTR})
"""The thread has been killed, or a signal has interrupted the call."""


class Gone(Exception):
    """The last process below the filter has ended."""


class Stop(NamedTuple):
    """A thread that sleeps in a system call until it is answered."""

    id: int
    """Cookie of the kernel."""
    thread: int
    """Its id, as in /proc/PID/task."""
    address: int
    """Address of the bytes that it wants to write."""
    size: int
    """How many."""
    call: int = WRITE
    """Number of the system call."""
    file: int = 0
    """File descriptor of a read(2) or write(2)."""

    @property
    def is_line(self) -> bool:
        """Whether it writes more than an eventfd takes."""
        return self.call == WRITE and self.size > EVENTFD_BYTES


class Listener:
    """A listener of one process."""

    def __init__(self, fd: int, pid: int) -> None:
        """Take over `fd`; call it after the execve(2) of the process `pid`."""
        self.fd = fd
        self._path = f"/proc/{pid}/mem"
        self._memory = os.open(self._path, os.O_RDONLY)
        with suppress(OSError):  # an older kernel; it is only faster
            fcntl.ioctl(fd, _SET_FLAGS, _SYNC_WAKE_UP)
        self._poll = select.poll()
        self._poll.register(fd, select.POLLIN)

    def close(self) -> None:
        """Close it: calls that ask from now on fail (ENOSYS)."""
        os.close(self._memory)
        os.close(self.fd)

    @property
    def asked(self) -> bool:
        """Whether a thread has asked that was not received yet.

        Raises:
            Gone: there is no process any more.
        """
        events = self._poll.poll(0)
        if events and not events[0][1] & select.POLLIN:
            raise Gone
        return bool(events)

    def receive(self) -> Stop | None:
        """Return the next thread that asks; None: it has gone since.

        Raises:
            Gone: there is no process any more.
        """
        buffer = bytearray(_NOTIFICATION.size)
        try:
            fcntl.ioctl(self.fd, _RECEIVE, buffer, True)
        except OSError as error:
            if error.errno in _GONE:
                return None
            raise
        cookie, thread, _, call, _, _, file, address, count, *_ = _NOTIFICATION.unpack(buffer)
        return Stop(cookie, thread, address, count, call, file)

    def text(self, stop: Stop) -> bytes:
        """Return what the thread wants to write, `_MOST` bytes at most; empty if it has gone."""
        with suppress(OSError):
            return self._read(stop) or self._read_anew(stop)
        return b""

    def _read(self, stop: Stop) -> bytes:
        return os.pread(self._memory, min(stop.size, _MOST), stop.address)

    def _read_anew(self, stop: Stop) -> bytes:
        """Read the memory of the program that the process runs now: a script may exec another."""
        memory = os.open(self._path, os.O_RDONLY)
        os.close(self._memory)
        self._memory = memory
        return self._read(stop)

    def carry_out(self, stop: Stop) -> bool:
        """Let the kernel carry the call out; return as `swallow`."""
        return self._answer(stop.id, 0, _CONTINUE)

    def swallow(self, stop: Stop) -> bool:
        """Let the thread go on as if all had been written.

        Returns: False if it does not sleep there any more: it was killed, or stopped (SIGSTOP).
        When a stopped thread goes on, it asks again.
        """
        return self._answer(stop.id, stop.size, 0)

    def _answer(self, cookie: int, result: int, flags: int) -> bool:
        try:
            fcntl.ioctl(self.fd, _SEND, _ANSWER.pack(cookie, result, 0, flags))
        except OSError as error:
            if error.errno not in _GONE:
                raise
            return False
        return True
