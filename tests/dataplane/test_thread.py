from __future__ import annotations

import pytest

from tests.dataplane.stepping import MANY, idle_thread, run
from vblkfuzz.dataplane.thread import POINT, Steps, Thread, causal
from vblkfuzz.limits import MAX_NESTING
from vblkfuzz.trace.event import ActorId, Frame, path_names


class Work:
    """Three points and a wait in the middle of them."""

    def __init__(self) -> None:
        self.waiting = True
        self.log: list[str] = []
        self.units = 1

    def steps(self, thread: Thread) -> Steps:
        self.units -= 1
        self.log.append("begin")
        yield POINT
        self.log.append("middle")
        yield lambda: not self.waiting
        self.log.append("end")
        yield POINT

    def thread(self) -> Thread:
        return Thread(ActorId.MAIN, lambda: self.units > 0, self.steps)


def test_a_thread_stops_when_its_budget_is_used() -> None:
    work = Work()
    thread = work.thread()
    assert thread.resume(1) == 1
    assert work.log == ["begin"]
    assert thread.ready()


def test_a_thread_stops_where_it_has_to_wait() -> None:
    work = Work()
    thread = work.thread()
    assert thread.resume(MANY) == 2
    assert not thread.ready()
    work.waiting = False
    assert thread.ready()
    assert thread.resume(MANY) == 1
    assert work.log == ["begin", "middle", "end"]


def test_a_thread_is_ready_for_its_next_unit_when_there_is_one() -> None:
    work = Work()
    work.waiting = False
    thread = work.thread()
    while thread.ready():
        thread.resume(MANY)
    assert work.units == 0
    work.units = 1
    assert thread.ready()


@pytest.mark.parametrize("budget", [1, 2, 3, MANY])
def test_the_budget_only_decides_where_it_pauses(budget: int) -> None:
    work = Work()
    work.waiting = False
    thread = work.thread()
    total = 0
    while thread.ready():
        used = thread.resume(budget)
        assert used <= budget
        total += used
    assert (total, work.log) == (3, ["begin", "middle", "end"])


class Story:
    """Frames within frames."""

    def __init__(self) -> None:
        self.paths: list[str] = []

    @causal(Frame.RESET)
    def reset(self, thread: Thread) -> Steps:
        yield POINT
        yield from self.stop(thread, "inner")
        self.paths.append(path_names(thread.path))

    @causal(Frame.STOP)
    def stop(self, thread: Thread, why: str) -> Steps:
        yield POINT
        self.paths.append(f"{path_names(thread.path)} ({why})")

    @causal(Frame.POLL)
    def deep(self, thread: Thread, depth: int) -> Steps:
        if depth:
            yield from self.deep(thread, depth - 1)
        else:
            self.paths.append(path_names(thread.path))


def test_causal_paths_grow_and_shrink_with_the_calls() -> None:
    story, thread = Story(), idle_thread()
    run(story.reset(thread))
    assert story.paths == ["reset > stop (inner)", "reset"]
    assert thread.path == 0


def test_a_path_keeps_its_innermost_eight_frames() -> None:
    story, thread = Story(), idle_thread()
    run(story.deep(thread, 20))
    assert story.paths == [" > ".join(["poll"] * 8)]
    assert thread.path == 0


def test_what_recurses_goes_on_for_ever() -> None:
    story = Story()
    thread = Thread(ActorId.MAIN, lambda: True, lambda thread: story.deep(thread, MAX_NESTING))
    for _ in range(3):
        assert thread.resume(MANY) == MANY
        assert thread.ready()
    assert story.paths == []


def test_what_nests_to_the_limit_ends() -> None:
    story, thread = Story(), idle_thread()
    for _ in range(2):
        run(story.deep(thread, MAX_NESTING - 1))
    assert thread.nesting == 0
    assert len(story.paths) == 2


def test_something_may_be_done_before_each_unit() -> None:
    work = Work()
    work.waiting, work.units = False, 2
    thread = work.thread()
    thread.before_work(lambda: work.log.append("before"))
    while thread.ready():
        thread.resume(1)
    assert work.log == ["before", "begin", "middle", "end"] * 2
