"""Fuzz bytes <-> Scenario."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import fuzz_bytes, places, scenarios
from vblkfuzz import limits
from vblkfuzz.scenario.alphabet.ops import OPS
from vblkfuzz.scenario.codec import (
    DEVIATION,
    HEADER,
    LOCKS,
    MAX_BYTES,
    OP,
    PLACED,
    decode,
    decode_canonical,
    decode_ops,
    encode,
)
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.place import Place, place_text
from vblkfuzz.scenario.scenario import Deviation, Go, Role, Scenario


@given(scenarios())
def test_every_scenario_comes_back(scenario: Scenario) -> None:
    assert decode(encode(scenario)) == scenario


@given(fuzz_bytes())
def test_all_bytes_are_a_scenario_and_reach_their_canonical_form(data: bytes) -> None:
    scenario = decode(data)
    canonical = encode(scenario)
    assert decode(canonical) == scenario
    assert encode(decode(canonical)) == canonical


@given(scenarios())
def test_the_size_is_bounded(scenario: Scenario) -> None:
    assert len(encode(scenario)) <= MAX_BYTES


def test_empty_input_is_the_device_of_a_zero_header_without_operations() -> None:
    scenario = decode(b"")
    assert scenario.ops == ()
    assert scenario.schedule == ()
    assert scenario == decode(bytes(HEADER.size))


def test_the_layout_is_fixed() -> None:
    """Users' corpora hold these bytes: a change here breaks them."""
    scenario = Scenario(
        DeviceConfig(queues=2, queue_size=16, event_idx=False, indirect=True, iothreads=2),
        (op("publish_kick", queue=1, request="out", sector=3, sectors=2), op("drain_begin")),
        (Deviation(1, 2, Go.IO0), Deviation(1, 7, Go.NEXT, delayed=True)),
    )
    assert encode(scenario).hex(" ", 4) == (
        "01020202 00020200 01020300 01070501 03010100 03000100 0a000000 00000000"
    )


def test_values_out_of_range_wrap() -> None:
    code, queue = len(OPS) + OPS.index(op("kick").spec), limits.MAX_QUEUES + 1
    assert decode_ops(OP.pack(code, queue, 9, 9, 9, 9)) == (op("kick", queue=1),)


@pytest.mark.parametrize("missing", range(1, OP.size))
def test_an_incomplete_operation_is_ignored(missing: int) -> None:
    data = encode(Scenario(ops=(op("reset"), op("stop"))))
    assert decode(data[:-missing]).ops == (op("reset"),)


def test_of_two_deviations_at_one_point_the_first_counts() -> None:
    header = bytearray(HEADER.size)
    header[6] = 2
    data = bytes(header) + DEVIATION.pack(1, 1, Go.IO0, 0) + DEVIATION.pack(1, 1, Go.MAIN, 1)
    assert decode(data).schedule == (Deviation(1, 1, Go.IO0),)


HELD = Scenario(
    ops=(op("init"), op("reset")),
    schedule=(
        Deviation(0, 1, Go.NEXT, delayed=True),
        Deviation(
            0, 1, Go.IO0, role=Role.MAIN, locks=True, place=Place("qemu_mutex_lock", "a.c:7", "", 2)
        ),
        Deviation(1, 0, Go.NEXT, delayed=True, role=Role.WORKER),
        Deviation(1, 9, Go.GUEST, role=Role.MONITOR, place=Place("qmp_enter_x")),
    ),
)


def test_the_layout_of_actors_and_places_is_fixed() -> None:
    first, second = b"qemu_mutex_lock a.c:7 nth 2", b"qmp_enter_x"
    records = "00010501 00010392 0100050f 0109008c"
    expected = (
        encode(Scenario())[:6]
        + b"\x04\0"
        + bytes.fromhex(records)
        + bytes([len(first)])
        + first
        + bytes([len(second)])
        + second
        + OP.pack(*op("init"))
        + OP.pack(*op("reset"))
    )
    assert encode(HELD) == expected
    assert decode(expected) == decode_canonical(expected) == HELD


@pytest.mark.parametrize("size", range(HEADER.size, len(encode(HELD))))
def test_what_is_cut_off_is_missing(size: int) -> None:
    """No place of less than all its bytes, and the operations are not read from inside one."""
    found = decode(encode(HELD)[:size])
    assert found.ops == HELD.ops[: len(found.ops)]
    for cut, whole in zip(found.schedule, HELD.schedule, strict=False):
        assert cut.place in (None, whole.place)


def with_schedule(count: int, rest: bytes) -> bytes:
    return bytes([0, 0, 0, 0, 0, 0, count, 0]) + rest


def test_the_lowest_bit_says_whether_stores_are_delayed() -> None:
    data = with_schedule(
        2, DEVIATION.pack(0, 1, Go.NEXT, 0x60) + DEVIATION.pack(0, 2, Go.NEXT, 0x61)
    )
    expected = (Deviation(0, 1, Go.NEXT), Deviation(0, 2, Go.NEXT, delayed=True))
    assert decode(data).schedule == expected


@pytest.mark.parametrize("role", Role)
def test_locks_and_a_place_need_a_role(role: Role) -> None:
    record = DEVIATION.pack(0, 1, Go.IO0, role << 1 | LOCKS | PLACED)
    data = with_schedule(1, record + b"\x03pop" + OP.pack(*op("reset")))
    named = role is not Role.ANY
    place = Place("pop") if named else None
    assert decode(data).schedule == (Deviation(0, 1, Go.IO0, role=role, locks=named, place=place),)
    assert decode(data).ops == (op("reset"),)


@pytest.mark.parametrize("text", [b"", b"two words", b"\xff", b"pop nth 0", b"pop:1", b"pop "])
def test_other_bytes_are_no_place(text: bytes) -> None:
    record = DEVIATION.pack(0, 1, Go.IO0, Role.MAIN << 1 | PLACED)
    data = with_schedule(1, record + bytes([len(text)]) + text + OP.pack(*op("reset")))
    assert decode(data) == decode(with_schedule(1, DEVIATION.pack(0, 1, Go.IO0, 2) + data[-8:]))


@given(fuzz_bytes(), st.integers(1, 8), st.data())
def test_bytes_with_places_reach_their_canonical_form(
    rest: bytes, count: int, data: st.DataObject
) -> None:
    """Random bytes alone hardly ever hold a place."""
    records = data.draw(st.binary(min_size=4 * count, max_size=4 * count))
    texts = data.draw(st.lists(places().map(place_text), max_size=count))
    after = b"".join(bytes([len(text)]) + text.encode() for text in texts)
    scenario = decode(with_schedule(count, records + after + rest))
    assert decode(encode(scenario)) == decode_canonical(encode(scenario)) == scenario


def test_operations_beyond_the_limit_are_ignored() -> None:
    assert len(decode_ops(OP.pack(0, 0, 0, 0, 0, 0) * (limits.MAX_OPS + 3))) == limits.MAX_OPS
