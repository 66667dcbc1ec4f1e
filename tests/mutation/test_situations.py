"""Situations that rules need occur in the inputs of a campaign, each with its least frequency."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Final

import pytest

from tests.mutation import held, situations
from tests.mutation.chain import chain
from vblkfuzz.scenario.codec import decode
from vblkfuzz.scenario.scenario import Scenario

FLOORS: Final[dict[Callable[[Scenario], bool], float]] = {
    situations.steered: 120,
    situations.steered_in_race: 80,
    situations.adjacent: 50,
    situations.overlapping: 80,
    situations.ends_at_capacity: 50,
    situations.ends_at_capacity_and_read: 1,
    situations.ends_at_new_capacity: 3,
    situations.read_back_long: 8,
    situations.cleared_and_read: 2,
    situations.three_in_ring: 110,
    situations.all_requests_take_place: 320,
    situations.write_between_flushes: 3,
    situations.power_lost_in_writethrough: 8,
    situations.power_lost_after_flush: 15,
    situations.reads_in_ring_downwards: 15,
    situations.failing_write_stops: 3,
    situations.start_fails: 35,
    situations.start_fails_after_stop: 8,
    situations.other_iothread: 5,
    situations.delayed_at_poll_end: 5,
    situations.collected_in_between: 12,
    situations.short: 600,
    held.ends_before_older: 45,
    held.flush_begun_before_write_ended: 0.2,
    held.flush_after_failed_flush: 0.35,
    held.failed_read_is_ignored: 0.4,
    held.read_again_after_other_queue: 0.4,
    held.thread_in_init: 16,
    held.declines_event_idx: 1.5,
    held.index_wraps: 65,
}
"""Of 1,000 inputs. About two thirds of what was measured (docs/speed.md)."""


@cache
def stories() -> tuple[Scenario, ...]:
    """Inputs of two chains: in a single one, one that is rare may be much rarer for a while."""
    return tuple(decode(data) for seed in (1, 2) for data in chain(seed, 20_000))


@pytest.mark.parametrize("situation", FLOORS, ids=lambda situation: situation.__name__)
def test_a_situation_is_not_rarer_than_its_floor(situation: Callable[[Scenario], bool]) -> None:
    met = sum(map(situation, stories()))
    assert met >= FLOORS[situation] * len(stories()) / 1000


def test_every_situation_has_a_floor() -> None:
    assert {*situations.SITUATIONS, *held.HELD} == set(FLOORS)
