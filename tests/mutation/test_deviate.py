"""Edits of the schedule: what they leave unchanged, and that races are races."""

from __future__ import annotations

from collections import Counter
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import fuzz_bytes, scenarios
from vblkfuzz.limits import MAX_POINT
from vblkfuzz.mutation.argument import QUEUED
from vblkfuzz.mutation.deviate import burst, change_schedule, delay, race, steer
from vblkfuzz.mutation.draft import DELAYED, ITEMS, Draft, counted
from vblkfuzz.scenario.alphabet.ops import OPS
from vblkfuzz.scenario.codec import MAX_BYTES, OP, decode, encode
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.device_header import header_of
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.place import Place
from vblkfuzz.scenario.scenario import Deviation, Go, Role, Scenario

seeds = st.integers(0, 1 << 32)
DEVICE = header_of(DeviceConfig(queues=4))
STORY = tuple(
    ITEMS[OP.pack(*operation)]
    for operation in (
        *(op("init"), op("publish_kick", queue=1, request="out"), op("drain_begin")),
        *(op("kick", queue=2), op("drain_end"), op("reset")),
    )
)


def raced(seed: int) -> Draft:
    draft = Draft(list(DEVICE), list(STORY))
    race(draft, Random(seed).random)
    return draft


@given(seeds, fuzz_bytes())
def test_a_change_of_the_schedule_keeps_the_operations(seed: int, data: bytes) -> None:
    draft = Draft.of(data)
    records, before = [item[0] for item in draft.items], draft.marks()
    change_schedule(draft, Random(seed).random)
    assert [item[0] for item in draft.items] == records
    assert abs(draft.marks() - before) <= 1


@given(seeds, fuzz_bytes())
def test_marks_stay_in_order_and_in_range(seed: int, data: bytes) -> None:
    draft, random = Draft.of(data), Random(seed).random
    for edit in (race, steer, change_schedule, delay, race):
        edit(draft, random)
    for _, marks in draft.items:
        points = [counted(mark) for mark in marks]
        assert points == sorted(set(points))
        assert all(0 <= point < MAX_POINT and how % DELAYED in set(Go) for point, how, _ in marks)


@given(seeds, fuzz_bytes())
def test_steering_lets_one_thread_go_on_at_up_to_three_points_in_a_row(
    seed: int, data: bytes
) -> None:
    draft, before = Draft.of(data), Draft.of(data)
    steer(draft, Random(seed).random)
    assert [item[0] for item in draft.items] == [item[0] for item in before.items]
    added = {
        (at, mark)
        for at, item in enumerate(draft.items)
        for mark in item[1]
        if mark not in before.items[at][1]
    }
    assert len({(at, go) for at, (_, go, _) in added}) <= 1
    points = [point for _, (point, _, _) in added]
    assert not points or max(points) - min(points) < 3
    assert all(go not in (Go.NEXT, Go.NEXT + DELAYED) for _, (_, go, _) in added)


def test_a_race_of_nothing_is_nothing() -> None:
    draft = Draft.of(encode(Scenario()))
    race(draft, Random(1).random)
    assert draft.items == []


def test_an_operation_is_interrupted_by_a_following_one() -> None:
    for seed in range(300):
        draft = raced(seed)
        (first, *_) = [at for at, item in enumerate(draft.items) if item[1]]
        assert draft.items[first][1][0][1] % DELAYED == Go.NEXT
        assert first + 1 < len(draft.items)


def test_a_race_drops_most_deviations_from_before() -> None:
    marked = ITEMS[OP.pack(*op("publish_kick"))][0], ((1, 3, b""), (2, 3, b""), (3, 3, b""))
    counts = []
    for seed in range(300):
        draft = Draft(list(DEVICE), [marked] * 3)
        race(draft, Random(seed).random)
        counts.append(draft.marks())
    assert sum(count <= 2 for count in counts) > 0.65 * len(counts)
    assert any(count > 3 for count in counts)


def test_requests_race_with_requests_on_the_same_queue() -> None:
    rivals: Counter[str] = Counter()
    for seed in range(1000):
        story = decode(raced(seed).pack(1000))
        for deviation in story.schedule:
            one, other = story.ops[deviation.op : deviation.op + 2]
            if one == op("publish_kick", queue=1, request="out"):
                same = other.name == "publish_kick" and other.a == one.a
                rivals["same queue" if same else other.name] += 1
    assert rivals["same queue"] > 0.1 * rivals.total()
    assert rivals["drain_begin"] > 0.1 * rivals.total()
    assert len(rivals) > 10


def test_a_delay_of_nothing_is_nothing() -> None:
    draft = Draft.of(encode(Scenario()))
    delay(draft, Random(1).random)
    assert draft.items == []


def test_after_delayed_stores_comes_a_request_on_their_queue() -> None:
    interrupted: Counter[str] = Counter()
    for seed in range(500):
        draft = Draft(list(DEVICE), list(STORY))
        delay(draft, Random(seed).random)
        (*before, last) = [at for at, item in enumerate(draft.items) if item[1]]
        assert before == []
        assert draft.items[last][1][0][1] == Go.NEXT + DELAYED
        request = draft.items[last + 1][0]
        assert request[0] == op("publish_kick").code
        queues = [item[0][1] for item in draft.items[last::-1] if item[0][0] in QUEUED]
        assert queues[:1] in ([], [request[1]])
        interrupted[OPS[draft.items[last][0][0]].name] += 1
    assert min(interrupted[name] for name in ("publish_kick", "kick", "drain_end")) > 20


def test_stores_are_delayed_at_the_end_of_what_had_not_begun() -> None:
    ends: Counter[tuple[str, str]] = Counter()
    for seed in range(500):
        draft = Draft.of(encode(Scenario(ops=(op("init"), op("publish_kick")))))
        delay(draft, Random(seed).random)
        story = decode(draft.pack(1000))
        at = story.schedule[0].op
        ends[story.ops[at - 1].name if at else "", story.ops[at].name] += 1
    assert ends["poll_on", "poll_off"] > 50
    assert ends["drain_begin", "drain_end"] > 10
    assert all(name[0] == "poll_on" for name in ends if name[1] == "poll_off")


def test_mostly_the_story_ends_with_the_race() -> None:
    sizes = Counter(len(raced(seed).items) for seed in range(300))
    assert sum(count for size, count in sizes.items() if size < len(STORY)) > 75
    assert max(sizes) > len(STORY)


def test_points_are_within_the_reach_of_their_operation() -> None:
    points = [
        (item[0][0], point)
        for seed in range(2000)
        for item in raced(seed).items
        for point, _, _ in item[1]
    ]
    kicked = Counter(point for code, point in points if code == op("publish_kick").code)
    assert all(kicked[point] for point in range(12))
    assert 0.9 * kicked.total() < sum(kicked[point] for point in range(12)) < kicked.total()


def test_a_burst_begins_operations_at_once() -> None:
    pairs = Counter[str]()
    for seed in range(500):
        draft = Draft(list(DEVICE), list(STORY))
        burst(draft, Random(seed).random)
        story = decode(draft.pack(1000))
        places = [deviation.op for deviation in story.schedule]
        assert 0 < len(places) <= 3 or len(story.ops) == len(STORY)
        assert places == list(range(places[0], places[0] + len(places))) if places else True
        assert all((one.point, one.go) == (0, Go.NEXT) for one in story.schedule)
        assert not places or places[-1] + 1 < len(story.ops) <= places[0] + 6
        pairs.update(story.ops[place + 1].name for place in places)
    assert pairs["drain_begin"] > 0.2 * pairs.total()
    assert pairs["drain_end"] > 0.1 * pairs.total()
    assert pairs["stop"] > 0


def test_a_burst_of_nothing_is_nothing() -> None:
    draft = Draft.of(encode(Scenario()))
    burst(draft, Random(1).random)
    assert draft.items == []


def test_a_changed_deviation_counts_the_points_of_the_same_actor() -> None:
    """Its place goes with its point; with another `Go` it stays."""
    held = Deviation(0, 77, Go.IO0, role=Role.MAIN, locks=True, place=Place("virtqueue_pop"))
    data = encode(Scenario(ops=(op("reset"),), schedule=(held,)))
    changed = Counter[str]()
    for seed in range(300):
        draft = Draft.of(data)
        change_schedule(draft, Random(seed).random)
        left = [one for one in decode(draft.pack(MAX_BYTES)).schedule if one.role is not Role.ANY]
        for one in left:
            assert (one.role, one.locks) == (held.role, held.locks)
            assert one.place == (held.place if one.point == held.point else None)
            changed["point"] += one.point != held.point
            changed["go"] += one.go is not held.go
    assert changed["point"] > 20
    assert changed["go"] > 20


@given(seeds, scenarios(max_ops=8))
def test_other_deviations_keep_actor_and_place(seed: int, scenario: Scenario) -> None:
    """All but the one that is changed or removed, and those at the point of a new one."""
    draft = Draft.of(encode(scenario))
    before = {(at, mark) for at, item in enumerate(draft.items) for mark in item[1]}
    change_schedule(draft, Random(seed).random)
    after = {(at, mark) for at, item in enumerate(draft.items) for mark in item[1]}
    assert len(before - after) <= 2
