from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.dataplane.rig import FEATURES_OK, Rig
from vblkfuzz.dataplane.registers import Exit
from vblkfuzz.dataplane.revisions.reference import Reference
from vblkfuzz.driver.memory_map import SLOTS
from vblkfuzz.limits import SECTOR_SIZE
from vblkfuzz.process.arena import Arena
from vblkfuzz.process.execution import SharedParts
from vblkfuzz.scenario.device import RERRORS, WERRORS
from vblkfuzz.trace.kinds import (
    BROKEN,
    CANCEL,
    DRAIN_RET,
    HANDLER,
    IRQ,
    MEMWRITE,
    PARK,
    POP,
    PUSH,
    RETRY,
    START_CALL,
    SUBMIT,
    VM_STOP_RET,
)
from vblkfuzz.virtio.chain import Segment
from vblkfuzz.virtio.request.blk import REQUEST_HEADER, BlkStatus, RequestType
from vblkfuzz.virtio.ring_error import (
    QueueSizeExceeded,
    RequestHeaderMissing,
    RequestHeaderShort,
    RequestStatusMissing,
    RingError,
)

OK, IOERR, UNSUPP = BlkStatus.OK, BlkStatus.IOERR, BlkStatus.UNSUPP


# --- Request types ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_type", "status"),
    [
        ("in", OK),
        ("out", OK),
        ("flush", OK),
        ("get_id", OK),
        ("discard", OK),
        ("write_zeroes", OK),
        ("unsupported", UNSUPP),
    ],
)
def test_each_request_type_has_its_status(
    parts: SharedParts, request_type: str, status: int
) -> None:
    rig = Rig(parts)
    rig.init()
    slot = rig.send(request_type)
    assert rig.status_of(slot) == status
    used = rig.rings[0].get_used()
    assert used is not None and used[0] == 0
    kinds = [event.kind for event in rig.events(POP, MEMWRITE, PUSH)]
    assert kinds == [POP, MEMWRITE, PUSH]


def test_a_read_returns_what_was_written(parts: SharedParts) -> None:
    rig = Rig(parts)
    rig.init()
    written = rig.send("out", sector=5, sectors=2)
    read = rig.send("in", sector=5, sectors=2)
    expected = rig.memory.read(written.data, 2 * SECTOR_SIZE)
    assert any(expected)
    assert rig.memory.read(read.data, 2 * SECTOR_SIZE) == expected
    lengths = [rig.rings[0].get_used() for _ in range(2)]
    assert [used[1] for used in lengths if used] == [1, 1 + 2 * SECTOR_SIZE]


def test_get_id_answers_with_the_device_id(parts: SharedParts) -> None:
    rig = Rig(parts)
    rig.init()
    slot = rig.send("get_id")
    assert rig.memory.read(slot.data, 20) == Reference.device_id


def test_requests_without_io_do_not_reach_the_backend(parts: SharedParts) -> None:
    rig = Rig(parts)
    rig.init()
    rig.send("get_id")
    rig.send("unsupported")
    assert rig.count(SUBMIT) == 0


@pytest.mark.parametrize("request_type", ["in", "out"])
@pytest.mark.parametrize(
    ("sector", "sectors", "status"), [(7, 1, OK), (8, 1, IOERR), (7, 2, IOERR), (255, 4, IOERR)]
)
def test_the_range_is_checked(
    parts: SharedParts, request_type: str, sector: int, sectors: int, status: int
) -> None:
    rig = Rig(parts, disk_sectors=8)
    rig.init()
    slot = rig.send(request_type, sector, sectors)
    assert rig.status_of(slot) == status
    assert rig.count(SUBMIT) == (status == OK)


def test_a_length_that_is_no_sector_is_an_error(parts: SharedParts) -> None:
    rig = Rig(parts)
    rig.init()
    slot = SLOTS[0][0]
    REQUEST_HEADER.pack_into(rig.memory.bytes, slot.header, RequestType.IN, 0, 0)
    rig.publish_raw([(slot.header, 16)], [(slot.data, 100), (slot.status, 1)])
    rig.kick()
    assert rig.status_of(slot) == IOERR


def test_the_current_capacity_counts(parts: SharedParts) -> None:
    rig = Rig(parts)
    rig.init()
    rig.perform("resize", sectors=4)
    assert rig.status_of(rig.send("out", sector=4)) == IOERR
    rig.perform("resize", sectors=5)
    assert rig.status_of(rig.send("out", sector=4)) == OK


# --- Malformed requests -----------------------------------------------------------------------

SLOT = SLOTS[0][0]


@pytest.mark.parametrize(
    ("readable", "writable", "error"),
    [
        ([], [(SLOT.status, 1)], RequestHeaderMissing),
        ([(SLOT.header, 16)], [], RequestStatusMissing),
        ([(SLOT.header, 15)], [(SLOT.status, 1)], RequestHeaderShort),
    ],
)
def test_a_malformed_request_breaks_the_device(
    parts: SharedParts, readable: list[Segment], writable: list[Segment], error: type[RingError]
) -> None:
    rig = Rig(parts)
    rig.init()
    rig.publish_raw(readable, writable)
    rig.kick()
    broken, cancel = rig.events(BROKEN, CANCEL)
    assert (broken.kind, broken.value, cancel.kind) == (BROKEN, error.code, CANCEL)
    assert rig.device.ports[0].queue.inuse == 0


def test_a_broken_device_takes_nothing_and_pushes_nothing(parts: SharedParts) -> None:
    rig = Rig(parts)
    rig.init()
    rig.perform("hold")
    rig.send("out")
    rig.publish_raw([], [(SLOT.status, 1)])
    rig.kick()
    rig.send()
    rig.perform("release")
    assert (rig.count(POP), rig.count(PUSH)) == (2, 0)
    assert rig.count(CANCEL) == 2
    assert not rig.device.ports[0].poll()


def test_a_lost_count_ends_in_queue_size_exceeded(parts: SharedParts) -> None:
    """The final effect of B1 on the guest."""
    rig = Rig(parts)
    rig.init()
    rig.device.ports[0].queue.inuse = 0xFFFF_FFFF
    rig.send()
    assert [event.value for event in rig.events(BROKEN)] == [QueueSizeExceeded.code]


@given(
    st.lists(st.tuples(st.integers(0, 2**64 - 1), st.integers(0, 2**32 - 1)), max_size=3),
    st.lists(st.tuples(st.integers(0, 2**64 - 1), st.integers(0, 2**32 - 1)), max_size=3),
    st.binary(min_size=16, max_size=16),
)
def test_no_request_raises(readable: list[Segment], writable: list[Segment], header: bytes) -> None:
    if not readable and not writable:
        return
    parts = SharedParts(Arena())
    rig = Rig(parts)
    rig.init()
    rig.memory.write(SLOT.header, header)
    rig.publish_raw(readable, writable)
    rig.kick()
    parts.close()
    ends = rig.count(PUSH) + rig.count(BROKEN)
    assert ends == 1


@given(st.binary(min_size=16, max_size=16), st.integers(0, 4 * SECTOR_SIZE))
def test_every_well_formed_header_is_answered(header: bytes, length: int) -> None:
    parts = SharedParts(Arena())
    rig = Rig(parts)
    rig.init()
    rig.memory.write(SLOT.header, header)
    data = [(SLOT.data, length)] if length else []
    write = header[0] & 1
    rig.publish_raw(
        [(SLOT.header, 16), *(data if write else [])], [*([] if write else data), (SLOT.status, 1)]
    )
    rig.kick()
    parts.close()
    assert rig.status_of(SLOT) in (OK, IOERR, UNSUPP)
    assert rig.count(PUSH) == 1


# --- Errors of the backend --------------------------------------------------------------------


def failed(parts: SharedParts, werror: str) -> tuple[Rig, int]:
    rig = Rig(parts, werror=werror)
    rig.init()
    rig.perform("hold")
    slot = rig.send("out")
    rig.perform("complete", result="eio")
    return rig, rig.status_of(slot)


@pytest.mark.parametrize("error", ["eio", "enospc"])
@pytest.mark.parametrize("request_name", ["in", "out", "flush", "write_zeroes"])
@pytest.mark.parametrize(
    ("policy", "action"),
    [
        *[("rerror", action) for action in RERRORS],
        *[("werror", action) for action in WERRORS],
    ],
)
def test_reads_follow_rerror_all_else_werror(
    parts: SharedParts, policy: str, action: str, request_name: str, error: str
) -> None:
    rig = Rig(parts, Reference, **{policy: action})
    rig.init()
    rig.perform("hold")
    slot = rig.send(request_name)
    rig.perform("complete", result=error)
    if policy != ("rerror" if request_name == "in" else "werror"):
        action = "report"
    if action == "enospc":
        action = "stop" if error == "enospc" else "report"
    seen = 0xFF if action == "stop" else OK if action == "ignore" else IOERR
    assert rig.status_of(slot) == seen
    assert rig.machine.vm_running == (action != "stop")
    assert [event.flag for event in rig.events(PUSH)] == [seen][: action != "stop"]


@pytest.mark.parametrize("request_name", ["in", "out", "discard", "write_zeroes"])
def test_requests_within_the_capacity_are_served(parts: SharedParts, request_name: str) -> None:
    rig = Rig(parts, disk_sectors=8, queue_size=32)
    rig.init()
    assert rig.status_of(rig.send(request_name, sector=6, sectors=2)) == OK
    assert rig.status_of(rig.send(request_name, sector=6, sectors=3)) == IOERR
    rig.perform("resize", sectors=9)
    assert rig.status_of(rig.send(request_name, sector=6, sectors=3)) == OK


@pytest.mark.parametrize("request_name", ["in", "out", "discard", "write_zeroes"])
def test_what_a_resize_cuts_off_fails(parts: SharedParts, request_name: str) -> None:
    """The device had checked the range before the request was parked."""
    rig = Rig(parts, ioeventfd=False, disk_sectors=16)
    rig.init()
    rig.perform("drain_begin")
    slot = rig.send(request_name, sector=7, sectors=2)
    rig.perform("resize", sectors=8)
    rig.perform("drain_end")
    assert rig.status_of(slot) == IOERR
    assert len(rig.backend.disk) == 8 * 512


def test_werror_report_tells_the_guest(parts: SharedParts) -> None:
    rig, status = failed(parts, "report")
    assert status == IOERR
    assert rig.machine.vm_running


def test_werror_ignore_says_ok(parts: SharedParts) -> None:
    rig, status = failed(parts, "ignore")
    assert status == OK
    assert rig.machine.vm_running


def test_werror_stop_keeps_the_request_and_stops_the_vm(parts: SharedParts) -> None:
    rig, status = failed(parts, "stop")
    assert status == 0xFF
    assert not rig.machine.vm_running
    assert len(rig.device.retry_list) == 1
    assert [event.kind for event in rig.events(RETRY, VM_STOP_RET)] == [
        RETRY,
        VM_STOP_RET,
    ]


def test_cont_submits_the_retry_list_again(parts: SharedParts) -> None:
    rig, _ = failed(parts, "stop")
    rig.perform("cont")
    assert rig.machine.vm_running
    assert (rig.count(SUBMIT), rig.device.retry_list) == (2, [])
    rig.perform("complete", result="ok")
    assert rig.count(PUSH) == 1
    assert rig.blk.in_flight == 0


def test_a_retry_in_a_drain_is_parked(parts: SharedParts) -> None:
    rig, _ = failed(parts, "stop")
    rig.perform("drain_begin")
    rig.perform("cont")
    assert (rig.count(PARK), rig.count(SUBMIT)) == (1, 1)
    rig.perform("drain_end")
    rig.perform("release")
    assert rig.count(PUSH) == 1


# --- Handlers ---------------------------------------------------------------------------------


def test_a_queue_that_is_not_set_up_is_left_alone(parts: SharedParts) -> None:
    rig = Rig(parts)
    rig.write_status(FEATURES_OK)
    rig.exit(Exit.KICK, 0)
    assert rig.count(HANDLER) == rig.count(START_CALL) == 0


def test_kicks_are_suppressed_while_the_queue_is_handled(parts: SharedParts) -> None:
    rig = Rig(parts, event_idx=False)
    rig.init()
    rig.publish()
    port = rig.device.ports[0]
    steps = rig.device.handle_queue(rig.machine.vcpu, port)
    next(steps)
    seen = [(port.queue.notification, rig.device.drained_poll())]
    rig.run(steps)
    seen.append((port.queue.notification, rig.device.drained_poll()))
    assert seen == [(False, True), (True, False)]


def test_what_is_published_before_kicks_are_enabled_again_is_popped(parts: SharedParts) -> None:
    """B27: the handler checks the ring once more after it has enabled kicks."""
    rig = Rig(parts)
    rig.init()
    rig.publish()
    port = rig.device.ports[0]
    steps = rig.device.handle_queue(rig.machine.vcpu, port)
    late = None
    for point, _ in enumerate(steps):
        if point == 2:  # after its last check, before it enables kicks
            assert not port.queue.notification
            assert rig.count(POP) == 1
            late = rig.publish()
    rig.settle()
    assert rig.count(POP) == 2
    assert late is not None and rig.status_of(late) == OK


def test_a_polling_handler_leaves_kicks_suppressed(parts: SharedParts) -> None:
    rig = Rig(parts, polling=True)
    rig.init()
    rig.send()
    assert not rig.device.ports[0].queue.notification


def test_a_drain_waits_for_popped_requests_the_seed_does_not_ask(parts: SharedParts) -> None:
    """B3: popping and submitting are separate."""
    rig = Rig(parts)
    rig.init()
    rig.publish("out")
    steps = rig.device.handle_queue(rig.machine.vcpu, rig.device.ports[0])
    while not rig.count(POP):
        next(steps)
    assert rig.blk.in_flight == 0
    assert rig.device.drained_poll()
    rig.perform("drain_begin")
    assert rig.count(DRAIN_RET) == 1  # only that of start
    rig.run(steps)
    assert rig.count(DRAIN_RET) == 2


def test_a_driver_can_suppress_calls(parts: SharedParts) -> None:
    rig = Rig(parts, event_idx=False)
    rig.init()
    rig.rings[0].set_no_interrupt(True)
    rig.send()
    assert (rig.count(PUSH), rig.count(IRQ)) == (1, 0)
    rig.rings[0].set_no_interrupt(False)
    rig.send()
    assert rig.count(IRQ) == 1
    assert parts.calls[0].clear()
