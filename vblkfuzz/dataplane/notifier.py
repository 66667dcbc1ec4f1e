"""Event notifiers: real eventfds that carry kick (guest to device) and call (device to guest).

Both ends are non-blocking. Beside each eventfd a word of shared memory says whether it is set, so
that the turnstile can tell who has work without a system call. The word and the fd are written
together by whoever holds the turn; `clear` checks that they agree.
"""

from __future__ import annotations

import os

from vblkfuzz.errors import HarnessError


class EventNotifier:
    """One eventfd and its bell word (QEMU: EventNotifier)."""

    __slots__ = ("_fd", "bell", "is_open", "words")

    def __init__(self, fd: int, words: memoryview, index: int) -> None:
        self._fd = fd
        self.words = words
        self.bell = index
        """`words[bell]` is the bell word; event loops look at it directly."""
        self.is_open = False
        """Device's view: between event_notifier_init and event_notifier_cleanup."""

    def set(self) -> None:
        """Signal it. It is level-triggered: a set notifier needs no second system call."""
        if self.words[self.bell]:
            return
        self.words[self.bell] = 1
        os.eventfd_write(self._fd, 1)

    def is_set(self) -> bool:
        """Whether it is signalled."""
        return self.words[self.bell] != 0

    def clear(self) -> bool:
        """Take all signals; return whether there were any (event_notifier_test_and_clear).

        Raises:
            HarnessError: the eventfd and its bell word disagree.
        """
        if not self.words[self.bell]:
            return False
        self.words[self.bell] = 0
        try:
            os.read(self._fd, 8)
        except BlockingIOError:
            raise HarnessError("a notifier's bell was set but its eventfd was not") from None
        return True
