"""The board that a device is plugged into: guest memory, registers, eventfds and event ring."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vblkfuzz.dataplane.notifier import EventNotifier
from vblkfuzz.dataplane.registers import Registers
from vblkfuzz.trace.ring import TraceRing
from vblkfuzz.virtio.memory import GuestMemory


@dataclass(frozen=True, slots=True)
class Board:
    """The parts of the device process that are used by all its executions."""

    memory: GuestMemory
    registers: Registers
    kicks: Sequence[EventNotifier]
    """Host notifiers, one a queue: a kick sets them while an ioeventfd is assigned."""
    calls: Sequence[EventNotifier]
    """Guest notifiers, one a queue."""
    ring: TraceRing
    """Events of the device process."""
