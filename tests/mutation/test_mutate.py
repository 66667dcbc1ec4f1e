"""The mutator: bounds and determinism first, then the distribution of its inputs."""

from __future__ import annotations

from collections import Counter
from functools import cache
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.mutation.chain import chain
from tests.strategies import fuzz_bytes
from vblkfuzz.limits import MAX_OPS
from vblkfuzz.mutation.mutate import Mutator
from vblkfuzz.mutation.parents import Parents
from vblkfuzz.scenario.alphabet.ops import CODES, OPS
from vblkfuzz.scenario.codec import HEADER, MAX_BYTES, decode, encode
from vblkfuzz.scenario.device import FIELDS, DeviceConfig, Value
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.scenario import Go, Scenario
from vblkfuzz.trace.lanes import Acted, Lane

RARE = ("hostile", "start_fail", "set_iothread")
seeds = st.integers(0, 1 << 32)


def is_canonical(data: bytes) -> bool:
    return encode(decode(data)) == data


@cache
def stories() -> tuple[Scenario, ...]:
    """Inputs of a short campaign."""
    return tuple(decode(data) for data in chain(1, 4000))


@given(seeds, fuzz_bytes())
def test_any_bytes_become_other_canonical_bytes(seed: int, data: bytes) -> None:
    mutated = Mutator(seed).mutate(data, MAX_BYTES)
    assert is_canonical(mutated)
    assert mutated != data


def test_a_repair_that_undoes_the_edit_is_no_result() -> None:
    data = encode(Scenario(ops=(op("init"), op("stop"), op("cont"))))
    assert all(Mutator(seed).mutate(data, MAX_BYTES) != data for seed in range(300))


@given(seeds, fuzz_bytes(), fuzz_bytes())
def test_two_of_any_bytes_become_canonical_bytes(seed: int, left: bytes, right: bytes) -> None:
    crossed = Mutator(seed).crossover(left, right, MAX_BYTES)
    assert is_canonical(crossed)
    assert crossed != left


@given(seeds, fuzz_bytes(), fuzz_bytes(), st.integers(0, 2 * MAX_BYTES))
def test_the_size_is_bounded(seed: int, left: bytes, right: bytes, max_size: int) -> None:
    mutator = Mutator(seed)
    for data in (mutator.mutate(left, max_size), mutator.crossover(left, right, max_size)):
        assert len(data) <= min(max_size, MAX_BYTES)
        assert is_canonical(data) or max_size < HEADER.size


@given(seeds)
def test_the_same_calls_give_the_same_bytes(seed: int) -> None:
    assert chain(seed, 30) == chain(seed, 30)


def test_seeds_differ() -> None:
    assert chain(1, 30) != chain(2, 30)


def fresh_stories(data: bytes) -> list[Scenario]:
    return [decode(Mutator(seed).mutate(data, MAX_BYTES)) for seed in range(300)]


def test_no_bytes_become_a_short_story() -> None:
    with_init = 0
    for story in fresh_stories(b""):
        assert 1 <= len(story.ops) <= 20
        with_init += {op("init").code} <= {operation.code for operation in story.ops}
    assert with_init > 250
    assert median(len(story.ops) for story in fresh_stories(b"")) <= 7
    assert sum(bool(story.schedule) for story in fresh_stories(b"")) > 150


def test_now_and_then_a_long_story_is_replaced_by_a_new_one() -> None:
    long = encode(Scenario(ops=(op("init"), *[op("collect")] * 40)))
    replaced = sum(len(story.ops) < 10 for story in fresh_stories(long))
    assert 50 < replaced < 150


def test_every_operation_is_reached() -> None:
    assert {operation.name for story in stories() for operation in story.ops} == {
        spec.name for spec in OPS
    }


@pytest.mark.parametrize("name", [name for name, row in FIELDS.items() if row.changed])
def test_every_value_of_the_device_is_reached(name: str) -> None:
    assert {getattr(story.device, name) for story in stories()} == set(FIELDS[name].values)


def test_deviations_are_few_and_near_the_start_of_their_operation() -> None:
    counts = [len(story.schedule) for story in stories()]
    deviations = [deviation for story in stories() for deviation in story.schedule]
    goes = Counter(deviation.go for deviation in deviations)
    assert 0.3 < sum(counts) / len(counts) < 2
    assert sum(count <= 2 for count in counts) > 0.85 * len(counts)
    assert sum(deviation.point <= 12 for deviation in deviations) > 0.85 * len(deviations)
    assert goes[Go.NEXT] > 0.25 * len(deviations)
    assert set(goes) == set(Go)
    assert 0 < sum(deviation.delayed for deviation in deviations) < 0.2 * len(deviations)


def test_deviations_belong_to_an_operation() -> None:
    for story in stories():
        assert all(deviation.op < len(story.ops) for deviation in story.schedule)


def test_inputs_grow_but_seldom_to_the_limit() -> None:
    sizes = sorted(len(story.ops) for story in stories())
    assert sizes[len(sizes) // 10] >= 3
    assert sizes[len(sizes) // 2] >= 6
    assert sizes[len(sizes) * 9 // 10] <= 40
    assert sum(size == MAX_OPS for size in sizes) < 0.02 * len(sizes)


def test_publishes_mostly_follow_an_init() -> None:
    good = total = 0
    for story in stories():
        set_up = False
        for operation in story.ops:
            set_up = (set_up or operation.name == "init") and operation.name not in (
                "reset",
                "system_reset",
            )
            if operation.name in ("publish", "publish_kick"):
                total += 1
                good += set_up
    assert total > 8000
    assert 0.7 * total <= good < total  # never broken would be wrong as well


def test_what_begins_mostly_ends() -> None:
    pairs = {"drain_begin": "drain_end", "mirror_begin": "mirror_finish", "stop": "cont"}
    for begin, end in pairs.items():
        ended = begun = 0
        for story in stories():
            waiting = 0
            for operation in story.ops:
                if operation.name == begin:
                    begun, waiting = begun + 1, waiting + 1
                elif operation.name == end and waiting:
                    ended, waiting = ended + 1, waiting - 1
        assert 0.6 * begun <= ended < begun, begin


def test_operations_that_end_a_story_are_rare() -> None:
    names = Counter(operation.name for story in stories() for operation in story.ops)
    assert sum(names[name] for name in RARE) < 0.05 * names.total()
    assert names["publish_kick"] == max(names.values())


def test_crossover_takes_operations_of_both() -> None:
    mutator = Mutator(3)
    left, right = (mutator.mutate(b"", MAX_BYTES) for _ in range(2))
    ops = (set(decode(left).ops), set(decode(right).ops))
    both = 0
    for _ in range(100):
        crossed = set(decode(mutator.crossover(left, right, MAX_BYTES)).ops)
        both += bool(crossed & (ops[0] - ops[1])) and bool(crossed & (ops[1] - ops[0]))
    assert both > 30


def parents_of(*names: str, many: int = 100) -> Parents:
    """Return so many parents, each with the same story."""
    parents = Parents()
    data = encode(Scenario(ops=tuple(map(op, names))))
    acted = Acted(2, 0, 0), Acted(3, 5, 1)
    for feature in range(many):
        parents.note(data, 1 << feature, lambda: [Lane(CODES[name], acted) for name in names])
    return parents


def test_most_inputs_are_made_of_the_parents_that_are_known() -> None:
    parents = parents_of("init", "publish_kick", "stop")
    long = encode(Scenario(ops=(op("init"), *[op("read_config")] * 60)))
    mutator = Mutator(1, parents=parents)
    made = [decode(mutator.mutate(long, MAX_BYTES)) for _ in range(300)]
    crossed = [decode(mutator.crossover(long, long, MAX_BYTES)) for _ in range(300)]
    for stories in (made, crossed):
        short = sum(len(story.ops) < 20 for story in stories)
        assert 0.3 * len(stories) < short < 0.95 * len(stories)
    assert sum(parent.children for parent in parents) > 100


def test_with_few_parents_most_inputs_are_new_stories() -> None:
    long = encode(Scenario(ops=(op("init"), *[op("read_config")] * 60)))
    new, walks = [], []
    for many in (4, 76):
        mutator = Mutator(1, parents=parents_of("init", "publish_kick", "stop", many=many))
        by = [(mutator.mutate(long, MAX_BYTES), mutator.made.by)[1] for _ in range(300)]
        new.append(by.count(("new",)))
        walks.append(by.count(("walk",)))
    assert new[0] + walks[0] > 240
    assert 30 < new[1] < 120
    assert min(walks) > 40


def test_walks_get_fewer_and_need_feedback() -> None:
    walks = []
    for parents in (None, parents_of("init", "publish_kick")):
        mutator = Mutator(1, parents=parents)
        by = [(mutator.mutate(b"", MAX_BYTES), mutator.made.by)[1] for _ in range(4000)]
        walks.append([by[:300].count(("walk",)), by[-300:].count(("walk",))])
    assert walks[0] == [0, 0]
    assert walks[1][0] > 45
    assert 4 < walks[1][1] < 30


def test_a_story_of_a_parent_often_gets_a_schedule_alone() -> None:
    names = "init", "publish_kick", "stop", "cont"
    mutator = Mutator(1, parents=parents_of(*names))
    for _ in range(1000):  # a campaign begins with walks
        mutator.mutate(b"", MAX_BYTES)
    made = [decode(mutator.mutate(b"", MAX_BYTES)) for _ in range(300)]
    same = [one for one in made if tuple(each.name for each in one.ops) == names]
    assert len(same) > 40
    assert sum(bool(one.schedule) for one in same) > 0.8 * len(same)


@pytest.mark.parametrize("fields", [{"ring": "split"}, {"ring": "packed"}, {"in_order": True}])
def test_a_campaign_may_ask_for_fields_of_the_device(fields: dict[str, Value]) -> None:
    mutator, data = Mutator(5, fields=fields), encode(Scenario(DeviceConfig(ring="packed")))
    for _ in range(100):
        data = mutator.mutate(data, MAX_BYTES)
        device = decode(data).device
        assert {name: getattr(device, name) for name in fields} == fields


def test_other_campaigns_keep_the_form_that_they_find() -> None:
    packed = encode(Scenario(DeviceConfig(ring="packed"), (op("init"),)))
    made = [decode(Mutator(seed).mutate(packed, MAX_BYTES)).device.ring for seed in range(100)]
    assert 10 < made.count("split") < 50  # new stories
