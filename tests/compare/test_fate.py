"""The fate of requests: what is said of them, and of which nothing is said."""

from __future__ import annotations

import pytest

from tests.compare.observed import (
    FLUSH,
    GET_ID,
    READ,
    REST,
    SET_UP,
    WRITE,
    collect,
    push,
    request,
    values,
    view,
)
from vblkfuzz.scenario.alphabet.shape import SHAPES
from vblkfuzz.trace.event import Event
from vblkfuzz.trace.kinds import (
    DEVICE_ID,
    DRIVER_INIT,
    HOSTILE,
    PUSH,
    QUEUE_RESET,
    RESET_RET,
    SECTOR,
    SHAPE,
)
from vblkfuzz.trace.witness import MODEL, Witness

FOREIGN, IOERR, UNSUPP, NO_STATUS = range(1, 5)


def sector(data: int, at: int = 0, *, mixed: bool = False) -> Event:
    return Event(0, SECTOR, queue=0, flag=int(mixed), head=at, value=data)


def test_status_and_length() -> None:
    seen = view(SET_UP, request(WRITE), push(), collect(ending=IOERR, length=7), REST)
    assert values(seen, "out: status") == ["ioerr"]
    assert values(seen, "out: used.len") == ["7 bytes"]


@pytest.mark.parametrize(
    ("ending", "status"), [(0, "ok"), (UNSUPP, "unsupp"), (NO_STATUS, "no status")]
)
def test_each_ending(ending: int, status: str) -> None:
    seen = view(SET_UP, request(FLUSH), push(), collect(ending=ending), REST)
    assert values(seen, "flush: status") == [status]


def test_a_request_that_was_kicked_and_is_never_served() -> None:
    assert values(view(SET_UP, request(READ), REST), "in: status") == ["never served"]


def test_of_one_that_was_not_kicked_nothing_is_said() -> None:
    assert values(view(SET_UP, request(READ)[:2], REST), "in: status") == []


def test_a_kick_is_for_its_queue() -> None:
    kick = request(FLUSH, queue=1)
    seen = view(SET_UP, request(READ)[:2], kick, REST)
    assert values(seen, "in: status") == []
    assert values(seen, "flush: status") == ["never served"]


@pytest.mark.parametrize("end", [Event(0, RESET_RET), Event(0, QUEUE_RESET, queue=0)])
def test_of_one_that_a_reset_ended_nothing_is_said(end: Event) -> None:
    assert values(view(SET_UP, request(READ), end, REST), "in: status") == []


def test_the_reset_of_another_queue_ends_nothing() -> None:
    seen = view(SET_UP, request(READ), Event(0, QUEUE_RESET, queue=1), REST)
    assert values(seen, "in: status") == ["never served"]


def test_without_driver_ok_nothing_is_said() -> None:
    set_up = (Event(0, DRIVER_INIT), Event(0, DRIVER_INIT, flag=2))
    assert values(view(set_up, request(READ), REST), "in: status") == []
    served = view(set_up, request(READ), push(), collect(), REST)
    assert values(served, "in: status") == []


def test_between_a_breach_and_a_new_set_up_nothing_is_said() -> None:
    breach = Event(0, HOSTILE, queue=0)
    seen = view(SET_UP, request(READ), breach, request(FLUSH, head=1), collect(1), REST)
    assert values(seen, "in: status") == values(seen, "flush: status") == []
    again = view(SET_UP, breach, Event(0, RESET_RET), SET_UP, request(FLUSH), collect(), REST)
    assert values(again, "flush: status") == ["ok"]


def test_a_used_entry_without_a_request() -> None:
    what = "used entry without a request"
    assert values(view(SET_UP, collect(3, ending=FOREIGN), REST), what) == ["yes"]
    assert values(view(SET_UP, REST), what) == ["no"]
    breach = Event(0, HOSTILE, queue=0)
    assert values(view(SET_UP, breach, collect(3, ending=FOREIGN), REST), what) == ["no"]


@pytest.mark.parametrize(
    ("shape", "ending", "status"),
    [
        ("two_segments", 0, []),
        ("odd_length", IOERR, ["refused"]),
        ("odd_length", UNSUPP, ["refused"]),
        ("odd_length", 0, ["ok"]),
        ("tiny", IOERR, ["ioerr"]),
    ],
)
def test_shapes_whose_status_is_up_to_the_device(
    shape: str, ending: int, status: list[str]
) -> None:
    code, name = (4, "discard") if shape == "two_segments" else (WRITE, "out")
    shaped = Event(0, SHAPE, queue=0, flag=SHAPES.index(shape))
    seen = view(SET_UP, shaped, request(code), push(), collect(ending=ending), REST)
    assert values(seen, f"{name}: status") == status


def test_the_answer_to_get_id() -> None:
    answer = Event(0, DEVICE_ID, queue=0, flag=3, value=0x1234)
    seen = view(SET_UP, request(GET_ID), push(), collect(), answer, REST)
    assert values(seen, "get_id: answer") == ["unpadded, 0x1234"]


def test_requests_with_another_past_are_not_compared() -> None:
    one = view(SET_UP, request(READ), REST)
    other = view(SET_UP, request(WRITE), push(), collect(), request(READ, head=1), REST)
    (key,) = [key for key in one.sights if key.what == "in: status"]
    assert other.value(key) is None


class TestData:
    what = "in: content of sector 0"

    def read(self, data: int = 1) -> tuple[Event | list[Event], ...]:
        return request(READ, head=1), push(1), collect(1), sector(data)

    def test_data_of_a_write_that_was_served_before(self) -> None:
        seen = view(SET_UP, request(WRITE), push(), *self.read(), REST)
        assert values(seen, self.what) == ["data 1"]

    def test_mixed_data(self) -> None:
        read = (request(READ, head=1), push(1), collect(1), sector(1, mixed=True))
        assert values(view(SET_UP, *read, REST), self.what) == ["data 1, mixed"]

    def test_a_write_under_way_leaves_it_open(self) -> None:
        seen = view(SET_UP, request(WRITE), *self.read(), push(), REST)
        assert values(seen, self.what) == []

    def test_a_write_elsewhere_does_not(self) -> None:
        seen = view(SET_UP, request(WRITE, sector=1), *self.read(0), push(), REST)
        assert values(seen, self.what) == ["data 0"]

    def test_two_reads_at_once_do_not(self) -> None:
        seen = view(SET_UP, request(READ), *self.read(0), push(), REST)
        assert values(seen, self.what) == ["data 0"]

    def test_the_used_entry_of_other_rings_is_none(self) -> None:
        stale = Event(0, PUSH, queue=0, head=0, epoch=1)
        seen = view(SET_UP, request(WRITE), stale, *self.read(), REST)
        assert values(seen, self.what) == []

    @pytest.mark.parametrize("change", ["failed", "cut", "discard", "breach"])
    def test_what_leaves_it_open_for_good(self, change: str) -> None:
        before: dict[str, list[Event]] = {
            "failed": [*request(WRITE), push(), collect(ending=IOERR)],
            "cut": [*request(WRITE), Event(0, RESET_RET), *SET_UP],
            "discard": [*request(4), push(), collect()],
            "breach": [Event(0, HOSTILE, queue=0), Event(0, RESET_RET), *SET_UP],
        }
        assert values(view(SET_UP, before[change], *self.read(), REST), self.what) == []

    def test_without_the_witness_of_the_disk(self) -> None:
        seen = view(SET_UP, *self.read(0), REST, witnesses=MODEL & ~Witness.DISK)
        assert values(seen, self.what) == []
