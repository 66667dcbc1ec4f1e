"""The gate of one process: a thread of the fuzz process that answers the threads of a device.

*Free*, it answers each thread at once. From `begin` on it is *serial*: one thread goes on at a
time (`order`), and the deviations of the operation interrupt it (`points`).

A thread that a deviation holds goes on

* at the end of the operation, when all others rest (`resume`), or at the end of the next operation
  (`Go.NEXT`; `resume_over_next`): the caller says so, which knows when a device is at rest;
* earlier, if all others rest, or one of them runs in a loop, while the fuzz process waits for an
  answer of the device: nothing would ever happen otherwise.

A thread that does not have the turn runs until its next point, beside the one that has it.
"""

from __future__ import annotations

import os
import select
import signal
import threading
import traceback
import weakref
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from vblkfuzz.gate.calls import call_at
from vblkfuzz.gate.line import line_in
from vblkfuzz.gate.listener import Gone, Listener
from vblkfuzz.gate.neighbours import Neighbours
from vblkfuzz.gate.order import Held, Order, Waiting
from vblkfuzz.gate.points import Points
from vblkfuzz.gate.threads import SPIN_NS, Threads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from vblkfuzz.gate.line import Line
    from vblkfuzz.gate.listener import Stop
    from vblkfuzz.scenario.place import Place
    from vblkfuzz.scenario.scenario import Deviation, Role

_LOOKS: Final = 200
"""Looks without any change after which there is a pause between two: a device may be stopped."""
_PAUSE_MS: Final = 1
_FOREVER_MS: Final = None
_SELDOM: Final = 256
"""Looks between two that ask whether the program runs on."""
_RUNS_LONG: Final = 16
"""Looks between two that ask for the CPU time of a thread that runs: few threads run so long."""


class Gate:
    """Answers the threads of one process."""

    def __init__(
        self,
        fd: int,
        pid: int,
        told: Callable[[int, bytes], None],
        role_of: Callable[[int], Role | None] | None = None,
    ) -> None:
        """Answer the process `pid`, whose listener is `fd`, from now on.

        Args:
            fd: the listener; the gate closes it.
            pid: the process, after its execve(2).
            told: gets the thread and each trace line when it arrives, and the gate's own lines
                (`note`); called in the gate's thread.
            role_of: as in `Threads`.
        """
        self._pid, self._told = pid, told
        self._listener = Listener(fd, pid)
        self._threads = Threads(pid, role_of)
        self._order, self._points = Order(), Points()
        self._neighbours = Neighbours()
        self._places: dict[int, Place] = {}
        self._unanswered: set[int] = set()
        """Threads that were stopped before the answer came."""
        self._free = True
        self._looks = 0
        self._spent_ns: int | None = None
        """CPU time of the thread with the turn soon after its last point; None: not asked yet."""
        self._stuck: Callable[[], bool] = lambda: False
        self._runs_on: Callable[[], bool] = lambda: False
        self._steps = 0
        self.failure = ""
        """A traceback if the gate has failed; the process is killed then."""
        self._closing = False
        self._lock = threading.RLock()
        self._wake = os.eventfd(0, os.EFD_NONBLOCK)
        self._thread = threading.Thread(target=self._serve, name="gate", daemon=True)
        _OPEN.add(self)
        self._thread.start()

    def close(self) -> None:
        """End the thread and close all files; call it when the process has ended."""
        self._closing = True
        os.eventfd_write(self._wake, 1)
        self._thread.join()
        _OPEN.discard(self)
        self._threads.forget()
        self._listener.close()
        os.close(self._wake)

    # --- What the caller says -----------------------------------------------------------------

    def free(self) -> None:
        """Let all threads go on, and answer at once from now on."""
        with self._lock:
            self._free = True
            self._points = Points()
            self._threads.forget()
            for waiting in self._order.drain():
                self._answer(waiting.stop)

    def start(self, stuck: Callable[[], bool], runs_on: Callable[[], bool] = lambda: False) -> None:
        """Begin a scenario.

        Args:
            stuck: whether nothing will ever happen unless a held thread goes on; called in the
                gate's thread, while no thread asks.
            runs_on: whether nothing but a loop that waits for a held thread goes on, perhaps;
                called there now and then while a thread is held.
        """
        with self._lock:
            self._free = False
            self._stuck, self._runs_on = stuck, runs_on
            self._places = {}
            self._neighbours = Neighbours()

    def begin(self, deviations: Iterable[tuple[int, Deviation]] = ()) -> None:
        """Begin an operation with these deviations, each with its index in the schedule."""
        with self._lock:
            self._points = Points(deviations)

    @property
    def held(self) -> frozenset[str]:
        """Threads that are held, by their ids: they are at rest, as far as it is up to them."""
        return frozenset(str(held.waiting.stop.thread) for held in self._order.held)

    def resume(self) -> bool:
        """Let one thread go on that is held until the others rest; return whether there was one."""
        return self._resume(lambda held: not held.over_next)

    def resume_over_next(self, before: int) -> bool:
        """As `resume`, of a thread that is held over an operation, since one before `before`."""
        return self._resume(lambda held: held.over_next and held.deviation.op < before)

    @property
    def passed(self) -> tuple[int, ...]:
        """Points of each role in the operation so far, by its number."""
        return self._points.passed

    @property
    def places(self) -> dict[int, Place]:
        """Where deviations have interrupted in this scenario, by their index."""
        return self._places

    @property
    def neighbours(self) -> Sequence[int]:
        """Numbers of the pairs of events of different threads that followed one another."""
        return self._neighbours.found

    # --- Its thread ---------------------------------------------------------------------------

    def _serve(self) -> None:
        poll = select.poll()
        poll.register(self._listener.fd, select.POLLIN)
        poll.register(self._wake, select.POLLIN)
        try:
            while not self._closing:
                patience_ms = self._patience_ms()
                # With no patience it looks at once whether a thread asks, which `_step` does.
                if patience_ms != 0 and any(fd == self._wake for fd, _ in poll.poll(patience_ms)):
                    os.eventfd_read(self._wake)
                with self._lock:
                    self._step()
        except Gone:
            pass
        except BaseException:
            self.failure = traceback.format_exc()
            with suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)

    def _patience_ms(self) -> int | None:
        """Return how long the next look may wait for a thread that asks."""
        if self._order.turn is None and not self._order.waits:
            return _PAUSE_MS if self._order.held else _FOREVER_MS
        if self._looks > _LOOKS:
            return _PAUSE_MS
        return 0

    def _step(self) -> None:
        self._steps += 1
        if self._order.held and self._steps % _SELDOM == 0 and self._runs_on():
            self._let_first_go()
        if self._listener.asked:
            self._looks = 0
            if stop := self._listener.receive():
                self._arrive(stop)
        elif not self._free:
            self._looks += 1
            self._go_on()
            os.sched_yield()

    def _arrive(self, stop: Stop) -> None:
        if self._asks_again(stop):
            return
        role = self._threads.role(stop.thread)
        line = self._line_at(stop)
        if line is None:
            self._listener.carry_out(stop)
        elif self._free or role is None:
            self._answer(stop)
        elif waiting := self._order.arrive(Waiting(stop, role, line)):
            self._reach(waiting)

    def _line_at(self, stop: Stop) -> Line | None:
        """Return the point, and tell a trace line: it says what the thread has done already."""
        if not stop.is_line:
            return call_at(stop)
        text = self._listener.text(stop)
        line = line_in(text)
        if line is not None:
            self._told(stop.thread, text)
        return line

    def _asks_again(self, stop: Stop) -> bool:
        """Whether a thread was stopped at a point that counts already (SIGSTOP)."""
        if stop.thread in self._unanswered:
            self._unanswered.remove(stop.thread)
            self._answer(stop)
            return True
        return self._order.arrive_again(stop)

    def _answer(self, stop: Stop) -> None:
        answer = self._listener.swallow if stop.is_line else self._listener.carry_out
        if not answer(stop):
            self._unanswered.add(stop.thread)

    def _reach(self, waiting: Waiting) -> None:
        """Let the thread that has the turn pass its point, unless a deviation holds it."""
        due = self._points.reach(waiting.role, waiting.line)
        if due is None:
            self._pass(waiting)
            return
        index, place, deviation = due
        self._places[index] = place
        self._told(waiting.stop.thread, note(b"held", index, deviation))
        self._order.hold(Held(waiting, index, deviation))

    def _pass(self, waiting: Waiting) -> None:
        self._neighbours.add(waiting.role, waiting.line)
        self._spent_ns = None
        self._answer(waiting.stop)

    def _go_on(self) -> None:
        """Give the turn to the next thread, once the one that has it sleeps."""
        order = self._order
        if order.turn is not None:
            if not self._has_stopped(order.turn) or self._listener.asked:
                return
            order.turn = None
        if order.waits:
            self._reach(order.next())
        elif order.held and self._stuck() and not self._listener.asked:
            self._let_first_go()

    def _has_stopped(self, thread: int) -> bool:
        """Whether a thread sleeps, or has run for so long that it may wait for the others."""
        if self._threads.sleeps(thread):
            return True
        if self._looks % _RUNS_LONG:
            return False
        spent_ns = self._threads.spent_ns(thread)
        if self._spent_ns is None:
            self._spent_ns = spent_ns
        return spent_ns > self._spent_ns + SPIN_NS

    def _resume(self, which: Callable[[Held], bool]) -> bool:
        with self._lock:
            found = next((held for held in self._order.held if which(held)), None)
            if found is not None:
                self._let_go(found)
            return found is not None

    def _let_first_go(self) -> None:
        held = self._order.held
        self._let_go(next((one for one in held if not one.over_next), held[0]))

    def _let_go(self, held: Held) -> None:
        self._told(held.waiting.stop.thread, note(b"goes_on", held.number, held.deviation))
        self._pass(self._order.resume(held))
        os.eventfd_write(self._wake, 1)


def note(what: bytes, index: int, deviation: Deviation) -> bytes:
    """Return a line of the gate's own, in the form of QEMU's: what, index, role, `go`, point."""
    numbers = index, deviation.role, deviation.go, deviation.point
    return b"0@0:gate %s %d %d %d %d\n" % (what, *numbers)


_OPEN: weakref.WeakSet[Gate] = weakref.WeakSet()


def _before_fork() -> None:
    """Let no gate be in the middle of anything: its locks would never be free in the child."""
    for gate in list(_OPEN):
        gate._lock.acquire()


def _after_fork() -> None:
    for gate in list(_OPEN):
        gate._lock.release()


os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_OPEN.clear)
