"""Places: the shortest story of each kind, each kind in its turn, the same for the same calls."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from vblkfuzz.mutation.places import Places
from vblkfuzz.scenario.alphabet.ops import CODES, OPS
from vblkfuzz.trace.lanes import Acted, Lane

ACTED = st.builds(Acted, st.integers(1, 4), st.integers(0, 30), st.integers(0, 7))
LANES = st.builds(Lane, st.integers(0, len(OPS) - 1), st.lists(ACTED, max_size=3).map(tuple))
RUNS = st.lists(st.tuples(st.binary(max_size=200), st.lists(LANES, max_size=5)), max_size=9)
Runs = list[tuple[bytes, list[Lane]]]


def noted(runs: Runs) -> Places:
    places = Places()
    for data, lanes in runs:
        places.note(data, lanes)
    return places


@given(RUNS, st.integers(0, 1000))
def test_a_place_is_where_a_thread_acted_after_another(runs: Runs, seed: int) -> None:
    places, random = noted(runs), Random(seed).random
    threads = {
        (data, at, acted.actor, acted.before)
        for data, lanes in runs
        for at, lane in enumerate(lanes)
        for acted in lane.acted[1:]
    }
    for _ in range(9):
        place = places.choose(random)
        assert bool(threads) == (place is not None)
        if place is not None:
            assert (place.data, place.at, place.actor, place.before) in threads


def test_of_one_kind_the_shortest_story_counts() -> None:
    lanes = [Lane(CODES["cont"], (Acted(2, 0, 0), Acted(3, 9, 1)))]
    places = noted([(b"longer", lanes), (b"short", lanes), (b"longest", lanes)])
    place = places.choose(Random(1).random)
    assert place is not None
    assert (place.data, place.at, place.actor, place.before) == (b"short", 0, 3, 9)


def test_a_kind_that_few_stories_have_is_tried_as_often_as_others() -> None:
    acted = (Acted(2, 0, 0), Acted(3, 9, 1))
    often, once = Lane(CODES["init"], acted), Lane(CODES["cont"], acted)
    places, random = noted([(b"often", [often])] * 50 + [(b"once", [once])]), Random(1).random
    tries = {b"often": 0, b"once": 0}
    for _ in range(40):
        place = places.choose(random)
        assert place is not None
        tries[place.data] += 1
    assert min(tries.values()) >= 15


def test_a_place_without_a_deed_is_tried_later() -> None:
    idle, busy = (Acted(2, 0, 0), Acted(3, 9, 0)), (Acted(2, 0, 0), Acted(3, 9, 1))
    places, random = Places(), Random(1).random
    places.note(b"idle", [Lane(CODES["stop"], idle)])
    places.note(b"busy", [Lane(CODES["cont"], busy)])
    chosen = [place.data for _ in range(9) if (place := places.choose(random))]
    assert chosen[:2] == [b"busy", b"busy"]
    assert b"idle" in chosen


def test_a_shorter_story_is_tried_anew() -> None:
    lanes = [Lane(CODES["cont"], (Acted(2, 0, 0), Acted(3, 9, 1)))]
    places, random = noted([(b"longer", lanes)]), Random(1).random
    for _ in range(9):
        place = places.choose(random)
        assert place is not None
        place.fresh = False
    places.note(b"equals", lanes)
    again = places.choose(random)
    assert again is not None
    assert (again.data, again.fresh) == (b"equals", False)
    places.note(b"less", lanes)
    anew = places.choose(random)
    assert anew is not None
    assert (anew.data, anew.fresh) == (b"less", True)


def test_the_state_in_which_an_operation_began_tells_places_apart() -> None:
    drain, cont = CODES["drain_begin"], CODES["cont"]
    acted = (Acted(2, 0, 0), Acted(3, 9, 1))
    places = noted(
        [(b"plain", [Lane(cont, acted)]), (b"drained", [Lane(drain, ()), Lane(cont, acted)])]
    )
    random = Random(1).random
    chosen = {place.data for _ in range(9) if (place := places.choose(random))}
    assert chosen == {b"plain", b"drained"}


@given(RUNS, st.integers(0, 1000))
def test_the_same_calls_choose_the_same(runs: Runs, seed: int) -> None:
    one, other = noted(runs), noted(runs)
    left, right = Random(seed).random, Random(seed).random
    for _ in range(10):
        first, second = one.choose(left), other.choose(right)
        assert (first and (first.data, first.at)) == (second and (second.data, second.at))
