"""The rig of target `qsd`: chooses the daemon of a scenario, operates it and tracks its state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.errors import DeviceLost
from vblkfuzz.gate.available import why_no_gate
from vblkfuzz.scenario.alphabet.operator import INTO
from vblkfuzz.scenario.alphabet.ops import CODES, NOT_WHILE_SAVED
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.binary import version_of
from vblkfuzz.targets.complete import check_complete
from vblkfuzz.targets.coverage.coverage import Coverage
from vblkfuzz.targets.hold import in_order
from vblkfuzz.targets.nbd.backend import BACKEND_OPS, NbdBackend
from vblkfuzz.targets.nbd.process import NbdProcess
from vblkfuzz.targets.nbd.server import Order
from vblkfuzz.targets.qsd.binary import find_qsd
from vblkfuzz.targets.qsd.daemon import Daemon
from vblkfuzz.targets.qsd.exports import Export
from vblkfuzz.targets.qsd.operator import Operator
from vblkfuzz.targets.qsd.variant import Variant, variant_of
from vblkfuzz.targets.qsd.without import WITHOUT
from vblkfuzz.targets.replug import tell_unplug
from vblkfuzz.targets.vhost.avail_event import AvailEvents
from vblkfuzz.targets.vhost.link import Link
from vblkfuzz.targets.vhost.memory_table import SharedMemory
from vblkfuzz.targets.vhost.port import TOLD_BY_EVENT_IDX, VhostUserPort
from vblkfuzz.targets.vhost.reconnection import Reconnection
from vblkfuzz.targets.vhost.suspension import SUSPENSIONS, Suspension
from vblkfuzz.trace.event import ActorId
from vblkfuzz.trace.kinds import BROKEN, HANG, STEP_LIMIT
from vblkfuzz.trace.witness import Witness

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Sequence

    from vblkfuzz.scenario.device import DeviceConfig
    from vblkfuzz.scenario.op import Op
    from vblkfuzz.targets.activity.spin import Spin
    from vblkfuzz.targets.dequeue import Dequeue
    from vblkfuzz.targets.device_end import Ending
    from vblkfuzz.targets.gated import CallGate
    from vblkfuzz.targets.handover import Handover
    from vblkfuzz.targets.hold import Hold
    from vblkfuzz.targets.options import TargetOptions
    from vblkfuzz.targets.queue_counts import QueueCounts
    from vblkfuzz.targets.recorder import Recorder
    from vblkfuzz.virtio.memory import GuestMemory

_WITNESSES: Final = ~(Witness.DEVICE | Witness.POP | Witness.MESSAGES | Witness.CONTROL)
_MIRRORS: Final = frozenset({CODES["drain_begin"], CODES["mirror_begin"]})
_DEVICE_ID: Final = b"vhost_user_blk"
"""Answer of each export to GET_ID (QEMU vu_blk_exp_create)."""
_NEW: Final = INTO.values.index("new")
_SAVE, _RESTORE = CODES["save"], CODES["restore"]
_REPLUG: Final = CODES["replug"]
_DEVICE: Final = 0
"""The part of a `replug` that is the export; else it is the connection."""
ELSEWHERE: Final = (*BACKEND_OPS, *SUSPENSIONS, "replug")
"""Names of operations that the operator of the daemon has no part in."""
check_complete(Operator, WITHOUT, ELSEWHERE)


class QsdRig:
    """Satisfies `targets.real.Rig`. Keeps a daemon of each variant that scenarios have needed."""

    resets_at_end = False

    def __init__(self, options: TargetOptions) -> None:
        self._options = options
        self.coverage = Coverage()
        """What the daemons reach of their code."""
        self._binary = ""
        self._nbd = NbdProcess()
        self._backend = NbdBackend(self._nbd)
        self._link: Link
        self._shared: SharedMemory
        self._started = False
        self._operators: dict[Variant, tuple[Daemon, Operator]] = {}
        self._daemon: Daemon
        """Daemon of the current scenario."""
        self._operator: Operator
        self._export: Export
        """Export of the current scenario."""
        self.processes = 0
        """Daemons started so far."""
        self._pops: AvailEvents
        self._suspension: Suspension
        self._reconnection: Reconnection
        self._explained = False
        """A hang has been reported with a backtrace; later ones get none, which is faster."""
        self._still_since: tuple[Recorder, int] | None = None
        """Recorder and its `acts` when the daemon was last found at rest."""
        self._spins: set[Spin] = set()
        """States in which this daemon is known to spin (`targets.spin`)."""
        self._spun: Recorder | None = None
        """Recorder of the last scenario in which the main loop was found to spin."""
        self._quiet = False
        """No request was in flight when the device was last found at rest."""
        self._slept = False
        """The main loop slept when the device was last found at rest."""

    @property
    def versions(self) -> dict[str, str]:
        """Version of the program that was started; findings record it."""
        version = version_of(self._binary) if self._binary else ""
        return {"qemu-storage-daemon": version} if version else {}

    def most_iothreads(self, kind: str) -> int:
        """An export has one IOThread."""
        return 1

    def witnesses(self, config: DeviceConfig) -> Witness:
        """What can be observed; dequeues show in avail_event, so only with EVENT_IDX."""
        return _WITNESSES | Witness.POP if config.event_idx else _WITNESSES

    @property
    def memory(self) -> GuestMemory:
        """Guest memory, shared by all processes."""
        return self._shared.memory

    def port(self) -> VhostUserPort:
        """Make the guest's access to the device; called in the guest process."""
        return VhostUserPort(self._shared, self._link, _DEVICE_ID, TOLD_BY_EVENT_IDX)

    def start(self) -> None:
        """Find the binary, create guest memory, start the NBD server and a first daemon."""
        self._binary = find_qsd(self._options.qsd_binary)
        self._shared, self._link = SharedMemory(), Link()
        self._started = True
        self._nbd.start()
        first = variant_of(Scenario(), self._options)
        self._select(first._replace(iothread=self._options.iothread is not False, fixed=True))

    def stop(self) -> None:
        """End all processes; free guest memory."""
        self._end_daemons()
        self.coverage.close()
        self._nbd.stop()
        if self._started:
            self._started = False
            self._link.close()
            self._shared.close()

    def _select(self, variant: Variant) -> None:
        if self.no_gate:
            variant = variant._replace(serial=False)
        if not self._nbd.lives:  # its daemons have lost their disks
            self._end_daemons()
            self._nbd.stop()
            self._nbd.start()
        known = self._operators.get(variant)
        if known is not None and not _as_at_start(*known):
            self._end(variant)
            known = None
        if known is None:
            daemon = Daemon(self._binary, self._nbd, variant, self._spins, self.coverage)
            known = self._operators[variant] = daemon, Operator(daemon)
            self.processes += 1
        self._daemon, self._operator = known

    def _end_daemons(self) -> None:
        for variant in list(self._operators):
            self._end(variant)

    def _end(self, variant: Variant) -> None:
        if variant in self._operators:
            daemon, operator = self._operators.pop(variant)
            operator.work.abandon()
            daemon.end()

    # --- One scenario -------------------------------------------------------------------------

    def power_on(self, scenario: Scenario) -> Sequence[int]:
        """Begin a scenario on a zeroed disk and a new connection."""
        config = scenario.device
        self._select(variant_of(scenario, self._options))
        self._quiet = False
        self._backend.note_start()
        self._still_since = None
        self._export = Export(config.disk_sectors, config.read_only)
        actor = ActorId.IO0 if self._daemon.variant.iothread else ActorId.MAIN
        with self._nbd.carrying_out(Order.START):
            self._pops = AvailEvents(self.memory, config, actor)
            self._operator.make_ready(config.disk_sectors, self.dequeues, polling=config.polling)
            self._link.forget()
            connection = self._connect()
            self._link.watch(connection)
            self._suspension = Suspension(self._link, self._connect, self.dequeues)
            self._reconnection = Reconnection(self._link, self._connect, self.dequeues)
        return (connection.fileno(),)

    def _connect(self) -> socket.socket:
        return self._daemon.connect(self._export)

    @property
    def guest_runs(self) -> bool:
        """Whether the VM runs; a saved one does not."""
        return not self._suspension.saved

    def perform(self, operation: Op, recorder: Recorder) -> Handover | None:
        """Carry out an operation of backend or VMM; begin one of the daemon's operator."""
        if self._suspension.saved and operation.code in NOT_WHILE_SAVED:
            return None
        if operation.code == _SAVE:
            return self._suspension.save(recorder)
        if operation.code == _RESTORE:
            return self._restore(operation, recorder)
        if operation.code == _REPLUG:
            return self._replug(operation, recorder)
        self._operate(operation, recorder)
        return None

    def _restore(self, operation: Op, recorder: Recorder) -> Handover | None:
        """Restore on a new connection; the daemon accepts it after the last request in flight."""
        if self._suspension.saved and operation.a == _NEW:
            self._succeed(recorder)
        elif self._suspension.saved:
            self._let_finish()
        return self._suspension.restore(recorder)

    def _let_finish(self) -> None:
        """End all requests that are held: what waits for them goes on."""
        if self._backend.blocked:
            self._backend.release()
            self._rest()

    def _replug(self, operation: Op, recorder: Recorder) -> Handover:
        """Replace connection or export while requests are in flight, which are then released."""
        if operation.a != _DEVICE:
            return self._reconnection.begin(recorder, self._let_finish)
        tell_unplug(recorder, self.dequeues)
        replaces = self._operator.replace_export(self._export, recorder, hard=self._link.works)
        self._operator.work.add(replaces)
        self._operator.work.go_on(blocked=True)
        self._let_finish()
        self._rest()
        return self._reconnection.plug(recorder)

    def _succeed(self, recorder: Recorder) -> None:
        """Kill the daemon of a saved device; a new one takes its disks, which the server keeps.

        The drained sections of the old one end with it, and so do its requests that are held.

        Raises:
            DeviceLost: the daemon has ended before.
        """
        if not self._daemon.answers():
            raise DeviceLost("the daemon has ended")
        old = self._operator
        self._end(self._daemon.variant)
        self._nbd.order(Order.SYNC)  # the server drops what is held on the closed connections
        recorder.look(self.dequeues)
        old.end_sections(recorder)
        self._select(self._daemon.variant)
        self._operator.make_ready(self._export.sectors, self.dequeues, polling=old.polling)
        self._still_since = None

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

    def holds_up(self, guest: int) -> bool:
        """False: it shows only in time that the guest waits."""
        return False

    def settle(self, recorder: Recorder) -> None:
        """Wait until only held requests are left, then look."""
        if self._still_since != (recorder, recorder.acts):
            self._slept = self._rest()
            if not self._slept:
                self._note_spin(recorder)
            self._still_since = (recorder, recorder.acts)
        recorder.look(self.dequeues)
        if self._link.is_cut:
            self._note_cut(recorder)
        elif not self._link.works:
            recorder.tell(BROKEN)

    def _note_spin(self, recorder: Recorder) -> None:
        """Record, once in a scenario, that the main loop spins, if it does."""
        drained = self._operator.unfinished() is not None
        if self._spun is not recorder and self._daemon.spins(drained=drained):
            recorder.tell(STEP_LIMIT, flag=1)
            self._spun = recorder

    def _rest(self) -> bool:
        """Wait until only held requests are left; return whether the main loop sleeps then."""
        while True:
            sleeps = self._daemon.rest()
            went = self._operator.work.go_on(blocked=self._backend.blocked)
            if not (went or (self._operator.closes and self._backend.let_off())):
                break
        self._operator.note_rest()
        self._quiet = self._backend.quiet
        return sleeps

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
        self._slept = False  # it accepts the connection

    def check_rest(self, recorder: Recorder) -> None:
        """Check that the daemon comes to rest and, after an unfinished request, is not stuck."""
        if not (self._quiet and recorder.idle):
            self._daemon.check_threads()
        elif self._slept and self._still_since == (recorder, recorder.acts):
            return  # it has slept, and nothing was done to it since
        self._daemon.check_rest()

    def queue_counts(self, queues: int) -> Sequence[QueueCounts]:
        """None: asking for them would stop the rings (GET_VRING_BASE)."""
        return ()

    def answers(self, guest: int, comes: Callable[[float], bool]) -> bool:
        """Wait until the daemon answers the guest; return whether it does."""
        return self._daemon.answers_guest(guest, comes)

    def dequeues(self) -> Sequence[Dequeue | Hold]:
        """Return the dequeues shown by avail_event, none without EVENT_IDX, and what was held."""
        return in_order(self._daemon.holds.take(), self._pops.dequeues())

    @property
    def no_gate(self) -> str:
        """Why no daemon has a gate, in one sentence; empty: each has one that needs it."""
        reason = why_no_gate()
        return f"{reason}: schedules do not interrupt the threads of the daemon" if reason else ""

    @property
    def gated(self) -> CallGate | None:
        """The daemon of this scenario behind its gate; None: it has none."""
        return self._daemon.gated

    @property
    def witness(self) -> str:
        """What is known of the witness of dequeues."""
        return "the daemon writes them to avail_event, with EVENT_IDX"

    def discard(self) -> None:
        """End the daemon of this scenario."""
        self._end(self._daemon.variant)

    def ending(self, *, guest_waits: bool) -> Ending | None:
        """Return how the daemon ended, or that it hangs; None if it was killed."""
        ending = self._daemon.ending(guest_waits=guest_waits, explain=not self._explained)
        self._explained |= ending is not None and ending.kind == HANG
        return ending


def _as_at_start(daemon: Daemon, operator: Operator) -> bool:
    """Whether a daemon is in its initial state: nothing is left of jobs, no export has moved."""
    return daemon.lives and operator.is_as_new and (daemon.variant.fixed or not operator.moves)
