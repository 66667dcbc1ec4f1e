"""The rig of target `qsd`: chooses the daemon of a scenario, operates it and tracks its state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.errors import DeviceLost
from vblkfuzz.scenario.alphabet.ops import CODES
from vblkfuzz.targets.complete import check_complete
from vblkfuzz.targets.nbd.backend import BACKEND_OPS, NbdBackend
from vblkfuzz.targets.nbd.process import NbdProcess
from vblkfuzz.targets.nbd.server import Order
from vblkfuzz.targets.qsd.binary import find_qsd
from vblkfuzz.targets.qsd.daemon import Daemon, Export
from vblkfuzz.targets.qsd.operator import Operator
from vblkfuzz.targets.qsd.without import WITHOUT
from vblkfuzz.targets.vhost.avail_event import AvailEvents
from vblkfuzz.targets.vhost.link import Link
from vblkfuzz.targets.vhost.memory_table import SharedMemory
from vblkfuzz.targets.vhost.port import VhostUserPort
from vblkfuzz.targets.vhost.suspension import SUSPENSIONS, Suspension
from vblkfuzz.trace.event import ActorId
from vblkfuzz.trace.kinds import BROKEN, HANG
from vblkfuzz.trace.witness import Witness

if TYPE_CHECKING:
    import socket
    from collections.abc import Sequence

    from vblkfuzz.scenario.device import DeviceConfig
    from vblkfuzz.scenario.op import Op
    from vblkfuzz.scenario.scenario import Scenario
    from vblkfuzz.targets.handover import Handover
    from vblkfuzz.targets.options import TargetOptions
    from vblkfuzz.targets.real import Ending
    from vblkfuzz.targets.recorder import Dequeue, Recorder
    from vblkfuzz.virtio.memory import GuestMemory

_WITNESSES: Final = Witness.GUEST | Witness.MEMORY | Witness.REST | Witness.DISK | Witness.PROCESS
_MIRRORS: Final = frozenset({CODES["drain_begin"], CODES["mirror_begin"]})
_DEVICE_ID: Final = b"vhost_user_blk"
"""Answer of each export to GET_ID (QEMU vu_blk_exp_create)."""
_SAVE, _RESTORE, _RESIZE = CODES["save"], CODES["restore"], CODES["resize"]
ELSEWHERE: Final = (*BACKEND_OPS, *SUSPENSIONS)
"""Names of operations that the operator of the daemon has no part in."""
check_complete(Operator, WITHOUT, ELSEWHERE)


class QsdRig:
    """Satisfies `targets.real.Rig`. Keeps a daemon with and one without IOThread."""

    resets_at_end = False

    def __init__(self, options: TargetOptions) -> None:
        self._options = options
        self._binary = ""
        self._nbd = NbdProcess()
        self._backend = NbdBackend(self._nbd)
        self._link: Link
        self._shared: SharedMemory
        self._started = False
        self._operators: dict[bool, tuple[Daemon, Operator]] = {}
        self._daemon: Daemon
        """Daemon of the current scenario."""
        self._operator: Operator
        self._export: Export
        """Export of the current scenario."""
        self.processes = 0
        """Daemons started so far."""
        self._pops: AvailEvents
        self._suspension: Suspension
        self._explained = False
        """A hang has been reported with a backtrace; later ones get none, which is faster."""
        self._still_since: tuple[Recorder, int] | None = None
        """Recorder and its `acts` when the daemon was last found at rest."""
        self._quiet = False
        """No request was in flight when the device was last found at rest."""

    def witnesses(self, config: DeviceConfig) -> Witness:
        """What can be observed; dequeues show in avail_event, so only with EVENT_IDX."""
        return _WITNESSES | Witness.POP if config.event_idx else _WITNESSES

    @property
    def memory(self) -> GuestMemory:
        """Guest memory, shared by all processes."""
        return self._shared.memory

    def port(self) -> VhostUserPort:
        """Make the guest's access to the device; called in the guest process."""
        return VhostUserPort(self._shared, self._link, _DEVICE_ID)

    def start(self) -> None:
        """Find the binary, create guest memory, start the NBD server and a first daemon."""
        self._binary = find_qsd(self._options.qsd_binary)
        self._shared, self._link = SharedMemory(), Link()
        self._started = True
        self._nbd.start()
        self._select(iothread=self._options.iothread is not False)

    def stop(self) -> None:
        """End all processes; free guest memory."""
        self._end_daemons()
        self._nbd.stop()
        if self._started:
            self._started = False
            self._link.close()
            self._shared.close()

    def _select(self, *, iothread: bool) -> None:
        if not self._nbd.lives:  # its daemons have lost their disks
            self._end_daemons()
            self._nbd.stop()
            self._nbd.start()
        known = self._operators.get(iothread)
        if known is not None and not (known[0].lives and known[1].at_rest):
            self._end(iothread)
            known = None
        if known is None:
            daemon = Daemon(self._binary, self._nbd, iothread=iothread)
            known = self._operators[iothread] = daemon, Operator(daemon)
            self.processes += 1
        self._daemon, self._operator = known

    def _end_daemons(self) -> None:
        for iothread in list(self._operators):
            self._end(iothread)

    def _end(self, iothread: bool) -> None:
        if iothread in self._operators:
            daemon, operator = self._operators.pop(iothread)
            operator.work.abandon()
            daemon.end()

    # --- One scenario -------------------------------------------------------------------------

    def power_on(self, scenario: Scenario) -> Sequence[int]:
        """Begin a scenario on a zeroed disk and a new connection."""
        config = scenario.device
        wanted = self._options.iothread
        self._select(iothread=config.iothreads > 0 if wanted is None else wanted)
        self._quiet = False
        self._backend.note_start()
        self._still_since = None
        self._export = Export(config.disk_sectors, config.read_only)
        actor = ActorId.IO0 if self._daemon.iothread else ActorId.MAIN
        with self._nbd.carrying_out(Order.START):
            self._pops = AvailEvents(self.memory, config, actor)
            self._operator.make_ready(config.disk_sectors, self.dequeues, polling=config.polling)
            self._link.forget()
            connection = self._connect()
            self._link.watch(connection)
            self._suspension = Suspension(self._link, self._connect, self.dequeues)
        return (connection.fileno(),)

    def _connect(self) -> socket.socket:
        return self._daemon.connect(self._export)

    @property
    def guest_runs(self) -> bool:
        """Whether the VM runs; a saved one does not."""
        return not self._suspension.saved

    def perform(self, operation: Op, recorder: Recorder) -> Handover | None:
        """Carry out an operation of backend or VMM; begin one of the daemon's operator."""
        if operation.code == _SAVE:
            return self._suspension.save(recorder)
        if operation.code == _RESTORE:
            return self._restore(recorder)
        if operation.code == _RESIZE and self._suspension.saved:
            return None  # the disk of a saved VM is given away (docs/decisions/0015)
        self._operate(operation, recorder)
        return None

    def _restore(self, recorder: Recorder) -> Handover | None:
        """Restore on a new connection; the daemon accepts it after the last request in flight."""
        if self._suspension.saved and self._backend.blocked:
            self._backend.release()
            self._rest()
        return self._suspension.restore(recorder)

    def _operate(self, operation: Op, recorder: Recorder) -> None:
        if self._backend.perform(operation):
            return
        if operation.code in _MIRRORS and (self._backend.blocked or not recorder.idle):
            # Both nodes are the same disk: a late copy of the job overwrites newer data.
            recorder.doubt(Witness.DISK)
        self._operator.perform(operation, recorder)

    def unfinished(self) -> Op | None:
        """The next operation towards rest; None: at rest."""
        return (
            self._backend.unfinished()
            or self._operator.unfinished()
            or self._suspension.unfinished()
        )

    @property
    def keeps_guest_waiting(self) -> bool:
        """A held request may delay an answer: a broken device answers after its last request."""
        return self._backend.blocked or not self._operator.at_rest

    def settle(self, recorder: Recorder) -> None:
        """Wait until only held requests are left, then look."""
        if self._still_since != (recorder, recorder.acts):
            self._rest()
            self._still_since = (recorder, recorder.acts)
        recorder.look(self.dequeues)
        if self._link.is_cut:
            self._note_cut(recorder)
        elif not self._link.works:
            recorder.tell(BROKEN)

    def _rest(self) -> None:
        while True:
            self._daemon.rest()
            went = self._operator.work.go_on(blocked=self._backend.blocked)
            if not (went or (self._operator.closes and self._backend.let_off())):
                break
        self._operator.note_rest()
        self._quiet = self._backend.quiet

    def _note_cut(self, recorder: Recorder) -> None:
        """Record that the daemon has closed the connection, and offer the guest a new one.

        The device is broken until a reset takes the new connection.

        Raises:
            DeviceLost: the daemon has ended.
        """
        if not self._daemon.answers():
            raise DeviceLost("the daemon has ended")
        recorder.tell(BROKEN)
        self._link.offer(self._connect())

    def check_rest(self, recorder: Recorder) -> None:
        """Check that the daemon comes to rest and, after an unfinished request, is not stuck."""
        if not (self._quiet and recorder.idle):
            self._daemon.check_threads()
        self._daemon.check_rest()

    def sleeps(self) -> bool:
        """Whether no thread of the daemon runs."""
        return self._daemon.sleeps()

    def dequeues(self) -> Sequence[Dequeue]:
        """Return the dequeues shown by avail_event; none without EVENT_IDX."""
        return self._pops.dequeues()

    @property
    def witness(self) -> str:
        """What is known of the witness of dequeues."""
        return "the daemon writes them to avail_event, with EVENT_IDX"

    def discard(self) -> None:
        """End the daemon of this scenario."""
        self._end(self._daemon.iothread)

    def ending(self, *, guest_waits: bool) -> Ending | None:
        """Return how the daemon ended, or that it hangs; None if it was killed."""
        ending = self._daemon.ending(guest_waits=guest_waits, explain=not self._explained)
        self._explained |= ending is not None and ending.kind == HANG
        return ending
