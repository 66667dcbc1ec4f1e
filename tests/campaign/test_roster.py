"""The roster: who is started again and when, what ends a campaign, and what does not."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vblkfuzz.campaign import roster as rosters
from vblkfuzz.campaign.roster import Roster
from vblkfuzz.errors import ExitStatus
from vblkfuzz.launch.plan import Message, Stat, WorkerPlan


class Clock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


class Worker:
    """A worker without a process: the test says how it ends."""

    def __init__(self, plan: WorkerPlan) -> None:
        self.plan = plan
        self.starts = 0
        self.refuses = False
        self.messages_fd = self.verdicts_before = -1
        self.exit_code: int | None = None
        self.done = self.stuck = self.lacked_memory = False
        self.log = Path("worker.log")
        self.statistics: Counter[Stat] = Counter()
        self.sends: list[Message] = []

    def start(self) -> None:
        if self.refuses:
            raise OSError(11, "Resource temporarily unavailable")
        self.starts += 1
        self.verdicts_before, self.exit_code = self.verdicts, None
        self.messages_fd = os.eventfd(0)

    def ends(self, code: int, *, execs: int = 0) -> None:
        self.statistics[Stat.EXECS] += execs
        self.exit_code = code

    @property
    def runs(self) -> bool:
        return self.messages_fd >= 0

    @property
    def verdicts(self) -> int:
        return self.statistics[Stat.EXECS]

    def statistic(self, stat: Stat) -> int:
        return self.statistics[stat]

    def read(self) -> list[Message]:
        sent, self.sends = self.sends, []
        return sent

    def end_if_stuck(self) -> None: ...

    def interrupt(self) -> None: ...

    def finish(self, timeout_s: float) -> None: ...

    def close_messages(self) -> None:
        if self.runs:
            os.close(self.messages_fd)
            self.messages_fd = -1

    close = close_messages


class Crew:
    """A roster of such workers, all of them started."""

    def __init__(self, size: int, runs: int = 0) -> None:
        plans = [WorkerPlan(index, "reference", "inline", index, "", runs) for index in range(size)]
        self.ended: list[str] = []
        self.roster = Roster(plans, lambda *_: None, lambda _, how: self.ended.append(how))
        self.workers: list[Worker] = [*self.roster.workers]  # type: ignore[list-item]  # the fakes
        self.start()

    def start(self) -> None:
        for index in range(len(self.workers)):
            self.roster.start(index)

    def turn(self) -> None:
        self.roster.turn(0)

    def hopeless(self) -> str:
        return self.roster.hopeless

    def starts(self) -> list[int]:
        return [worker.starts for worker in self.workers]


Gather = Callable[..., Crew]


@pytest.fixture(scope="module")
def clock() -> Iterator[Clock]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rosters, "WorkerProcess", Worker)
        clock = Clock()
        patch.setattr(rosters, "time", SimpleNamespace(monotonic=clock.monotonic))
        yield clock


@pytest.fixture
def gather(clock: Clock) -> Iterator[Gather]:
    crews: list[Crew] = []

    def make(size: int, runs: int = 0) -> Crew:
        crews.append(Crew(size, runs))
        return crews[-1]

    yield make
    for crew in crews:
        crew.roster.close()


def test_one_that_dies_is_started_again_alone(gather: Gather, clock: Clock) -> None:
    crew = gather(3)
    crew.workers[1].ends(-signal.SIGSEGV)
    crew.turn()
    assert (crew.roster.running, crew.roster.waiting, crew.roster.restarts) == (2, 1, 0)
    clock.now += 0.9
    crew.turn()
    assert crew.starts() == [1, 1, 1]
    clock.now += 0.1
    crew.turn()
    assert crew.starts() == [1, 2, 1]
    assert (crew.roster.running, crew.roster.waiting, crew.roster.restarts) == (3, 0, 1)
    assert [worker.plan.seed for worker in crew.workers] == [0, 1001, 2]
    assert crew.ended == ["worker 1 was ended by signal 11, see worker.log"]


def test_one_that_works_and_is_killed_is_back_at_once(gather: Gather) -> None:
    crew = gather(1)
    crew.workers[0].ends(-signal.SIGKILL, execs=1)
    crew.turn()
    crew.turn()
    assert (crew.starts(), crew.roster.waiting) == ([2], 0)


def test_it_waits_longer_each_time_until_it_works(gather: Gather, clock: Clock) -> None:
    crew = gather(2)
    crew.workers[0].statistics[Stat.EXECS] = 1
    for wait in (1, 2, 4, 8, 16, 32, 60, 60):
        crew.workers[1].ends(1)
        crew.turn()
        clock.now += wait - 0.5
        crew.turn()
        assert crew.roster.running == 1
        clock.now += 0.5
        crew.turn()
        assert crew.roster.running == 2
        assert not crew.hopeless()
    crew.workers[1].ends(1, execs=1)
    crew.turn()
    clock.now += 1
    crew.turn()
    assert crew.roster.running == 2


def test_it_is_hopeless_if_every_first_start_has_failed(gather: Gather) -> None:
    crew = gather(2)
    crew.workers[0].ends(1)
    crew.turn()
    assert not crew.hopeless(), "the other one may be loading"
    crew.workers[1].ends(-signal.SIGABRT)
    crew.turn()
    assert crew.hopeless() == (
        "no worker works: worker 0 ended with exit status 1, see worker.log; "
        "worker 1 was ended by signal 6, see worker.log"
    )


def test_one_verdict_is_hope(gather: Gather) -> None:
    crew = gather(2)
    crew.workers[0].ends(1)
    crew.workers[1].ends(1, execs=1)
    crew.turn()
    assert not crew.hopeless()


@pytest.mark.parametrize(
    "code",
    [
        -signal.SIGKILL,
        -signal.SIGTERM,
        -signal.SIGHUP,
        ExitStatus.INTERRUPTED,
        ExitStatus.USER_STOP,
    ],
)
def test_a_kill_from_outside_says_nothing_about_the_start(
    gather: Gather, clock: Clock, code: int
) -> None:
    """But if it happens for two minutes, and never anything else, it is no chance any more."""
    crew = gather(1)
    for wait in (1, 2, 4, 8, 16, 32, 60):
        crew.workers[0].ends(code)
        crew.turn()
        assert not crew.hopeless()
        clock.now += wait
        crew.turn()
    crew.workers[0].ends(code)
    crew.turn()
    assert crew.hopeless()


def test_no_memory_is_said_and_is_a_failure(gather: Gather) -> None:
    crew = gather(1)
    crew.workers[0].lacked_memory = True
    crew.workers[0].ends(-signal.SIGKILL)
    crew.turn()
    assert crew.hopeless() == (
        "worker 0 was ended by signal 9: the machine ran out of memory, see worker.log"
    )


def test_the_rest_of_the_runs_is_done(gather: Gather, clock: Clock) -> None:
    crew = gather(1, runs=10)
    crew.workers[0].ends(1, execs=7)
    crew.turn()
    clock.now += 1
    crew.turn()
    assert crew.workers[0].plan.runs == 3
    crew.workers[0].ends(1, execs=3)
    crew.turn()
    assert (crew.roster.running, crew.roster.waiting) == (0, 0)
    assert len(crew.ended) == 2


def test_a_process_that_cannot_be_created_is_tried_again(gather: Gather, clock: Clock) -> None:
    crew = gather(2)
    crew.workers[0].refuses = True
    crew.workers[0].ends(1, execs=1)
    crew.turn()
    clock.now += 1
    crew.turn()
    assert crew.ended[1] == "worker 0 cannot be started: Resource temporarily unavailable"
    crew.workers[0].refuses = False
    clock.now += 2
    crew.turn()
    assert crew.roster.running == 2


def test_who_is_done_is_not_started_again(gather: Gather, clock: Clock) -> None:
    crew = gather(1)
    crew.workers[0].done = True
    crew.workers[0].ends(0, execs=5)
    crew.turn()
    clock.now += 100
    crew.turn()
    assert (crew.starts(), crew.roster.waiting, crew.ended) == ([1], 0, [])


ENDS = st.lists(st.tuples(st.integers(0, 2), st.sampled_from([1, -9, -11, 72, 125])), max_size=60)


@given(ENDS)
def test_no_killer_ends_what_has_worked(ends: list[tuple[int, int]]) -> None:
    """However often it strikes: each worker is there again after a minute at the latest."""
    with pytest.MonkeyPatch.context() as patch:
        clock = Clock()
        patch.setattr(rosters, "WorkerProcess", Worker)
        patch.setattr(rosters, "time", SimpleNamespace(monotonic=clock.monotonic))
        crew = Crew(3)
        crew.workers[0].statistics[Stat.EXECS] = 1
        for index, code in ends:
            if crew.workers[index].runs:
                crew.workers[index].ends(code)
            crew.turn()
            assert not crew.hopeless()
            clock.now += 1
            crew.turn()
        clock.now += 60
        crew.turn()
        assert crew.roster.running == 3
        crew.roster.close()
