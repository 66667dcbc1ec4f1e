"""The draft: the mutator edits the same operations and deviations as the codec reads."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given

from tests.strategies import fuzz_bytes, scenarios
from vblkfuzz.limits import MAX_DEVIATIONS, MAX_OPS
from vblkfuzz.mutation.draft import ITEMS, Draft, Item
from vblkfuzz.scenario.codec import DEVIATION, HEADER, MAX_BYTES, OP, decode, encode
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.place import Place
from vblkfuzz.scenario.scenario import Deviation, Go, Role, Scenario


def with_effect(scenario: Scenario) -> Scenario:
    """Return the scenario without deviations of operations that do not exist."""
    count = len(scenario.ops)
    kept = tuple(deviation for deviation in scenario.schedule if deviation.op < count)
    return Scenario(scenario.device, scenario.ops, kept)


def item(name: str) -> Item:
    return ITEMS[OP.pack(*op(name))]


@given(scenarios())
def test_an_unedited_draft_is_the_same_scenario(scenario: Scenario) -> None:
    data = encode(scenario)
    assert decode(Draft.of(data).pack(MAX_BYTES)) == with_effect(scenario)


@given(fuzz_bytes())
def test_a_draft_reads_any_bytes_as_the_codec_does(data: bytes) -> None:
    assert Draft.of(data).pack(MAX_BYTES) == encode(with_effect(decode(data)))


def test_a_deviation_follows_its_operation() -> None:
    deviation = Deviation(1, 2, Go.NEXT, delayed=True)
    draft = Draft.of(encode(Scenario(ops=(op("init"), op("kick")), schedule=(deviation,))))
    draft.items.insert(0, item("hold"))
    draft.items.insert(2, item("stop"))
    result = decode(draft.pack(MAX_BYTES))
    assert [operation.name for operation in result.ops] == ["hold", "init", "stop", "kick"]
    assert result.schedule == (Deviation(3, 2, Go.NEXT, delayed=True),)


def test_a_deviation_is_deleted_with_its_operation() -> None:
    scenario = Scenario(ops=(op("init"), op("kick")), schedule=(Deviation(0, 2, Go.NEXT),))
    draft = Draft.of(encode(scenario))
    del draft.items[0]
    assert decode(draft.pack(MAX_BYTES)) == Scenario(ops=(op("kick"),))


def test_too_much_is_cut() -> None:
    draft = Draft.of(b"")
    draft.items = [(item("stop")[0], ((1, 0, b""), (2, 5, b"")))] * (MAX_OPS + 3)
    packed = draft.pack(2 * MAX_BYTES)
    assert len(packed) == HEADER.size + MAX_DEVIATIONS * DEVIATION.size + MAX_OPS * OP.size
    result = decode(packed)
    assert len(result.ops) == MAX_OPS
    assert len(result.schedule) == MAX_DEVIATIONS


def test_of_two_deviations_at_one_point_the_first_counts() -> None:
    header = bytes([0, 0, 0, 0, 0, 0, 2, 0])
    schedule = DEVIATION.pack(0, 1, Go.IO0, 0) + DEVIATION.pack(0, 1, Go.MAIN, 0)
    data = header + schedule + OP.pack(*op("stop"))
    result = decode(Draft.of(data).pack(MAX_BYTES))
    assert result == decode(data)
    assert result.schedule == (Deviation(0, 1, Go.IO0),)


PLACE = Place("qemu_mutex_lock", "util/async.c:717", "aio_co_schedule", 2)
HELD = Deviation(1, 77, Go.IO0, True, Role.MAIN, True, PLACE)


def test_actor_and_place_follow_the_operation() -> None:
    draft = Draft.of(encode(Scenario(ops=(op("init"), op("kick")), schedule=(HELD,))))
    draft.items.insert(0, item("hold"))
    assert decode(draft.pack(MAX_BYTES)).schedule == (replace(HELD, op=2),)


def test_places_take_room_from_operations() -> None:
    ops = (op("kick"),) * 10
    data = encode(Scenario(ops=ops, schedule=(HELD,)))
    for size in range(HEADER.size, len(data) + 9):
        packed = Draft.of(data).pack(size)
        found = decode(packed)
        assert len(packed) <= size
        assert found.ops == ops[: len(found.ops)]
        assert found.schedule == ((HELD,) if len(found.ops) > HELD.op else ())
    assert found.ops == ops
