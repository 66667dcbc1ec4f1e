"""Transport: all that the guest driver knows about how it reaches a device.

The model's mailbox is one (`process.mailbox`). PCI over qtest and vhost-user can follow: nothing of
the model appears here. Calls that leave guest mode are generators: a transport yields True while
the guest has to wait for the device, None at a preemption point, and real ones never yield.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from vblkfuzz.virtio.layout import RingLayout

POINT: Final = None
"""``yield POINT``: a preemption point."""
GuestSteps = Generator[bool | None, None, None]
"""Guest code: yields None at a preemption point, True while it waits for the device."""


class Transport(Protocol):
    """A virtio transport (virtio 1.2, 4)."""

    def device_features(self) -> int:
        """Feature bits the device offers."""

    def accept_features(self, features: int) -> None:
        """Write the driver's feature bits; they count with FEATURES_OK."""

    def set_up_queue(self, index: int, layout: RingLayout) -> GuestSteps:
        """Write size and addresses of a queue and enable it."""

    def write_status(self, value: int) -> GuestSteps:
        """Write the device status; 0 resets."""

    def read_status(self) -> int:
        """Read the device status."""

    def config_generation(self) -> int:
        """Read the count that changes with the configuration (4.1.4.3)."""

    def capacity(self) -> int:
        """Read the capacity, in sectors, from the configuration (5.2.4)."""

    def kick(self, index: int) -> GuestSteps:
        """Notify the device of a queue, wanted or not."""

    def kick_inband(self, index: int) -> GuestSteps:
        """Notify the device of a queue by a way that no notifier stands in.

        A message of vhost-user (VRING_KICK), an access that leaves guest mode, or, where there is
        one way only, that.
        """

    def reset_queue(self, index: int) -> GuestSteps:
        """Reset one queue (virtio 1.2, 2.6.1)."""

    def take_call(self, index: int) -> bool:
        """Whether the device has called since last asked."""
