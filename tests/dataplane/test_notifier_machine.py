"""Host notifiers and event loops against a naive model.

Kicks come at any point, also while no handler is attached or a callback is half done. No kick is
lost, no handler runs without one, and a detached handler is not called.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.dataplane.stepping import idle_thread, run
from vblkfuzz.dataplane.aio import AioContext
from vblkfuzz.dataplane.notifier import EventNotifier
from vblkfuzz.dataplane.registers import KICK_RUNG, QUEUE_WORDS, QUEUES
from vblkfuzz.dataplane.thread import POINT, Steps, Thread
from vblkfuzz.process.arena import Arena
from vblkfuzz.process.execution import SharedParts
from vblkfuzz.trace.event import ActorId

COUNT = 3
queues = st.integers(0, COUNT - 1)
ARENA = Arena()


class Handler:
    """A queue whose ring is a number. Each callback adds a line to the log."""

    def __init__(self, notifier: EventNotifier, index: int, log: list[str]) -> None:
        self.notifier = notifier
        self.index = index
        self.published = 0
        self._log = log

    def poll(self) -> bool:
        return self.published > 0

    def read(self, thread: Thread) -> Steps:
        self._log.append(f"read {self.index} {self.notifier.clear()}")
        self.published = 0
        yield POINT

    def poll_ready(self, thread: Thread) -> Steps:
        self._log.append(f"poll_ready {self.index}")
        self.published = 0
        yield POINT

    def poll_begin(self, thread: Thread) -> None:
        self._log.append(f"poll_begin {self.index}")

    def poll_end(self, thread: Thread) -> None:
        self._log.append(f"poll_end {self.index}")


@dataclass(eq=False)
class Watched:
    """The model of an attached handler."""

    index: int
    polled: bool = False


@dataclass(eq=False)
class Loop:
    """The model of one event loop."""

    context: AioContext
    watched: list[Watched] = field(default_factory=list)
    bottom_halves: list[int] = field(default_factory=list)
    polling: bool = False
    unit: Steps | None = None
    chosen: Watched | None = None
    """The handler whose callback comes next, unless it is detached first."""
    by_kick: bool = False

    def find(self, index: int) -> Watched | None:
        return next((each for each in self.watched if each.index == index), None)


class NotifierMachine(RuleBasedStateMachine):
    """Three queues, two event loops; both may watch the same queue."""

    def __init__(self) -> None:
        super().__init__()
        self.parts = SharedParts(ARENA)
        self.log: list[str] = []
        self.expected: list[str] = []
        self.handlers = [
            Handler(self.parts.kicks[index], index, self.log) for index in range(COUNT)
        ]
        self.kicked = [False] * COUNT
        self.open = [False] * COUNT
        self.loops = [Loop(AioContext(ActorId.IO0)), Loop(AioContext(ActorId.IO1))]
        self.halves = 0

    @initialize(polling=st.booleans())
    def start(self, polling: bool) -> None:
        """Begin like a started device: every queue is open and attached to a loop."""
        for index in range(COUNT):
            self.attach(index, index % 2)
            self.assign(index, is_open=True)
        self.loops[0].context.poll_wanted = polling

    def teardown(self) -> None:
        self.parts.close()

    # --- Notifiers ----------------------------------------------------------------------------

    @rule(index=queues, loop=st.integers(0, 1))
    def kick_and_look(self, index: int, loop: int) -> None:
        """Kick, then let a loop find a ready handler, up to the point before its callback."""
        self.kick(index, own=False)
        if not self.loops[loop].unit:
            self.look(self.loops[loop])

    @rule(index=queues, own=st.booleans())
    def kick(self, index: int, own: bool) -> None:
        notifier = self.parts.kicks[index]
        (notifier.set_own if own else notifier.set)()
        self.kicked[index] = True

    @rule(index=queues)
    def clear(self, index: int) -> None:
        assert self.parts.kicks[index].clear() == self.kicked[index]
        self.kicked[index] = False

    @rule(index=queues, is_open=st.booleans())
    def assign(self, index: int, is_open: bool) -> None:
        self.parts.kicks[index].is_open = self.open[index] = is_open

    @rule(index=queues)
    def publish(self, index: int) -> None:
        """Publish without a kick: only polling finds it."""
        self.handlers[index].published += 1

    # --- Event loops --------------------------------------------------------------------------

    @rule(index=queues, loop=st.integers(0, 1))
    def attach(self, index: int, loop: int) -> None:
        self.loops[loop].context.attach(self.handlers[index])
        self.unwatch(loop, index)
        self.loops[loop].watched.append(Watched(index))

    @rule(index=queues, loop=st.integers(0, 1))
    def detach(self, index: int, loop: int) -> None:
        self.loops[loop].context.detach(index)
        self.unwatch(loop, index)

    def unwatch(self, loop: int, index: int) -> None:
        watched = self.loops[loop].watched
        watched[:] = [each for each in watched if each.index != index]

    @rule(loop=st.integers(0, 1))
    def schedule(self, loop: int) -> None:
        self.halves += 1
        number = self.halves

        def half(thread: Thread) -> Steps:
            yield POINT
            self.log.append(f"half {number}")

        self.loops[loop].context.schedule(half)
        self.loops[loop].bottom_halves.append(number)

    @precondition(lambda self: not all(loop.unit for loop in self.loops))
    @rule(data=st.data())
    def begin_unit(self, data: st.DataObject) -> None:
        """Let a loop find a ready handler, up to the point before the callback."""
        idle = [loop for loop in self.loops if not loop.unit]
        self.look(data.draw(st.sampled_from(idle)))

    def look(self, loop: Loop) -> None:
        work = self.has_work(loop)
        assert loop.context.has_work() == work
        if not work:
            return
        if loop.bottom_halves:
            self.expected.append(f"half {loop.bottom_halves.pop(0)}")
        elif loop.context.poll_wanted != loop.polling:
            self.switch_polling(loop)
            return
        else:
            loop.chosen = next(each for each in loop.watched if self.is_ready(loop, each))
            loop.by_kick = self.is_set(loop.chosen.index)
        loop.unit = loop.context.run_once(idle_thread())
        next(loop.unit)
        if loop.chosen is None:
            self.end_unit(loop)

    @rule(index=queues)
    def publish_as_polling_ends(self, index: int) -> None:
        """A handler that is no longer polled must serve what was published in between."""
        loop = next((each for each in self.loops if each.find(index) and not each.unit), None)
        if loop is None:
            return
        loop.context.poll_wanted = True
        self.kick(index, own=False)
        self.rest(loop)
        self.publish(index)
        loop.context.poll_wanted = False
        self.rest(loop)

    def rest(self, loop: Loop) -> None:
        """Run one loop until it has no work."""
        while self.has_work(loop):
            self.look(loop)
            if loop.unit:
                self.end_unit(loop)

    @precondition(lambda self: any(loop.unit for loop in self.loops))
    @rule(data=st.data())
    def run_callback(self, data: st.DataObject) -> None:
        loop = data.draw(st.sampled_from([each for each in self.loops if each.unit]))
        self.end_unit(loop)

    def end_unit(self, loop: Loop) -> None:
        chosen, unit = loop.chosen, loop.unit
        assert unit is not None
        loop.chosen = loop.unit = None
        if chosen is not None and chosen in loop.watched:
            if not chosen.polled:
                chosen.polled = True
                self.expected += [f"poll_begin {chosen.index}"] * loop.polling
            self.call(chosen.index, loop.by_kick)
        run(unit)

    def call(self, index: int, by_kick: bool) -> None:
        if by_kick:
            self.expected.append(f"read {index} {self.kicked[index]}")
            self.kicked[index] = False
        else:
            self.expected.append(f"poll_ready {index}")

    @rule(loop=st.integers(0, 1), on=st.booleans())
    def want_polling(self, loop: int, on: bool) -> None:
        self.loops[loop].context.poll_wanted = on

    def switch_polling(self, loop: Loop) -> None:
        """When polling ends, each polled handler polls once more."""
        loop.polling = not loop.polling
        for each in [each for each in loop.watched if each.polled]:
            self.expected.append(f"poll_{'begin' if loop.polling else 'end'} {each.index}")
            if not loop.polling and self.handlers[each.index].published:
                self.call(each.index, by_kick=False)
        run(loop.context.run_once(idle_thread()))

    # --- The model ----------------------------------------------------------------------------

    def is_set(self, index: int) -> bool:
        return self.kicked[index] and self.open[index]

    def is_ready(self, loop: Loop, watched: Watched) -> bool:
        polled = loop.polling and watched.polled
        published = self.handlers[watched.index].published > 0
        return self.is_set(watched.index) or (polled and published)

    def has_work(self, loop: Loop) -> bool:
        if loop.bottom_halves or loop.context.poll_wanted != loop.polling:
            return True
        return any(self.is_ready(loop, each) for each in loop.watched)

    @invariant()
    def the_right_callbacks_ran(self) -> None:
        assert self.log == self.expected

    @invariant()
    def bells_and_eventfds_agree(self) -> None:
        """No kick is lost. The bell of a set eventfd is set; `set_own` sets only the bell."""
        words = self.parts.arena.registers.words
        for index, notifier in enumerate(self.parts.kicks[:COUNT]):
            assert notifier.is_set() == self.kicked[index]
            signalled = False
            with suppress(BlockingIOError):
                os.read(self.parts.fds[index], 8)
                signalled = True
                os.eventfd_write(self.parts.fds[index], 1)
            bell = words[QUEUES + index * QUEUE_WORDS + KICK_RUNG]
            assert signalled == (bell == 2)


TestNotifierMachine = NotifierMachine.TestCase
TestNotifierMachine.settings = settings(max_examples=150)
