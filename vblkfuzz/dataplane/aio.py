"""AioContext: the event loop of the main thread or of an IOThread (QEMU: util/aio-posix.c).

It knows bottom halves and the host notifiers of queues. An ioeventfd is level-triggered: kicks
that arrive while no handler is attached stay in the eventfd. In *poll mode* the loop looks at the
rings of the handlers on its poll list instead; such a handler's `poll_begin` suppressed kicks,
`poll_end` asks for them again. Removing a handler does not call `poll_end`, and a new handler
joins the poll list only with its first dispatch: both as in QEMU.
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
"""Starts with a preemption point: between being due and running others may act."""


class QueueHandler(Protocol):
    """What the event loop does for one queue."""

    notifier: EventNotifier
    index: int

    def poll(self) -> bool:
        """Whether the ring has something to take (io_poll)."""

    def read(self, thread: Thread) -> Steps:
        """The notifier is set (virtio_queue_host_notifier_read)."""

    def poll_ready(self, thread: Thread) -> Steps:
        """`poll` said yes (virtio_queue_host_notifier_aio_poll_ready)."""

    def poll_begin(self, thread: Thread) -> None:
        """Polling starts (virtio_queue_host_notifier_aio_poll_begin)."""

    def poll_end(self, thread: Thread) -> None:
        """Polling ends (virtio_queue_host_notifier_aio_poll_end)."""


class Registration:
    """One attached handler: QEMU's AioHandler node. `deleted` ones are skipped by a dispatch."""

    __slots__ = ("deleted", "handler", "notifier", "polled")

    def __init__(self, handler: QueueHandler) -> None:
        self.handler = handler
        self.notifier = handler.notifier
        self.deleted = False
        self.polled = False


class AioContext:
    """An event loop. `run_once` does one unit of work in the thread that calls it."""

    __slots__ = ("_bottom_halves", "_registrations", "actor", "lock", "poll_wanted", "polling")

    def __init__(self, actor: ActorId, *, polling: bool = False) -> None:
        self.actor = int(actor)
        """The thread this context belongs to; names the context in ATTACH events."""
        self.lock = Lock()
        """aio_context_acquire; only revisions before QEMU 9.0 take it."""
        self.poll_wanted = polling
        self.polling = False
        self._bottom_halves: deque[BottomHalf] = deque()
        self._registrations: list[Registration] = []

    def schedule(self, bottom_half: BottomHalf) -> None:
        """Run `bottom_half` once in this context (aio_bh_schedule_oneshot)."""
        self._bottom_halves.append(bottom_half)

    def attach(self, handler: QueueHandler) -> None:
        """Watch a queue's notifier; an attached handler of the same queue is replaced."""
        self.detach(handler.index)
        self._registrations.append(Registration(handler))

    def detach(self, index: int) -> None:
        """Stop watching a queue; a callback that already runs is not stopped."""
        for registration in self._registrations:
            if registration.handler.index == index:
                registration.deleted = True
                self._registrations.remove(registration)
                return

    def has_work(self) -> bool:
        """Whether `run_once` would do something."""
        if self._bottom_halves or self.poll_wanted is not self.polling:
            return True
        for registration in self._registrations:
            notifier = registration.notifier
            if notifier.words[notifier.bell] and notifier.is_open:
                return True
            if self.polling and registration.polled and registration.handler.poll():
                return True
        return False

    def run_once(self, thread: Thread) -> Steps:
        """Return one unit of work: a bottom half, a poll mode switch, or one handler."""
        if self._bottom_halves:
            return self._bottom_halves.popleft()(thread)
        if self.poll_wanted is not self.polling:
            return self._switch_polling(thread)
        return self._dispatch(thread)

    def wait_while(self, thread: Thread, condition: Wait) -> Steps:
        """Turn this loop in `thread` until `condition` is false (AIO_WAIT_WHILE)."""
        while condition():
            yield from self.wait_turn(thread, condition)

    def wait_turn(self, thread: Thread, condition: Wait) -> Steps:
        """One nested turn of this loop, or a pause until it has work or `condition` ended."""
        if self.has_work():
            outer, thread.path = thread.path, 0  # whoever waits is not the cause of what runs now
            yield from self.run_once(thread)
            thread.path = outer
        else:
            yield lambda: self.has_work() or not condition()

    def wait_for(self, thread: Thread, context: AioContext, bottom_half: BottomHalf) -> Steps:
        """Run `bottom_half` in `context`, turning this loop meanwhile (aio_wait_bh_oneshot)."""
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
                yield POINT  # it was ready; it may be detached before its callback runs
                if self._may_run(registration):
                    self._join_poll_list(registration, thread)
                    yield from handler.read(thread) if by_notifier else handler.poll_ready(thread)
                return

    def _may_run(self, registration: Registration) -> bool:
        """Whether a callback of a handler that was ready may still be called."""
        return not registration.deleted

    def _join_poll_list(self, registration: Registration, thread: Thread) -> None:
        """A handler that was ready once is likely to be ready again: poll it from now on."""
        if not registration.polled:
            registration.polled = True
            if self.polling:
                registration.handler.poll_begin(thread)

    def _switch_polling(self, thread: Thread) -> Steps:
        """Enter or leave poll mode (poll_set_started), then poll once more when leaving."""
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
