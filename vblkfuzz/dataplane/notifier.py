"""Event notifiers: real eventfds that carry kick (guest to device) and call (device to guest).

Both ends are non-blocking. Each eventfd has a word in shared memory, its *bell*, that is nonzero
while the eventfd is set: the turnstile finds the actors with work without a system call. The actor
whose turn it is writes bell and fd together; `clear` checks that they agree. `set_own`, for a
notifier that the same process reads, writes the bell only: no other process has to wake up. Where
guest and device are one process, there are bells alone.
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
    """One eventfd, or none, and its bell word (QEMU: EventNotifier)."""

    __slots__ = ("_fd", "bell", "is_open", "serial", "words")

    def __init__(self, fd: int | None, words: memoryview, index: int) -> None:
        self._fd = fd
        self.words = words
        self.bell = index
        """`words[bell]` is the bell word; event loops read it directly."""
        self.is_open = False
        """Whether the device has opened it (event_notifier_init) and not yet closed it."""
        self.serial = 0
        """Number of its last opening in this execution; in QEMU each opening makes a new fd."""

    def power_on(self) -> None:
        """Return to the state before the first execution."""
        if self.words[self.bell]:
            self.clear()
        self.is_open = False
        self.serial = 0

    def set(self) -> None:
        """Signal it. A notifier is level-triggered: one that is set needs no system call."""
        if self._fd is None:
            self.words[self.bell] = _OWN
        elif not self.words[self.bell]:
            self.words[self.bell] = _SIGNALLED
            os.eventfd_write(self._fd, 1)

    def set_own(self) -> None:
        """Signal it for a reader in the calling process."""
        if not self.words[self.bell]:
            self.words[self.bell] = _OWN

    def is_set(self) -> bool:
        """Whether it is set."""
        return self.words[self.bell] != 0

    def clear(self) -> bool:
        """Clear it; return whether it was set (event_notifier_test_and_clear).

        Raises:
            HarnessError: the eventfd and its bell word disagree.
        """
        bell = self.words[self.bell]
        self.words[self.bell] = _SILENT
        if bell == _SIGNALLED and self._fd is not None:
            try:
                os.read(self._fd, 8)
            except BlockingIOError:
                raise HarnessError("a notifier's bell was set but its eventfd was not") from None
        return bell != _SILENT


class OrderingNotifier(EventNotifier):
    """A notifier whose operations are memory barriers, as the system calls of an eventfd are.

    It differs from a plain one only if the schedule delays stores.
    """

    __slots__ = ("_memory",)

    def __init__(self, plain: EventNotifier, memory: GuestMemory) -> None:
        """Use the eventfd and the bell of `plain`."""
        super().__init__(plain._fd, plain.words, plain.bell)
        self._memory = memory

    def set(self) -> None:
        """Signal it."""
        self._memory.barrier()
        super().set()

    def set_own(self) -> None:
        """Signal it for a reader in the calling process."""
        self._memory.barrier()
        super().set_own()

    def clear(self) -> bool:
        """Clear it; return whether it was set."""
        self._memory.barrier()
        return super().clear()
