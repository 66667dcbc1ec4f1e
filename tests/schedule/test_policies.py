"""What the schedulers promise, counted over many seeds on toys with known interleavings."""

from __future__ import annotations

from collections import Counter
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.schedule.toy import Toy
from vblkfuzz.errors import HarnessError
from vblkfuzz.scenario.scenario import Go
from vblkfuzz.schedule.bound import hit_bound
from vblkfuzz.schedule.policy import ACTORS, Moment
from vblkfuzz.schedule.registry import SCHEDULERS
from vblkfuzz.schedule.steered import SteeredTurnstile

SEEDS = 600


def orders(name: str, guest: int, io0: int, seeds: int = SEEDS) -> Counter[str]:
    counted: Counter[str] = Counter()
    for seed in range(seeds):
        toy = Toy(guest, 0, io0)
        toy.steered(name, seed, 1)
        counted[toy.order] += 1
    return counted


@given(
    st.sampled_from(SCHEDULERS.names()),
    st.integers(0, 1 << 60),
    st.integers(1, 3),
    st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(0, 4), st.integers(1, 4)),
)
def test_what_was_decided_gives_the_same_run(
    name: str, seed: int, depth: int, size: tuple[int, int, int, int]
) -> None:
    one, other = (Toy(*size[:3], ops=size[3]) for _ in range(2))
    other.replayed(one.steered(name, seed, depth, 20))
    assert one.ring.read() == other.ring.read()
    assert Counter(one.order) == Counter(g=size[0], m=size[1], i=size[2])


@pytest.mark.parametrize("wanted", ["im", "gi", "mg", "ig"])
def test_pct_hits_a_bug_of_depth_1_as_often_as_its_bound_says(wanted: str) -> None:
    """One actor does all its steps before another one."""
    hits = 0
    for seed in range(SEEDS):
        toy = Toy(2, 2, 2)
        toy.steered("pct", seed, 1, 12)
        first, second = wanted
        hits += toy.order.rindex(first) < toy.order.index(second)
    assert hits >= SEEDS * hit_bound(ACTORS, 12, 1)


def test_pct_hits_a_bug_of_depth_2_as_often_as_its_bound_says() -> None:
    """The IOThread comes between two steps of the guest."""
    hits = {1: 0, 2: 0}
    for depth in hits:
        for seed in range(SEEDS):
            toy = Toy(3, 0, 2)
            toy.steered("pct", seed, depth, 10)
            hits[depth] += toy.order == "giigg"
    assert hits[1] == 0
    assert hits[2] >= SEEDS * hit_bound(ACTORS, 10, 2)


def test_surw_reaches_all_orders_alike() -> None:
    found = orders("surw", 3, 1)
    assert len(found) == comb(4, 1)
    assert all(SEEDS / 4 * 0.75 < count < SEEDS / 4 * 1.25 for count in found.values()), found


def test_a_random_walk_does_not() -> None:
    found = orders("random", 3, 1)
    assert found["ggig"] < found["iggg"] / 2, found


def test_pos_reaches_all_orders() -> None:
    found = orders("pos", 2, 2)
    assert len(found) == comb(4, 2)
    assert min(found.values()) > SEEDS / comb(4, 2) / 4, found


def test_none_never_deviates() -> None:
    assert Toy(3, 2, 1, ops=3).steered("none", 1) == []


class Wrong:
    def choose(self, moment: Moment) -> Go:
        return Go.IO1


def test_an_answer_that_is_no_choice_is_refused() -> None:
    toy = Toy(1, 0, 1)
    turnstile = SteeredTurnstile(toy.scenario, toy, toy.guest, toy.ring, Wrong())
    with pytest.raises(HarnessError, match="Wrong: expected one of GUEST, IO0, found"):
        turnstile.run()


@given(st.integers(1, 6), st.integers(1, 100), st.integers(1, 4), st.integers(1, 50))
def test_more_runs_are_worth_more(actors: int, steps: int, depth: int, runs: int) -> None:
    one = hit_bound(actors, steps, depth)
    assert one == pytest.approx(1 / (actors * steps ** (depth - 1)))
    assert one <= hit_bound(actors, steps, depth, runs) <= min(1, one * runs * (1 + 1e-6))
