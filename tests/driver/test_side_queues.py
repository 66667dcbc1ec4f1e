"""Task management: what a device finds in the control queue, what the driver makes of answers."""

from __future__ import annotations

import struct

import pytest

from tests.driver.lone_guest import ready
from tests.driver.test_scsi import GOOD, ScsiGuest
from vblkfuzz.driver.memory_map import SIDE_QUEUES, SIDE_SLOTS
from vblkfuzz.scenario.alphabet.guest import FUNCTIONS
from vblkfuzz.trace.ending import ABORTED, ENDED_OK
from vblkfuzz.trace.event import Event
from vblkfuzz.trace.kinds import COLLECT, MEMORY_CHANGED, REQUEST
from vblkfuzz.trace.scsi_kinds import TMF, TMF_ENDED
from vblkfuzz.virtio.chain import Chain
from vblkfuzz.virtio.request.blk import gather
from vblkfuzz.virtio.request.scsi import RESPONSE
from vblkfuzz.virtio.request.scsi_control import ANSWERS

CONTROL = SIDE_QUEUES[0]
ABORT = RESPONSE.pack(0, 0, 0, 0, 2, b"")


class ControlGuest(ScsiGuest):
    """A guest whose control queue the test plays, too."""

    def __init__(self, *, queues: int = 1, units: int = 1) -> None:
        super().__init__(queues=queues, units=units)
        self.control = self.device(CONTROL)

    def take_tmf(self) -> Chain:
        chain = self.control.pop()
        assert chain is not None
        return chain

    def answer_tmf(self, value: int) -> None:
        chain = self.take_tmf()
        self.memory.bytes[chain.writable[0][0]] = value
        self.control.push(chain.head, 1)

    def flags(self, kind: int) -> list[int]:
        return [event.flag for event in self.events(kind)]


def tag_of(chain: Chain, guest: ScsiGuest) -> int:
    """Return the tag of a command."""
    found: tuple[int] = struct.unpack_from("<Q", gather(guest.memory, chain.readable), 8)
    return found[0]


@pytest.mark.parametrize(
    ("function", "subtype"),
    list(zip(FUNCTIONS, (0, 5, 4, 1, 6), strict=True)),
)
def test_a_device_finds_function_unit_and_command(function: str, subtype: int) -> None:
    guest = ControlGuest()
    guest.do("publish", request="flush")
    guest.do("publish", request="in")
    guest.do("tmf", function=function, request=1)
    chain = guest.take_tmf()
    found = struct.unpack("<II8sQ", gather(guest.memory, chain.readable))
    guest.take()
    assert found == (0, subtype, bytes([1, 0, 0x40, 0, 0, 0, 0, 0]), tag_of(guest.take(), guest))
    assert [length for _, length in chain.writable] == [1]
    assert guest.transport.log[-1] == f"kick {CONTROL}"
    (event,) = guest.events(TMF)
    second = guest.events(REQUEST)[1]
    assert (FUNCTIONS[event.flag], event.queue, event.head) == (function, 0, second.head)


@pytest.mark.parametrize(
    ("value", "answer"),
    [
        *zip((0, 10, 11, 12), ANSWERS, strict=False),
        (3, "bad target"),
        (9, "failure"),
        (0xFF, "unwritten"),
        (77, "unknown"),
    ],
)
def test_what_an_answer_means(value: int, answer: str) -> None:
    guest = ControlGuest()
    guest.do("tmf")
    guest.answer_tmf(value)
    guest.do("collect")
    guest.rest()
    assert [ANSWERS[flag] for flag in guest.flags(TMF_ENDED)] == [answer]
    assert guest.events(MEMORY_CHANGED) == []


def test_the_driver_looks_at_all_rings_when_a_function_has_ended() -> None:
    guest = ControlGuest(queues=2)
    guest.do("publish", queue=0)
    guest.do("publish", queue=1)
    guest.do("tmf", function="logical_unit_reset")
    guest.do("collect", queue=1)
    second = guest.device(1)
    chain = second.pop()
    assert chain is not None
    guest.memory.write(chain.writable[0][0], ABORT)
    second.push(chain.head, len(ABORT))
    guest.answer_tmf(0)
    guest.use(GOOD)
    kinds = (TMF_ENDED, COLLECT)
    found = [event for event in guest.ring.read() if event.kind in kinds]
    assert [(event.kind, event.queue, event.flag) for event in found[1:]] == [
        (COLLECT, 0, ENDED_OK),
        (COLLECT, 1, ABORTED),
    ]
    assert found[0].kind == TMF_ENDED


def test_one_without_an_answer_is_told_in_the_end() -> None:
    guest = ControlGuest()
    guest.do("tmf")
    guest.do("collect")
    assert guest.flags(TMF_ENDED) == []
    guest.rest()
    assert [ANSWERS[flag] for flag in guest.flags(TMF_ENDED)] == ["none"]


def test_a_reset_ends_it() -> None:
    guest = ControlGuest()
    guest.do("tmf")
    guest.do("reset")
    guest.do("init")
    guest.rest()
    assert guest.flags(TMF_ENDED) == []


def test_a_third_one_waits_for_room() -> None:
    guest = ControlGuest()
    for _ in range(len(SIDE_SLOTS) + 1):
        guest.do("tmf")
    assert len(guest.events(TMF)) == len(SIDE_SLOTS)
    guest.answer_tmf(0)
    guest.do("collect")
    guest.do("tmf")
    numbers = [event.value for event in guest.events(TMF)]
    assert numbers == [1, 2, 3]


def test_a_write_after_the_answer_is_seen() -> None:
    guest = ControlGuest()
    guest.do("tmf")
    answer = SIDE_SLOTS[-1].status
    guest.answer_tmf(0)
    guest.do("collect")
    guest.memory.bytes[answer] = 9
    guest.do("collect")
    assert [event.queue for event in guest.events(MEMORY_CHANGED)] == [CONTROL]


def test_a_used_entry_that_nobody_asked_for_frees_nothing() -> None:
    guest = ControlGuest()
    guest.do("tmf")
    guest.control.push(3, 1)
    guest.do("collect")
    assert guest.flags(TMF_ENDED) == []


def test_virtio_blk_has_none() -> None:
    guest = ready()
    before = list(guest.transport.log)
    guest.do("tmf")
    assert guest.transport.log == before
    found: list[Event] = guest.events(TMF)
    assert found == []


@pytest.mark.parametrize(
    ("function", "request_number", "unit"),
    [
        *[("abort_task", 0, 1), ("abort_task", 1, 0), ("query_task", 2, 1)],
        *[("logical_unit_reset", 0, 0), ("abort_task_set", 1, 1), ("abort_task_set", 2, 2)],
    ],
)
def test_a_function_is_for_the_unit_of_its_request_or_for_that_of_its_number(
    function: str, request_number: int, unit: int
) -> None:
    guest = ControlGuest(units=3)
    guest.do("publish", request="in", sector=4)
    guest.do("publish", request="in", sector=3)
    guest.do("tmf", function=function, request=request_number)
    found = gather(guest.memory, guest.take_tmf().readable)
    assert found[8:16] == bytes([1, 0, 0x40, unit, 0, 0, 0, 0])
    (event,) = guest.events(TMF)
    assert event.length == unit


def test_a_function_about_no_request_is_for_the_unit_of_its_number() -> None:
    guest = ControlGuest(units=3)
    guest.do("tmf", function="abort_task", request=2)
    assert gather(guest.memory, guest.take_tmf().readable)[11] == 2
