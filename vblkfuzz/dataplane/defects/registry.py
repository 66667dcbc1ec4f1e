"""All defects by name, in a fixed order: ``vblkfuzz list defects``."""

from __future__ import annotations

from typing import Final

from vblkfuzz.dataplane.defects.barriers import BARRIERS
from vblkfuzz.dataplane.defects.calls import CALLS
from vblkfuzz.dataplane.defects.defect import Defect
from vblkfuzz.dataplane.defects.disk import DISK
from vblkfuzz.dataplane.defects.drains import DRAINS
from vblkfuzz.dataplane.defects.errors import ERRORS
from vblkfuzz.dataplane.defects.failed_start import FAILED_START
from vblkfuzz.dataplane.defects.notifiers import NOTIFIERS
from vblkfuzz.dataplane.defects.parking import PARKING
from vblkfuzz.dataplane.defects.queue import QUEUE
from vblkfuzz.dataplane.defects.reentrancy import REENTRANCY
from vblkfuzz.dataplane.defects.reset import RESET
from vblkfuzz.dataplane.defects.start_stop import START_STOP
from vblkfuzz.dataplane.defects.stopped import STOPPED
from vblkfuzz.dataplane.defects.threads import THREADS

DEFECTS: Final[dict[str, Defect]] = {
    defect.name: defect
    for defect in (
        *(*START_STOP, *FAILED_START, *DRAINS, *PARKING, *RESET, *QUEUE, *ERRORS),
        *(*STOPPED, *DISK, *BARRIERS, *NOTIFIERS, *THREADS, *REENTRANCY, *CALLS),
    )
}
