"""Event kinds of task management, which virtio-scsi has: a part of `trace.kinds`."""

from __future__ import annotations

from typing import Final

from vblkfuzz.scenario.alphabet.guest import FUNCTIONS
from vblkfuzz.trace import form
from vblkfuzz.trace.kind import kind
from vblkfuzz.virtio.request.scsi_control import ANSWERS
from vblkfuzz.virtio.request.scsi_event import KINDS

# head: of the request of the queue that is meant, 0 if there is none; length: the unit
TMF: Final = kind(
    210,
    "asked virtio-scsi for a task management function, about a request, all or none; value: its "
    "number, from 1; length: the logical unit",
    flags=FUNCTIONS,
    value="tmf {}",
    head=form.DESCRIPTOR,
)
TMF_ENDED: Final = kind(
    211,
    "found the answer of the device to a TMF, and looks at all used rings next: *complete* (the "
    "function, not the request), *succeeded* (the request that was queried is there), *rejected* "
    "(no such function), or why it failed: *incorrect lun*, *bad target*, *busy*, *transport "
    "failure*, *target failure*, *nexus failure*, *failure*; *unwritten* or *unknown*: it is no "
    "answer; *none*: the device has not used the request in the end; value: its number",
    flags=ANSWERS,
    value="tmf {}",
)
# head: the unit; value: the reason; length: 1 if events before it were missed
SCSI_EVENT: Final = kind(
    212,
    "found an event of virtio-scsi: *transport reset* (a unit has come or gone), "
    "*notification*, *change* (of a unit, such as its capacity), *no event* (some were missed), "
    "*unknown*: the standard lacks it; *unwritten*: the device has used the buffer only; value: "
    "the reason; length: 1 if events before it were missed",
    flags=KINDS,
    value="reason {:#06x}",
    head="unit {}",
)
EVENTS_READY: Final = kind(
    213,
    "made buffers for events of virtio-scsi available, after all it had found; value: how many the "
    "device has",
    value="{} buffers",
)
