"""The guest as an actor of the turnstile, in its own process or inline.

`GuestActor` holds the state that the turnstile asks for: which operations are queued, whether one
is running, whether the guest waits for the device or the VM is stopped. A `GuestRunner` runs the
driver's code: `InlineRunner` in the calling process, `actors.RemoteRunner` in the guest process.
"""

from __future__ import annotations

from collections import deque
from enum import IntEnum
from typing import TYPE_CHECKING, Final, Protocol

from vblkfuzz.limits import MAX_OPS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vblkfuzz.driver.guest import GuestDriver
    from vblkfuzz.driver.transport import GuestSteps
    from vblkfuzz.scenario.op import Op
    from vblkfuzz.trace.ring import TraceRing


REST: Final = MAX_OPS
"""In place of the index of an operation: what the driver does when all has settled."""


class GuestState(IntEnum):
    """How a turn of the guest ended."""

    DONE = 0
    """The operation has ended."""
    PREEMPTED = 1
    """The budget is used up."""
    WAITING = 2
    """The guest waits until the device has handled its exit."""


_DONE, _PREEMPTED, _WAITING = GuestState
"""Looked up once: they are needed at each turn (docs/decisions/0010)."""


class GuestRunner(Protocol):
    """Runs the driver's code for one turn."""

    def run(self, index: int | None, budget: int, turn: int) -> tuple[int, GuestState]:
        """Start operation `index` or `REST`, or continue the current one (None).

        Returns:
            The preemption points passed, at most `budget`, and how the turn ended.
        """


class InlineRunner:
    """Runs the driver in the calling process; satisfies `GuestRunner`."""

    def __init__(self, driver: GuestDriver, ops: Sequence[Op], ring: TraceRing) -> None:
        self._driver = driver
        self._ops = ops
        self._ring = ring
        self._steps: GuestSteps | None = None

    def run(self, index: int | None, budget: int, turn: int) -> tuple[int, GuestState]:
        """See `GuestRunner.run`."""
        self._ring.turn = turn
        if index is not None:
            driver = self._driver
            self._steps = driver.rest() if index == REST else driver.run(self._ops[index])
        assert self._steps is not None
        used = 0
        for waiting in self._steps:
            used += 1
            if waiting:
                return used, _WAITING
            if used >= budget:
                return used, _PREEMPTED
        self._steps = None
        return used, _DONE


class GuestActor:
    """Satisfies `schedule.turnstile.Guest`."""

    def __init__(self, runner: GuestRunner, may_run: Callable[[], bool]) -> None:
        """Let `runner` run while `may_run`: no exit is pending and the VM runs."""
        self._runner = runner
        self._may_run = may_run
        self._waiting_ops: deque[int] = deque()
        self._state: GuestState = _DONE

    def assign(self, index: int) -> None:
        """Queue the scenario's operation `index`."""
        self._waiting_ops.append(index)

    def rest(self) -> None:
        """Queue what the driver does when all has settled."""
        self._waiting_ops.append(REST)

    def ready(self) -> bool:
        """Whether an operation is left and the guest may run."""
        if self._state is _DONE and not self._waiting_ops:
            return False
        return self._may_run()

    @property
    def interrupted(self) -> bool:
        """Whether the last turn has ended because its budget was used up, and for nothing else."""
        return self._state is _PREEMPTED

    def resume(self, budget: int, turn: int) -> int:
        """Run until the operation ends, has to wait, or has passed `budget` preemption points."""
        index = self._waiting_ops.popleft() if self._state is _DONE else None
        used, self._state = self._runner.run(index, budget, turn)
        return used
