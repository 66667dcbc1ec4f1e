"""One QEMU process: its command line, its connections, its end."""

from __future__ import annotations

import os
import socket
import time
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Final

from vblkfuzz.errors import DeviceLost, DeviceUnavailable
from vblkfuzz.limits import DEVICE_LIMIT_S
from vblkfuzz.process.patience import Patience
from vblkfuzz.targets.activity.silence import Silence
from vblkfuzz.targets.activity.spin import Spin, SpinWatch
from vblkfuzz.targets.activity.stillness import SPIN_S, Stillness
from vblkfuzz.targets.child import WRAPPER, memfd
from vblkfuzz.targets.device_end import Restless
from vblkfuzz.targets.doors.image import Image
from vblkfuzz.targets.ending import ending_of, refusal_of
from vblkfuzz.targets.gated_child import GatedChild
from vblkfuzz.targets.last_words import last_line
from vblkfuzz.targets.qemu.bus import MACHINE, bus_options
from vblkfuzz.targets.qemu.disks import DISK_NODES
from vblkfuzz.targets.qemu.gated import LogDoor, QemuGate, log_options
from vblkfuzz.targets.qemu.hotplug import argument
from vblkfuzz.targets.qemu.iothreads import ACTORS, actor_of, iothread_options
from vblkfuzz.targets.qemu.queue_numbers import number_on_device, queues_of
from vblkfuzz.targets.qemu.trace_log import EVENTS, SUPPORTED, TraceLog
from vblkfuzz.targets.qmp import Qmp
from vblkfuzz.trace.event import ActorId

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vblkfuzz.targets.begun import Begun
    from vblkfuzz.targets.coverage.coverage import Coverage
    from vblkfuzz.targets.dequeue import Dequeue
    from vblkfuzz.targets.device_end import Ending
    from vblkfuzz.targets.hold import Hold
    from vblkfuzz.targets.qemu.disks import Disks
    from vblkfuzz.targets.qemu.variant import Variant

RAM_BYTES: Final = 16 << 20
_CONFIG_NOTIFIER_SINCE: Final = 8
"""Version of QEMU from which on the configuration has a guest notifier, as each queue has."""
_START_FAILED: Final = b"virtio_bus_start_ioeventfd: failed"
_BIOS_BYTES: Final = 1 << 16
_HALT: Final = bytes.fromhex("faf4ebfd")
"""cli; hlt; jmp hlt: the vCPU of a running VM sleeps."""
_RESET_VECTOR: Final = 0xFFF0
_GEOMETRY: Final = "cyls=1,heads=16,secs=63"
_SOON_S: Final = 0.001
"""Seconds for a main loop to fall asleep before it is probed: most requests are done by then."""
_SERIAL_SOON_S: Final = 0.1
"""The same of a main loop behind a gate, which takes longer."""
_NAP_LOOK_S: Final = 0.002
"""Seconds between two looks at a thread that sleeps for a time of its own."""
_BRIEF_S: Final = 0.02
"""Seconds for a main loop to fall asleep before its CPU time is checked."""


class QemuProcess:
    """A running QEMU."""

    qmp: Qmp

    def __init__(  # noqa: PLR0913  # what it consists of
        self,
        binary: str,
        variant: Variant,
        ram: int,
        spins: set[Spin],
        disks: Disks,
        coverage: Coverage,
        *,
        waits: bool = False,
    ) -> None:
        """Start it; call `connect` next.

        Args:
            binary: path of qemu-system-x86_64.
            variant: settings of the device.
            ram: memfd of guest memory; stays open.
            spins: as `known` of `SpinWatch`.
            disks: its disks, which it closes in the end.
            coverage: where it is noted what it reaches of its code.
            waits: it waits for the state of a process that was saved; else it begins with a reset.

        Raises:
            DeviceUnavailable: the binary cannot be executed.
        """
        self.variant = variant
        self._binary, self._ram, self._spins, self._coverage = binary, ram, spins, coverage
        self.disks = disks
        self.image = Image()
        """For block jobs."""
        self._log = TraceLog(partial(actor_of, variant.iothreads), variant.kind)
        self._qtest, qtest = socket.socketpair()
        self._control, qmp = socket.socketpair()
        bios = _bios()
        door = LogDoor() if variant.serial else None
        log = door.null if door else self._log.fd
        fds = [ram, bios, log, qtest.fileno(), qmp.fileno()]
        try:
            command = _command(binary, variant, fds, disks, waits=waits)
            inherited = [*fds, self.image.fd, *disks.fds]
            self._child = GatedChild[QemuGate](command, inherited, coverage, door, self._log.feed)
        finally:
            qtest.close()
            qmp.close()
            os.close(bios)
        disks.inherited()
        self._pids = self._child.pid, *disks.pids
        self._still = Stillness(*self._pids, held=self._child.held)
        self._spin = SpinWatch(self._still, spins, gated=variant.serial)
        self.refused = False
        """It has refused to load the state that it, or the process before it, has saved."""
        self._questions: Begun[None] | None = None
        """Questions to a main loop that has not answered them yet."""

    def connect(self) -> None:
        """Connect to its QMP, and learn its threads.

        Raises:
            DeviceLost: it does not answer.
        """
        self.qmp = Qmp(self._control, self._still)
        version = self.qmp.execute("query-version")["qemu"]
        first = number_on_device(self.variant.kind, 0)
        notifiers = queues_of(self.variant.kind) + (version["major"] >= _CONFIG_NOTIFIER_SINCE)
        self.opened_first = notifiers + first
        """Files that a start of the device opens before the ioeventfd of its first queue."""
        threads = self.qmp.execute("query-iothreads")
        self._actors = {self._child.pid: ActorId.MAIN}
        self._actors |= {thread["thread-id"]: ACTORS[thread["id"]] for thread in threads}
        self._child.watch(partial(QemuGate, qmp=self.qmp, pids=self._pids))
        if self.gated is not None:
            self.gated.begin()

    @property
    def gated(self) -> QemuGate | None:
        """Its gate, once it is connected; None: it runs as it likes."""
        return self._child.gated

    def check_start(self) -> None:
        """Connect to a QEMU that has not run before.

        Raises:
            DeviceUnavailable: it does not start; the message has its last line of standard error.
        """
        try:
            self.connect()
        except DeviceLost as lost:
            reason = self._child.words() if self._child.exit_code(1.0) is not None else str(lost)
            self.end()
            raise DeviceUnavailable(f"QEMU does not start: {last_line(reason)}") from None
        if self._child.is_wrapper:
            self.end()
            raise DeviceUnavailable(f"{self._child.command}: {WRAPPER}")

    def successor(self, used: Sequence[int]) -> QemuProcess:
        """End this process; return one that waits for its state, on the same memory and disks.

        Args:
            used: the disk that each unit uses, an index into `DISK_NODES`. It is the first one of
                the new process: QEMU 10.0 leaves the other inactive if the unit uses the second.
        """
        disks = self.disks.successor(used)
        self.end()
        setup = (self._binary, self.variant, self._ram, self._spins, disks, self._coverage)
        return QemuProcess(*setup, waits=True)

    @property
    def connections(self) -> Sequence[int]:
        """The guest's end of qtest."""
        return (self._qtest.fileno(),)

    def settle(self, *, blocked: bool = False) -> bool:
        """Wait until QEMU is at rest; return whether the main loop sleeps, too.

        Within an operation, await `rests`.

        A main loop may spin for ever without doing anything (QEMU up to 8.0 does so while a kick
        is pending in a drained section). Then it is sufficient that no other thread has run while
        the main loop answered twice: by then it has handled everything that was ready, and handed
        nothing to other threads.

        Args:
            blocked: the main loop may wait for a held request, and answers nothing then.

        Raises:
            Restless: an IOThread does not come to rest.
            DeviceLost: it has ended, or does not answer.
        """
        if self._falls_asleep():
            return True
        if blocked:
            return self._outlast_if_it_answers()
        return self.qmp.run(self._outlast_main_loop())

    def outlasts_a_nap(self) -> bool:
        """Wait for a thread that sleeps for a time of its own; return whether there was one.

        The main loop may wait for it: a refused `device_add` does (drain_call_rcu).
        """
        patience = Patience(DEVICE_LIMIT_S)
        napped = False
        while self._still.naps() and not patience.over:
            napped = True
            time.sleep(_NAP_LOOK_S)
        return napped

    def _outlast_if_it_answers(self) -> bool:
        """As `_outlast_main_loop`, but the main loop may also spin without an answer."""
        patience = Patience(DEVICE_LIMIT_S)
        first, end = self._still.look(), self._still.main_seconds() + SPIN_S
        while True:
            before = self._still.look()
            if self._answers_twice() and self._still.only_main_ran(before):
                return False
            if self._still.wait(0):
                return True
            self._still.lives.check()
            if self._still.main_seconds() > end and self._still.only_main_ran(first):
                return False
            if patience.over:
                if self._spin.others_spin():
                    raise Restless
                return False

    def _answers_twice(self) -> bool:
        """Whether it answers two questions soon; those without an answer stay open."""
        fresh = self._questions is None
        questions = self._questions or self.qmp.begin(self._ask_twice())
        self._questions = None if self.qmp.finished(questions, _BRIEF_S) else questions
        return fresh and self._questions is None

    async def _ask_twice(self) -> None:
        for _ in range(2):
            await self.qmp.call("query-status")

    async def rests(self) -> bool:
        """As `settle`, for an operation."""
        return self._falls_asleep() or await self._outlast_main_loop()

    def _falls_asleep(self) -> bool:
        # The questions to a main loop that does not sleep are points of its thread, too.
        soon_s = _SERIAL_SOON_S if self.variant.serial else _SOON_S
        asleep = self._still.wait(DEVICE_LIMIT_S if self.variant.iothreads else soon_s)
        if not asleep:
            self._still.lives.check()
        return asleep

    async def _outlast_main_loop(self) -> bool:
        patience = Patience(DEVICE_LIMIT_S)
        while not await self._only_main_runs():
            if self._still.wait(0):
                return True
            if patience.over and self._spin.others_spin():
                raise Restless
        return False

    def spins(self, *, drained: bool) -> bool:
        """Whether the main loop, which did not sleep when QEMU was at rest, spins (L6)."""
        return self._spin.spins(drained=drained)

    async def _only_main_runs(self) -> bool:
        before = self._still.look()
        await self._ask_twice()
        return self._still.only_main_ran(before)

    def check_rest(self) -> None:
        """Check that the main loop comes to rest.

        Raises:
            Restless: it spins.
            DeviceLost: it has ended.
        """
        limit = self._still.main_seconds() + SPIN_S
        while not self._still.wait(_BRIEF_S):
            self._still.lives.check()
            if self._still.main_seconds() > limit:
                raise Restless

    def sleeps_with(self, other: int) -> bool:
        """Whether it and the process `other` fall asleep, so that neither waits for the other."""
        with closing(Stillness(self._child.pid, *self.disks.pids, other)) as all_of_them:
            return all_of_them.wait(_BRIEF_S)

    def answers(self, guest: int, comes: Callable[[float], bool]) -> bool:
        """Wait until it answers the process `guest` (`Silence.outlast`)."""
        with closing(Stillness(self._child.pid, *self.disks.pids, guest)) as all_of_them:
            return Silence(all_of_them).outlast(comes)

    def dequeues(self) -> Sequence[Dequeue | Hold]:
        """Return the dequeues, and what the schedule did, in the trace log since the last call."""
        return self._log.dequeues(self._actors)

    @property
    def witness(self) -> str:
        """What is known of the witness of dequeues, for people."""
        line = f"the last one is {self._log.last!r}" if self._log.last else "there is none"
        return f"they are lines of QEMU's trace log, known of QEMU {SUPPORTED}; {line}"

    def failed_starts(self) -> int:
        """Return how many starts of the device have failed so far."""
        return self._child.said(_START_FAILED)

    def limit_files(self, more: int | None) -> None:
        """Let it open so many files from now on; None: as many as when it was started."""
        self._child.limit_files(more)

    def end(self) -> None:
        """Kill it and free everything."""
        self._child.end()
        if hasattr(self, "qmp"):  # else it has never answered
            self.qmp.close()
        self._still.close()
        self._qtest.close()
        self._log.close()
        self.disks.close()
        self.image.free()

    # --- Its end ------------------------------------------------------------------------------

    def ending(self, *, guest_waits: bool, explain: bool) -> Ending | None:
        """Return how it ended, or that it hangs; None if it was killed.

        Raises:
            HarnessError: its gate has failed.
        """
        self._child.check_gate()
        if self.refused and self._child.exit_code() is None:
            return refusal_of(self._child)
        dies = self.qmp.is_cut
        return ending_of(self._child, guest_waits=guest_waits, dies=dies, explain=explain)


def _bios() -> int:
    """Return a memfd with a BIOS that halts."""
    image = bytearray(_BIOS_BYTES)
    image[_RESET_VECTOR : _RESET_VECTOR + len(_HALT)] = _HALT
    fd = memfd("bios")
    os.write(fd, image)
    return fd


def _command(
    binary: str, variant: Variant, fds: Sequence[int], disks: Disks, *, waits: bool
) -> list[str]:
    """Return the command line; every file is one of `fds` or of the disks."""
    ram, bios, log, qtest, qmp = fds
    options = [
        "-nodefaults -no-user-config -display none -accel tcg -msg timestamp=on"
        " -name vblkfuzz,debug-threads=on",
        f"-M {MACHINE[variant.bus]},memory-backend=m0 -m {RAM_BYTES >> 20}M -bios {_fd(bios)}",
        f"-object memory-backend-file,id=m0,size={RAM_BYTES},mem-path={_fd(ram)},share=on",
        # qtest requires a character device with this name.
        f"-chardev socket,id=qtest,fd={qtest} -qtest chardev:qtest -qtest-log none",
        f"-chardev socket,id=qmp,fd={qmp} -mon chardev=qmp,mode=control",
        log_options(log) if variant.serial else f"-D {_fd(log)}",
        *(f"-trace {event}" for event in EVENTS),
        # One worker thread each: requests end in the order in which they were submitted.
        *iothread_options(max(variant.iothreads, 1)),
        "-object main-loop,id=main-loop,thread-pool-max=1",
        *disks.arguments(),
        *(["-incoming defer"] if waits else []),
        *bus_options(variant),
        argument(variant, DISK_NODES[: 2 * variant.units : 2]),
    ]
    return [binary, *" ".join(options).split()]


def _fd(number: int) -> str:
    return f"/proc/self/fd/{number}"
