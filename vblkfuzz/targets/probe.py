"""The probe: whether a real device still works when a scenario is over.

A device can be dead without any rule noticing: no rule asks for a request that was never made. So
the guest makes one more on each queue. It sets the device up before if that was reset, is broken or
was never set up. Rule S38 judges the answers. What a scenario did is no excuse: a reset ends
everything before it, hostile ring contents included, and a vhost-user back-end that has closed its
connection gets a new one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from vblkfuzz.oracle.rules.alive import works
from vblkfuzz.oracle.rules.operational import must_serve
from vblkfuzz.process.guest import REST
from vblkfuzz.scenario.alphabet.ops import CODES
from vblkfuzz.targets.proven import is_proven, queues_in_use
from vblkfuzz.trace.kinds import STATUS_READ
from vblkfuzz.trace.probe import PROBE, probe_of
from vblkfuzz.trace.witness import Witness
from vblkfuzz.virtio.layout import STATUS_DRIVER_OK, STATUS_NEEDS_RESET

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vblkfuzz.process.guest_process import GuestProcess
    from vblkfuzz.scenario.device import DeviceConfig
    from vblkfuzz.targets.dequeue import Dequeue
    from vblkfuzz.targets.hold import Hold
    from vblkfuzz.targets.queue_counts import QueueCounts
    from vblkfuzz.targets.recorder import Recorder
    from vblkfuzz.trace.event import Event

_INIT, _REQUEST, _COLLECT = CODES["init"], CODES["publish_kick"], CODES["collect"]
_WORKS: Final = STATUS_DRIVER_OK | STATUS_NEEDS_RESET
"""Bits of the status that tell a device that works, by DRIVER_OK alone."""


class Probed(Protocol):
    """What the probe needs of a `targets.real.Rig`."""

    def witnesses(self, config: DeviceConfig) -> Witness:
        """What can be observed in a scenario on such a device."""

    @property
    def guest_runs(self) -> bool:
        """Whether the guest may run now."""

    def settle(self, recorder: Recorder) -> None:
        """Wait until the device is idle, and record what it does until then."""

    def queue_counts(self, queues: int) -> Sequence[QueueCounts]:
        """Return what the device itself counts of its first `queues` queues; none: unknown."""

    def dequeues(self) -> Sequence[Dequeue | Hold]:
        """Return the dequeues that the exact witness observed since the last call."""


def probe(
    rig: Probed,
    guest: GuestProcess,
    hear: Callable[[Recorder], None],
    recorder: Recorder,
    config: DeviceConfig,
) -> bool:
    """Probe a device that is at rest, and record that; return whether it works.

    Nothing is probed where it is not known when a device is at rest, if the guest cannot run, or if
    the scenario itself has shown that the device works (`targets.proven`).

    Args:
        rig: the device.
        guest: the guest process.
        hear: waits for the answer of the guest process, and records it.
        recorder: records the scenario.
        config: the device of the scenario.

    Raises:
        DeviceLost: the device process has ended or does not answer.
    """
    if Witness.PROBE not in rig.witnesses(config) or not rig.guest_runs:
        return True
    if is_proven(recorder.events, config.queues):
        return True
    init = _needs_init(recorder.events, config)
    recorder.operation(0, _INIT if init else _REQUEST, epilogue=PROBE)
    for counts in rig.queue_counts(queues_in_use(recorder.events, config.queues)):
        counts.tell(recorder)
    if init:
        guest.set_up()
        hear(recorder)
        # Otherwise a dequeue of the probe's request would be placed before the reset of that init.
        recorder.look(rig.dequeues)
    guest.probe()
    hear(recorder)
    rig.settle(recorder)
    recorder.operation(1, _COLLECT, epilogue=PROBE)
    guest.begin(REST)
    hear(recorder)
    recorder.look(rig.dequeues)  # collecting is no action on the device: it stays at rest
    return works(probe_of(recorder.events))


def _needs_init(events: Sequence[Event], config: DeviceConfig) -> bool:
    """Whether the device does not serve, by the trace or the status that the guest read last."""
    reads = (event.value for event in reversed(events) if event.kind == STATUS_READ)
    status = next(reads, 0)
    return status & _WORKS != STATUS_DRIVER_OK or not must_serve(events, config.ioeventfd)
