"""Unnamed semaphores in shared memory, for hand-overs between processes.

multiprocess makes named semaphores (sem_open(3)) and unlinks them at once, but a process killed in
between leaves a file in /dev/shm. So this module initialises the semaphore in the arena by
sem_init(3), and uses multiprocess's `SemLock` for the operations only: it is the fastest hand-over
available from Python, has a timeout, and retries when a signal interrupts it.
"""

from __future__ import annotations

import ctypes
from _multiprocessing import SemLock  # type: ignore[import-not-found]
from collections.abc import Callable
from typing import Final

SEMAPHORE_BYTES: Final = 64
"""Bytes for one semaphore: sem_t takes 32 on 64-bit Linux; each gets its own cache line."""

_COUNTING: Final = 1
"""SemLock's kind for a semaphore that is not a mutex."""
_MAX_VALUE: Final = (1 << 31) - 1
"""SEM_VALUE_MAX of Linux."""


class Semaphore:
    """A new semaphore of value 0, shared with processes forked later."""

    __slots__ = ("_place", "acquire", "release")

    def __init__(self, place: memoryview) -> None:
        """Initialise it in the first SEMAPHORE_BYTES of `place`, which then stays mapped.

        Raises:
            OSError: the C library cannot share semaphores between processes.
        """
        assert len(place) >= SEMAPHORE_BYTES
        self._place = place
        address = ctypes.addressof(ctypes.c_char.from_buffer(place))
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.sem_init(ctypes.c_void_p(address), 1, 0) != 0:
            raise OSError(ctypes.get_errno(), "sem_init")
        # Without a name, SemLock uses the address as the handle.
        lock = SemLock._rebuild(address, _COUNTING, _MAX_VALUE, None)
        # The C functions themselves, without methods around them: each hand-over calls both.
        self.acquire: Callable[..., bool] = lock.acquire
        """``acquire(block=True, timeout=None)``: wait for a release; False after `timeout` seconds
        without one."""
        self.release: Callable[[], None] = lock.release
        """Wake one waiter."""
