"""A port: the transport of a real device, as the guest process uses it.

`Observed` stands between driver and transport and writes what the model's device would write about
the same accesses: RESET_CALL, RESET_RET, QUEUE_RESET and, because from outside a device is started
once DRIVER_OK is written, START_RET. Epochs are the recorder's business (`target.recorder`): only
it knows of resets by the operator.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from vblkfuzz.driver.transport import GuestSteps, Transport
from vblkfuzz.trace.event import ActorId
from vblkfuzz.trace.kinds import QUEUE_RESET, RESET_CALL, RESET_RET, START_RET
from vblkfuzz.virtio.layout import STATUS_DRIVER_OK

if TYPE_CHECKING:
    from vblkfuzz.scenario.device import DeviceConfig
    from vblkfuzz.trace.ring import TraceRing
    from vblkfuzz.virtio.layout import RingLayout
    from vblkfuzz.virtio.memory import GuestMemory


class Port(Transport, Protocol):
    """A transport that outlives a scenario, with the memory that the device shares."""

    memory: GuestMemory

    def power_on(self, config: DeviceConfig, fds: list[int]) -> None:
        """Begin a scenario.

        Args:
            config: what the scenario wants of the device.
            fds: connections of a device process that is new; empty: the last ones hold. They
                belong to the port from now on.
        """

    def power_off(self) -> None:
        """End a scenario: reset the device, or leave it."""


class Observed:
    """A transport that records what passes through it."""

    def __init__(self, transport: Transport, ring: TraceRing) -> None:
        self._transport = transport
        self._emit = ring.emit

    def device_features(self) -> int:
        """What the device offers."""
        return self._transport.device_features()

    def accept_features(self, features: int) -> None:
        """Write the driver's feature bits."""
        self._transport.accept_features(features)

    def set_up_queue(self, index: int, layout: RingLayout) -> GuestSteps:
        """Write size and addresses of a queue and enable it."""
        return self._transport.set_up_queue(index, layout)

    def read_status(self) -> int:
        """Read the device status."""
        return self._transport.read_status()

    def config_generation(self) -> int:
        """Read the count that changes with the configuration."""
        return self._transport.config_generation()

    def capacity(self) -> int:
        """Read the capacity, in sectors."""
        return self._transport.capacity()

    def kick(self, index: int) -> GuestSteps:
        """Notify the device of a queue."""
        return self._transport.kick(index)

    def kick_inband(self, index: int) -> GuestSteps:
        """Notify the device of a queue past the notifier."""
        return self._transport.kick_inband(index)

    def take_call(self, index: int) -> bool:
        """Whether the device has called since last asked."""
        return self._transport.take_call(index)

    def write_status(self, value: int) -> GuestSteps:
        """Write the status; tell of a reset and of DRIVER_OK."""
        if value == 0:
            self._emit(RESET_CALL, ActorId.VCPU)
        yield from self._transport.write_status(value)
        if value == 0:
            self._emit(RESET_RET, ActorId.VCPU)
        elif value & STATUS_DRIVER_OK:
            self._emit(START_RET, ActorId.VCPU)

    def reset_queue(self, index: int) -> GuestSteps:
        """Reset one queue; tell of it."""
        yield from self._transport.reset_queue(index)
        self._emit(QUEUE_RESET, ActorId.VCPU, index)
