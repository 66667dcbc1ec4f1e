"""The rig of target `vhost-user-frontend`: a QEMU process, and the back-end that serves it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.binary import version_of
from vblkfuzz.targets.child import memfd
from vblkfuzz.targets.coverage.coverage import Coverage
from vblkfuzz.targets.qemu.binary import find_qemu
from vblkfuzz.targets.qemu.pci_port import PciPort
from vblkfuzz.targets.qemu.process import RAM_BYTES, QemuProcess
from vblkfuzz.targets.qemu.variant import Variant
from vblkfuzz.targets.vhost_user_frontend.chardev import CHARDEV, FrontendChardev
from vblkfuzz.targets.vhost_user_frontend.disk import Form
from vblkfuzz.targets.vhost_user_frontend.machine import MACHINES, Machine
from vblkfuzz.targets.vhost_user_frontend.operator import Operator
from vblkfuzz.targets.vhost_user_frontend.process import BackendProcess
from vblkfuzz.targets.vhost_user_frontend.server import Order
from vblkfuzz.trace.kinds import HANG
from vblkfuzz.trace.witness import Witness

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vblkfuzz.scenario.device import DeviceConfig
    from vblkfuzz.scenario.op import Op
    from vblkfuzz.targets.activity.spin import Spin
    from vblkfuzz.targets.dequeue import Dequeue
    from vblkfuzz.targets.device_end import Ending
    from vblkfuzz.targets.handover import Handover
    from vblkfuzz.targets.options import TargetOptions
    from vblkfuzz.targets.queue_counts import QueueCounts
    from vblkfuzz.targets.recorder import Recorder
    from vblkfuzz.virtio.memory import GuestMemory

_WITNESSES: Final = ~(Witness.DEVICE | Witness.CONTROL)


class FrontendRig:
    """Satisfies `targets.real.Rig`.

    Keeps a QEMU for each machine that was needed, all on the same guest memory, as `QemuRig` does.
    """

    resets_at_end = True
    keeps_guest_waiting = False
    witness = "the back-end tells them itself"
    no_gate = "schedules do not interrupt the front-end: its back-end has no gate"
    gated = None

    def __init__(self, options: TargetOptions) -> None:
        self._options = options
        self.coverage = Coverage()
        """What the processes reach of their code."""
        self._binary = ""
        self._ram = -1
        self._port: PciPort
        self._backend = BackendProcess()
        self._machines: dict[Machine, Operator] = {}
        self._machine: Operator
        """Machine of the current scenario."""
        self._spins: set[Spin] = set()
        self._explained = False
        """A hang has been reported with a backtrace; later ones get none, which is faster."""
        self.processes = 0
        """Processes started so far."""
        self._handed: QemuProcess | None = None
        """The one whose connections the guest process has."""

    @property
    def versions(self) -> dict[str, str]:
        """Version of the program that was started; findings record it."""
        version = version_of(self._binary) if self._binary else ""
        return {"qemu-system-x86_64": version} if version else {}

    def most_iothreads(self, kind: str) -> int:
        """Return 1: QEMU has none for the device, so more have no effect (`targets.as_run`)."""
        return 1

    def witnesses(self, config: DeviceConfig) -> Witness:
        """All witnesses but those inside the device."""
        return _WITNESSES

    @property
    def memory(self) -> GuestMemory:
        """Guest memory, shared by all processes."""
        return self._port.memory

    def port(self) -> PciPort:
        """The guest's access to the device; the guest process inherits it."""
        return self._port

    def start(self) -> None:
        """Find the binary, create guest memory, start back-end and a first QEMU."""
        self._binary = find_qemu(self._options.qemu_binary)
        self._ram = memfd("ram", RAM_BYTES)
        self._port = PciPort(self._ram)
        self._backend.start()
        self._machine = self._machine_of(Scenario().device)

    def stop(self) -> None:
        """End all processes; free guest memory."""
        self._handed = None
        self._end_all()
        self.coverage.close()
        self._backend.stop()
        if self._ram >= 0:
            os.close(self._ram)
            self._ram = -1
            self._port.close()

    def power_on(self, scenario: Scenario) -> Sequence[int]:
        """Begin a scenario; on a new process if the last one is not as new."""
        if not self._backend.lives:
            self._end_all()
            self._backend.stop()
            self._backend.start()
        self._machine = machine = self._machine_of(scenario.device)
        machine.begin()
        if machine.qemu is self._handed:
            return ()
        self._handed = machine.qemu
        return machine.qemu.connections

    def _machine_of(self, config: DeviceConfig) -> Operator:
        form = Form(config.disk_sectors, config.read_only)
        wanted = Machine(form, packed=config.ring == "packed")
        machine = self._machines.get(wanted)
        if machine is not None and machine.is_as_new:
            return machine
        if machine is not None:
            self._end(machine)
        self._machines[wanted] = machine = self._new_machine(wanted)
        return machine

    def _new_machine(self, wanted: Machine) -> Operator:
        """Start a process, whose device greets the back-end.

        Raises:
            DeviceUnavailable: it does not start.
        """
        number = MACHINES.index(wanted)
        self._backend.order(Order.START, number)  # its disk may have another capacity
        chardev = FrontendChardev(self._backend)
        with chardev.endpoint.connect() as line:
            self._backend.order(Order.ADOPT, number, fds=(line.fileno(),))
        variant = Variant(iothreads=0, ioeventfd=True, packed=wanted.packed, chardev=CHARDEV)
        qemu = QemuProcess(self._binary, variant, self._ram, self._spins, chardev, self.coverage)
        qemu.check_start()
        self.processes += 1
        return Operator(number, qemu, chardev, self._backend)

    def _end_all(self) -> None:
        for machine in list(self._machines.values()):
            self._end(machine)

    def _end(self, machine: Operator) -> None:
        wanted = MACHINES[machine.number]
        if self._machines.get(wanted) is machine:
            del self._machines[wanted]
            machine.end()

    # --- One scenario -------------------------------------------------------------------------

    def perform(self, operation: Op, recorder: Recorder) -> Handover | None:
        """Carry out an operation of operator or back-end."""
        self._machine.perform(operation, recorder)
        return None

    def unfinished(self) -> Op | None:
        """The next operation towards rest; None: there already."""
        return self._machine.unfinished()

    @property
    def guest_runs(self) -> bool:
        """Whether the VM runs."""
        return self._machine.vm_running

    def holds_up(self, guest: int) -> bool:
        """False: a late answer comes once the guest needs it (`answers`)."""
        return False

    def settle(self, recorder: Recorder) -> None:
        """Wait until front-end and back-end are at rest."""
        self._machine.settle(recorder)

    def check_rest(self, recorder: Recorder) -> None:
        """Check that the main loop comes to rest."""
        self._machine.qemu.check_rest()
        self._machine.doubt()

    def queue_counts(self, queues: int) -> Sequence[QueueCounts]:
        """None: while a back-end has the rings, QEMU's own counts stand still."""
        return ()

    def answers(self, guest: int, comes: Callable[[float], bool]) -> bool:
        """Wait until QEMU answers the guest; return whether it does."""
        machine = self._machine

        def comes_after_late(patience_s: float) -> bool:
            machine.answer_late()
            return comes(patience_s)

        return machine.qemu.answers(guest, comes_after_late)

    def dequeues(self) -> Sequence[Dequeue]:
        """Return the dequeues since the last call."""
        return self._machine.dequeues()

    def discard(self) -> None:
        """End the process of this scenario, and with it the connections of the guest process."""
        self._handed = None
        self._end(self._machine)

    def ending(self, *, guest_waits: bool) -> Ending | None:
        """Return how the process ended, or that it hangs; None if it was killed."""
        explain = not self._explained
        self._machine.doubt()
        ending = self._machine.qemu.ending(guest_waits=guest_waits, explain=explain)
        self._explained |= ending is not None and ending.kind == HANG
        return ending
