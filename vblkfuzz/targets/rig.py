"""What a real target needs of one kind of device process: operator, backend, witnesses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vblkfuzz.gate.gate import Gate
    from vblkfuzz.scenario.device import DeviceConfig
    from vblkfuzz.scenario.op import Op
    from vblkfuzz.scenario.scenario import Scenario
    from vblkfuzz.targets.dequeue import Dequeue
    from vblkfuzz.targets.device_end import Ending
    from vblkfuzz.targets.handover import Handover
    from vblkfuzz.targets.hold import Hold
    from vblkfuzz.targets.queue_counts import QueueCounts
    from vblkfuzz.targets.recorder import Recorder
    from vblkfuzz.trace.witness import Witness
    from vblkfuzz.virtio.memory import GuestMemory


class Rig(Protocol):
    """One kind of real device: its process, its operator, its backend, its witnesses.

    Every method may raise DeviceLost if the process does not answer; `ending` then says why.
    """

    def witnesses(self, config: DeviceConfig) -> Witness:
        """What can be observed in a scenario on such a device."""

    @property
    def resets_at_end(self) -> bool:
        """Whether a scenario ends with a reset; False if the next one gets a new connection."""

    @property
    def processes(self) -> int:
        """Device processes started so far; the witnesses of each have to prove themselves."""

    @property
    def witness(self) -> str:
        """What is known of the witness of dequeues, for people whose device does not show them."""

    @property
    def memory(self) -> GuestMemory:
        """Guest memory, shared with guest process and device process."""

    def start(self) -> None:
        """Start the processes that the first scenario needs.

        Raises:
            DeviceUnavailable: there is no such device; the message says how to get one.
        """

    def stop(self) -> None:
        """End everything; leave nothing behind."""

    def power_on(self, scenario: Scenario) -> Sequence[int]:
        """Begin a scenario on a device in its initial state; restart the process if in doubt.

        Returns: new connections for the guest process if it needs them, else nothing.
        """

    def perform(self, operation: Op, recorder: Recorder) -> Handover | None:
        """Carry out an operation of operator, backend or environment; record its events.

        Returns: what the port has to do for it.
        """

    def unfinished(self) -> Op | None:
        """The next operation towards rest (I/O ended, drains ended, VM running); None: at rest."""

    @property
    def guest_runs(self) -> bool:
        """Whether the guest may run now; if not, its operations are deferred."""

    @property
    def keeps_guest_waiting(self) -> bool:
        """Whether a drained section or a held request may delay the answer to the guest."""

    def holds_up(self, guest: int) -> bool:
        """Whether the process `guest` waits for a held request; False if that is unknown."""

    def settle(self, recorder: Recorder) -> None:
        """Wait until the device is idle, and record what it does until then."""

    def check_rest(self, recorder: Recorder) -> None:
        """Check at the end of a scenario that the device is at rest and no thread is stuck.

        Raises:
            Restless: a thread runs on and on.
            DeviceLost: a thread is stuck.
        """

    def queue_counts(self, queues: int) -> Sequence[QueueCounts]:
        """Return what the device itself counts of its first `queues` queues; none: unknown."""

    def answers(self, guest: int, comes: Callable[[float], bool]) -> bool:
        """Wait until the device answers the process `guest`; False: it hangs (`silence`).

        Args:
            guest: its id.
            comes: waits at most so many seconds for the result of the guest's operation.

        Raises:
            HarnessError: it is not known whether the device hangs.
        """

    def dequeues(self) -> Sequence[Dequeue | Hold]:
        """Return the dequeues that the exact witness observed since the last call.

        A device behind a gate adds what the schedule did to its threads.
        """

    def discard(self) -> None:
        """End the device process; the next scenario gets a new one."""

    def ending(self, *, guest_waits: bool) -> Ending | None:
        """Return how the process ended, or that it hangs; None if it was killed (no finding).

        Raises:
            DeviceLost: it was stopped from outside, which is no finding.
        """

    @property
    def no_gate(self) -> str:
        """Why schedules do not interrupt the threads of this device; empty: they do."""

    @property
    def gated(self) -> Gated | None:
        """The device process behind its gate; None: a schedule cannot interrupt its threads."""


class Gated(Protocol):
    """A device process behind a gate."""

    @property
    def gate(self) -> Gate:
        """Its gate."""

    def start(self, guest: int) -> None:
        """Begin a scenario of the guest process `guest`: threads go on one at a time."""

    def watch_locks(self, *, on: bool) -> None:
        """Make the locks of the process points of its threads, or not any more.

        Raises:
            DeviceLost: it does not answer.
        """

    def free(self) -> None:
        """End the scenario: all threads go on as they like. Do nothing if there is none."""
