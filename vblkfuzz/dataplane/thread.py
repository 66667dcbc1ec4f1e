"""A thread of the device process: the vCPU's exits, the main loop, an IOThread.

The code a thread runs is a chain of generators. ``yield POINT`` is a *preemption point*: the
schedule may go on with another actor there. ``yield condition`` means: do not resume before
`condition()` is true. Preemption points sit at every access to ring memory, notifiers,
AioContexts and drain state that another actor can observe; between two of them a thread is alone.

`Thread` satisfies `schedule.turnstile.Actor`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import suppress
from functools import update_wrapper
from typing import Concatenate, Final, ParamSpec, TypeVar

from vblkfuzz.dataplane.wrong_step import checked_condition
from vblkfuzz.limits import MAX_NESTING
from vblkfuzz.trace.event import PATH_MASK, ActorId, Frame

Wait = Callable[[], bool]
POINT: Final = None
"""``yield POINT``: a preemption point."""
Steps = Generator[Wait | None, None, None]
"""Code with preemption points: yields None at a point, a condition where it has to wait."""

_S = TypeVar("_S")
_P = ParamSpec("_P")


class Thread:
    """Runs units of work one after another, each a generator, up to a budget of points."""

    __slots__ = ("_has_work", "_steps", "_work", "actor", "nesting", "passed", "path", "ready")

    def __init__(
        self, actor: ActorId, has_work: Callable[[], bool], work: Callable[[Thread], Steps]
    ) -> None:
        self.actor = int(actor)
        self.path = 0
        """Causal path of what the thread does now, `trace.event.Frame` codes packed by eight."""
        self.nesting = 0
        """Stations that the thread is in, one within the other, below those of a full path. They
        are counted only there: it is where recursion gets to, and nearly nothing else."""
        self.ready = has_work
        """Whether `resume` would get anywhere. Asked more often than anything else, so it is not
        a method that decides but always the one condition that counts now."""
        self.passed = 0
        """Points of the turn that an exception ended, before it."""
        self._has_work = has_work
        self._work = work
        self._steps: Steps | None = None

    @property
    def interrupted(self) -> bool:
        """Whether the last turn has ended because its budget was used up, and for nothing else."""
        return self.ready is _at_once

    def before_work(self, act: Callable[[], None]) -> None:
        """Call `act` before each unit of work from now on."""
        work = self._work

        def act_and_work(thread: Thread) -> Steps:
            act()
            return work(thread)

        self._work = act_and_work

    def resume(self, budget: int, turn: int = 0) -> int:
        """Run until there is no work, or it must wait, or `budget` points are used.

        Returns the points used. One unit follows the other in the same turn: that costs no
        schedule, because a unit starts with a point.
        """
        steps = self._steps or self._work(self)
        used = 0
        try:
            while True:
                for wait in steps:
                    used += 1
                    if wait is not None or used >= budget:
                        self._steps = steps
                        self.ready = _at_once if wait is None else checked_condition(wait, steps)
                        return used
                if not self._has_work():
                    break
                steps = self._work(self)
        except BaseException:
            self.passed = used
            raise
        self._steps = None
        self.ready = self._has_work
        return used

    def abandon(self) -> None:
        """Close the work that was begun, whatever its code raises then."""
        if self._steps is not None:
            with suppress(BaseException):
                self._steps.close()


def _at_once() -> bool:
    return True


NO_STEPS: Final[Steps] = (_ for _ in ())
"""Nothing to do: a generator that has ended, so one serves all."""
list(NO_STEPS)


_FRAMES: Final = 8
"""Frames that a causal path can hold."""
_PATH_FULL: Final = 1 << 8 * (_FRAMES - 1)
"""The least path that holds them all."""


def _deeper(thread: Thread, steps: Steps) -> Steps:
    """Run the steps of a station below a full path, or none if there are too many stations."""
    thread.nesting += 1
    while thread.nesting > MAX_NESTING - _FRAMES:
        yield POINT
    yield from steps
    thread.nesting -= 1


def causal(
    frame: Frame,
) -> Callable[
    [Callable[Concatenate[_S, Thread, _P], Steps]], Callable[Concatenate[_S, Thread, _P], Steps]
]:
    """Mark a method as a station of causal paths: events emitted within carry its frame.

    A thread that is in `MAX_NESTING` stations at once enters no other one and passes points until
    `MAX_STEPS`: a device that recurses for ever never settles. Python's own limit would end it at a
    depth that depends on who called us, so that `inline` and `processes` would differ.
    """

    def decorate(
        method: Callable[Concatenate[_S, Thread, _P], Steps],
    ) -> Callable[Concatenate[_S, Thread, _P], Steps]:
        def run(self: _S, thread: Thread, /, *args: _P.args, **kwargs: _P.kwargs) -> Steps:
            outer = thread.path
            thread.path = (outer << 8 | frame) & PATH_MASK
            if outer < _PATH_FULL:
                yield from method(self, thread, *args, **kwargs)
            else:
                yield from _deeper(thread, method(self, thread, *args, **kwargs))
            thread.path = outer

        update_wrapper(run, method)
        return run

    return decorate
