"""Event notifiers: real eventfds that carry kick (guest to device) and call (device to guest).

Both ends are non-blocking. Beside each eventfd a word of shared memory, its *bell*, says whether
it is set, so that the turnstile can tell who has work without a system call. Word and fd are
written together by whoever holds the turn; `clear` checks that they agree. Who sets a notifier
that it reads itself (`set_own`) writes the bell only: no other process has to wake up.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from vblkfuzz.errors import HarnessError

if TYPE_CHECKING:
    from vblkfuzz.virtio.memory import GuestMemory

# Values of a bell.
_SILENT: Final = 0
_OWN: Final = 1
_SIGNALLED: Final = 2


class EventNotifier:
    """One eventfd and its bell word (QEMU: EventNotifier)."""

    __slots__ = ("_fd", "bell", "is_open", "serial", "words")

    def __init__(self, fd: int, words: memoryview, index: int) -> None:
        self._fd = fd
        self.words = words
        self.bell = index
        """`words[bell]` is the bell word; event loops look at it directly."""
        self.is_open = False
        """Device's view: between event_notifier_init and event_notifier_cleanup."""
        self.serial = 0
        """Number of its last opening in this execution: an fd of its own, used once."""

    def set(self) -> None:
        """Signal it. It is level-triggered: a set notifier needs no second system call."""
        if self.words[self.bell]:
            return
        self.words[self.bell] = _SIGNALLED
        os.eventfd_write(self._fd, 1)

    def set_own(self) -> None:
        """Signal the side that calls."""
        if not self.words[self.bell]:
            self.words[self.bell] = _OWN

    def is_set(self) -> bool:
        """Whether it is signalled."""
        return self.words[self.bell] != 0

    def clear(self) -> bool:
        """Take all signals; return whether there were any (event_notifier_test_and_clear).

        Raises:
            HarnessError: the eventfd and its bell word disagree.
        """
        bell = self.words[self.bell]
        self.words[self.bell] = _SILENT
        if bell == _SIGNALLED:
            try:
                os.read(self._fd, 8)
            except BlockingIOError:
                raise HarnessError("a notifier's bell was set but its eventfd was not") from None
        return bell != _SILENT


class OrderingNotifier(EventNotifier):
    """An eventfd as a memory barrier: its system calls take a lock.

    Only schedules that delay stores can tell the difference.
    """

    __slots__ = ("_memory",)

    def __init__(self, plain: EventNotifier, memory: GuestMemory) -> None:
        """Be another name for `plain`: the same eventfd and bell."""
        super().__init__(plain._fd, plain.words, plain.bell)
        self._memory = memory

    def set(self) -> None:
        """Signal it."""
        self._memory.barrier()
        super().set()

    def set_own(self) -> None:
        """Signal the side that calls."""
        self._memory.barrier()
        super().set_own()

    def clear(self) -> bool:
        """Take all signals; return whether there were any."""
        self._memory.barrier()
        return super().clear()
