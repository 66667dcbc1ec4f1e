"""Transport: the interface through which the guest driver accesses a device.

Transports are the model's mailbox (`process.mailbox`) and the ports of real devices (`port`). Calls
that can leave guest mode are generators: a transport yields True while the guest has to wait for
the device, and None at a preemption point. Those of real devices never yield.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from vblkfuzz.virtio.queue import Areas

POINT: Final = None
"""``yield POINT``: a preemption point."""
GuestSteps = Generator[bool | None, None, None]
"""Guest code: yields None at a preemption point, True while it waits for the device."""


class Transport(Protocol):
    """A virtio transport (virtio 1.2, 4)."""

    @property
    def in_turns(self) -> bool:
        """Whether the device rests while the driver runs, and the other way round."""

    def device_features(self) -> int:
        """Return the feature bits that the device offers."""

    def accept_features(self, features: int) -> None:
        """Write the driver's feature bits; they take effect with FEATURES_OK."""

    def set_up_queue(self, index: int, layout: Areas) -> GuestSteps:
        """Write size and addresses of a queue and enable it."""

    def write_status(self, value: int) -> GuestSteps:
        """Write the device status; 0 resets."""

    def reset_function(self) -> GuestSteps:
        """Reset the PCI function (FLR); a device that is none is reset by its status instead."""

    def read_status(self) -> int:
        """Read the device status."""

    def is_lost(self) -> bool:
        """Return whether there is no way to the device until a reset (a connection has ended)."""

    def queue_enabled(self, index: int) -> bool:
        """Read whether a queue is enabled (4.1.4.3, queue_enable)."""

    def config_generation(self) -> int:
        """Read the configuration generation, a count that changes with it (4.1.4.3)."""

    def capacity(self) -> int:
        """Read the capacity, in sectors, from the configuration (5.2.4)."""

    def writeback(self) -> int | None:
        """Read the cache mode from the configuration (5.2.4); None: it cannot be read."""

    def set_writeback(self, mode: int) -> GuestSteps:
        """Write the cache mode, 0 or 1, into the configuration; needs F_CONFIG_WCE."""

    def known_id(self) -> int:
        """Return the digest (`id_digest`) of the id that the device has; 0: unknown.

        This is what the harness has configured; the device is not asked.
        """

    def kick(self, index: int) -> GuestSteps:
        """Notify the device of a queue, whether it asks for kicks or not."""

    def kick_inband(self, index: int) -> GuestSteps:
        """Notify the device of a queue without the notifier (ioeventfd or kick fd).

        This is a message of vhost-user (VRING_KICK) or an access that leaves guest mode. A
        transport with one way to kick uses that.
        """

    def reset_queue(self, index: int) -> GuestSteps:
        """Reset one queue (virtio 1.2, 2.6.1)."""

    def take_call(self, index: int) -> bool:
        """Return whether the device has called since the last check."""

    def take_config_call(self) -> bool:
        """Return whether a check of calls has found that the configuration has changed (2.5)."""
