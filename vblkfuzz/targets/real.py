"""A real device as a target: the part that all real targets share.

    fuzz process: RealTarget -- runs the operations in order and records what witnesses observe
     |- guest process: the guest driver on a `Port` (process.guest_process)
     `- device process: started, reset and watched by a `Rig`

To add a real target, write a `Rig` (operator, backend and witnesses of one kind of device process)
and a `Port` (the guest's access to it). A schedule interrupts the
threads of a device behind a gate (`interruptions`); of any other only "do not settle here"
(`Go.NEXT` of no role) applies.

A device process that dies or hangs by itself is a finding: the trace ends there, with CRASH or
HANG, and the next scenario gets a new process. Every other failure is a HarnessError.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from vblkfuzz.errors import DeviceLost
from vblkfuzz.limits import MAX_EPILOGUE, MAX_IOTHREADS
from vblkfuzz.process.guest import REST
from vblkfuzz.process.guest_answer import GuestAnswer
from vblkfuzz.process.guest_process import GuestProcess
from vblkfuzz.scenario.alphabet.ops import CODES
from vblkfuzz.scenario.scenario import Go, Scenario
from vblkfuzz.targets.as_run import with_decided
from vblkfuzz.targets.broken_protocol import violation_in
from vblkfuzz.targets.device_end import Restless
from vblkfuzz.targets.interruptions import Interruptions
from vblkfuzz.targets.probe import probe
from vblkfuzz.targets.proof import check_proof, proof_for
from vblkfuzz.targets.recorder import Recorder
from vblkfuzz.trace.event import ActorId
from vblkfuzz.trace.kinds import END, STEP_LIMIT
from vblkfuzz.trace.witness import Witness

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

    from vblkfuzz.driver.port import Port
    from vblkfuzz.scenario.op import Op
    from vblkfuzz.targets.coverage.coverage import Coverage
    from vblkfuzz.targets.device_end import Ending
    from vblkfuzz.targets.rig import Rig
    from vblkfuzz.trace.trace import Trace

_COLLECT: Final = CODES["collect"]
_SOON_S: Final = 0.005
"""Seconds in which most answers have come."""


class RealTarget:
    """Runs scenarios on a real device; satisfies `targets.target.Target`."""

    mode = "processes"
    kind: str | None = "blk"
    """Kind of the device in all scenarios; None: each decides (`targets.as_run`)."""
    ring: str | None = "split"
    """Form of the rings in all scenarios; None: each decides."""
    ioeventfd: bool | None = None
    """Whether kicks are eventfds in all scenarios; None: each decides."""
    iothread: bool | None = None
    """Whether all scenarios run with an IOThread; None: each decides (`targets.as_run`)."""
    coverage: Coverage | None = None
    """What the device processes reach of their code; None: that cannot be known."""

    def __init__(self, name: str, device: str, rig: Rig, make_port: Callable[[], Port]) -> None:
        self.name = name
        self.device = device
        self._rig = rig
        self._guest = GuestProcess(make_port)
        self._interruptions = Interruptions(rig, 0, Scenario())
        self._waiting: deque[int] = deque()
        """Indexes of operations of the guest that are deferred until it may run."""
        self._codes: list[int] = []
        """Codes of the scenario's operations."""
        self._proved = 0
        """Device processes whose witnesses have proved themselves, or could not."""

    @property
    def witnesses(self) -> Witness:
        """What this target can observe in a scenario with the default device of its kind."""
        scenario = with_decided(self, Scenario())
        return self._rig.witnesses(scenario.device)

    @property
    def no_gate(self) -> str:
        """Why schedules do not interrupt the threads of the device; empty: they do.

        It is known once the target has started.
        """
        return self._rig.no_gate

    @property
    def versions(self) -> dict[str, str]:
        """Version by name of the program that is the device; empty: its rig does not know."""
        return dict(getattr(self._rig, "versions", {}))

    @property
    def in_order(self) -> bool | None:
        """Whether the device offers F_IN_ORDER in all scenarios; None: each decides."""
        return None if getattr(self._rig, "has_in_order", False) else False

    def most_iothreads(self, kind: str) -> int:
        """Return how many IOThreads a kind of device can have, once the target has started."""
        most = getattr(self._rig, "most_iothreads", None)
        return most(kind) if most else MAX_IOTHREADS

    def __enter__(self) -> Self:
        """Start the guest process and the device process."""
        try:
            self._rig.start()
            self._guest.start()
            if self._rig.processes:
                self._prove(Scenario())
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
        """End both processes."""
        try:
            self._guest.stop()
        finally:
            self._rig.stop()

    def run(self, scenario: Scenario) -> Trace:
        """Run one scenario from power-on to rest.

        Raises:
            HarnessError: there is no complete trace; the target can be used again.
        """
        scenario = with_decided(self, scenario)
        rig = self._rig
        witnesses = rig.witnesses(scenario.device)
        recorder = Recorder(rig.memory, scenario.device, exact_pops=bool(witnesses & Witness.POP))
        report, fault = "", None
        schedule = Interruptions(rig, self._guest.pid, scenario)
        try:
            self._load(scenario)
            self._interruptions = schedule
            self._run(scenario, recorder)
            schedule.end()
            rig.check_rest(recorder)
            works = probe(rig, self._guest, self._hear_guest, recorder, scenario.device)
            self._power_off()
            recorder.tell(END, ActorId.HARNESS)
            if not works:
                self._replace_processes()
            elif rig.processes != self._proved:  # one was started within the scenario
                self._prove(scenario)
        except Restless:
            recorder.tell(STEP_LIMIT, ActorId.HARNESS)
            self._replace_processes()
        except DeviceLost as lost:
            ending = self._ended(recorder, lost)
            report, fault = ending.report, ending.fault
        except BaseException:
            self._replace_processes()
            raise
        finally:
            schedule.end()
        return replace(
            recorder.trace(witnesses, report, fault),
            places=schedule.places,
            stops=schedule.stops,
            neighbours=schedule.neighbours,
        )

    def _load(self, scenario: Scenario) -> None:
        self._power_on(scenario)
        if self._rig.processes != self._proved:
            self._prove(scenario)
            self._power_on(scenario)

    def _prove(self, scenario: Scenario) -> None:
        """Let the witnesses of the new device process of a scenario prove themselves.

        Raises:
            DeviceUnavailable: they do not see what the guest sees.
        """
        self._proved = self._rig.processes
        check_proof(self.run(proof_for(scenario)), self.name, self._rig.witness)

    def _power_on(self, scenario: Scenario) -> None:
        self._guest.load(scenario, self._rig.power_on(scenario))
        answer = self._answer_of_guest()
        if answer is None or answer.lost:
            raise DeviceLost("the device does not answer the guest", guest_waits=answer is None)
        self._rig.dequeues()  # drop those of the reset before this scenario
        self._waiting.clear()
        self._codes = [operation.code for operation in scenario.ops]

    def _power_off(self) -> None:
        """Reset the device now, so that a crash or hang in it is blamed on this scenario.

        Raises:
            DeviceLost: it crashes or hangs.
        """
        if self._rig.resets_at_end:
            self._guest.power_off()
            answer = self._answer_of_guest()
            if answer is None or answer.lost:
                raise DeviceLost("the device cannot be reset", guest_waits=answer is None)

    def _replace_processes(self) -> None:
        """Give the next scenario new processes: the state of the current ones is unknown."""
        self._rig.discard()
        self._guest.restart()

    def _run(self, scenario: Scenario, recorder: Recorder) -> None:
        hasty = {item.op for item in scenario.schedule if item.go is Go.NEXT and not item.role}
        for index, operation in enumerate(scenario.ops):
            self._interruptions.begin(index)
            recorder.operation(index, operation.code)
            if operation.spec.owner == "guest":
                self._waiting.append(index)
            else:
                self._perform(operation, recorder)
            self._run_guest(recorder)
            if index in hasty:
                recorder.look(self._rig.dequeues)
            else:
                self._interruptions.settle(recorder)
        self._come_to_rest(recorder)

    def _perform(self, operation: Op, recorder: Recorder) -> None:
        """Carry out an operation that is not the guest's; the port has a part in some."""
        handover = self._rig.perform(operation, recorder)
        while handover is not None:
            self._guest.hand_over(handover.connections, new=handover.new)
            self._hear_guest(recorder)
            handover = handover.done()

    def _run_guest(self, recorder: Recorder) -> None:
        """Run the guest's operations, if it may run.

        The device settles before one that was deferred: otherwise its actions could not be
        attributed to this operation or to the one before.
        """
        while self._waiting and self._rig.guest_runs:
            index = self._waiting.popleft()
            if index != recorder.index:
                self._interruptions.settle(recorder)
                recorder.deferred(index, self._codes[index])
            self._let_guest(index, recorder)

    def _let_guest(self, index: int, recorder: Recorder) -> None:
        self._guest.begin(index)
        self._hear_guest(recorder)

    def _hear_guest(self, recorder: Recorder) -> None:
        answer = self._answer_of_guest() or self._late_answer(recorder)
        recorder.guest(answer.events, answer.published)
        if answer.lost:
            recorder.look(self._rig.dequeues)
            raise DeviceLost("the device does not answer the guest")

    def _answer_of_guest(self) -> GuestAnswer | None:
        """Return the result of the guest's operation; None if the device does not answer the guest.

        That is so if the device hangs, or at once if a held request is known to be the cause.
        """
        guest = self._guest
        if (answer := guest.answer(_SOON_S)) or self._rig.holds_up(guest.pid):
            return answer or guest.answer(0)
        answers: list[GuestAnswer] = []

        def comes(patience_s: float) -> bool:
            if (answer := guest.answer(patience_s)) is not None:
                answers.append(answer)
            return bool(answers)

        return answers[0] if self._rig.answers(guest.pid, comes) else None

    def _late_answer(self, recorder: Recorder) -> GuestAnswer:
        """End everything that may delay the device's answer; return the guest's result after that.

        The result says what the guest has done. Without it the actions of the device cannot be
        interpreted, so nothing is recorded until it arrives. By then no drained section is open, so
        no action of the device is recorded as if it had happened in one.

        Raises:
            DeviceLost: the device does not answer after all.
        """
        if self._rig.keeps_guest_waiting:
            recorder.blind = True
            self._end_what_is_open(recorder)
            recorder.blind = False
        if (answer := self._answer_of_guest()) is None:
            raise DeviceLost("the guest gets no answer from the device", guest_waits=True)
        return answer

    def _come_to_rest(self, recorder: Recorder) -> None:
        self._interruptions.settle(recorder)
        done = self._end_what_is_open(recorder)
        self._interruptions.release(recorder)
        if self._rig.guest_runs:
            self._interruptions.begin_epilogue()
            recorder.operation(done, _COLLECT, epilogue=True)
            self._let_guest(REST, recorder)
            self._interruptions.settle(recorder)

    def _end_what_is_open(self, recorder: Recorder) -> int:
        """End drained sections, I/O and a stop of the VM; return the number of operations."""
        for index in range(MAX_EPILOGUE):
            operation = self._rig.unfinished()
            if operation is None:
                return index
            self._interruptions.begin_epilogue()
            recorder.operation(index, operation.code, epilogue=True)
            self._perform(operation, recorder)
            if not recorder.blind:
                self._run_guest(recorder)
            self._interruptions.settle(recorder)
        return MAX_EPILOGUE

    def _ended(self, recorder: Recorder, lost: DeviceLost) -> Ending:
        """Record how the device process ended, and replace it.

        Raises:
            DeviceLost: it was killed or stopped from outside, which is no finding.
        """
        try:
            ending = violation_in(lost) or self._rig.ending(guest_waits=lost.guest_waits)
        finally:
            self._replace_processes()
        if ending is None:
            raise lost
        recorder.tell(ending.kind, ActorId.MAIN, **ending.fields)
        return ending
