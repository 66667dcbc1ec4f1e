"""Pairs of events of different threads."""

from __future__ import annotations

from vblkfuzz.gate.line import Line
from vblkfuzz.gate.neighbours import Neighbours
from vblkfuzz.scenario.scenario import Role

POP, LOCK = Line("virtqueue_pop"), Line("qemu_mutex_lock", "util/async.c:717")


def found(*events: tuple[Role, Line]) -> tuple[int, ...]:
    neighbours = Neighbours()
    for role, line in events:
        neighbours.add(role, line)
    return tuple(neighbours.found)


def test_a_pair_has_the_same_number_in_each_process() -> None:
    assert found((Role.MAIN, POP), (Role.IO0, LOCK)) == (0xA607CA2E,)


def test_one_thread_has_no_pairs() -> None:
    assert found((Role.MAIN, POP), (Role.MAIN, LOCK), (Role.MAIN, POP)) == ()


def test_each_pair_counts_once_and_in_its_order() -> None:
    there, back = found((Role.MAIN, POP), (Role.IO0, POP), (Role.MAIN, POP), (Role.IO0, POP))
    assert there != back


def test_role_event_and_site_tell_pairs_apart() -> None:
    first = Role.MAIN, POP
    seconds = [
        *((Role.IO0, POP), (Role.IO1, POP), (Role.IO0, LOCK)),
        (Role.IO0, Line("qemu_mutex_lock", "util/async.c:718")),
    ]
    assert len({found(first, second) for second in seconds}) == len(seconds)
