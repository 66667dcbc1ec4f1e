"""The register file between guest and device; it stands for PCI common config and KVM.

It is a page of u32 words in the arena. The driver writes its set-up into the queue registers. Those
writes cause no VM exit in the model, because they have no observable effect. The write of the
device status causes one. An exit stays posted until the vCPU thread has handled it under the BQL.

`IOEVENTFD` of a queue is 1 while its kick sets its eventfd (as with KVM), 0 while its kick exits.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final


class Exit(IntEnum):
    """Why the guest left guest mode; the word `ARGUMENT` has the value or the queue."""

    NONE = 0
    STATUS = 1
    KICK = 2
    QUEUE_RESET = 3
    QUEUE_ENABLE = 4
    WRITEBACK = 5


EXIT: Final = 0
ARGUMENT: Final = 1
STATUS: Final = 2
FEATURES_LOW: Final = 3
FEATURES_HIGH: Final = 4
CAPACITY: Final = 5
"""Capacity in the configuration (5.2.4), in sectors."""
GENERATION: Final = 6
"""Config generation (4.1.4.3)."""
KNOWN_ID: Final = 7
"""Digest of the id that the device has; it stands for what the operator configured."""
QUEUES: Final = 8
"""First word of the queue registers; `QUEUE_WORDS` words a queue."""

OFFERED_LOW: Final = 40
OFFERED_HIGH: Final = 41
"""Feature bits that the device offers; written by the device at power-on."""
WRITEBACK: Final = 42
"""The field of the configuration: 1 with a write-back cache, 0 with a write-through one (5.2.4)."""
FEATURES_EXIT: Final = 43
"""1 if a write of FEATURES_OK leaves guest mode, since the device may refuse it (2.2)."""

SIZE, DESC, AVAIL, USED, ENABLED, IOEVENTFD, KICK_RUNG, CALL_RUNG = range(8)
QUEUE_WORDS: Final = 8
WORDS: Final = 64


class Registers:
    """Named access to the register file."""

    __slots__ = ("words",)

    def __init__(self, words: memoryview) -> None:
        self.words = words
        """u32 view of `WORDS` words; hot paths index it directly."""

    def clear(self) -> None:
        """Return to the power-on state. Clear the notifiers first: their bells are words of it."""
        self.words[:] = _ZERO

    def queue(self, index: int, register: int) -> int:
        """Read a queue register."""
        return self.words[QUEUES + index * QUEUE_WORDS + register]

    def set_queue(self, index: int, register: int, value: int) -> None:
        """Write a queue register."""
        self.words[QUEUES + index * QUEUE_WORDS + register] = value

    @property
    def features(self) -> int:
        """Feature bits the driver accepted."""
        return self.words[FEATURES_LOW] | self.words[FEATURES_HIGH] << 32

    @features.setter
    def features(self, bits: int) -> None:
        self.words[FEATURES_LOW] = bits & 0xFFFF_FFFF
        self.words[FEATURES_HIGH] = bits >> 32

    @property
    def offered(self) -> int:
        """Feature bits that the device offers."""
        return self.words[OFFERED_LOW] | self.words[OFFERED_HIGH] << 32

    @offered.setter
    def offered(self, bits: int) -> None:
        self.words[OFFERED_LOW] = bits & 0xFFFF_FFFF
        self.words[OFFERED_HIGH] = bits >> 32

    def exit_pending(self) -> bool:
        """Whether an exit waits for the vCPU thread."""
        return self.words[EXIT] != 0

    def post_exit(self, reason: Exit, argument: int) -> None:
        """Leave guest mode; the guest goes on when `exit_pending` is false again."""
        self.words[ARGUMENT] = argument
        self.words[EXIT] = reason


_ZERO: Final = memoryview(bytes(4 * WORDS)).cast("I")
