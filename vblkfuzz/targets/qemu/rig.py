"""The rig of target `qemu`: chooses the QEMU process of a scenario and operates it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

from vblkfuzz.limits import MAX_IOTHREADS
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.binary import version_of
from vblkfuzz.targets.child import memfd
from vblkfuzz.targets.coverage.coverage import Coverage
from vblkfuzz.targets.handover import Handover
from vblkfuzz.targets.nbd.backend import NbdBackend
from vblkfuzz.targets.nbd.process import NbdProcess
from vblkfuzz.targets.nbd.server import Order
from vblkfuzz.targets.qemu.binary import find_qemu
from vblkfuzz.targets.qemu.disks import FileDisks, NbdDisks
from vblkfuzz.targets.qemu.gated import why_not_gated
from vblkfuzz.targets.qemu.iothreads import most_iothreads
from vblkfuzz.targets.qemu.mmio_port import MmioPort
from vblkfuzz.targets.qemu.operator import Operator
from vblkfuzz.targets.qemu.pci_port import PciPort
from vblkfuzz.targets.qemu.process import RAM_BYTES, QemuProcess
from vblkfuzz.targets.qemu.queue_status import queue_counts
from vblkfuzz.targets.qemu.release import has_in_order
from vblkfuzz.targets.qemu.variant import variant_of
from vblkfuzz.trace.kinds import HANG
from vblkfuzz.trace.witness import Witness

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vblkfuzz.scenario.device import DeviceConfig
    from vblkfuzz.scenario.op import Op
    from vblkfuzz.targets.activity.spin import Spin
    from vblkfuzz.targets.dequeue import Dequeue
    from vblkfuzz.targets.device_end import Ending
    from vblkfuzz.targets.hold import Hold
    from vblkfuzz.targets.options import TargetOptions
    from vblkfuzz.targets.qemu.disks import Disks
    from vblkfuzz.targets.qemu.gated import QemuGate
    from vblkfuzz.targets.qemu.variant import Variant
    from vblkfuzz.targets.queue_counts import QueueCounts
    from vblkfuzz.targets.recorder import Recorder
    from vblkfuzz.virtio.memory import GuestMemory

_WITNESSES: Final = ~(Witness.DEVICE | Witness.MESSAGES | Witness.CONTROL)
_NBD_MACHINES: Final = 12
"""Machines on NBD disks that are kept at most."""


class QemuRig:
    """Satisfies `targets.real.Rig`.

    Keeps a QEMU process for each variant of the device, all on the same guest memory. That is safe,
    since only the process of the current scenario has a device that is set up: `PciPort.power_off`
    resets it at the end.
    """

    resets_at_end = True

    def __init__(self, options: TargetOptions, *, mmio: bool = False) -> None:
        """Begin without a process; `mmio`: the device is on virtio-mmio."""
        self._options = options
        self._mmio = mmio
        self.coverage = Coverage()
        """What the processes reach of their code."""
        self._binary = self._version = ""
        self._no_gate = ""
        """Why there is no gate; empty: there is."""
        self._ram = -1
        self._port: PciPort | MmioPort
        self._nbd = NbdProcess()
        self._backend = NbdBackend(self._nbd)
        self._machines: dict[Variant, Operator] = {}
        self._machine: Operator
        """Machine of the current scenario."""
        self._spins: set[Spin] = set()
        """States in which this QEMU is known to spin (`targets.spin`)."""
        self._counts = True
        """Whether this QEMU can tell what it counts of its queues, as far as is known."""
        self._explained = False
        """A hang has been reported with a backtrace; later ones get none, which is faster."""
        self._ended = 0
        """Processes of machines that were ended."""
        self._handed: QemuProcess | None = None
        """The one whose connections the guest process has."""
        self._manages = False
        """Whether the scenario has task management, whose end no ring of requests shows."""

    @property
    def versions(self) -> dict[str, str]:
        """Version of the program that was started; findings record it."""
        version = version_of(self._binary) if self._binary else ""
        return {"qemu-system-x86_64": version} if version else {}

    def most_iothreads(self, kind: str) -> int:
        """Return how many IOThreads a kind of device can have in this QEMU; many if not started."""
        return most_iothreads(self._version, kind) if self._version else MAX_IOTHREADS

    @property
    def has_in_order(self) -> bool:
        """Whether devices of this QEMU can offer F_IN_ORDER; also if it has not started."""
        return not self._version or has_in_order(self._version)

    def witnesses(self, config: DeviceConfig) -> Witness:
        """All witnesses but those inside the device; only virtio-scsi has a control queue."""
        return _WITNESSES | Witness.CONTROL if config.kind == "scsi" else _WITNESSES

    @property
    def processes(self) -> int:
        """Processes started so far."""
        return self._ended + sum(machine.processes for machine in self._machines.values())

    @property
    def memory(self) -> GuestMemory:
        """Guest memory, shared by all processes."""
        return self._port.memory

    def port(self) -> PciPort | MmioPort:
        """The guest's access to the device; the guest process inherits it."""
        return self._port

    @property
    def machine(self) -> Operator:
        """The machine of the last scenario."""
        return self._machine

    def start(self) -> None:
        """Find the binary, create guest memory, start a first process."""
        self._binary = find_qemu(self._options.qemu_binary, mmio=self._mmio)
        self._version = version_of(self._binary)
        self._no_gate = why_not_gated(self._binary)
        self._ram = memfd("ram", RAM_BYTES)
        self._port = MmioPort(self._ram) if self._mmio else PciPort(self._ram)
        self._nbd.start()
        self._machine = self._machine_of(variant_of(Scenario(), self._options, mmio=self._mmio))

    def stop(self) -> None:
        """End all processes; free guest memory."""
        self._handed = None
        self._end_all()
        self.coverage.close()
        self._nbd.stop()
        if self._ram >= 0:
            os.close(self._ram)
            self._ram = -1
            self._port.close()

    def power_on(self, scenario: Scenario) -> Sequence[int]:
        """Begin a scenario; on a new process if the last one is not as new."""
        config = scenario.device
        if not self._nbd.lives:  # the disks of its machines are lost
            self._end_all()
            self._nbd.stop()
            self._nbd.start()
        variant = variant_of(scenario, self._options, mmio=self._mmio)
        self._manages = any(one.name == "tmf" for one in scenario.ops)
        if variant.nbd:
            self._nbd.order(Order.START)
            self._backend.note_start()
        self._machine = machine = self._machine_of(variant)
        machine.make_ready(config.disk_sectors, polling=config.polling)
        return self._connections()

    def _connections(self) -> Sequence[int]:
        """Return the connections of the machine's process; none if the guest process has them."""
        qemu = self._machine.qemu
        if qemu is self._handed:
            return ()
        self._handed = qemu
        return qemu.connections

    def _machine_of(self, variant: Variant) -> Operator:
        if self._no_gate:
            variant = variant._replace(serial=False)
        machine = self._machines.pop(variant, None)
        if machine is not None:
            self._machines[variant] = machine  # the last one: it is used now
            if machine.is_as_new:
                return machine
            self._end(machine)
        self._make_room(variant)
        machine = self._new_machine(variant)
        self._machines[variant] = machine
        return machine

    def _new_machine(self, variant: Variant) -> Operator:
        """Start a process.

        Raises:
            DeviceUnavailable: it does not start.
        """
        disks: Disks
        form: Any = {"read_only": variant.read_only, "units": variant.units}
        if variant.nbd:
            disks = NbdDisks(self._nbd, variant.nbd.sectors, **form)
        else:
            disks = FileDisks(**form)
        setup = (self._binary, variant, self._ram, self._spins, disks, self.coverage)
        qemu = QemuProcess(*setup)
        qemu.check_start()
        return Operator(qemu, self._backend if variant.nbd else None)

    def _make_room(self, variant: Variant) -> None:
        """End the NBD machine used longest ago if there are many: there are too many variants."""
        others = [machine for known, machine in self._machines.items() if known.nbd]
        if variant.nbd and len(others) >= _NBD_MACHINES:
            self._end(others[0])

    def _end_all(self) -> None:
        for machine in list(self._machines.values()):
            self._end(machine)

    def _end(self, machine: Operator) -> None:
        if self._machines.get(machine.qemu.variant) is machine:
            del self._machines[machine.qemu.variant]
            self._ended += machine.processes
            machine.end()

    # --- One scenario -------------------------------------------------------------------------

    def perform(self, operation: Op, recorder: Recorder) -> Handover | None:
        """Carry out an operation of the operator; some go on with another process."""
        self._machine.perform(operation, recorder)
        connections = self._connections()
        return Handover(connections) if connections else None

    def unfinished(self) -> Op | None:
        """The next operation towards rest; None: there already."""
        return self._machine.unfinished()

    @property
    def guest_runs(self) -> bool:
        """Whether the VM runs and is answered: not by a main loop that waits for a held request."""
        return self._machine.vm_running and not self._machine.work.waits

    @property
    def keeps_guest_waiting(self) -> bool:
        """Whether a request is held: a reset waits for it, in the main loop."""
        return self._machine.blocked

    def holds_up(self, guest: int) -> bool:
        """Whether all processes sleep at the same moment, and a request is held."""
        return self._machine.blocked and self._machine.qemu.sleeps_with(guest)

    def settle(self, recorder: Recorder) -> None:
        """Wait until the device is idle.

        If all requests are used and all handlers have ended, a look suffices, unless the device is
        about to read its queues, manages tasks, or has a backend that may hold a request of the
        operator.
        """
        machine = self._machine
        holds = self._manages or machine.qemu.variant.nbd
        looks = machine.in_section or recorder.starts_handlers or holds
        if recorder.over and not looks:
            recorder.look(self._machine.qemu.dequeues)
        else:
            self._machine.settle(recorder)

    def check_rest(self, recorder: Recorder) -> None:
        """Check that the main loop comes to rest."""
        self._machine.qemu.check_rest()

    def queue_counts(self, queues: int) -> Sequence[QueueCounts]:
        """Return what QEMU counts of its queues; none if it does not say it (7.1)."""
        qemu = self._machine.qemu
        found = queue_counts(qemu.qmp, qemu.variant, queues) if self._counts else ()
        self._counts = bool(found)
        return found

    def answers(self, guest: int, comes: Callable[[float], bool]) -> bool:
        """Wait until QEMU answers the guest; return whether it does."""
        return self._machine.qemu.answers(guest, comes)

    def dequeues(self) -> Sequence[Dequeue | Hold]:
        """Return the dequeues in QEMU's trace log since the last call."""
        return self._machine.qemu.dequeues()

    @property
    def witness(self) -> str:
        """What is known of the witness of dequeues."""
        return self._machine.qemu.witness

    @property
    def no_gate(self) -> str:
        """Why no process has a gate, in one sentence; empty: each has one that needs it."""
        return self._no_gate

    @property
    def gated(self) -> QemuGate | None:
        """The process of this scenario behind its gate; None: it has none."""
        return self._machine.qemu.gated

    def discard(self) -> None:
        """End the process of this scenario, and with it the connections of the guest process."""
        self._handed = None
        self._end(self._machine)

    def ending(self, *, guest_waits: bool) -> Ending | None:
        """Return how the process ended, or that it hangs; None if it was killed."""
        explain = not self._explained
        ending = self._machine.qemu.ending(guest_waits=guest_waits, explain=explain)
        self._explained |= ending is not None and ending.kind == HANG
        return ending
