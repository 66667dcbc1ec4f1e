"""Requests of the control queue of a virtio-scsi device: task management (virtio 1.2, 5.6.6.2).

A request is a chain of what the driver asks for, 24 bytes, and one byte that the device writes.

Next: `driver.side_queues`, which sends them.
"""

from __future__ import annotations

from struct import Struct
from types import MappingProxyType
from typing import Final

from vblkfuzz.virtio.request.scsi import lun

TMF: Final = Struct("<II8sQ")
"""type, subtype, lun, id of the command that is meant."""
TMF_SIZE: Final = TMF.size
ANSWER_SIZE: Final = 1
"""Bytes that the device writes."""

_TYPE: Final = 0
"""VIRTIO_SCSI_T_TMF."""
_SUBTYPES: Final = MappingProxyType(
    {
        "abort_task": 0,
        "abort_task_set": 1,
        "logical_unit_reset": 5,
        "i_t_nexus_reset": 4,
        "query_task": 6,
    }
)
"""VIRTIO_SCSI_T_TMF_..., by name."""

NO_ANSWER: Final = 0xFF
"""What the answer is before the device writes it; no answer has this value."""
_ANSWERS: Final = MappingProxyType(
    {
        0: "complete",
        10: "succeeded",
        11: "rejected",
        12: "incorrect lun",
        3: "bad target",
        5: "busy",
        6: "transport failure",
        7: "target failure",
        8: "nexus failure",
        9: "failure",
        NO_ANSWER: "unwritten",
    }
)
ANSWERS: Final = (*_ANSWERS.values(), "unknown", "none")
"""Words for answers, by code in a trace; *none*: the request was not used."""
UNKNOWN: Final = ANSWERS.index("unknown")
NONE: Final = ANSWERS.index("none")
_CODES: Final = {value: code for code, value in enumerate(_ANSWERS)}


def management(function: str, tag: int, unit: int) -> bytes:
    """Return a request for a function, by its name; `tag`: of the command that is meant."""
    return TMF.pack(_TYPE, _SUBTYPES[function], lun(unit), tag)


def answer_code(value: int) -> int:
    """Return the code of the answer that a device has written, a position in `ANSWERS`."""
    return _CODES.get(value, UNKNOWN)
