"""What the driver reads in the registers of the device, recorded: status, enabled queues, calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.trace.event import NO_QUEUE, ActorId
from vblkfuzz.trace.kinds import CALLED, ENABLE_READ, STATUS_READ
from vblkfuzz.trace.vhost_kinds import CONFIG_CALLED
from vblkfuzz.virtio.layout import F_IN_ORDER, F_RING_PACKED, STATUS_FEATURES_OK

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vblkfuzz.driver.guest_queue import GuestQueue
    from vblkfuzz.driver.transport import GuestSteps, Transport
    from vblkfuzz.trace.ring import TraceRing


_ACTOR: Final = int(ActorId.GUEST)
"""The actor of all its events."""


class DriverRegisters:
    """The registers as the driver uses them."""

    def __init__(self, transport: Transport, ring: TraceRing) -> None:
        self._transport = transport
        self._ring = ring
        self._written = 0
        """Device status that the driver wrote last."""

    def write_status(self, value: int) -> GuestSteps:
        """Write the device status."""
        self._written = value
        return self._transport.write_status(value)

    def reset(self, *, function: bool = False) -> GuestSteps:
        """Write 0 to the device status, or reset the PCI function, which does that, too."""
        if not function:
            return self.write_status(0)
        self._written = 0
        return self._transport.reset_function()

    def read_status(self) -> None:
        """Read the device status, and record it with what was written last."""
        value = self._transport.read_status()
        self._ring.emit(STATUS_READ, _ACTOR, NO_QUEUE, 0, self._written, 0, 0, value)

    def lost_form(self, features: int) -> bool:
        """Whether the device has forgotten how rings are used: it was reset from outside.

        It would take packed rings for split ones, or return requests in another order.

        Args:
            features: those that the driver has negotiated.
        """
        form = features >> F_RING_PACKED & 1 or features >> F_IN_ORDER & 1
        return bool(form and not self._transport.read_status() & STATUS_FEATURES_OK)

    def read_enable(self, queue: int) -> None:
        """Read whether a queue is enabled, and record it."""
        self._ring.emit(ENABLE_READ, _ACTOR, queue, self._transport.queue_enabled(queue))

    def reset_queue(self, queue: GuestQueue, used: Iterable[GuestQueue]) -> GuestSteps:
        """Reset one queue and read whether it is enabled; also which other one it has disabled."""
        read = self._transport.queue_enabled
        others = [each.index for each in used if each is not queue and read(each.index)]
        yield from self._transport.reset_queue(queue.index)
        self.read_enable(queue.index)
        for other in others:
            if not read(other):
                self.read_enable(other)

    def take_call(self, queue: int) -> None:
        """Clear the interrupt of a queue, and record whether the device had raised it."""
        self._ring.emit(CALLED, _ACTOR, queue, self._transport.take_call(queue))
        if self._transport.take_config_call():
            self._ring.emit(CONFIG_CALLED, _ACTOR)
