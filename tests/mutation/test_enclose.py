"""Requests that enclose others: what is kept of the story, and what is put around a request."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import fuzz_bytes
from vblkfuzz.mutation.draft import Draft
from vblkfuzz.mutation.enclose import enclose
from vblkfuzz.scenario.alphabet.ops import CODES, PUBLISHES
from vblkfuzz.scenario.codec import MAX_BYTES, OP, decode, encode
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.scenario import Scenario

_HOLD, _RELEASE = CODES["hold"], CODES["release"]
_COMPLETE, _LOSS = CODES["complete"], CODES["power_loss"]


def enclosed(seed: int, *ops: str) -> list[int]:
    """Return the codes of a story after the edit."""
    draft = Draft.of(encode(Scenario(ops=tuple(op(name) for name in ops))))
    enclose(draft, Random(seed).random)
    return [item[0][0] for item in draft.items]


@given(st.integers(0, 1000), fuzz_bytes())
def test_the_result_is_a_story(seed: int, data: bytes) -> None:
    draft = Draft.of(data)
    enclose(draft, Random(seed).random)
    packed = draft.pack(MAX_BYTES)
    assert encode(decode(packed)) == packed


def test_without_a_request_nothing_changes() -> None:
    assert enclosed(1, "init", "hold") == [CODES["init"], _HOLD]


def test_what_is_held_ends_in_between_and_afterwards() -> None:
    stories = [enclosed(seed, "init", "publish_kick") for seed in range(200)]
    holding = [story for story in stories if _HOLD in story]
    assert 80 < len(holding) < 160
    for story in holding:
        assert story.index(_HOLD) < story.index(_COMPLETE) < story.index(_RELEASE)


def test_what_is_held_already_is_not_held_again() -> None:
    stories = [enclosed(seed, "init", "hold", "publish_kick") for seed in range(200)]
    assert all(story.count(_HOLD) == 1 for story in stories)


def test_the_outer_request_is_asked_again_as_it_was() -> None:
    read = op("publish_kick", request="get_id", sector=9, sectors=3)
    again = 0
    for seed in range(200):
        draft = Draft.of(encode(Scenario(ops=(op("init"), read))))
        enclose(draft, Random(seed).random)
        asked = [record for record, _ in draft.items if record[0] in PUBLISHES]
        again += len(asked) > 1 and asked[-1] == OP.pack(*read)
    assert 90 < again < 160


def test_power_is_lost_at_the_end_only() -> None:
    stories = [enclosed(seed, "init", "publish_kick") for seed in range(200)]
    assert 30 < sum(story[-1] == _LOSS for story in stories) < 90
    assert all(_LOSS not in story[:-1] for story in stories)


def test_another_request_comes_between() -> None:
    """Of a story with one request: two alike, with or without a third between them."""
    counts = [
        sum(code in PUBLISHES for code in enclosed(seed, "init", "publish_kick"))
        for seed in range(200)
    ]
    assert set(counts) == {1, 2, 3}
