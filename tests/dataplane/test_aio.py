from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from tests.dataplane.stepping import Waits, idle_thread, run
from vblkfuzz.dataplane.aio import AioContext, BottomHalf
from vblkfuzz.dataplane.notifier import EventNotifier
from vblkfuzz.dataplane.thread import POINT, Steps, Thread
from vblkfuzz.process.execution import SharedParts
from vblkfuzz.trace.event import ActorId


@dataclass
class Handler:
    """A queue that logs the callbacks of the event loop."""

    notifier: EventNotifier
    index: int = 0
    published: int = 0
    log: list[str] = field(default_factory=list)

    def poll(self) -> bool:
        return self.published > 0

    def read(self, thread: Thread) -> Steps:
        self.notifier.clear()
        self.log.append("read")
        self.published = 0
        yield POINT

    def poll_ready(self, thread: Thread) -> Steps:
        self.log.append("poll_ready")
        self.published = 0
        yield POINT

    def poll_begin(self, thread: Thread) -> None:
        self.log.append("poll_begin")

    def poll_end(self, thread: Thread) -> None:
        self.log.append("poll_end")


@pytest.fixture
def handler(parts: SharedParts) -> Handler:
    notifier = parts.kicks[0]
    notifier.is_open = True
    return Handler(notifier)


def turn(context: AioContext) -> None:
    """Run an IOThread until it has no work."""
    thread = idle_thread(ActorId.IO0)
    while context.has_work():
        run(context.run_once(thread))


def noted(log: list[str], name: str) -> BottomHalf:
    def half(thread: Thread) -> Steps:
        yield POINT
        log.append(name)

    return half


def test_a_kick_runs_the_handler_once(handler: Handler) -> None:
    context = AioContext(ActorId.IO0)
    context.attach(handler)
    assert not context.has_work()
    handler.notifier.set()
    turn(context)
    assert handler.log == ["read"]


def test_notifiers_are_level_triggered(handler: Handler) -> None:
    """A kick that comes while no handler is attached is served after the attach."""
    context = AioContext(ActorId.IO0)
    handler.notifier.set()
    assert not context.has_work()
    context.attach(handler)
    turn(context)
    assert handler.log == ["read"]


def test_a_closed_notifier_is_silent(handler: Handler) -> None:
    context = AioContext(ActorId.IO0)
    context.attach(handler)
    handler.notifier.set()
    handler.notifier.is_open = False
    assert not context.has_work()


def test_a_detached_handler_is_not_dispatched(handler: Handler) -> None:
    context = AioContext(ActorId.IO0)
    context.attach(handler)
    handler.notifier.set()
    steps = context.run_once(idle_thread())
    next(steps)  # the loop has found the handler ready
    context.detach(handler.index)
    run(steps)
    assert handler.log == []
    assert handler.notifier.is_set()


def test_a_running_callback_is_not_stopped_by_a_detach(handler: Handler) -> None:
    context = AioContext(ActorId.IO0)
    context.attach(handler)
    handler.notifier.set()
    steps = context.run_once(idle_thread())
    next(steps)
    next(steps)  # within the handler
    context.detach(handler.index)
    run(steps)
    assert handler.log == ["read"]


def test_detaching_what_is_not_attached_does_nothing(handler: Handler) -> None:
    AioContext(ActorId.IO0).detach(handler.index)


def test_a_second_attach_replaces_the_first(handler: Handler) -> None:
    context = AioContext(ActorId.IO0)
    context.attach(handler)
    context.attach(handler)
    context.detach(handler.index)
    handler.notifier.set()
    assert not context.has_work()


def test_bottom_halves_run_in_order_and_before_handlers(handler: Handler) -> None:
    context = AioContext(ActorId.IO0)
    context.attach(handler)
    handler.notifier.set()
    context.schedule(noted(handler.log, "first"))
    context.schedule(noted(handler.log, "second"))
    turn(context)
    assert handler.log == ["first", "second", "read"]


def polled(handler: Handler) -> AioContext:
    """A polling context that has dispatched the handler once."""
    context = AioContext(ActorId.IO0, polling=True)
    context.attach(handler)
    turn(context)
    handler.notifier.set()
    turn(context)
    return context


def test_a_handler_joins_the_poll_list_with_its_first_dispatch(handler: Handler) -> None:
    context = AioContext(ActorId.IO0, polling=True)
    context.attach(handler)
    turn(context)
    handler.published = 1
    assert not context.has_work()
    handler.notifier.set()
    turn(context)
    assert handler.log == ["poll_begin", "read"]
    handler.published = 1
    turn(context)
    assert handler.log == ["poll_begin", "read", "poll_ready"]


def test_leaving_poll_mode_ends_polling_and_polls_once_more(handler: Handler) -> None:
    context = polled(handler)
    handler.published = 1
    context.poll_wanted = False
    turn(context)
    assert handler.log[2:] == ["poll_end", "poll_ready"]
    handler.published = 1
    assert not context.has_work()


def test_entering_poll_mode_begins_polling_of_the_poll_list_only(handler: Handler) -> None:
    context = AioContext(ActorId.IO0)
    context.attach(handler)
    handler.notifier.set()
    turn(context)
    fresh = Handler(handler.notifier, index=1)
    context.attach(fresh)
    context.poll_wanted = True
    turn(context)
    assert (handler.log, fresh.log) == (["read", "poll_begin"], [])


def test_a_detach_does_not_end_polling(handler: Handler) -> None:
    """As in QEMU; this causes the lost wake-up B4."""
    context = polled(handler)
    context.detach(handler.index)
    context.poll_wanted = False
    turn(context)
    assert "poll_end" not in handler.log


def test_a_handler_attached_again_must_join_the_poll_list_again(handler: Handler) -> None:
    context = polled(handler)
    context.detach(handler.index)
    context.attach(handler)
    handler.published = 1
    assert not context.has_work()


def test_waiting_turns_the_loop(handler: Handler) -> None:
    context, log = AioContext(ActorId.MAIN), handler.log
    context.schedule(noted(log, "first"))
    context.schedule(noted(log, "second"))
    run(context.wait_while(idle_thread(), lambda: "second" not in log))
    assert log == ["first", "second"]


def test_waiting_does_not_return_while_the_condition_is_true() -> None:
    with pytest.raises(Waits):
        run(AioContext(ActorId.MAIN).wait_while(idle_thread(), lambda: True))


def test_a_condition_that_is_false_already_turns_nothing(handler: Handler) -> None:
    """AIO_WAIT_WHILE checks its condition first: no rendezvous."""
    context = AioContext(ActorId.MAIN)
    context.schedule(noted(handler.log, "bottom half"))
    assert run(context.wait_while(idle_thread(), lambda: False)) == 0
    assert handler.log == []


def interleave(waiting: Steps, elsewhere: Callable[[], object]) -> None:
    for wait in waiting:
        if wait is not None and not wait():
            elsewhere()


def test_waiting_for_another_context_ends_with_its_bottom_half(handler: Handler) -> None:
    main, other = AioContext(ActorId.MAIN), AioContext(ActorId.IO0)
    waiting = main.wait_for(idle_thread(), other, noted(handler.log, "there"))
    main.schedule(noted(handler.log, "here, meanwhile"))
    interleave(waiting, lambda: turn(other))
    assert handler.log == ["here, meanwhile", "there"]
