"""A process of a target is killed, stopped or interrupted at random moments."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from random import Random

import psutil
import pytest

from tests.conformance.leftovers import await_end, descendants
from tests.process.crew import ROLES, Crew, kill, process, soon
from tests.waiting import WAIT_S
from vblkfuzz.errors import ActorDied, ActorHung, HarnessError, ZygoteLost
from vblkfuzz.limits import ANSWER_LIMIT_S
from vblkfuzz.process import supervisor
from vblkfuzz.process.life_line import LifeLine
from vblkfuzz.targets.model import model

TIMES = 25


@pytest.fixture
def hang_after(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Set the hang limit: short where a hang is wanted, so that tests are quick.

    On a busy machine it may hit a healthy actor too. That gives a hang as well, which must be
    allowed there.
    """

    def set_limit(seconds: float) -> None:
        monkeypatch.setattr(supervisor, "ANSWER_LIMIT_S", seconds)

    return set_limit


@pytest.mark.parametrize("role", ROLES)
def test_an_actor_is_killed_while_it_works(crew: Crew, role: str) -> None:
    random = Random(role)
    for _ in range(TIMES):
        actors = [process(role) for role in ROLES]
        killed = f"the {role} process was ended by signal 9"
        with soon(random, process(role).kill), pytest.raises(ActorDied, match=killed):
            crew.run_until_error()
        await_end(actors)
        crew.run_all()


@pytest.mark.parametrize("role", ROLES)
def test_an_actor_is_killed_while_nothing_runs(crew: Crew, role: str) -> None:
    """The zygote may detect it before, during or after the hand-over of the next execution."""
    random = Random(role)
    for _ in range(TIMES):
        crew.run_all()
        process(role).kill()
        time.sleep(random.choice((0, 0.0005, 0.002, 0.02)))
        killed = f"the {role} process was ended by signal 9"
        with pytest.raises(ActorDied, match=killed) as error:
            crew.run_until_error()
        assert role == "guest" or not error.value.of_input
        crew.run_all()


def test_both_actors_are_killed_at_once(crew: Crew) -> None:
    random = Random(1)
    for _ in range(TIMES):
        both = partial(kill, *map(process, ROLES))
        with soon(random, both), pytest.raises(ActorDied):
            crew.run_until_error()
        crew.run_all()


def test_the_zygote_is_killed(crew: Crew, hang_after: Callable[[float], None]) -> None:
    """Its actors die with it; another one takes its place."""
    random = Random(2)
    for _ in range(TIMES):
        hang_after(0.1)
        killed, before = process("zygote"), descendants()
        with soon(random, killed.kill):
            run_while_it_lives(crew, killed)
        await_end(before)
        hang_after(WAIT_S)
        crew.run_all()


def run_while_it_lives(crew: Crew, zygote: psutil.Process) -> None:
    while zygote in descendants():
        try:
            crew.run()
        except ActorHung:
            pass
        except ActorDied as error:
            assert str(error) == "the zygote was killed, and the actors with it; they were replaced"
            assert not error.of_input


def test_a_zygote_is_killed_before_the_next_execution(crew: Crew) -> None:
    crew.run_all()
    actors = descendants()
    process("zygote").kill()
    await_end(actors)
    with pytest.raises(ActorDied, match="the zygote was killed"):
        crew.run()
    crew.run_all()


def test_a_zygote_that_replaces_another_has_no_crash_handlers(crew: Crew) -> None:
    """LibFuzzer has installed its own meanwhile; a crash of a device would be printed, not seen."""
    crew.run_all()
    before = caught(process("device"))
    handled = signal.signal(signal.SIGSEGV, lambda _number, _frame: None)
    try:
        process("zygote").kill()
        with pytest.raises(ActorDied):
            crew.run_until_error()
    finally:
        signal.signal(signal.SIGSEGV, handled)
    assert caught(process("device")) == before


def caught(actor: psutil.Process) -> str:
    """Return the signals that a process handles (proc(5))."""
    lines = Path(f"/proc/{actor.pid}/status").read_text().splitlines()
    return next(line for line in lines if line.startswith("SigCgt"))


def test_a_zygote_whose_actors_live_on_is_not_replaced(
    crew: Crew, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They would answer to the new one's executions."""
    crew.run_all()
    monkeypatch.setattr(LifeLine, "all_ended", lambda *_: False)
    process("zygote").kill()
    with pytest.raises(ZygoteLost, match="the zygote has ended, exit code -9") as error:
        crew.run_until_error()
    assert not error.value.of_input
    with pytest.raises(ZygoteLost):
        crew.run()


@pytest.mark.parametrize("role", ROLES)
def test_a_stopped_actor_is_a_hang(
    crew: Crew, role: str, hang_after: Callable[[float], None]
) -> None:
    random = Random(role)
    for _ in range(5):
        hang_after(0.1)
        stopped = process(role)
        with soon(random, partial(suspend, stopped)), pytest.raises(ActorHung):
            crew.run_until_error()
        await_end([stopped])
        hang_after(WAIT_S)
        crew.run_all()


def suspend(actor: psutil.Process) -> None:
    with suppress(psutil.NoSuchProcess):  # called a hang already
        actor.suspend()


def test_a_hang_is_not_called_one_too_soon(crew: Crew, hang_after: Callable[[float], None]) -> None:
    hang_after(ANSWER_LIMIT_S)
    process("guest").suspend()
    before = time.monotonic()
    with pytest.raises(ActorHung, match=f"no answer within {ANSWER_LIMIT_S} s"):
        crew.run_until_error()
    assert time.monotonic() - before >= ANSWER_LIMIT_S
    hang_after(WAIT_S)
    crew.run_all()


def test_a_stopped_zygote_is_woken_to_end(hang_after: Callable[[float], None]) -> None:
    """It would be killed after the limit, by which the end of a campaign would be late."""
    hang_after(1e6)
    with model("patch-v4", "processes") as target:
        Crew(target).run()
        gone = descendants()
        process("zygote").suspend()
    await_end(gone)
    assert descendants() == set()


def test_a_zygote_that_does_not_end_is_killed(
    monkeypatch: pytest.MonkeyPatch, hang_after: Callable[[float], None]
) -> None:
    monkeypatch.setattr(signal, "pidfd_send_signal", lambda *_: None)  # it stays stopped
    with model("patch-v4", "processes") as target:
        Crew(target).run()
        gone = descendants()
        process("zygote").suspend()
        hang_after(0.1)
    await_end(gone)
    assert descendants() == set()


def test_a_stopped_zygote_is_woken_for_fresh_actors(
    crew: Crew, hang_after: Callable[[float], None]
) -> None:
    process("zygote").suspend()
    process("device").kill()
    hang_after(0.1)
    with pytest.raises(ActorHung):
        crew.run_until_error()
    hang_after(WAIT_S)
    crew.run_all()


def test_a_zygote_that_gives_no_actors(
    crew: Crew, monkeypatch: pytest.MonkeyPatch, hang_after: Callable[[float], None]
) -> None:
    zygote = process("zygote")
    zygote.suspend()
    process("device").kill()
    hang_after(0.1)
    with monkeypatch.context() as patched:
        patched.setattr(supervisor, "RESPAWN_LIMIT_S", 0.1)
        patched.setattr(signal, "pidfd_send_signal", lambda *_: None)  # it stays stopped
        with pytest.raises(HarnessError, match="the zygote gave no actors within"):
            crew.run_until_error()
    zygote.resume()
    hang_after(WAIT_S)
    crew.run_all()


class Interrupted(BaseException):
    """What the test's signal handler raises, as ctrl-C raises KeyboardInterrupt."""


def test_an_interrupted_execution_does_not_answer_the_next(crew: Crew) -> None:
    random = Random(3)

    def interrupt(number: int, frame: object) -> None:
        raise Interrupted

    before = signal.signal(signal.SIGUSR1, interrupt)
    try:
        for _ in range(2 * TIMES):
            with pytest.raises(Interrupted), soon(random, lambda: os.kill(os.getpid(), 10)):
                crew.run_until_error()
            crew.run_all()
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_killing_while_actors_are_replaced(crew: Crew) -> None:
    """If an actor dies at any moment after its fork, the next execution fails as well."""
    random = Random(4)
    for _ in range(TIMES):
        process("guest").kill()
        with soon(random, kill_actors):
            for _ in range(20):
                with suppress(ActorDied):
                    crew.run()
        run_through_deaths(crew)
        crew.run_all()


def kill_actors() -> None:
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            if child.name() != "vblk-zygote":
                child.kill()


def run_through_deaths(crew: Crew) -> None:
    """Run until the zygote has detected the killed actors."""
    for _ in range(3):
        with suppress(ActorDied):
            crew.run()


def test_stopping_the_target_leaves_no_zombie() -> None:
    """PID 1 of a container may reap orphaned zombies late or never."""
    with model("patch-v4", "processes") as target:
        Crew(target).run()
        processes = descendants()
        assert len(processes) == 3
    assert [process for process in processes if psutil.pid_exists(process.pid)] == []
