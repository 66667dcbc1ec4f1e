"""A port: the transport of a real device, as the guest process uses it.

`Observed` wraps a transport and records the events that the model's device records for the same
accesses: RESET_CALL, RESET_RET, QUEUE_RESET, and START_RET when DRIVER_OK is written, since the
real start cannot be observed from outside. `targets.recorder` sets the epochs, because resets by
the operator do not pass through here.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Protocol

from vblkfuzz.driver.transport import GuestSteps, Transport
from vblkfuzz.trace.event import ActorId, Frame
from vblkfuzz.trace.kinds import QUEUE_RESET, RESET_CALL, RESET_RET, START_RET
from vblkfuzz.virtio.layout import STATUS_DRIVER_OK

if TYPE_CHECKING:
    from collections.abc import Callable

    from vblkfuzz.scenario.device import DeviceConfig
    from vblkfuzz.trace.ring import TraceRing
    from vblkfuzz.virtio.memory import GuestMemory
    from vblkfuzz.virtio.queue import Areas


class Port(Transport, Protocol):
    """A transport that outlives scenarios, with the guest memory that the device shares."""

    memory: GuestMemory
    queue_reset: Frame
    """What the reset of a queue is to the device: QUEUE_RESET, or RESET if it gets the message of
    which a reset of all queues consists. Then a mistake in it is one bug in both."""

    def power_on(self, config: DeviceConfig, fds: list[int]) -> None:
        """Begin a scenario.

        Args:
            config: the device that the scenario uses.
            fds: connections of a new device process; empty: the last ones stay in use. The port
                owns and closes them.
        """

    def power_off(self) -> None:
        """End a scenario: reset the device, or disconnect from it."""

    def save(self) -> None:
        """Stop the device, and note what another one needs to go on."""

    def restore(self, fds: list[int]) -> None:
        """Go on with the device behind these connections, which the port owns and closes.

        Without a connection the device stays as it is: it was broken when it was saved.
        """

    def replace(self, fds: list[int]) -> None:
        """Leave the device, and meet another one, in its power-on state, behind these connections.

        Without a connection there is no device from now on.
        """


class Observed:
    """A transport that records resets and starts; satisfies `Transport`."""

    in_turns = False

    def __init__(
        self, transport: Transport, ring: TraceRing, queue_reset: Frame = Frame.QUEUE_RESET
    ) -> None:
        self._transport = transport
        self._queue_reset = int(queue_reset)
        self._ring = ring

    def device_features(self) -> int:
        """Return the feature bits that the device offers."""
        return self._transport.device_features()

    def accept_features(self, features: int) -> None:
        """Write the driver's feature bits."""
        self._transport.accept_features(features)

    def set_up_queue(self, index: int, layout: Areas) -> GuestSteps:
        """Write size and addresses of a queue and enable it."""
        return self._transport.set_up_queue(index, layout)

    def read_status(self) -> int:
        """Read the device status."""
        return self._transport.read_status()

    def is_lost(self) -> bool:
        """Return whether there is no way to the device until a reset."""
        return self._transport.is_lost()

    def queue_enabled(self, index: int) -> bool:
        """Read whether a queue is enabled."""
        return self._transport.queue_enabled(index)

    def config_generation(self) -> int:
        """Read the configuration generation."""
        return self._transport.config_generation()

    def capacity(self) -> int:
        """Read the capacity, in sectors."""
        return self._transport.capacity()

    def writeback(self) -> int | None:
        """Read the cache mode."""
        return self._transport.writeback()

    def set_writeback(self, mode: int) -> GuestSteps:
        """Write the cache mode."""
        return self._transport.set_writeback(mode)

    def known_id(self) -> int:
        """Return the digest of the id that the device is known to have; 0: unknown."""
        return self._transport.known_id()

    def kick(self, index: int) -> GuestSteps:
        """Notify the device of a queue."""
        return self._transport.kick(index)

    def kick_inband(self, index: int) -> GuestSteps:
        """Notify the device of a queue without the notifier."""
        return self._transport.kick_inband(index)

    def take_call(self, index: int) -> bool:
        """Return whether the device has called since the last check."""
        return self._transport.take_call(index)

    def take_config_call(self) -> bool:
        """Return whether the device has told of a change of its configuration."""
        return self._transport.take_config_call()

    def write_status(self, value: int) -> GuestSteps:
        """Write the status; record a reset, and DRIVER_OK as a start."""
        if value == 0:
            return self._reset(partial(self._transport.write_status, 0))
        return self._write_status(value)

    def _write_status(self, value: int) -> GuestSteps:
        yield from self._transport.write_status(value)
        if value & STATUS_DRIVER_OK:
            self._ring.emit(START_RET, ActorId.VCPU)

    def reset_function(self) -> GuestSteps:
        """Reset the PCI function, and record that as a reset."""
        return self._reset(self._transport.reset_function)

    def _reset(self, reset: Callable[[], GuestSteps]) -> GuestSteps:
        self._ring.emit(RESET_CALL, ActorId.VCPU)
        yield from reset()
        self._ring.emit(RESET_RET, ActorId.VCPU)

    def reset_queue(self, index: int) -> GuestSteps:
        """Reset one queue and record it."""
        yield from self._transport.reset_queue(index)
        self._ring.emit(QUEUE_RESET, ActorId.VCPU, index, path=self._queue_reset)
