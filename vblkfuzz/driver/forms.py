"""The form of requests by kind of device (the field `kind` of `scenario.device`)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from vblkfuzz.driver.blk import BLK
from vblkfuzz.driver.request import RequestForm
from vblkfuzz.driver.scsi import SCSI

FORMS: Final[Mapping[str, RequestForm]] = MappingProxyType({"blk": BLK, "scsi": SCSI})
