"""Story states: `choices` returns only operations that fit, and each operation for some state."""

from __future__ import annotations

from collections import Counter

import pytest

from vblkfuzz.mutation.story_state import FITS, NEXT, PAIRS, STATES, choices
from vblkfuzz.scenario.alphabet.ops import CODES, OPS


def state_after(*names: str) -> int:
    state = 0
    for name in names:
        state = NEXT[state][CODES[name]]
    return state


def offered(state: int) -> Counter[str]:
    return Counter(OPS[code].name for code in choices(state))


@pytest.mark.parametrize("state", STATES)
def test_what_is_offered_fits(state: int) -> None:
    assert all(FITS[state][code] for code in choices(state))


def test_every_operation_is_offered_somewhere() -> None:
    assert set().union(*(choices(state) for state in STATES)) == set(CODES.values())


def test_a_begin_opens_and_its_end_closes() -> None:
    for pair in PAIRS:
        opened = NEXT[0][pair.begin]
        assert opened & pair.open
        assert FITS[opened][pair.end]
        assert not NEXT[opened][pair.end] & pair.open
        assert not FITS[0][pair.end]


def test_drained_sections_nest() -> None:
    assert state_after("drain_begin", "drain_begin", "drain_end") == state_after("drain_begin")


def test_a_device_that_is_not_set_up_is_offered_an_init_first() -> None:
    for before in ((), ("init", "reset"), ("init", "system_reset"), ("init", "hostile")):
        assert offered(state_after(*before))["init"] > offered(state_after("init"))["init"]
    assert not offered(0)["publish_kick"]


def test_a_publish_is_followed_by_a_kick() -> None:
    published = state_after("init", "publish")
    assert offered(published)["kick"] > offered(state_after("init"))["kick"]
    assert NEXT[published][CODES["kick"]] == state_after("init")
