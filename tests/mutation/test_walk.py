"""Walks: new stories of any operations, on any device, that stay within the limits."""

from __future__ import annotations

from functools import cache
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from vblkfuzz.mutation.draft import Draft
from vblkfuzz.mutation.walk import walk
from vblkfuzz.scenario.alphabet.guest import DECLINES
from vblkfuzz.scenario.alphabet.ops import OPS
from vblkfuzz.scenario.codec import MAX_BYTES, decode, encode
from vblkfuzz.scenario.device import FIELDS
from vblkfuzz.scenario.scenario import Scenario

LONGEST = 24


def walked(seed: int) -> bytes:
    draft = Draft([], [])
    walk(draft, LONGEST, Random(seed).random)
    return draft.pack(MAX_BYTES)


@cache
def walks() -> tuple[Scenario, ...]:
    return tuple(decode(walked(seed)) for seed in range(600))


@given(st.integers(0, 1 << 32))
def test_a_walk_is_canonical_and_begins_with_an_init(seed: int) -> None:
    data = walked(seed)
    scenario = decode(data)
    assert encode(scenario) == data == walked(seed)
    assert scenario.ops[0].spec.name == "init"


def test_walks_have_all_operations_devices_and_declined_features() -> None:
    every = walks()
    assert {op.code for one in every for op in one.ops} == {spec.code for spec in OPS}
    assert {one.ops[0][2] for one in every} == set(range(len(DECLINES)))
    for name, row in FIELDS.items():
        if row.changed:
            assert {getattr(one.device, name) for one in every} == set(row.values), name


def test_no_walk_changes_the_form_of_the_rings() -> None:
    assert {one.device.ring for one in walks()} == {"split"}


def test_one_walk_in_twenty_has_several_resets() -> None:
    resets = [sum(op.spec.name in ("reset", "init") for op in one.ops) for one in walks()]
    assert sum(count >= 4 for count in resets) > len(resets) / 20


def test_walks_are_of_all_lengths_and_have_no_deviation_or_several() -> None:
    lengths = {len(one.ops) for one in walks()}
    assert min(lengths) == 1
    assert max(lengths) == 1 + LONGEST
    assert {len(one.schedule) for one in walks()} >= set(range(8))
