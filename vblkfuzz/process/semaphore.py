"""Semaphores without a name, in shared memory: the turnstile's hand-over.

multiprocess makes named ones (sem_open(3)) and unlinks them at once, but who is killed in between
leaves a file in /dev/shm for ever. So the semaphore is initialised here, in the arena, by
sem_init(3), and only its operations are multiprocess's `SemLock`: they are the fastest hand-over
there is from Python, with a timeout, and signals do not disturb them.
"""

from __future__ import annotations

import ctypes
from _multiprocessing import SemLock  # type: ignore[import-not-found]
from collections.abc import Callable
from typing import Final

SEMAPHORE_BYTES: Final = 64
"""Room for one: sem_t takes 32 bytes on 64-bit Linux; each gets a cache line of its own."""

_COUNTING: Final = 1
"""SemLock's kind for a semaphore that is no mutex."""
_MAX_VALUE: Final = (1 << 31) - 1
"""SEM_VALUE_MAX of Linux."""


class Semaphore:
    """A new semaphore of value 0, shared with processes forked later."""

    __slots__ = ("_place", "acquire", "release")

    def __init__(self, place: memoryview) -> None:
        """Make it in the first bytes of `place`, which is kept from being unmapped.

        Raises:
            OSError: the C library cannot share semaphores between processes.
        """
        assert len(place) >= SEMAPHORE_BYTES
        self._place = place
        address = ctypes.addressof(ctypes.c_char.from_buffer(place))
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.sem_init(ctypes.c_void_p(address), 1, 0) != 0:
            raise OSError(ctypes.get_errno(), "sem_init")
        # A handle without a name is used as it is.
        lock = SemLock._rebuild(address, _COUNTING, _MAX_VALUE, None)
        # C functions, not methods around them: a hand-over is two calls.
        self.acquire: Callable[..., bool] = lock.acquire
        """``acquire(block=True, timeout=None)``: wait until it is released; False if the timeout
        (seconds) was over first."""
        self.release: Callable[[], None] = lock.release
        """Let one waiter go."""
