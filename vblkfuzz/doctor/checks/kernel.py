"""What processes of a campaign need of the kernel and of the C library."""

from __future__ import annotations

import fcntl
import mmap
import os
import platform
import select
import socket
import sys
from functools import partial
from typing import Final

from vblkfuzz.doctor.check import Found, limited, no, yes
from vblkfuzz.doctor.child import child
from vblkfuzz.process.linux import check_linux
from vblkfuzz.process.semaphore import SEMAPHORE_BYTES, Semaphore

_WAIT_S: Final = 10.0
"""Seconds for a forked process to do one thing, on a busy machine."""


def system() -> Found:
    """Find system, kernel and processor."""
    kernel, processor = platform.system(), platform.machine()
    fact = f"{kernel} {platform.release()}, {processor}"
    if kernel != "Linux" or sys.byteorder != "little":
        return no(fact)
    if processor != "x86_64":
        return limited(fact)
    return yes(fact)


def memfd() -> Found:
    """Make shared memory without a name that cannot shrink any more (memfd_create(2))."""
    fd = os.memfd_create("doctor", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.ftruncate(fd, mmap.PAGESIZE)
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK)
    with mmap.mmap(fd, mmap.PAGESIZE) as memory:
        memory[0] = 1
        try:
            os.ftruncate(fd, 0)
        except PermissionError:
            return yes("shared, sealed")
    return no("a seal has no effect")


def _wait(fd: int, _: socket.socket) -> None:
    os.eventfd_read(fd)


def events() -> Found:
    """Send an event to a process, and wait for its end (eventfd(2), pidfd_open(2))."""
    check_linux()
    fd = os.eventfd(0, os.EFD_CLOEXEC)
    with child(partial(_wait, fd)) as waiter:
        end = os.pidfd_open(waiter.pid)
        os.eventfd_write(fd, 1)
        ended, _, _ = select.select([end], [], [], _WAIT_S)
    return yes("eventfd, pidfd") if ended else no("an end is not seen")


def semaphores() -> Found:
    """Hand over between two processes by semaphores in shared memory (sem_init(3))."""
    memory = memoryview(mmap.mmap(-1, mmap.PAGESIZE))
    ping, pong = (Semaphore(memory[at * SEMAPHORE_BYTES :]) for at in range(2))

    def answer(_: socket.socket) -> None:
        ping.acquire()
        pong.release()

    with child(answer):
        ping.release()
        if not pong.acquire(True, _WAIT_S):
            return no("another process does not see a release")
    return yes("POSIX, without a name")
