"""A crew does each piece of work once, and leaves nothing behind."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress

import pytest

from vblkfuzz.errors import HarnessError
from vblkfuzz.process.crew import Crew


def squares() -> Callable[[int], list[int]]:
    return lambda number: [number, number**2, os.getpid()]


def failing() -> Callable[[int], int]:
    return lambda number: 1 // number


def refusing() -> Callable[[int], int]:
    def refuse(number: int) -> int:
        raise HarnessError(f"no {number}")

    return refuse


def never() -> bool:
    return False


def alive(pid: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


@pytest.mark.parametrize("size", [1, 3])
def test_each_piece_is_done_once(size: int) -> None:
    with Crew(size, squares) as crew:
        done = dict(crew.results(range(20), never))
        more = dict(crew.results([21], never))
    assert {piece: said[1] for piece, said in done.items()} == {n: n * n for n in range(20)}
    assert more[21][1] == 441
    pids = {said[2] for said in done.values()}
    assert 1 <= len(pids) <= size
    assert not any(map(alive, pids))


def test_it_ends_when_told() -> None:
    done: list[int] = []
    with Crew(2, squares) as crew:
        done += (piece for piece, _ in crew.results(range(1000), lambda: len(done) >= 1))
    assert len(done) < 1000


def test_what_goes_wrong_in_a_process_is_said() -> None:
    with Crew(1, failing) as crew, pytest.raises(HarnessError, match="ZeroDivisionError"):
        list(crew.results([1, 0], never))
    with Crew(1, refusing) as crew, pytest.raises(HarnessError, match=r"^no 7$"):
        list(crew.results([7], never))


def test_a_process_that_is_killed_is_missed() -> None:
    def dies() -> Callable[[int], int]:
        return lambda _: os._exit(3)

    with Crew(1, dies) as crew, pytest.raises(HarnessError, match="piece 5 has ended"):
        list(crew.results([5], never))
