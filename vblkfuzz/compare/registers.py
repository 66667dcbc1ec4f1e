"""What the guest read in registers: offered features, status, enabled queues, capacity, mode."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from vblkfuzz.compare.key import Key
from vblkfuzz.trace.form import word
from vblkfuzz.trace.kinds import (
    CONFIG_READ,
    ENABLE_READ,
    FEATURES,
    HOSTILE,
    KINDS,
    RESET_RET,
    STATUS_READ,
    WRITEBACK_READ,
)
from vblkfuzz.virtio import features

if TYPE_CHECKING:
    from vblkfuzz.trace.event import Event

_NAMES: Final = {number: name for name, number in features.FEATURES.items()}
_BITS: Final = 48
"""Number of feature bits that the event FEATURES has room for."""


class Registers:
    """What the guest read; the config generation is left out: each device may count as it likes."""

    def __init__(self) -> None:
        self.sights: dict[Key, str] = {}
        self._reads: Counter[str] = Counter()
        self._hostile = False
        """Whether the driver has broken the protocol since the last reset (2.1.2)."""
        self._any_mode = False
        """Whether a reset that the driver has not noticed may have chosen any cache mode."""

    def note(self, event: Event) -> None:
        """Take the next event."""
        kind = event.kind
        if kind == HOSTILE:
            self._hostile = True
        elif kind == RESET_RET:
            self._hostile = False
            self._any_mode = True
        elif kind == FEATURES:
            self._any_mode = False
            self._offers(event.head | event.length << 16)
        elif kind == CONFIG_READ:
            self._read("capacity", f"{event.value} sectors")
        elif kind == ENABLE_READ:
            self._read("queue_enable after a reset", word(KINDS[kind].flags, event.flag))
        elif kind == WRITEBACK_READ and not self._any_mode:
            self._read("writeback after it was set", str(event.value))
        elif kind == STATUS_READ:
            self._read("device status", f"{event.value:#04x}")

    def _read(self, what: str, value: str) -> None:
        self._reads[what] += 1
        if not self._hostile:
            self.sights[Key("register", self._reads[what], what)] = value

    def _offers(self, offered: int) -> None:
        for bit in range(_BITS):
            key = Key("feature", bit, f"offers {_NAMES.get(bit, f'feature bit {bit}')}")
            self.sights.setdefault(key, "yes" if offered >> bit & 1 else "no")
