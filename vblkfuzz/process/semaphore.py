"""Semaphores without a name, in shared memory: the turnstile's hand-over.

multiprocess makes named ones (sem_open(3)) and unlinks them at once, but who is killed in between
leaves a file in /dev/shm for ever. So the semaphore is initialised here, in the arena, by
sem_init(3), and only its operations are multiprocess's `SemLock`: they are the fastest hand-over
there is from Python, with a timeout, and signals do not disturb them.
"""

from __future__ import annotations

import ctypes
import os
from _multiprocessing import SemLock  # type: ignore[import-not-found]
from typing import Final, Protocol, cast

SEMAPHORE_BYTES: Final = 64
"""Room for one: sem_t takes 32 bytes on 64-bit Linux; each gets a cache line of its own."""

_COUNTING: Final = 1
"""SemLock's kind for a semaphore that is no mutex."""
_MAX_VALUE: Final = (1 << 31) - 1
"""SEM_VALUE_MAX of Linux."""


class Semaphore(Protocol):
    """What we use of a semaphore."""

    def acquire(self, block: bool = True, timeout: float | None = None) -> bool:
        """Wait until it is released; False if the timeout (seconds) was over first."""

    def release(self) -> None:
        """Let one waiter go."""


def semaphore(place: memoryview) -> Semaphore:
    """Return a new semaphore of value 0 at `place`, which is shared with processes forked later.

    `place` must stay mapped as long as somebody uses the semaphore.
    """
    assert len(place) >= SEMAPHORE_BYTES
    address = ctypes.addressof(ctypes.c_char.from_buffer(place))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.sem_init(ctypes.c_void_p(address), 1, 0) != 0:
        raise OSError(ctypes.get_errno(), f"sem_init: {os.strerror(ctypes.get_errno())}")
    # A handle without a name is used as it is.
    return cast(Semaphore, SemLock._rebuild(address, _COUNTING, _MAX_VALUE, None))
