"""The guest's part of the probe: an init where one is needed, then one request on each queue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.limits import MAX_QUEUES
from vblkfuzz.scenario.op import op

if TYPE_CHECKING:
    from vblkfuzz.driver.guest import GuestDriver
    from vblkfuzz.driver.transport import GuestSteps

_INIT: Final = op("init")
_READS: Final = [op("publish_kick", queue=each, request="in") for each in range(MAX_QUEUES)]
"""By queue."""


def set_up(driver: GuestDriver) -> GuestSteps:
    """Set the device up with all its features, which resets it if it was set up before."""
    yield from driver.init(_INIT)


def probe(driver: GuestDriver) -> GuestSteps:
    """Publish a read of the first sector on each queue that the driver uses, and kick.

    A full ring is only kicked. Nothing is published if the device refuses to be set up.
    """
    for read in _READS[: driver.queues_in_use]:
        yield from driver.publish_kick(read)
