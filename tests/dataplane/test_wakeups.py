"""An event loop that sleeps: what wakes it, and what does not."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.dataplane.stepping import idle_thread
from tests.dataplane.test_aio import Handler, noted
from vblkfuzz.dataplane.aio import AioContext, BottomHalf
from vblkfuzz.dataplane.thread import Steps, Thread
from vblkfuzz.process.execution import SharedParts
from vblkfuzz.trace.event import ActorId


def enqueue(context: AioContext, bottom_half: BottomHalf) -> None:
    """Schedule a bottom half without waking the loop."""
    before = context.notified
    context.schedule(bottom_half)
    context.notified = before


@dataclass
class Loop:
    """An IOThread that sleeps, with one queue."""

    context: AioContext
    thread: Thread
    handler: Handler

    @property
    def log(self) -> list[str]:
        return self.handler.log

    def run(self, budget: int = 100) -> None:
        if self.thread.ready():
            self.thread.resume(budget)


@pytest.fixture
def loop(parts: SharedParts) -> Loop:
    context = AioContext(ActorId.IO0)
    thread = Thread(ActorId.IO0, context.has_work, context.run_once)
    notifier = parts.kicks[0]
    notifier.is_open = True
    return Loop(context, thread, Handler(notifier))


def test_a_bottom_half_that_is_scheduled_wakes_it(loop: Loop) -> None:
    loop.context.schedule(noted(loop.log, "half"))
    loop.run()
    assert loop.log == ["half"]
    assert not loop.context.notified
    assert not any(loop.context.overslept())


def test_a_bottom_half_without_notification_does_not_wake_it(loop: Loop) -> None:
    enqueue(loop.context, noted(loop.log, "half"))
    loop.run()
    assert loop.log == []
    assert loop.context.overslept() == (1, 0, 0)


def test_it_runs_once_something_else_wakes_the_loop(loop: Loop) -> None:
    enqueue(loop.context, noted(loop.log, "late"))
    loop.context.schedule(noted(loop.log, "half"))
    loop.run()
    assert loop.log == ["late", "half"]


def test_a_loop_that_is_awake_needs_no_notification(loop: Loop) -> None:
    loop.context.schedule(noted(loop.log, "first"))
    loop.run(budget=1)
    enqueue(loop.context, noted(loop.log, "second"))
    loop.run()
    assert loop.log == ["first", "second"]


def test_a_notification_outlasts_the_bottom_half_before(loop: Loop) -> None:
    """Another thread that runs the first one leaves the loop notified of the second."""
    loop.context.schedule(noted(loop.log, "first"))
    loop.context.schedule(noted(loop.log, "second"))
    list(loop.context.run_once(idle_thread()))
    loop.run()
    assert loop.log == ["first", "second"]


def test_a_notification_without_work_does_not_end_the_sleep(loop: Loop) -> None:
    loop.context.notify()
    assert not loop.thread.ready()
    enqueue(loop.context, noted(loop.log, "half"))
    assert not loop.thread.ready()


def test_a_wait_looks_for_bottom_halves_before_it_sleeps(loop: Loop) -> None:
    enqueue(loop.context, noted(loop.log, "half"))
    list(loop.context.wait_turn(idle_thread(), lambda: True))
    assert loop.log == ["half"]


def test_a_new_handler_is_watched_at_once(loop: Loop) -> None:
    loop.context.attach(loop.handler)
    loop.handler.notifier.set()
    loop.run()
    assert loop.log == ["read"]


def test_a_handler_that_it_overlooks_does_not_wake_it(loop: Loop) -> None:
    loop.context.attach(loop.handler)
    loop.context.overlook(loop.handler)
    assert not any(loop.context.overslept())
    loop.handler.notifier.set()
    loop.run()
    assert loop.log == []
    assert loop.context.overslept() == (0, 1, 0)


def test_a_handler_that_is_detached_again_is_not_missed(loop: Loop) -> None:
    loop.context.attach(loop.handler)
    loop.context.overlook(loop.handler)
    loop.handler.notifier.set()
    loop.context.detach(loop.handler.index)
    assert not any(loop.context.overslept())


def test_a_handler_whose_notifier_is_closed_is_not_missed(loop: Loop) -> None:
    loop.context.attach(loop.handler)
    loop.context.overlook(loop.handler)
    loop.handler.notifier.set()
    loop.handler.notifier.is_open = False
    assert not any(loop.context.overslept())


def test_it_watches_the_handler_after_it_has_been_awake(loop: Loop) -> None:
    loop.context.attach(loop.handler)
    loop.context.overlook(loop.handler)
    loop.context.schedule(noted(loop.log, "half"))
    loop.run()
    loop.handler.notifier.set()
    loop.run()
    assert loop.log == ["half", "read"]
    assert not any(loop.context.overslept())


class Wait:
    """A wait in a loop, begun: `over` ends what it waits for, `kicked` kicks it."""

    def __init__(self, context: AioContext, *, own_kick: bool) -> None:
        self.over = self.kicked = False
        self.steps: Steps = (
            context.sleep(self.goes_on, lambda: self.kicked)
            if own_kick
            else context.wait_while(idle_thread(), self.goes_on)
        )
        found = next(self.steps)
        assert found is not None
        self.ready = found

    def goes_on(self) -> bool:
        return not self.over


def test_the_end_of_what_it_waits_for_kicks_a_wait(loop: Loop) -> None:
    wait = Wait(loop.context, own_kick=False)
    assert not wait.ready()
    wait.over = True
    assert wait.ready()
    assert list(wait.steps) == []
    assert not any(loop.context.overslept())


def test_a_wait_that_is_not_kicked_sleeps_on(loop: Loop) -> None:
    wait = Wait(loop.context, own_kick=True)
    wait.over = True
    assert not wait.ready()
    assert loop.context.overslept() == (0, 0, 1)
    wait.kicked = True
    assert wait.ready()


def test_work_wakes_a_wait(loop: Loop) -> None:
    wait = Wait(loop.context, own_kick=True)
    enqueue(loop.context, noted(loop.log, "half"))
    assert not wait.ready()
    loop.context.notify()
    assert wait.ready()
