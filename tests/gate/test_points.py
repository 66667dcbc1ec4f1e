"""Which stop a deviation means: by its number among the light or all stops, or by its place."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from vblkfuzz.gate.line import LOCKS, POLLS, Line
from vblkfuzz.gate.points import Due, Points
from vblkfuzz.scenario.place import Place
from vblkfuzz.scenario.scenario import Deviation, Go, Role

ROLES = (Role.MAIN, Role.IO0, Role.WORKER)
EVENTS = ("virtqueue_pop", "virtio_set_status", "aio_co_schedule", *POLLS)
SITES = ("util/async.c:717", "util/async.c:90", "block/io.c:5")

stops = st.lists(
    st.tuples(
        st.sampled_from(ROLES),
        st.builds(Line, st.sampled_from(EVENTS))
        | st.builds(Line, st.sampled_from(LOCKS), st.sampled_from(SITES)),
    ),
    max_size=40,
)


def by_number(role: Role, point: int, *, locks: bool = False) -> Deviation:
    return Deviation(0, point, Go.NEXT, role=role, locks=locks)


def met(deviations: list[Deviation], reached: list[tuple[Role, Line]]) -> list[tuple[int, Due]]:
    """Return the deviations that took effect, each with the index of its stop."""
    points = Points(enumerate(deviations))
    found = [(index, points.reach(role, line)) for index, (role, line) in enumerate(reached)]
    return [(index, due) for index, due in found if due is not None]


def lights(reached: list[tuple[Role, Line]], role: Role) -> list[int]:
    """Return the indexes of the light stops of a role: of polls in a row only the first."""
    found, polls = [], False
    for index, (who, line) in enumerate(reached):
        if who is role and not line.locks:
            if not (line.polls and polls):
                found.append(index)
            polls = line.polls
    return found


@settings(max_examples=40)
@given(stops, st.sampled_from(ROLES), st.integers(0, 20))
def test_a_number_among_the_light_stops(
    reached: list[tuple[Role, Line]], role: Role, point: int
) -> None:
    expected = lights(reached, role)[point : point + 1]
    assert [index for index, _ in met([by_number(role, point)], reached)] == expected


@settings(max_examples=40)
@given(stops, st.sampled_from(ROLES), st.integers(0, 20))
def test_a_number_among_all_stops(reached: list[tuple[Role, Line]], role: Role, point: int) -> None:
    own = [index for index, (who, _) in enumerate(reached) if who is role]
    found = met([by_number(role, point, locks=True)], reached)
    assert [index for index, _ in found] == own[point : point + 1]


@settings(max_examples=40)
@given(stops)
def test_each_stop_has_a_place_of_its_own_which_is_met_once(
    reached: list[tuple[Role, Line]],
) -> None:
    everywhere = [
        by_number(role, point, locks=True)
        for role in ROLES
        for point in range(sum(who is role for who, _ in reached))
    ]
    found = met(everywhere, reached)
    assert len(found) == len(reached)
    for index, due in found:
        role, line = reached[index]
        assert (due.place.event, due.place.site) == line
        wanted = replace(due.deviation, place=due.place)
        # Line numbers of the file do not count; the number of the point does not, either.
        site = f"{line.file}:1" if line.site else ""
        moved = replace(wanted, point=9, place=due.place._replace(site=site))
        for one in (wanted, moved):
            assert [place for place, _ in met([one], reached)] == [index]
    for role in ROLES:
        own = [due.place for index, due in found if reached[index][0] is role]
        assert len({place._replace(site=place.site.partition(":")[0]) for place in own}) == len(own)


@settings(max_examples=40)
@given(stops, st.lists(st.builds(by_number, st.sampled_from(ROLES), st.integers(0, 5)), max_size=4))
def test_a_deviation_takes_effect_at_most_once(
    reached: list[tuple[Role, Line]], deviations: list[Deviation]
) -> None:
    times = Counter(due.number for _, due in met(deviations, reached))
    assert set(times.values()) <= {1}
    assert all(deviations[due.number] is due.deviation for _, due in met(deviations, reached))


@settings(max_examples=40)
@given(stops)
def test_passed_counts_the_light_stops(reached: list[tuple[Role, Line]]) -> None:
    points = Points()
    for role, line in reached:
        assert points.reach(role, line) is None
    assert points.passed == tuple(len(lights(reached, role)) for role in Role)


def test_after_is_the_event_before_it_that_is_neither_lock_nor_poll() -> None:
    lock, poll = Line(LOCKS[0], SITES[0]), Line(POLLS[0])
    reached = [(Role.MAIN, line) for line in (lock, Line("a"), lock, poll, lock, Line("b"), lock)]
    found = met([by_number(Role.MAIN, point, locks=True) for point in range(7)], reached)
    assert [due.place.after for _, due in found] == ["", "", "a", "a", "a", "a", "b"]
    assert [due.place.nth for _, due in found] == [1, 1, 1, 1, 2, 1, 1]


def test_a_place_of_another_role_or_file_is_not_meant() -> None:
    lock = Line(LOCKS[0], SITES[0])
    at = Place(lock.event, lock.site)
    deviation = replace(by_number(Role.MAIN, 0, locks=True), place=at)
    assert met([deviation], [(Role.MAIN, lock)])
    assert not met([deviation], [(Role.IO0, lock), (Role.MAIN, Line(lock.event, SITES[2]))])
    assert not met([deviation], [(Role.MAIN, Line("a")), (Role.MAIN, lock)])  # after another event


def test_a_deviation_of_no_role_interrupts_no_thread() -> None:
    assert not met([Deviation(0, 0, Go.NEXT)], [(Role.MAIN, Line("a"))])
