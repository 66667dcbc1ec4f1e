"""A turnstile that a policy steers, and that records what the policy decides as deviations.

The policy is asked once for each number of points that an operation has passed, which is where a
deviation can stand. It is asked no more when the schedule is full (`MAX_DEVIATIONS`), at points
from `MAX_POINT` on, and after the last operation. From there on the default goes on, which lets
everything come to rest: so no policy makes a device look stuck that is not.

The events, their turns included, are those of a run with the recorded schedule: an actor that the
policy lets go on stays in its turn.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from vblkfuzz.errors import HarnessError
from vblkfuzz.limits import MAX_DEVIATIONS, MAX_POINT, MAX_STEPS
from vblkfuzz.scenario.scenario import Deviation, Go
from vblkfuzz.schedule.policy import Moment
from vblkfuzz.schedule.turnstile import Actor, Guest, Turnstile, World

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vblkfuzz.scenario.op import Op
    from vblkfuzz.scenario.scenario import Scenario
    from vblkfuzz.schedule.policy import Policy
    from vblkfuzz.trace.event import Event
    from vblkfuzz.trace.ring import TraceRing


class SteeredTurnstile(Turnstile):
    """One execution of the operations of a scenario, whose own schedule is ignored."""

    def __init__(
        self, scenario: Scenario, world: World, guest: Guest, ring: TraceRing, policy: Policy
    ) -> None:
        super().__init__(replace(scenario, schedule=()), world, guest, ring)
        self.decided: list[Deviation] = []
        """What the policy has decided, as a schedule."""
        self.on_decision: Callable[[Sequence[Deviation]], None] = _ignored
        """Called with `decided` whenever it has grown, before the device goes on."""
        self.happened: Callable[[], Sequence[Event]] = tuple
        """Returns the events since it was called last."""
        self._policy = policy
        self._op: int | None = None
        """The operation that runs; None: the policy is not asked any more."""
        self._asked_at = -1
        """Points of the operation when the policy was asked last."""
        self._last: Actor | None = None
        """Who went on last in this operation."""

    def _start(self, index: int, operation: Op) -> None:
        self._op, self._asked_at, self._last = index, -1, None
        super()._start(index, operation)

    def _come_to_rest(self) -> int:
        self._op = None
        return super()._come_to_rest()

    def _settle(self) -> bool:
        if self._op is None:
            return super()._settle()
        interrupted: Go | None = None
        while self.steps < MAX_STEPS:
            go, is_new = self._goes_on(interrupted)
            if go is None or go is Go.NEXT:
                return go is None
            self._ring.turn += is_new
            interrupted = self._resume(go)
        return False

    def _resume(self, go: Go) -> Go | None:
        """Resume an actor up to where the policy is asked; return it if that interrupts it."""
        self._last = actor = self._actors[go]
        budget = 1 if self._asks else MAX_STEPS - self.steps
        used = actor.resume(budget, self._ring.turn)
        self.steps += used
        self._points += used
        return go if actor.interrupted else None

    @property
    def _asks(self) -> bool:
        """Whether a decision can be recorded."""
        return len(self.decided) < MAX_DEVIATIONS and self._points < MAX_POINT

    def _goes_on(self, interrupted: Go | None) -> tuple[Go | None, bool]:
        """Return who goes on, and whether that is a new turn; None: all has settled."""
        ready = [Go(who) for who, each in enumerate(self._actors) if each.ready()]
        default = interrupted if interrupted is not None else next(iter(ready), None)
        if default is None or not self._asks or self._points == self._asked_at:
            return default, interrupted is None
        self._asked_at = self._points
        go = self._choice(ready, default)
        if go is default:
            return go, interrupted is None
        self._record(go)
        return go, True

    def _choice(self, ready: list[Go], default: Go) -> Go:
        """Ask the policy.

        Raises:
            HarnessError: its answer is none of the choices.
        """
        assert self._op is not None
        choices = ready if self._op + 1 == len(self._scenario.ops) else [*ready, Go.NEXT]
        if default not in choices:
            choices = sorted([*choices, default])
        moment = Moment(self._op, self._points, choices, default, self.happened())
        go = self._policy.choose(moment)
        if go not in choices:
            names = ", ".join(one.name for one in choices)
            raise HarnessError(
                f"{type(self._policy).__name__}: expected one of {names}, found {go}"
            )
        return go

    def _record(self, go: Go) -> None:
        assert self._op is not None
        if go is Go.NEXT or self._changes(self._actors[go], self._last):
            self._obey(self._last)
        else:
            self.obeyed.append(False)
        self.decided.append(Deviation(self._op, self._points, go))
        self.on_decision(self.decided)


def _ignored(_: Sequence[Deviation]) -> None:
    """Do nothing."""
