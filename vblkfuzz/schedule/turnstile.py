"""The turnstile: runs one scenario, and decides who moves at every preemption point.

The default policy is the empty schedule's: an operation runs to its end, then the device settles,
then the next operation starts. Whenever an actor has to wait or has no more work, the first
ready actor goes on, asked in a fixed order (guest, vCPU, main loop, IOThreads). A `Deviation`
interrupts that once: after `point` preemption points of operation `op` it goes on with another
actor, or (`Go.NEXT`) starts the next operation at once. So few deviations describe any ordering
bug of small depth, and a schedule without effect is simply ignored: every schedule is valid.

Where every actor waits although an operation has not ended (a drain that waits for a held
request), the next operation starts: it may be the one that helps. After the last one an epilogue
lets everything come to rest: I/O ends, drained sections end, the VM runs.

An actor is resumed for a *budget* of points, up to the next deviation: so an actor in another
process costs two hand-overs a turn, not two a point. Next: `delay`, for delayed stores.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from vblkfuzz.limits import MAX_STEPS
from vblkfuzz.scenario.alphabet.ops import OPS
from vblkfuzz.scenario.op import Op
from vblkfuzz.scenario.scenario import Deviation, Go
from vblkfuzz.trace.event import NO_QUEUE, ActorId
from vblkfuzz.trace.kinds import END, OP, STEP_LIMIT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vblkfuzz.scenario.scenario import Scenario
    from vblkfuzz.trace.ring import TraceRing


_MAX_EPILOGUE: Final = 32
"""Operations of an epilogue: nesting is bounded by MAX_OPS, most scenarios need two."""


class Actor(Protocol):
    """Somebody who takes turns."""

    @property
    def ready(self) -> Callable[[], bool]:
        """Whether `resume` would get anywhere."""

    def resume(self, budget: int, turn: int) -> int:
        """Go on for at most `budget` preemption points; return how many were passed.

        Events of an actor with a ring of its own carry `turn`.
        """


class Guest(Actor, Protocol):
    """The guest driver; it runs its operations one after another."""

    def assign(self, index: int) -> None:
        """Queue the scenario's operation `index`."""


class World(Protocol):
    """The device process as the turnstile sees it."""

    @property
    def threads(self) -> Sequence[Actor]:
        """In the order in which they are asked."""

    def perform(self, operation: Op) -> None:
        """Begin an operation that is not the guest's."""

    def unfinished(self) -> Op | None:
        """The next operation on the way to rest."""

    def in_flight(self) -> int:
        """Requests the backend works on."""


class Turnstile:
    """One execution of a scenario."""

    def __init__(self, scenario: Scenario, world: World, guest: Guest, ring: TraceRing) -> None:
        self.steps = 0
        """Preemption points passed."""
        self.points: list[int] = []
        """Those of each operation, until the next one started."""
        self.obeyed: list[bool] = []
        """Of each deviation that was reached: whether it changed who goes on, to whom it says."""
        self._scenario = scenario
        self._world = world
        self._guest = guest
        self._ring = ring
        self._actors: list[Actor] = [guest, *world.threads]
        self._deviations: list[Deviation] = []
        self._points = 0

    def run(self) -> None:
        """Run all operations and the epilogue; the last event is END or STEP_LIMIT."""
        schedule = self._scenario.schedule
        for index, operation in enumerate(self._scenario.ops):
            if schedule:
                self._deviations = [item for item in schedule if item.op == index]
            self._start(index, operation)
            self._settle()
            self.points.append(self._points)
        self._come_to_rest()
        kind = END if self.steps < MAX_STEPS else STEP_LIMIT
        self._tell(kind, value=self._world.in_flight())

    def broken_off(self, passed: int) -> None:
        """Count the points of a turn that an exception ended, and those of its operation."""
        self.steps += passed
        self._points += passed
        if len(self.points) < len(self._scenario.ops):
            self.points.append(self._points)

    def _start(self, index: int, operation: Op) -> None:
        self._points = 0
        code = operation[0]
        self._tell(OP, code, 0, index)
        if OPS[code].owner == "guest":
            self._guest.assign(index)
        else:
            self._world.perform(operation)

    def _come_to_rest(self) -> None:
        self._deviations = []
        self._settle()
        for index in range(_MAX_EPILOGUE):
            operation = self._world.unfinished()
            before = self.steps
            if operation is None or self.steps >= MAX_STEPS:
                return
            self._tell(OP, flag=operation.code, head=1, value=index)
            self._world.perform(operation)
            self._settle()
            if self.steps == before and operation == self._world.unfinished():
                return  # whoever should do it waits for ever

    def _settle(self) -> bool:
        """Let actors go on until none is ready: True; or a deviation starts the next operation."""
        actors, ring = self._actors, self._ring
        interrupted: Actor | None = None
        while self.steps < MAX_STEPS:
            actor: Actor | None = None
            budget = MAX_STEPS - self.steps
            if self._deviations:
                go = self._due()
                if go is Go.NEXT:
                    self.obeyed.append(True)
                    return False
                if go is not None:
                    actor = self._ready_actor(go)
                    self.obeyed.append(actor is not None and self._moves(actor, interrupted))
                if self._deviations:
                    budget = min(budget, self._deviations[0].point - self._points)
            if actor is None:
                for actor in actors:
                    if actor.ready():
                        break
                else:
                    return True
            ring.turn = turn = ring.turn + 1
            used = actor.resume(budget, turn)
            self.steps += used
            self._points += used
            interrupted = actor
        return False

    def _ready_actor(self, go: Go) -> Actor | None:
        actors = self._actors
        return actors[go] if go < len(actors) and actors[go].ready() else None

    def _moves(self, actor: Actor, interrupted: Actor | None) -> bool:
        """Whether without the deviation somebody else would go on; True where that is unknown."""
        if interrupted is None:
            return actor is not next(each for each in self._actors if each.ready())
        return actor is not interrupted

    def _due(self) -> Go | None:
        """Take the next deviation if its point has come; return where it goes on."""
        if self._points < self._deviations[0].point:
            return None
        return self._deviations.pop(0).go

    def _tell(self, kind: int, flag: int = 0, head: int = 0, value: int = 0) -> None:
        self._ring.emit(kind, ActorId.HARNESS, NO_QUEUE, flag, head, 0, 0, value, 0)
