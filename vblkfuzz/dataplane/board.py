"""The board: what a device is plugged into. Guest memory, registers, eventfds, the event ring."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vblkfuzz.dataplane.notifier import EventNotifier
    from vblkfuzz.dataplane.registers import Registers
    from vblkfuzz.trace.ring import TraceRing
    from vblkfuzz.virtio.memory import GuestMemory


@dataclass(frozen=True, slots=True)
class Board:
    """Everything of the device process that outlives one execution."""

    memory: GuestMemory
    registers: Registers
    kicks: Sequence[EventNotifier]
    """Host notifiers, one a queue: the guest's kick lands here while an ioeventfd is assigned."""
    calls: Sequence[EventNotifier]
    """Guest notifiers, one a queue."""
    ring: TraceRing
    """Events of the device process."""
