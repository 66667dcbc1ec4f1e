"""A process dies between the bell word and the eventfd of a notifier: of the two one is set.

The next execution must see neither.
"""

from __future__ import annotations

import mmap
import os
import signal
from collections.abc import Callable
from typing import Any

import pytest

from tests.conformance.leftovers import nothing_left
from tests.process.crew import Crew
from vblkfuzz.dataplane.notifier import EventNotifier
from vblkfuzz.errors import ActorDied
from vblkfuzz.limits import MAX_QUEUES
from vblkfuzz.process import supervisor
from vblkfuzz.process.arena import Arena
from vblkfuzz.process.execution import SharedParts
from vblkfuzz.targets.model import model


def eventfd_of(notifier: EventNotifier) -> int:
    assert notifier._fd is not None
    return notifier._fd


def ring_bell(notifier: EventNotifier) -> None:
    notifier.words[notifier.bell] = 1


def write_eventfd(notifier: EventNotifier) -> None:
    os.eventfd_write(eventfd_of(notifier), 1)


Half = Callable[[EventNotifier], None]
HALVES = pytest.mark.parametrize("half", [ring_bell, write_eventfd])


@pytest.mark.parametrize("call", ["eventfd_write", "read"])
@pytest.mark.parametrize("calls", [False, True], ids=["kick", "call"])
def test_half_a_signal(call: str, calls: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Dead in `eventfd_write` it has set the bell only, in `read` it has cleared the bell only."""
    left = mmap.mmap(-1, 1)  # shared: how many processes are still to be killed
    fuzzer, whole = os.getpid(), getattr(os, call)
    made: list[SharedParts] = []

    def make(arena: Arena, *, alone: bool) -> SharedParts:
        made.append(SharedParts(arena, alone=alone))
        return made[-1]

    def is_notifier(fd: int) -> bool:
        return any(fd == eventfd_of(each) for each in (made[-1].calls if calls else made[-1].kicks))

    def die(fd: int, number: int) -> Any:  # noqa: ANN401 -- what the system call returns
        if left[0] and os.getpid() != fuzzer and is_notifier(fd):
            left[0] -= 1
            os.kill(os.getpid(), signal.SIGKILL)
        return whole(fd, number)

    monkeypatch.setattr(supervisor, "SharedParts", make)
    monkeypatch.setattr(os, call, die)
    with nothing_left(), model("patch-v4", "processes") as target:
        crew = Crew(target)
        for _ in range(5):
            left[0] = 1
            with pytest.raises(ActorDied, match="was ended by signal 9"):
                crew.run_until_error()
            crew.run_all()


@HALVES
@pytest.mark.parametrize("index", range(MAX_QUEUES))
def test_silence_empties_both_halves(half: Half, index: int) -> None:
    parts = SharedParts(Arena())
    for notifier in (parts.kicks[index], parts.calls[index]):
        half(notifier)
    parts.silence()
    for notifier in (parts.kicks[index], parts.calls[index]):
        assert not notifier.is_set()
        with pytest.raises(BlockingIOError):
            os.read(eventfd_of(notifier), 8)
    parts.close()
