"""A thread of the device process: the vCPU's exits, the main loop, an IOThread.

The code a thread runs is a chain of generators. A bare ``yield`` is a *preemption point*: the
schedule may go on with another actor there. ``yield condition`` means: do not resume before
`condition()` is true. Preemption points sit at every access to ring memory, notifiers,
AioContexts and drain state that another actor can observe; between two of them a thread is alone.

`Thread` satisfies `schedule.turnstile.Actor`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from vblkfuzz.trace.event import PATH_MASK, ActorId, Frame

Wait = Callable[[], bool]
Steps = Generator[Wait | None, None, None]
"""Code with preemption points: yields None at a point, a condition where it has to wait."""

_S = TypeVar("_S")
_P = ParamSpec("_P")


class Thread:
    """Runs units of work one after another, each a generator, up to a budget of points."""

    __slots__ = ("_has_work", "_steps", "_wait", "_work", "actor", "path")

    def __init__(
        self, actor: ActorId, has_work: Callable[[], bool], work: Callable[[Thread], Steps]
    ) -> None:
        self.actor = int(actor)
        self.path = 0
        """Causal path of what the thread does now, `trace.event.Frame` codes packed by eight."""
        self._has_work = has_work
        self._work = work
        self._steps: Steps | None = None
        self._wait: Wait | None = None

    @property
    def idle(self) -> bool:
        """True between two units of work."""
        return self._steps is None

    def ready(self) -> bool:
        """Whether `resume` would get anywhere."""
        if self._steps is None:
            return self._has_work()
        return self._wait is None or self._wait()

    def resume(self, budget: int) -> int:
        """Run until the unit ends, must wait, or `budget` points are used; return points used."""
        if self._steps is None:
            self._steps = self._work(self)
        used = 0
        for wait in self._steps:
            used += 1
            if wait is not None or used >= budget:
                self._wait = wait
                return used
        self._steps = None
        self._wait = None
        return used


def causal(
    frame: Frame,
) -> Callable[
    [Callable[Concatenate[_S, Thread, _P], Steps]], Callable[Concatenate[_S, Thread, _P], Steps]
]:
    """Mark a method as a station of causal paths: events emitted within carry its frame."""

    def decorate(
        method: Callable[Concatenate[_S, Thread, _P], Steps],
    ) -> Callable[Concatenate[_S, Thread, _P], Steps]:
        @wraps(method)
        def run(self: _S, thread: Thread, *args: _P.args, **kwargs: _P.kwargs) -> Steps:
            outer = thread.path
            thread.path = (outer << 8 | frame) & PATH_MASK
            yield from method(self, thread, *args, **kwargs)
            thread.path = outer

        return run

    return decorate
