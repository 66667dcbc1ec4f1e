"""System calls of any program as points: what a thread is about to read, to wake or to wait for.

A program without trace events that are known has these points. An eventfd is a kick that a handler
is about to read, the call to the guest, or the bell of another thread's event loop. The kernel
carries out each call once the gate lets the thread go on. One that blocks then, as a wait does,
asks again if a signal interrupts it, and is a point again.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from vblkfuzz.gate.filter import FUTEX, READ
from vblkfuzz.gate.line import WAIT, Line

if TYPE_CHECKING:
    from vblkfuzz.gate.listener import Stop

_READS, _WRITES, _WAITS = Line("eventfd_read"), Line("eventfd_write"), Line(WAIT)
_EVENTFD: Final = "anon_inode:[eventfd]"


def call_at(stop: Stop) -> Line | None:
    """Return what a thread is about to do; None: it reads or writes another file."""
    if stop.call == FUTEX:
        return _WAITS
    if not _is_eventfd(stop):
        return None
    return _READS if stop.call == READ else _WRITES


def _is_eventfd(stop: Stop) -> bool:
    with suppress(OSError):  # the thread has gone, or there is no such file
        return os.readlink(f"/proc/{stop.thread}/fd/{stop.file}") == _EVENTFD
    return False
