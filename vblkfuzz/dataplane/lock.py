"""Locks of the device process: the BQL and the AioContext lock of older revisions."""

from __future__ import annotations

from vblkfuzz.dataplane.thread import Steps, Thread


class Lock:
    """A recursive mutex between threads of the model (QEMU: bql, aio_context_acquire)."""

    __slots__ = ("_depth", "owner")

    def __init__(self) -> None:
        self.owner: Thread | None = None
        self._depth = 0

    def is_free(self) -> bool:
        """Whether no thread holds the lock."""
        return self.owner is None

    def acquire(self, thread: Thread) -> Steps:
        """Wait until the lock is free or this thread holds it, then add one level."""
        while self.owner is not None and self.owner is not thread:
            yield self.is_free
        self.owner = thread
        self._depth += 1

    def release(self) -> None:
        """Undo one `acquire`; the last one frees the lock."""
        self._depth -= 1
        if self._depth == 0:
            self.owner = None
