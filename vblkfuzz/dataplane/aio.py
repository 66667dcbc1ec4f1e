"""AioContext: the event loop of the main thread or of an IOThread (QEMU: util/aio-posix.c).

It runs bottom halves and the handlers of host notifiers. An ioeventfd is level-triggered: kicks
that arrive while no handler is attached stay in the eventfd. In *poll mode* the loop also polls the
rings of the handlers on its poll list. `poll_begin` of such a handler suppresses kicks, `poll_end`
enables them again. As in QEMU, detaching a handler does not call `poll_end`, and a new handler
joins the poll list at its first dispatch.

A loop with nothing to do *sleeps*, and what another thread changes then does not wake it by itself:
see `AioContext.has_work`, `notify` and `sleep`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from vblkfuzz.dataplane.lock import Lock
from vblkfuzz.dataplane.thread import POINT, Steps, Thread, Wait

if TYPE_CHECKING:
    from vblkfuzz.dataplane.notifier import EventNotifier
    from vblkfuzz.trace.event import ActorId

BottomHalf = Callable[[Thread], Steps]
"""Starts with a preemption point: other actors may run after it was scheduled, before it starts."""


class QueueHandler(Protocol):
    """The callbacks of one queue."""

    notifier: EventNotifier
    index: int

    def poll(self) -> bool:
        """Whether the ring has an entry to pop (io_poll)."""

    def read(self, thread: Thread) -> Steps:
        """Called when the notifier is set (virtio_queue_host_notifier_read)."""

    def poll_ready(self, thread: Thread) -> Steps:
        """Called when `poll` is true (virtio_queue_host_notifier_aio_poll_ready)."""

    def poll_begin(self, thread: Thread) -> None:
        """Called when polling starts (virtio_queue_host_notifier_aio_poll_begin)."""

    def poll_end(self, thread: Thread) -> None:
        """Called when polling ends (virtio_queue_host_notifier_aio_poll_end)."""


class Registration:
    """One attached handler (QEMU: AioHandler). A dispatch skips those that are `deleted`."""

    __slots__ = ("deleted", "handler", "notifier", "polled")

    def __init__(self, handler: QueueHandler) -> None:
        self.handler = handler
        self.notifier = handler.notifier
        self.deleted = False
        self.polled = False


class AioContext:
    """An event loop. `run_once` does one unit of work in the thread that calls it.

    Before it sleeps it looks for bottom halves once more (`has_work`). There is no preemption point
    between the look and the sleep, so a call of `notify` either comes before it or ends the sleep.
    """

    __slots__ = (
        "_bottom_halves",
        "_registrations",
        "_waits",
        "actor",
        "lock",
        "notified",
        "poll_wanted",
        "polling",
        "unwatched",
    )

    def __init__(self, actor: ActorId, *, polling: bool = False) -> None:
        self.actor = int(actor)
        """The thread that runs this context; ATTACH events name the context by it."""
        self.lock = Lock()
        """The AioContext lock (aio_context_acquire); revisions before QEMU 9.0 use it."""
        self.poll_wanted = polling
        self.polling = False
        self.notified = False
        """Whether it looks for bottom halves before it sleeps: it is awake, or was notified
        (AioContext.notified; in QEMU notify_me says that it is about to sleep)."""
        self.unwatched: list[Registration] = []
        """Handlers that the poll in which it sleeps does not have (`overlook`); none in the
        reference."""
        self._bottom_halves: deque[BottomHalf] = deque()
        self._registrations: list[Registration] = []
        self._waits: list[Wait] = []
        """Conditions of the waits that sleep in this loop."""

    def schedule(self, bottom_half: BottomHalf) -> None:
        """Run `bottom_half` once in this context (aio_bh_schedule_oneshot)."""
        self._bottom_halves.append(bottom_half)
        self.notify()

    def notify(self) -> None:
        """Wake the loop if it sleeps (aio_notify)."""
        self.notified = True

    def attach(self, handler: QueueHandler) -> None:
        """Watch a queue's notifier. A handler of the same queue is replaced.

        A loop that sleeps is notified of the new handler (aio_set_fd_handler): it builds its poll
        anew and, with nothing to do, sleeps again. That takes no turn.
        """
        self.detach(handler.index)
        self._registrations.append(Registration(handler))

    def overlook(self, handler: QueueHandler) -> None:
        """Sleep on without a handler that was just attached, as if the loop had not been notified.

        It is dispatched once something else has woken the loop.
        """
        self.unwatched += [each for each in self._registrations if each.handler is handler]

    def detach(self, index: int) -> None:
        """Stop watching a queue. A callback that is already running goes on."""
        for registration in self._registrations:
            if registration.handler.index == index:
                registration.deleted = True
                self._registrations.remove(registration)
                return

    def has_work(self) -> bool:
        """Whether `run_once` would do something.

        A loop that sleeps does not look for bottom halves until it is notified. If there are none,
        it sleeps from here on, in a poll that has all handlers.
        """
        if self.notified:
            if self._bottom_halves:
                return True
            self.notified = False
            if self.unwatched:
                self.unwatched.clear()
        if self.poll_wanted is not self.polling:
            return True
        for registration in self._registrations:
            notifier = registration.notifier
            if notifier.words[notifier.bell] and notifier.is_open:
                if registration not in self.unwatched:
                    return True
            elif self.polling and registration.polled and registration.handler.poll():
                return True
        return False

    def run_once(self, thread: Thread) -> Steps:
        """Return one unit of work: a bottom half, a poll mode switch, or one handler."""
        self.notified = True
        if self._bottom_halves:
            return self._bottom_halves.popleft()(thread)
        if self.poll_wanted is not self.polling:
            return self._switch_polling(thread)
        return self._dispatch(thread)

    def wait_while(self, thread: Thread, condition: Wait) -> Steps:
        """Run this loop in `thread` until `condition` is false (AIO_WAIT_WHILE)."""
        while condition():
            yield from self.wait_turn(thread, condition)

    def wait_turn(self, thread: Thread, condition: Wait) -> Steps:
        """Do one nested unit of work, or sleep until there is one or `condition` is false.

        What makes `condition` false kicks the waiters in the same step (aio_wait_kick).
        """
        self.notified = True
        if self.has_work():
            outer, thread.path = thread.path, 0  # the waiting code is not the cause of this work
            yield from self.run_once(thread)
            thread.path = outer
        else:
            yield from self.sleep(condition, lambda: not condition())

    def sleep(self, condition: Wait, kicked: Wait) -> Steps:
        """Sleep in a wait for `condition` to be false, until the loop has work or `kicked` is true.

        A wait that is not kicked sleeps on although `condition` is false.
        """
        self._waits.append(condition)
        yield lambda: self.has_work() or kicked()
        self._waits.remove(condition)

    def overslept(self) -> tuple[int, ...]:
        """What waits for the loop although nothing wakes it, once all has settled.

        Returns the numbers of its bottom halves, of notifiers that are set but not watched, and of
        waits that are over; nothing if there is none of these. A loop that was notified does not
        sleep: its thread is stuck elsewhere.
        """
        if not (self._bottom_halves or self.unwatched or self._waits):
            return ()
        left = [each for each in self.unwatched if not each.deleted and each.notifier.is_open]
        unwatched = sum(each.notifier.is_set() for each in left)
        over = sum(not condition() for condition in self._waits)
        asleep = not self.notified
        return asleep * len(self._bottom_halves), unwatched, over

    def wait_for(self, thread: Thread, context: AioContext, bottom_half: BottomHalf) -> Steps:
        """Run `bottom_half` in `context`; run this loop until it ends (aio_wait_bh_oneshot)."""
        running = True

        def run(runner: Thread) -> Steps:
            nonlocal running
            yield POINT
            yield from bottom_half(runner)
            running = False

        context.schedule(run)
        yield from self.wait_while(thread, lambda: running)

    def _dispatch(self, thread: Thread) -> Steps:
        for registration in tuple(self._registrations):
            handler = registration.handler
            notifier = registration.notifier
            by_notifier = notifier.words[notifier.bell] and notifier.is_open
            if by_notifier or (self.polling and registration.polled and handler.poll()):
                yield POINT  # another actor may detach the handler before its callback runs
                if self._may_run(registration):
                    self._join_poll_list(registration, thread)
                    yield from handler.read(thread) if by_notifier else handler.poll_ready(thread)
                return

    def _may_run(self, registration: Registration) -> bool:
        """Whether the callback of a handler that was found ready may still be called."""
        return not registration.deleted

    def _join_poll_list(self, registration: Registration, thread: Thread) -> None:
        """Poll this handler from now on: it was ready, so it is likely to be ready again."""
        if not registration.polled:
            registration.polled = True
            if self.polling:
                registration.handler.poll_begin(thread)

    def _switch_polling(self, thread: Thread) -> Steps:
        """Enter or leave poll mode; when leaving, poll each ring once more (poll_set_started)."""
        self.polling = self.poll_wanted
        for registration in tuple(self._registrations):
            yield POINT
            if registration.deleted or not registration.polled:
                continue
            if self.polling:
                registration.handler.poll_begin(thread)
                continue
            registration.handler.poll_end(thread)
            if self._may_run(registration) and registration.handler.poll():
                yield from registration.handler.poll_ready(thread)
