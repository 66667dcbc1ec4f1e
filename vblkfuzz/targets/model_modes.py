"""The model in its two modes: inline, or in processes of its own.

`inline` runs guest and device as generators in one process: the calling one, or for a user's device
one of its own, which it may end. `processes` runs them in two real processes that share the arena
(`process.supervisor`). All of them run the same code on an arena of the same layout, so a scenario
gives the same trace digest in each.
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from vblkfuzz.errors import ActorDied, HarnessError
from vblkfuzz.limits import HANG_LIMIT_S, MEMORY_LIMIT_MB
from vblkfuzz.process.actor_error import error_text
from vblkfuzz.process.arena import Arena
from vblkfuzz.process.blame import Place, fault_at
from vblkfuzz.process.control import HANDOVERS, STEPS
from vblkfuzz.process.cpu_limit import DEADLY, CpuLimit
from vblkfuzz.process.execution import Broken, SharedParts, execute, steered_by
from vblkfuzz.process.own_code import OwnCode
from vblkfuzz.scenario.codec import decode_canonical, encode
from vblkfuzz.targets.child import FROM_OUTSIDE
from vblkfuzz.trace.endless import events_of
from vblkfuzz.trace.event import ActorId, Event
from vblkfuzz.trace.trace import Trace
from vblkfuzz.trace.witness import Witness

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from vblkfuzz.dataplane.virtio_blk import VirtioBlk
    from vblkfuzz.process.execution import MakeTurnstile
    from vblkfuzz.scenario.scenario import Scenario
    from vblkfuzz.schedule.steering import Steering


class _Model:
    """Common part of all modes."""

    name = "model"
    mode = ""

    def __init__(self, device: str, arena: Arena, device_class: type[VirtioBlk]) -> None:
        self.device = device
        self.arena = arena
        """Shared memory of guest and device."""
        self.device_class = device_class

    def run(self, scenario: Scenario) -> Trace:
        """Run one scenario."""
        return self._run(scenario, None)

    def steered(self, scenario: Scenario, steering: Steering) -> tuple[Scenario, Trace]:
        """Run the operations of a scenario, steered by a scheduler.

        Returns:
            The scenario with the schedule that was decided, and the trace, which is that of `run`
            for this scenario. If a user's device ends its process, that happens in `run` too.

        Raises:
            UsageError: there is no such scheduler, or it cannot be imported.
            HarnessError: as `run`.
        """
        # What is left if the device fails before anything can be decided.
        self.arena.steered.write(encode(replace(scenario, schedule=())))
        self.arena.steering.write(steering.to_json())
        try:
            trace = self._run(scenario, steering)
        finally:
            self.arena.steering.write(b"")
        return decode_canonical(self.arena.steered.read()), trace

    def _run(self, scenario: Scenario, steering: Steering | None) -> Trace:
        raise NotImplementedError

    def _events(self, steps: int = 0) -> tuple[Event, ...]:
        return events_of((self.arena.guest_ring, self.arena.device_ring), steps)


class InlineModel(_Model):
    """Guest and device in the calling process; for devices that are built in."""

    mode = "inline"

    def __enter__(self) -> Self:
        """Limit the time of an execution."""
        self._parts = SharedParts(self.arena, alone=True)
        self._limit = CpuLimit(HANG_LIMIT_S)
        self._limit.install()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Remove the limit."""
        self._limit.remove()

    def _run(self, scenario: Scenario, steering: Steering | None) -> Trace:
        return self.run_with(scenario, steered_by(steering, self.arena) if steering else None)

    def run_with(self, scenario: Scenario, make_turnstile: MakeTurnstile | None) -> Trace:
        """Run one scenario with a turnstile of its own.

        Args:
            scenario: what happens.
            make_turnstile: as for `execute`.

        Raises:
            HarnessError: as `run`.
        """
        parts = self._parts
        try:
            with self._limit:
                ran = execute(
                    parts,
                    scenario,
                    self.device_class,
                    parts.inline_runner,
                    make_turnstile=make_turnstile,
                )
        except HarnessError:
            raise
        except (Exception, SystemExit) as error:
            raise HarnessError(f"an actor raised:\n{error_text(error)}") from error
        return Trace(self._events(ran.steps), ran.steps, ran.points, ran.obeyed, ran.overtaken)


class ProcessesModel(_Model):
    """Guest and device in two processes on one core.

    A hand-over across cores costs 20 times as much.
    """

    mode = "processes"
    _alone: ClassVar = False

    def __init__(
        self,
        device: str,
        arena: Arena,
        device_class: type[VirtioBlk],
        memory_mb: int = MEMORY_LIMIT_MB,
    ) -> None:
        # Not above: its libraries need /dev/null, which a machine of OSS-Fuzz need not have.
        from vblkfuzz.process.supervisor import Supervisor

        super().__init__(device, arena, device_class)
        self._memory_mb = memory_mb
        self.number = os.getpid()
        """Which one of the allowed cores: consecutive numbers stand for different ones."""
        self._new_supervisor = Supervisor

    def __enter__(self) -> Self:
        """Pin this process to one core and start the actors there."""
        self._own = OwnCode(self.device_class)
        memory_mb = self._memory_mb if self._own else None
        self._supervisor = self._new_supervisor(
            self.arena, self.device_class, memory_mb, alone=self._alone
        )
        self._affinity = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {_core(self._affinity, self.number)})
        try:
            self._supervisor.start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the actors and undo the pinning."""
        try:
            self._supervisor.stop()
        finally:
            os.sched_setaffinity(0, self._affinity)

    def _run(self, scenario: Scenario, steering: Steering | None) -> Trace:
        data = encode(scenario)
        try:
            broken = self._supervisor.run(data)
        except ActorDied as died:
            return self._ended(data, died)
        trace = self._trace()
        return _with_fault(trace, broken) if broken else trace

    def _trace(self) -> Trace:
        control = self.arena.control
        steps = control[STEPS]
        return Trace(self._events(steps), steps, handovers=control[HANDOVERS])

    def _ended(self, data: bytes, died: ActorDied) -> Trace:
        """Return the trace of an execution in which the device process ended itself.

        Its events died with it, so it does the same once more, slowly.

        Raises:
            ActorDied: it was not the device's own code.
        """
        code = died.device_ended
        # A device that has code of a user's may have sent the signal itself.
        may = bool(self._own) or code is None or -code not in FROM_OUTSIDE
        died.of_input = died.of_input and may
        if not self._own or code is None or -code in FROM_OUTSIDE:
            raise died
        try:
            broken = self._supervisor.run_watched(data)
        except ActorDied as again:
            places = [Place(*place) for place in json.loads(self.arena.last_line.read())]
            if again.device_ended != code or not places:
                raise died from again
        else:
            if -code == DEADLY and broken:  # so slow that the milder end of a hang came first
                return _with_fault(self._trace(), broken)
            raise ActorDied(f"{died}, but not when it was run again: it is not deterministic")
        fault = fault_at(places[0], code)
        events = self._events()
        turn = events[-1].turn if events else 0
        last = Event(turn, fault.kind, ActorId.MAIN, flag=fault.signal, value=fault.status)
        last = last._replace(path=fault.digest)
        stack = (f"  {place.file}, line {place.line}, in {place.function}" for place in places)
        report = "\n".join((f"{died}; innermost call first:", *stack))
        return _with_fault(Trace((*events, last)), Broken(fault, report))


class AloneModel(ProcessesModel):
    """Guest and device inline, in one process that is not ours; for a user's device.

    The device may end that process, and may print what it likes.
    """

    mode = "inline"
    _alone = True

    def _trace(self) -> Trace:
        points, obeyed, overtaken = json.loads(self.arena.schedule.read())
        steps = self.arena.control[STEPS]
        return Trace(
            self._events(steps),
            steps,
            tuple(points),
            tuple(obeyed),
            tuple(map(tuple, overtaken)),
        )


def _with_fault(trace: Trace, broken: Broken) -> Trace:
    """Return the trace of an execution that the device's own code ended."""
    witnesses = trace.witnesses | Witness.PROCESS
    return replace(trace, witnesses=witnesses, report=broken.stack, fault=broken.fault)


def _core(allowed: set[int], number: int) -> int:
    return sorted(allowed)[number % len(allowed)]
