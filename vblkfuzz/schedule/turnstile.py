"""The turnstile: runs one scenario and decides at each preemption point which actor goes on.

The default policy is that of the empty schedule: an operation runs to its end, then the device
settles, then the next operation starts. When an actor has to wait or has no more work, the first
ready actor goes on, in a fixed order (guest, vCPU, main loop, IOThreads). A `Deviation` interrupts
that once: after `point` preemption points of operation `op` another actor goes on or, with
`Go.NEXT`, the next operation starts at once. One with a role counts the points of that actor alone
(`own_points`). So a few deviations describe any ordering bug of small depth. A deviation without
effect is ignored, so every schedule is valid.

If all actors wait although an operation has not ended (a drain that waits for a held request), the
next operation starts, since it may unblock them. After the last operation an epilogue brings the
machine to rest: I/O ends, drained sections end, the VM runs. Then the guest takes all answers.

An actor is resumed for a *budget* of points, up to the next deviation. So an actor in another
process costs two hand-overs a turn, not two a point. Next: `delay`, for delayed stores.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from vblkfuzz.limits import MAX_EPILOGUE, MAX_STEPS
from vblkfuzz.scenario.alphabet.ops import CODES, OPS
from vblkfuzz.scenario.op import Op
from vblkfuzz.scenario.scenario import Deviation, Go, Role
from vblkfuzz.schedule.own_points import OwnPoints
from vblkfuzz.trace.event import NO_QUEUE, ActorId
from vblkfuzz.trace.kinds import END, OP, STEP_LIMIT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vblkfuzz.scenario.scenario import Scenario
    from vblkfuzz.trace.ring import TraceRing


_ACTOR: Final = int(ActorId.HARNESS)
"""The actor of all its events."""
_COLLECT: Final = CODES["collect"]
_OF_GUEST: Final = tuple([spec.owner == "guest" for spec in OPS])
"""Whether an operation belongs to the guest, by its code."""


class Actor(Protocol):
    """What takes turns: the guest, or a thread of the device."""

    @property
    def ready(self) -> Callable[[], bool]:
        """Whether `resume` would make progress."""

    @property
    def interrupted(self) -> bool:
        """Whether the last turn has ended because its budget was used up, and for nothing else."""

    def resume(self, budget: int, turn: int) -> int:
        """Go on for at most `budget` preemption points; return how many were passed.

        If the actor has its own ring, its events carry `turn`.
        """


class Guest(Actor, Protocol):
    """The guest driver, which runs its operations one after another."""

    def assign(self, index: int) -> None:
        """Queue the scenario's operation `index`."""

    def rest(self) -> None:
        """Queue what the driver does when all has settled: it collects on every queue."""


class World(Protocol):
    """The device process as the turnstile sees it."""

    @property
    def threads(self) -> Sequence[Actor]:
        """The threads, in the order in which they go on if several are ready."""

    def perform(self, operation: Op) -> None:
        """Begin an operation that does not belong to the guest."""

    def unfinished(self) -> Op | None:
        """Return the next operation that is needed to come to rest; None at rest."""

    def show_settled(self, ops: Sequence[Op]) -> None:
        """Record what shows only now that all has settled after these operations."""

    def exit_pending(self) -> bool:
        """Return whether the driver waits for the answer to a register write."""

    def in_flight(self) -> int:
        """Return the number of requests in flight, mod 2^16."""


class Turnstile:
    """One execution of a scenario."""

    def __init__(self, scenario: Scenario, world: World, guest: Guest, ring: TraceRing) -> None:
        self.steps = 0
        """Preemption points passed."""
        self.points: list[int] = []
        """Preemption points of each operation, until the next one started."""
        self.obeyed: list[bool] = []
        """For each deviation that was reached: whether it changed which actor goes on."""
        self.overtaken: list[tuple[int, int]] = []
        """For each deviation that was obeyed: the turn before it, and the actor (ActorId) that
        would have gone on."""
        self._scenario = scenario
        self._world = world
        self._guest = guest
        self._ring = ring
        self._actors: list[Actor] = [guest, *world.threads]
        self._deviations: list[Deviation] = []
        """Those of the operation that are left and count the points of all actors."""
        self._own: OwnPoints | None = None
        """Those that count the points of one actor; None: the operation has none."""
        self._points = 0

    def run(self) -> None:
        """Run all operations and the epilogue; the last event is END or STEP_LIMIT."""
        schedule = self._scenario.schedule
        for index, operation in enumerate(self._scenario.ops):
            if schedule:
                self._plan([item for item in schedule if item.op == index])
            self._start(index, operation)
            self._settle()
            self.points.append(self._points)
        self._collect(self._come_to_rest())
        settled = self.steps < MAX_STEPS
        if settled:
            self._world.show_settled(self._scenario.ops)
        unanswered = settled and self._world.exit_pending()
        in_flight = self._world.in_flight()
        self._emit(END if settled else STEP_LIMIT, flag=unanswered, value=in_flight)

    def _plan(self, deviations: list[Deviation]) -> None:
        """Take the deviations of the operation that starts."""
        self._deviations = [item for item in deviations if item.role is Role.ANY]
        self._own = None
        if len(self._deviations) < len(deviations):
            self._own = OwnPoints(deviations, len(self._actors))

    def broken_off(self, passed: int) -> None:
        """Count the points of a turn that an exception ended, and those of its operation."""
        self.steps += passed
        self._points += passed
        if len(self.points) < len(self._scenario.ops):
            self.points.append(self._points)

    def _start(self, index: int, operation: Op) -> None:
        self._points = 0
        code = operation[0]
        self._emit(OP, code, 0, index)
        if _OF_GUEST[code]:
            self._guest.assign(index)
        else:
            self._world.perform(operation)

    def _come_to_rest(self) -> int:
        """End what is open; return the number of operations that this took."""
        self._plan([])
        self._settle()
        for index in range(MAX_EPILOGUE):
            operation = self._world.unfinished()
            before = self.steps
            if operation is None or self.steps >= MAX_STEPS:
                return index
            self._emit(OP, flag=operation.code, head=1, value=index)
            self._world.perform(operation)
            self._settle()
            if self.steps == before and operation == self._world.unfinished():
                return index + 1  # no progress: the actor that should do it waits for ever
        return MAX_EPILOGUE

    def _collect(self, index: int) -> None:
        """Let the guest take all answers, unless it can never run again."""
        self._guest.rest()
        if self._guest.ready():
            self._emit(OP, flag=_COLLECT, head=1, value=index)
            self._settle()

    def _settle(self) -> bool:
        """Resume actors until none is ready.

        Returns False if a deviation starts the next operation, or at the step limit.
        """
        if self._deviations or self._own:
            settled = self._deviate()
            if settled is not None:
                return settled
        actors, ring = self._actors, self._ring
        while self.steps < MAX_STEPS:
            for actor in actors:
                if actor.ready():
                    break
            else:
                return True
            ring.turn = turn = ring.turn + 1
            used = actor.resume(MAX_STEPS - self.steps, turn)
            self.steps += used
            self._points += used
        return False

    def _deviate(self) -> bool | None:
        """Resume actors until no deviation is left, then return None; else as `_settle`."""
        interrupted: Actor | None = None
        while (self._deviations or self._own) and self.steps < MAX_STEPS:
            actor = self._chosen(interrupted)
            if isinstance(actor, Go):
                return False
            if actor is None:
                return True
            budget = MAX_STEPS - self.steps
            if self._deviations:
                budget = min(budget, self._deviations[0].point - self._points)
            self._ring.turn = turn = self._ring.turn + 1
            used = (
                self._resume_own(actor, budget, turn) if self._own else actor.resume(budget, turn)
            )
            self.steps += used
            self._points += used
            interrupted = actor
        return None

    def _chosen(self, interrupted: Actor | None) -> Actor | Go | None:
        """Return who goes on, after the deviations that are due; None: no actor is ready.

        `Go.NEXT`: the next operation starts.
        """
        actor: Actor | None = None
        go = self._take_due()
        if go is Go.NEXT:
            self._obey(interrupted)
            return go
        if go is not None:
            actor = self._ready_actor(go)
            if actor is not None and self._changes(actor, interrupted):
                self._obey(interrupted)
            else:
                self.obeyed.append(False)
        if self._own:
            return self._instead_of(
                actor or self._stopped_for_its_own(interrupted) or self._first()
            )
        return actor or self._first()

    def _first(self) -> Actor | None:
        for actor in self._actors:
            if actor.ready():
                return actor
        return None

    def _stopped_for_its_own(self, interrupted: Actor | None) -> Actor | None:
        """Return the actor whose turn ended at a deviation of its own: it would go on."""
        if interrupted is None or self._own is None or not interrupted.ready():
            return None
        return interrupted if self._own.is_due(self._actors.index(interrupted)) else None

    def _instead_of(self, actor: Actor | None) -> Actor | Go | None:
        """Return who goes on if `actor` would, which may have deviations of its own there."""
        while actor is not None and self._own:
            who = self._actors.index(actor)
            if not self._own.is_due(who):
                break
            go = self._own.take(who).go
            other = go if go is Go.NEXT else self._ready_actor(go)
            if other is None or other is actor:
                self.obeyed.append(False)
                continue
            self._obey(actor)
            if isinstance(other, Go):
                return other
            actor = other
        return actor

    def _resume_own(self, actor: Actor, budget: int, turn: int) -> int:
        """Resume an actor up to a deviation of its own, and count its points."""
        assert self._own is not None
        who = self._actors.index(actor)
        used = actor.resume(self._own.limit(who, budget), turn)
        self._own.count(who, used)
        return used

    def _ready_actor(self, go: Go) -> Actor | None:
        actors = self._actors
        return actors[go] if go < len(actors) and actors[go].ready() else None

    def _changes(self, actor: Actor, interrupted: Actor | None) -> bool:
        """Whether another actor would go on without the deviation; True if that is unknown."""
        if interrupted is None:
            return actor is not next(each for each in self._actors if each.ready())
        return actor is not interrupted

    def _obey(self, interrupted: Actor | None) -> None:
        """Note what a deviation is about to change."""
        self.obeyed.append(True)
        ready = [who for who, each in enumerate(self._actors) if each.ready()]
        goes_on = [who for who in ready if self._actors[who] is interrupted]
        self.overtaken += [(self._ring.turn, who) for who in (goes_on or ready)[:1]]

    def _take_due(self) -> Go | None:
        """Remove the next deviation if its point is reached; return its `go`."""
        if not self._deviations or self._points < self._deviations[0].point:
            return None
        return self._deviations.pop(0).go

    def _emit(self, kind: int, flag: int = 0, head: int = 0, value: int = 0) -> None:
        self._ring.emit(kind, _ACTOR, NO_QUEUE, flag, head, 0, 0, value, 0)
