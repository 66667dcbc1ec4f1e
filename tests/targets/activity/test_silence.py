"""An answer that does not come: only what the threads do says that the device hangs."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from contextlib import closing

import pytest

from tests.targets.scripted_still import (
    ASLEEP,
    BY_KERNEL,
    DOZES,
    IDLE_CORE,
    RUNS,
    STOPPED,
    ScriptedStill,
)
from tests.waiting import until
from vblkfuzz.errors import ActorDied, HarnessError
from vblkfuzz.limits import DEVICE_LIMIT_S
from vblkfuzz.targets.activity import silence
from vblkfuzz.targets.activity.silence import ASLEEP_LOOKS, Silence
from vblkfuzz.targets.activity.stillness import Stillness

RUNNING = round(DEVICE_LIMIT_S)
"""Waits that a thread may run through."""


class Clock:
    """A limit that is reached after so many looks at it."""

    def __init__(self, looks: int) -> None:
        self._looks = looks

    def __call__(self, seconds: float) -> Clock:
        return Clock(self._looks)

    @property
    def over(self) -> bool:
        self._looks -= 1
        return self._looks < 0


def never(still: ScriptedStill) -> Callable[[float], bool]:
    def comes(patience_s: float) -> bool:
        still.go_on()
        return False

    return comes


@pytest.fixture
def no_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """No limit by the clock is reached."""
    monkeypatch.setattr(silence, "Patience", Clock(10**6))


@pytest.mark.usefixtures("no_hurry")
@pytest.mark.parametrize(
    ("script", "waits"),
    [
        ([ASLEEP], ASLEEP_LOOKS),
        ([IDLE_CORE] * 1000 + [ASLEEP], 1000 + ASLEEP_LOOKS),
        ([ASLEEP] * (ASLEEP_LOOKS - 1) + [IDLE_CORE, ASLEEP], 2 * ASLEEP_LOOKS),
        ([ASLEEP] * (ASLEEP_LOOKS - 1) + [RUNS, ASLEEP], 2 * ASLEEP_LOOKS),
        ([BY_KERNEL] * 100 + [RUNS, ASLEEP], 101 + ASLEEP_LOOKS),
        ([RUNS], RUNNING + 1),
        ([DOZES], 5 * ASLEEP_LOOKS),
        ([DOZES] * 20 + [IDLE_CORE, DOZES], 21 + 5 * ASLEEP_LOOKS),
        ([IDLE_CORE] * 1000 + [RUNS], 1000 + RUNNING + 1),
        ([RUNS, ASLEEP] * 100, 2 * RUNNING + 1),
    ],
)
def test_a_hang_is_decided_by_what_the_threads_do(script: list[str], waits: int) -> None:
    """However long they wait for a core or for the kernel."""
    still = ScriptedStill(*script)
    assert not Silence(still.as_stillness).outlast(never(still))
    assert still.waits == waits


@pytest.mark.usefixtures("no_hurry")
@pytest.mark.parametrize("state", [ASLEEP, RUNS, IDLE_CORE, BY_KERNEL, STOPPED])
def test_an_answer_that_comes_in_time(state: str) -> None:
    still = ScriptedStill(state)
    answers = iter([False] * (min(ASLEEP_LOOKS, RUNNING) - 1) + [True])
    assert Silence(still.as_stillness).outlast(lambda patience_s: next(answers))


@pytest.mark.usefixtures("no_hurry")
def test_a_device_that_says_something_may_run_on() -> None:
    still = ScriptedStill(RUNS)
    heard = [0]

    def comes(patience_s: float) -> bool:
        still.go_on()
        heard[0] += still.waits in (3, 6)
        return False

    assert not Silence(still.as_stillness, heard=lambda: heard[0]).outlast(comes)
    assert still.waits == 6 + RUNNING + 1


@pytest.mark.usefixtures("no_hurry")
def test_a_device_that_may_sleep_longer() -> None:
    still = ScriptedStill(ASLEEP)
    assert not Silence(still.as_stillness, looks=50).outlast(never(still))
    assert still.waits == 50


@pytest.mark.parametrize("state", [IDLE_CORE, BY_KERNEL])
def test_a_machine_that_is_too_busy_is_no_hang(state: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(silence, "Patience", Clock(300))
    still = ScriptedStill(state)
    with pytest.raises(HarnessError, match="too busy for a verdict"):
        Silence(still.as_stillness).outlast(never(still))
    assert still.waits == 301


def test_a_device_that_is_stopped_gets_some_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """It does not count as asleep, and the caller finds that it is stopped."""
    monkeypatch.setattr(silence, "Patience", Clock(50))
    still = ScriptedStill(STOPPED)
    assert not Silence(still.as_stillness).outlast(never(still))
    assert still.waits == 51


def test_a_process_that_serves_the_device_has_ended() -> None:
    with (
        subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE) as server,
        closing(Stillness(os.getpid(), server.pid)) as still,
    ):
        server.kill()
        until(still.lives.ended)
        with pytest.raises(ActorDied):
            Silence(still).outlast(lambda patience_s: False)
