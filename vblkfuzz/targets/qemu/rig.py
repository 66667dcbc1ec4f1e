"""The rig of target `qemu`: chooses the QEMU process of a scenario and operates it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.targets.child import memfd
from vblkfuzz.targets.handover import Handover
from vblkfuzz.targets.qemu.binary import find_qemu
from vblkfuzz.targets.qemu.operator import Operator
from vblkfuzz.targets.qemu.pci_port import PciPort
from vblkfuzz.targets.qemu.process import RAM_BYTES, QemuProcess, Variant
from vblkfuzz.targets.qemu.queue_status import queue_counts
from vblkfuzz.trace.witness import Witness

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vblkfuzz.scenario.op import Op
    from vblkfuzz.targets.device_end import Ending
    from vblkfuzz.targets.options import TargetOptions
    from vblkfuzz.targets.queue_counts import QueueCounts
    from vblkfuzz.targets.recorder import Dequeue, Recorder
    from vblkfuzz.virtio.memory import GuestMemory

_WITNESSES: Final = ~Witness.DEVICE


class QemuRig:
    """Satisfies `targets.real.Rig`.

    Keeps a QEMU process for each variant of the device, all on the same guest memory. That is safe,
    since only the process of the current scenario has a device that is set up: `PciPort.power_off`
    resets it at the end.
    """

    resets_at_end = True

    def __init__(self, options: TargetOptions) -> None:
        self._options = options
        self._binary = ""
        self._ram = -1
        self._port: PciPort
        self._machines: dict[Variant, Operator] = {}
        self._machine: Operator
        """Machine of the current scenario."""
        self._spins: set[bool] = set()
        """States in which this QEMU is known to spin (`targets.spin`)."""
        self._counts = True
        """Whether this QEMU can tell what it counts of its queues, as far as is known."""
        self._ended = 0
        """Processes of machines that were ended."""
        self._handed: QemuProcess | None = None
        """The one whose connections the guest process has."""

    def witnesses(self, config: DeviceConfig) -> Witness:
        """All witnesses but those inside the device."""
        return _WITNESSES

    @property
    def processes(self) -> int:
        """Processes started so far."""
        return self._ended + sum(machine.processes for machine in self._machines.values())

    @property
    def memory(self) -> GuestMemory:
        """Guest memory, shared by all processes."""
        return self._port.memory

    def port(self) -> PciPort:
        """The guest's access to the device; the guest process inherits it."""
        return self._port

    @property
    def machine(self) -> Operator:
        """The machine of the last scenario."""
        return self._machine

    def start(self) -> None:
        """Find the binary, create guest memory, start a first process."""
        self._binary = find_qemu(self._options.qemu_binary)
        self._ram = memfd("ram", RAM_BYTES)
        self._port = PciPort(self._ram)
        self._machine = self._machine_of(self._variant(DeviceConfig()))

    def stop(self) -> None:
        """End all processes; free guest memory."""
        self._handed = None
        while self._machines:
            self._machines.popitem()[1].end()
        if self._ram >= 0:
            os.close(self._ram)
            self._ram = -1
            self._port.close()

    def power_on(self, config: DeviceConfig) -> Sequence[int]:
        """Begin a scenario; on a new process if the last one is not as new."""
        self._machine = machine = self._machine_of(self._variant(config))
        machine.make_ready(config.disk_sectors, polling=config.polling)
        return self._connections()

    def _connections(self) -> Sequence[int]:
        """Return the connections of the machine's process; none if the guest process has them."""
        qemu = self._machine.qemu
        if qemu is self._handed:
            return ()
        self._handed = qemu
        return qemu.connections

    def _variant(self, config: DeviceConfig) -> Variant:
        wanted = config.iothreads > 0 if self._options.iothread is None else self._options.iothread
        # QEMU refuses an IOThread without ioeventfd.
        return Variant(wanted and config.ioeventfd, config.ioeventfd, config.read_only)

    def _machine_of(self, variant: Variant) -> Operator:
        machine = self._machines.get(variant)
        if machine is not None and not machine.is_as_new:
            self._end(machine)
            machine = None
        if machine is None:
            qemu = QemuProcess(self._binary, variant, self._ram, self._spins)
            qemu.check_start()
            machine = Operator(qemu)
            self._machines[variant] = machine
        return machine

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
        """The next operation towards a running VM without drained section; None: there already."""
        return self._machine.unfinished()

    @property
    def guest_runs(self) -> bool:
        """Whether the VM runs: the vCPUs of a stopped VM do not."""
        return self._machine.vm_running

    @property
    def keeps_guest_waiting(self) -> bool:
        """Never: the main loop keeps running in every section."""
        return False

    def settle(self, recorder: Recorder) -> None:
        """Wait until the device is idle.

        If all requests are used, a look suffices, unless the device is about to read its queues.
        """
        looks = self._machine.in_section or recorder.starts_handlers
        if recorder.idle and not looks:
            recorder.look(self._machine.qemu.dequeues)
        else:
            self._machine.settle(recorder)

    def check_rest(self, recorder: Recorder) -> None:
        """Check that the main loop comes to rest."""
        self._machine.qemu.check_rest()

    def queue_counts(self, queues: int) -> Sequence[QueueCounts]:
        """Return what QEMU counts of its queues; none if it does not say it (7.1)."""
        found = queue_counts(self._machine.qemu.qmp, queues) if self._counts else ()
        self._counts = bool(found)
        return found

    def sleeps(self) -> bool:
        """Whether no thread of QEMU runs."""
        return self._machine.qemu.sleeps()

    def dequeues(self) -> Sequence[Dequeue]:
        """Return the dequeues in QEMU's trace log since the last call."""
        return self._machine.qemu.dequeues()

    @property
    def witness(self) -> str:
        """What is known of the witness of dequeues."""
        return self._machine.qemu.witness

    def discard(self) -> None:
        """End the process of this scenario, and with it the connections of the guest process."""
        self._handed = None
        self._end(self._machine)

    def ending(self, *, guest_waits: bool) -> Ending | None:
        """Return how the process ended, or that it hangs; None if it was killed."""
        return self._machine.qemu.ending(guest_waits=guest_waits)
