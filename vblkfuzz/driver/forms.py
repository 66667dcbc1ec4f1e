"""The form of requests of a device (the fields `kind` and `units` of `scenario.device`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vblkfuzz.driver.blk import BLK
from vblkfuzz.driver.scsi import ScsiForm

if TYPE_CHECKING:
    from vblkfuzz.driver.request import RequestForm
    from vblkfuzz.scenario.device import DeviceConfig


def form_of(device: DeviceConfig) -> RequestForm:
    """Return the form of its requests."""
    return ScsiForm(device) if device.kind == "scsi" else BLK
