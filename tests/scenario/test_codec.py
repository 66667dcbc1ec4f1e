"""Fuzz bytes <-> Scenario."""

from __future__ import annotations

import pytest
from hypothesis import given

from tests.strategies import fuzz_bytes, scenarios
from vblkfuzz import limits
from vblkfuzz.scenario.alphabet.ops import OPS
from vblkfuzz.scenario.codec import DEVIATION, HEADER, MAX_BYTES, OP, decode, decode_ops, encode
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.scenario import Deviation, Go, Scenario


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


def test_the_last_bit_says_whether_stores_are_delayed() -> None:
    header = bytes([0, 0, 0, 0, 0, 0, 2, 0])
    data = header + DEVIATION.pack(0, 1, Go.NEXT, 0xFE) + DEVIATION.pack(0, 2, Go.NEXT, 0xFF)
    assert [deviation.delayed for deviation in decode(data).schedule] == [False, True]


def test_operations_beyond_the_limit_are_ignored() -> None:
    assert len(decode_ops(OP.pack(0, 0, 0, 0, 0, 0) * (limits.MAX_OPS + 3))) == limits.MAX_OPS
