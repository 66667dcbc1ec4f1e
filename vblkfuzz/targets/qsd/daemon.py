"""One qemu-storage-daemon: its command line, its connections, its end.

It has an export for each disk that a scenario may choose, by capacity and writable or not, so that
the next scenario only needs a new connection. Each capacity has two nodes on the same disk of the
NBD server: a mirror job goes from one to the other and back, and the content of the disk stays.
"""

from __future__ import annotations

import socket
from collections import Counter
from contextlib import ExitStack, closing
from functools import partial
from typing import TYPE_CHECKING, Final

from vblkfuzz.errors import DeviceLost, DeviceUnavailable
from vblkfuzz.gate.filter import Calls
from vblkfuzz.limits import DEVICE_LIMIT_S, DISK_SECTORS, MAX_QUEUES
from vblkfuzz.process.patience import Patience
from vblkfuzz.scenario.scenario import Role
from vblkfuzz.targets.activity.silence import ASLEEP_S, Silence
from vblkfuzz.targets.activity.spin import Spin, SpinWatch
from vblkfuzz.targets.activity.stillness import SPIN_S, Stillness
from vblkfuzz.targets.child import WRAPPER
from vblkfuzz.targets.device_end import Restless
from vblkfuzz.targets.doors.image import Image
from vblkfuzz.targets.doors.throttle import IOPS
from vblkfuzz.targets.ending import ending_of
from vblkfuzz.targets.gated import CallDoor, CallGate, CallPoints
from vblkfuzz.targets.gated_child import GatedChild
from vblkfuzz.targets.hold import Holds
from vblkfuzz.targets.iothread_polling import IOTHREAD
from vblkfuzz.targets.last_words import last_line
from vblkfuzz.targets.nbd.disk import export_name
from vblkfuzz.targets.nbd.server import Order
from vblkfuzz.targets.qmp import Qmp
from vblkfuzz.targets.qsd import exports
from vblkfuzz.targets.qsd.exports import Export
from vblkfuzz.targets.vhost.connection import Connection
from vblkfuzz.targets.vhost.endpoint import Endpoint, SocketFile
from vblkfuzz.targets.vhost.fault import BackendFault
from vblkfuzz.targets.vhost.frontend import Frontend
from vblkfuzz.virtio.vhost_user import Request

if TYPE_CHECKING:
    from collections.abc import Callable

    from vblkfuzz.targets.coverage.coverage import Coverage
    from vblkfuzz.targets.device_end import Ending
    from vblkfuzz.targets.nbd.process import NbdProcess
    from vblkfuzz.targets.qsd.variant import Variant

_SOON_S: Final = 0.0005
"""Seconds to sample the threads before the first probe: most requests are done by then, and a
sample is cheaper than a probe."""
_SERIAL_SOON_S: Final = 0.1
"""The same of a daemon behind a gate, which takes longer."""
_SPINS_S: Final = 0.005
"""Seconds of CPU time of its main thread in which such a daemon has done all, unless it spins."""
_POINTS: Final = CallPoints(
    Calls.READS | Calls.OWN_WRITES | Calls.WAITS, (Role.MAIN, None, Role.MONITOR, Role.IO0)
)
"""The second thread is that of RCU, in 7.2 to 11.1, with an IOThread for the exports or not."""
_BRIEF_S: Final = 0.004
"""Seconds for a daemon to fall asleep before its main loop is examined."""
_ROUND_TRIPS: Final = 4
"""Round trips after which a thread has handled everything that was ready before. A coroutine reads
a message for the device, which takes more than one turn of the event loop."""
_LOOKS: Final = 3
"""Number of samples that must show a spinning main loop before it is reported as one."""
_LIMITS: Final = "limits"
_PROBE: Final = "probe"
"""Exports that only the harness uses, to query a thread: the main loop, and with the suffix `-io`
the IOThread."""


def node_name(sectors: int, side: int) -> str:
    """Return the name of a node of an export; `side` is 0 or 1."""
    return f"disk{sectors}-{side}"


def node_options(node: str, *, limits: bool) -> dict[str, object]:
    """Return the options of a node of an export, with limits of I/O or without."""
    return {"driver": "raw", "node-name": node, "file": f"{node}-{'throttle' if limits else 'nbd'}"}


class Daemon:
    """A running qemu-storage-daemon."""

    def __init__(
        self,
        binary: str,
        nbd: NbdProcess,
        variant: Variant,
        spins: set[Spin],
        coverage: Coverage,
    ) -> None:
        """Start it; `spins` is as `known` of `SpinWatch`, what it reaches is noted in `coverage`.

        Raises:
            DeviceUnavailable: it does not start; the message has its last line of standard error.
        """
        self.variant = variant
        self._nbd = nbd
        self._owed: Counter[Connection] = Counter()
        """Answers of each probe that have not come yet."""
        first = {export: Endpoint() for export in _EXPORTS}
        self._endpoints: dict[Export, SocketFile] = {**first}
        self.image = Image()
        """For block jobs."""
        self.holds = Holds()
        """What the schedule did to its threads."""
        near, far = socket.socketpair()
        with ExitStack() as stack:
            stack.enter_context(far)
            disks = [stack.enter_context(nbd.connect()).fileno() for _ in _NODES]
            probes = [Endpoint() for _ in range(2 if variant.iothread else 1)]
            endpoints = [*first.values(), *probes]
            listeners = [endpoint.listener.fileno() for endpoint in endpoints]
            command = _command(far.fileno(), disks, listeners, variant)
            fds = [self.image.fd, far.fileno(), *disks, *listeners]
            door = CallDoor(_POINTS) if variant.serial else None
            self._child = GatedChild[CallGate](
                [binary, *command], fds, coverage, door, self.holds.feed
            )
        for endpoint in endpoints:
            endpoint.hand_over()
        self._still = Stillness(self._child.pid, nbd.pid, held=self._child.held)
        self._spin = SpinWatch(self._still, spins, gated=variant.serial)
        try:
            self._connect(near, probes)
        finally:
            for probe in probes:
                probe.close()

    def _connect(self, control: socket.socket, probes: list[Endpoint]) -> None:
        try:
            self.qmp = Qmp(control, self._still)
            self._probes = [Frontend(Connection(probe.connect())) for probe in probes]
            for probe in self._probes:
                probe.greet()
        except (DeviceLost, BackendFault) as lost:
            reason = self._child.words() if self._child.exit_code(1.0) is not None else str(lost)
            self._child.end()
            self._close()
            raise DeviceUnavailable(
                f"qemu-storage-daemon does not start: {last_line(reason)}"
            ) from None
        if self._child.is_wrapper:
            self.end()
            raise DeviceUnavailable(f"{self._child.command}: {WRAPPER}")
        self._child.watch(partial(CallGate, pids=(self._child.pid, self._nbd.pid)))

    def connect(self, export: Export) -> socket.socket:
        """Return a new connection to an export."""
        return self._endpoints[export].connect()

    async def add_export(self, export: Export, side: int) -> None:
        """Make an export that was deleted, on one of its nodes; for an operator's work (`qmp`)."""
        node = node_name(export.sectors, side)
        found = await exports.add(self.qmp, export, node, self.variant)
        self._endpoints[export].close()
        self._endpoints[export] = found

    def rest(self) -> bool:
        """Wait until neither daemon nor NBD server has anything to do; False: the main loop runs.

        A main loop may spin for ever without doing anything (QEMU up to 8.0 does so while a kick
        is pending in a drained section). Then it is sufficient that no other thread has run while
        the main loop answered several times.

        Raises:
            ActorDied: the NBD server has ended.
            DeviceLost: the daemon has ended.
            Restless: the daemon does not come to rest.
        """
        if self._falls_asleep():
            return True
        if self._child.held():
            return self._outlast_main_loop()
        try:
            return self._come_to_rest()
        except DeviceLost:
            # From QEMU 10.0 on, a mirror job begins by draining all nodes (bdrv_drain_all_begin),
            # those of the probes as well: with a held request these answer after its release.
            if not (self.answers() and self._nbd.counters.held):
                raise
        return True

    def _falls_asleep(self) -> bool:
        """Whether all threads sleep soon.

        Behind a gate the questions to a thread that does not sleep would be points of it, too. So
        it gets more time, unless its main loop spins.
        """
        if self.gated is None:
            return self._still.wait(_SOON_S)
        patience, end = Patience(_SERIAL_SOON_S), self._still.main_seconds() + _SPINS_S
        while not self._still.wait(_SOON_S):
            self._still.lives.check()
            if patience.over or self._still.main_seconds() > end:
                self.gated.share_no_core()
                return False
        return True

    def _outlast_main_loop(self) -> bool:
        """As `rest` while a schedule holds a thread, which answers no probe."""
        patience, spent = Patience(DEVICE_LIMIT_S), self._still.main_seconds()
        while not self._still.wait(_BRIEF_S):
            self._still.lives.check()
            if self._still.main_seconds() > spent + SPIN_S:
                return False
            if patience.over and self._spin.others_spin():
                raise Restless
        return True

    def spins(self, *, drained: bool) -> bool:
        """Whether the main loop, which did not sleep when the daemon was at rest, spins (L6)."""
        return self._spin.spins(drained=drained)

    def _come_to_rest(self) -> bool:
        patience = Patience(DEVICE_LIMIT_S)
        while True:
            # This process sleeps during a probe, and leaves the core to the daemon.
            self._ask(*self._probes, times=_ROUND_TRIPS)
            self._nbd.order(Order.SYNC)
            if self._still.wait(_BRIEF_S):
                return True
            if not self.answers():
                raise DeviceLost("the daemon has ended")
            if self._main_loop_spins():
                return False
            if patience.over and self._spin.others_spin():
                raise Restless

    def check_threads(self) -> None:
        """Check that its threads answer: otherwise a stuck thread cannot be told from an idle one.

        Raises:
            DeviceLost: a thread is stuck, or the daemon has ended.
        """
        self._ask(*self._probes, times=1)

    def answers_guest(self, guest: int, comes: Callable[[float], bool]) -> bool:
        """Wait until it answers the process `guest` (`Silence.outlast`)."""
        with closing(Stillness(self._child.pid, self._nbd.pid, guest)) as all_of_them:
            return Silence(all_of_them).outlast(comes)

    def _main_loop_spins(self) -> bool:
        """Whether the main loop spins, and no other thread runs while it is probed."""
        for _ in range(_LOOKS):
            for probe in self._probes[1:]:
                self._ask(probe, times=_ROUND_TRIPS)
            before = self._still.look()
            self._ask(self._probes[0], times=_ROUND_TRIPS)
            if not self._still.only_main_ran(before):
                return False
        return True

    def _ask(self, *probes: Frontend, times: int) -> None:
        """Make the threads of some probes answer `times` messages, all at the same time."""
        try:
            for _ in range(times):
                for probe in probes:
                    probe.connection.ask_later()
                    self._owed[probe.connection] += 1
                for probe in probes:
                    while self._owed[probe.connection]:
                        self._await_answer(probe.connection)
                        self._owed[probe.connection] -= 1
        except BackendFault as fault:
            raise DeviceLost(f"the daemon does not answer: {fault}") from None

    def _await_answer(self, line: Connection) -> None:
        if not (line.readable(ASLEEP_S) or Silence(self._still).outlast(line.readable)):
            raise DeviceLost("a thread of the daemon is stuck")
        line.receive(Request.GET_FEATURES)

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

    @property
    def gated(self) -> CallGate | None:
        """It behind its gate; None: it runs as it likes."""
        return self._child.gated

    @property
    def lives(self) -> bool:
        """Whether the process runs."""
        return self._child.exit_code() is None

    def answers(self) -> bool:
        """Whether the process lives; a dying process closes its connections first, one by one."""
        return not self.qmp.is_cut and self.lives

    def ending(self, *, guest_waits: bool, explain: bool) -> Ending | None:
        """Return how it ended, or that it hangs; None if it was killed."""
        self._child.check_gate()
        dies = self.qmp.is_cut
        return ending_of(self._child, guest_waits=guest_waits, dies=dies, explain=explain)

    def end(self) -> None:
        """Kill it and free everything."""
        self._child.end()
        self.qmp.close()
        for probe in self._probes:
            probe.connection.close()
        self._close()

    def _close(self) -> None:
        self._still.close()
        self.image.free()
        for endpoint in self._endpoints.values():
            endpoint.close()


_EXPORTS: Final = tuple(
    Export(sectors, read_only) for sectors in DISK_SECTORS for read_only in (False, True)
)
_NODES: Final = tuple((sectors, side) for sectors in DISK_SECTORS for side in (0, 1))


def _command(control: int, disks: list[int], listeners: list[int], variant: Variant) -> list[str]:
    """Return the arguments; all connections are fds.

    The IOThread of a probe is always fixed: it stands for that thread.
    """
    options = [
        f"--chardev socket,id=qmp,fd={control} --monitor chardev=qmp",
        f"--object iothread,id={IOTHREAD},poll-max-ns=0",
        f"--object throttle-group,id={_LIMITS},limits.iops-total={IOPS}",
    ]
    for (sectors, side), fd in zip(_NODES, disks, strict=True):
        node = node_name(sectors, side)
        options += [
            f"--blockdev driver=nbd,node-name={node}-nbd,server.type=fd,server.str={fd},"
            f"export={export_name(sectors)}",
            # Added here: QEMU (7.2 to 11.1) crashes if it adds one to a node in an IOThread.
            f"--blockdev driver=throttle,node-name={node}-throttle,throttle-group={_LIMITS},"
            f"file={node}-nbd",
            f"--blockdev driver=raw,node-name={node},file={node}-nbd",
        ]
    stays = f",iothread={IOTHREAD},fixed-iothread=on" if variant.iothread else ""
    where = stays if variant.fixed else f",iothread={IOTHREAD}"
    options += [
        f"--export type=vhost-user-blk,id={export.name},node-name={node_name(export.sectors, 0)},"
        f"addr.type=fd,addr.str={fd},writable={'off' if export.read_only else 'on'},"
        f"num-queues={MAX_QUEUES}{where}"
        for export, fd in zip(_EXPORTS, listeners, strict=False)
    ]
    options += [
        f"--blockdev driver=null-co,node-name={_PROBE}{suffix} "
        f"--export type=vhost-user-blk,id={_PROBE}{suffix},node-name={_PROBE}{suffix},"
        f"addr.type=fd,addr.str={fd}{thread}"
        for (suffix, thread), fd in zip(
            (("", ""), ("-io", stays)), listeners[len(_EXPORTS) :], strict=False
        )
    ]
    return " ".join(options).split()
