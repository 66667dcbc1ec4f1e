"""Endings of a request, as the guest finds them in its used entry: the flag of COLLECT.

They are plain integers, because a rule compares them at each COLLECT and a member of an enum takes
longer to look up. Numbers are part of stored traces: never change one. Source: virtio 1.2, 5.2.6.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

ENDED_OK: Final = 0
FOREIGN: Final = 1
"""The driver has no request with that head."""
ENDED_IOERR: Final = 2
ENDED_UNSUPP: Final = 3
NO_STATUS: Final = 4
"""The status byte has no value that the standard knows; the device may not have written it."""

RETRY: Final = 5
"""Nothing was done, and the driver is asked to try again: UNIT ATTENTION or BUSY of virtio-scsi. It
says nothing about the request, so no rule of answers judges it."""

ABORTED: Final = 6
"""A task management function of virtio-scsi has ended it: ABORTED or RESET. What it has done is not
known; S43 judges whether there was such a function."""

WORDS: Final = ("", "foreign", "ioerr", "unsupp", "no status", "retry", "aborted")
"""Words of the endings in a trace, by number."""

STATUS_OF: Final[Mapping[int, int]] = {
    ENDED_OK: 0,
    ENDED_IOERR: 1,
    ENDED_UNSUPP: 2,
}
"""Status byte (`virtio.request.blk.BlkStatus`), by ending; the other endings have none. As numbers,
since a campaign imports traces before the device."""

PUSHED_AS: Final[Mapping[int, int]] = {**STATUS_OF, RETRY: 3, ABORTED: 4}
"""Flag of a PUSH, by ending: the status byte, or a number beside those."""

ENDING_OF: Final[Mapping[int, int]] = {status: ending for ending, status in STATUS_OF.items()}
"""Ending, by status byte."""
