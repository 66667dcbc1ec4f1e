"""A toy under a scheduler: its actors' steps are known, so all interleavings can be counted."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from vblkfuzz.scenario.op import Op, op
from vblkfuzz.scenario.scenario import Deviation, Go, Scenario
from vblkfuzz.schedule.policy import Task
from vblkfuzz.schedule.registry import scheduler_of
from vblkfuzz.schedule.steered import SteeredTurnstile
from vblkfuzz.schedule.turnstile import Turnstile
from vblkfuzz.trace.kinds import KICK
from vblkfuzz.trace.ring import RING_BYTES, TraceRing


class Stepper:
    """An actor that does its steps one after another; a point precedes each of them."""

    def __init__(self, done: Callable[[], None], steps: int) -> None:
        self.interrupted = False
        self._done = done
        self.left = steps
        self._at_point = False

    def ready(self) -> bool:
        return self.left > 0

    def resume(self, budget: int, turn: int) -> int:
        used = 0
        self.interrupted = False
        while self.left:
            if self._at_point:
                self._done()
                self.left -= 1
                self._at_point = False
            else:
                self._at_point = True
                used += 1
                if used == budget:
                    self.interrupted = True
                    break
        return used


class Guest(Stepper):
    def assign(self, index: int) -> None:
        """Its steps are there from the start."""

    def rest(self) -> None:
        """Do nothing."""


class Toy:
    """A guest, a vCPU without work, a main loop and an IOThread; a step is an event."""

    def __init__(self, guest: int, main: int, io0: int, *, ops: int = 1) -> None:
        self.order = ""
        """Who did each step: g, m, i."""
        self.ring = TraceRing(memoryview(bytearray(RING_BYTES)))
        self.guest = Guest(self._step("g", Go.GUEST), guest)
        self.threads: Sequence[Stepper] = (
            Stepper(self._step("v", Go.VCPU), 0),
            Stepper(self._step("m", Go.MAIN), main),
            Stepper(self._step("i", Go.IO0), io0),
        )
        self.scenario = Scenario(ops=(op("publish"),) * ops)
        self.counts = (guest, 0, main, io0, 0, 0)

    def _step(self, name: str, who: Go) -> Callable[[], None]:
        def done() -> None:
            self.order += name
            self.ring.emit(KICK, who, 0)

        return done

    def perform(self, operation: Op) -> None:
        """There is none but the guest's."""

    def unfinished(self) -> Op | None:
        return None

    def show_settled(self, ops: Sequence[Op]) -> None:
        """Do nothing."""

    exit_pending = staticmethod(bool)

    def in_flight(self) -> int:
        return 0

    def steered(self, name: str, seed: int, depth: int = 0, steps: int = 1) -> list[Deviation]:
        """Run under a scheduler; return what it has decided."""
        task = Task(seed, depth, steps, self.counts)
        policy = scheduler_of(name).new(self.scenario, task)
        turnstile = SteeredTurnstile(self.scenario, self, self.guest, self.ring, policy)
        seen = [0]

        def happened() -> list:  # type: ignore[type-arg]
            events = self.ring.after(seen[0])
            seen[0] += len(events)
            return events

        turnstile.happened = happened
        turnstile.run()
        return turnstile.decided

    def replayed(self, schedule: Sequence[Deviation]) -> None:
        """Run with a schedule."""
        scenario = Scenario(ops=self.scenario.ops, schedule=tuple(schedule))
        Turnstile(scenario, self, self.guest, self.ring).run()
