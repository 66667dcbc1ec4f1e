"""Requests that are related to others: their sectors, and that nothing else changes."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import fuzz_bytes
from vblkfuzz.limits import MAX_DISK_SECTORS, MAX_REQUEST_SECTORS
from vblkfuzz.mutation.draft import ITEMS, Draft, Item
from vblkfuzz.mutation.relate import (
    Sectors,
    capacity_at,
    move_to_end,
    relate,
    relate_at,
    sectors_of,
)
from vblkfuzz.scenario.alphabet.ops import PUBLISHES
from vblkfuzz.scenario.codec import MAX_BYTES, OP, decode, encode
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.op import Op, op
from vblkfuzz.scenario.scenario import Scenario


def item(operation: Op) -> Item:
    return ITEMS[OP.pack(*operation)]


def draft_of(*ops: Op, disk_sectors: int = 64) -> Draft:
    device = DeviceConfig(disk_sectors=disk_sectors)
    return Draft.of(encode(Scenario(device, ops)))


def randoms(count: int) -> list[Callable[[], float]]:
    return [Random(seed).random for seed in range(count)]


@given(st.integers(0, 1000), fuzz_bytes())
def test_only_sectors_of_requests_change(seed: int, data: bytes) -> None:
    draft, before = Draft.of(data), Draft.of(data).items
    relate(draft, Random(seed).random)
    assert len(draft.items) == len(before)
    for (new, marks), (old, old_marks) in zip(draft.items, before, strict=True):
        assert (new[:4], marks) == (old[:4], old_marks)
        assert new == old or new[0] in PUBLISHES
    packed = draft.pack(MAX_BYTES)
    assert encode(decode(packed)) == packed


@given(st.integers(0, 1000), fuzz_bytes())
def test_sectors_stay_in_their_range(seed: int, data: bytes) -> None:
    draft = Draft.of(data)
    relate(draft, Random(seed).random)
    for record, _ in draft.items:
        if record[0] in PUBLISHES:
            first, count = sectors_of(record)
            assert 0 <= first < MAX_DISK_SECTORS
            assert 1 <= count <= MAX_REQUEST_SECTORS


def test_all_ways_to_touch_another_request() -> None:
    found = set()
    for random in randoms(200):
        draft = draft_of(op("publish", sector=20, sectors=3), op("publish", sector=40, sectors=2))
        relate_at(draft, 1, random)
        found.add(sectors_of(draft.items[1][0]))
    beside = {(20, 3), (23, 2), (18, 2), (22, 2), (21, 2)}
    at_the_end = {(64 - count, count) for count in range(1, MAX_REQUEST_SECTORS + 1)}
    assert found == {Sectors(*pair) for pair in beside | at_the_end}


def test_the_end_of_the_disk_is_where_a_resize_put_it() -> None:
    draft = draft_of(op("publish"), op("resize", sectors=9), op("publish"), disk_sectors=16)
    assert [capacity_at(draft, at) for at in range(3)] == [16, 16, 9]


def test_a_write_and_its_read_move_to_the_end_together() -> None:
    together = 0
    for random in randoms(200):
        draft = draft_of(*[op("publish_kick", sector=5, sectors=2)] * 2)
        relate_at(draft, 1, random)
        one, other = (sectors_of(record) for record, _ in draft.items)
        together += one == other and one.end == 64
    assert together > 40


def test_a_story_without_requests_stays_as_it_is() -> None:
    draft = draft_of(op("init"), op("stop"))
    relate(draft, Random(1).random)
    assert draft.items == [item(op("init")), item(op("stop"))]


def test_requests_of_the_same_sectors_move_to_the_end_of_the_disk_together() -> None:
    for random in randoms(50):
        draft = draft_of(
            *(op("init"), op("publish_kick", request="out", sector=3, sectors=2)),
            *(op("publish_kick", request="in", sector=3, sectors=2), op("collect")),
        )
        move_to_end(draft, random)
        wrote, read = (sectors_of(draft.items[at][0]) for at in (1, 2))
        assert wrote == read
        assert wrote.end == 64


def test_a_story_without_requests_has_nothing_to_move() -> None:
    draft = draft_of(op("init"))
    move_to_end(draft, Random(1).random)
    assert len(draft.items) == 1
