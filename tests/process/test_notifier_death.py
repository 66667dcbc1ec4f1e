"""A process dies between writing the bell word and the eventfd of a notifier.

The next execution must see neither.
"""

from __future__ import annotations

import mmap
import os
import signal
from collections.abc import Callable

import pytest

from tests.conformance.leftovers import nothing_left
from tests.process.crew import Crew
from vblkfuzz.dataplane.notifier import EventNotifier
from vblkfuzz.dataplane.registers import KICK_RUNG, QUEUE_WORDS, QUEUES
from vblkfuzz.errors import ActorDied
from vblkfuzz.limits import MAX_QUEUES
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


def is_call(notifier: EventNotifier) -> bool:
    """Whether the device signals it (a call), not the guest (a kick)."""
    return (notifier.bell - QUEUES) % QUEUE_WORDS != KICK_RUNG


@HALVES
@pytest.mark.parametrize("calls", [False, True], ids=["kick", "call"])
def test_half_a_signal(half: Half, calls: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    left = mmap.mmap(-1, 1)  # shared: how many processes are still to be killed
    whole = EventNotifier.set

    def signal_half(self: EventNotifier) -> None:
        if left[0] and is_call(self) == calls:
            left[0] -= 1
            half(self)
            os.kill(os.getpid(), signal.SIGKILL)
        whole(self)

    monkeypatch.setattr(EventNotifier, "set", signal_half)
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
