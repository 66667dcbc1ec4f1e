"""The rule of used lengths: S22. A used entry says how many bytes the device has written.

The length counts the bytes in the device-writable buffers of a request, its status byte included. A
driver may rely on that many bytes, and must not look at more of them. So it is never more than the
buffers have. Of a request that ended OK or has only a status, it is all of them; of a failed read
it may be less, because the status is behind the data (docs/decisions/0016). The response of
virtio-scsi takes the place of the status byte; QEMU also counts the data that it has read there,
with each write, which is allowed (docs/decisions/0037). S37 asks whether they
were written. The witness is what the guest reads (COLLECT), so any device can be judged. Source:
virtio 1.2, 2.7.8.2, 2.7.8.3 and 5.2.6; QEMU virtio_blk_req_complete.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from vblkfuzz.limits import SECTOR_SIZE
from vblkfuzz.oracle.rule import Report, Situation, rule
from vblkfuzz.scenario.alphabet.guest import REQUESTS
from vblkfuzz.scenario.alphabet.shape import data_bytes
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace.ending import ENDED_OK
from vblkfuzz.trace.event import Event
from vblkfuzz.trace.form import word
from vblkfuzz.trace.kinds import COLLECT
from vblkfuzz.trace.witness import Witness
from vblkfuzz.virtio.request.blk import ID_SIZE, STATUS_SIZE
from vblkfuzz.virtio.request.scsi import RESPONSE_SIZE, SERIAL_AT, UNMAP_LIST

READ_LENGTH = Situation("length_of_read", "The guest took the used entry of a read that ended OK.")
FAILED_LENGTH = Situation(
    "length_of_failed", "The guest took the used entry of a request that did not end OK."
)

_IN: Final = REQUESTS.index("in")
_OUT: Final = REQUESTS.index("out")
_GET_ID: Final = REQUESTS.index("get_id")
_READS: Final = {
    REQUESTS.index("discard"): UNMAP_LIST.size,
    REQUESTS.index("write_zeroes"): SECTOR_SIZE,
}
"""Bytes of data of a SCSI command, by request type."""


def writable_bytes(request: Event, shape: int, kind: str = "blk") -> int:
    """Return the size of the device-writable buffers of a REQUEST of a shape, in bytes."""
    status, before_id = (RESPONSE_SIZE, SERIAL_AT) if kind == "scsi" else (STATUS_SIZE, 0)
    if request.flag == _IN:
        sectors = (request.value >> 8) + 1
        return data_bytes(shape, sectors * SECTOR_SIZE) + status
    return before_id + ID_SIZE + status if request.flag == _GET_ID else status


def read_bytes(request: Event, kind: str) -> int:
    """Return how many bytes of data a device of a kind reads and may count as well."""
    if kind != "scsi":
        return 0
    if request.flag == _OUT:
        return ((request.value >> 8) + 1) * SECTOR_SIZE
    return _READS.get(request.flag, 0)


@rule(
    "S22",
    title="A used entry says how many bytes were written, the status byte included.",
    source="virtio 1.2, 2.7.8.2, 2.7.8.3 and 5.2.6; QEMU virtio_blk_req_complete",
    instead=(
        "A request that ends OK fills its writable buffers, and the length is their size. Of a "
        "failed read it is at most that size, and 1 of another failed request."
    ),
    needs=(COLLECT,),
    situations=(READ_LENGTH, FAILED_LENGTH),
    witnesses=Witness.GUEST,
    path="none",
    leads_to=("S22",),
)
def S22(scenario: Scenario, events: Sequence[Event], report: Report) -> None:
    """With `rerror` = ignore, a read that ended OK may have failed and so have filled nothing."""
    ignores, kind = scenario.device.rerror == "ignore", scenario.device.kind
    for request, shape, _, _, collect in report.answered:
        is_read = request.flag == _IN
        if collect.flag != ENDED_OK:
            report.met(FAILED_LENGTH)
        elif is_read:
            report.met(READ_LENGTH)
        most = writable_bytes(request, shape, kind)
        if collect.length not in (most, most + read_bytes(request, kind)):
            ended_well = collect.flag == ENDED_OK and not (ignores and is_read)
            sure = ended_well or most in (STATUS_SIZE, RESPONSE_SIZE)
            _judge(request, most if sure else 0, most, collect, report)


def _judge(request: Event, least: int, most: int, collect: Event, report: Report) -> None:
    if least <= collect.length <= most:
        return
    size = str(most) if least == most else f"at most {most}"
    sentence = (
        f"The used entry of turn {collect.turn} has the length {collect.length}, but the request "
        f"of turn {request.turn} ({word(REQUESTS, request.flag)}) {_ended(collect)} and has {size} "
        f"byte{'s' * (most > 1)} written."
    )
    report.violation(request, collect, sentence, "long" if collect.length > most else "short")


def _ended(collect: Event) -> str:
    return "ended OK" if collect.flag == ENDED_OK else "failed"
