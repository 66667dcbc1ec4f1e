"""The rig of target `vhost-user`: any vhost-user-blk back-end.

The back-end is reached by a socket, or started by a command and reached by a socket in a private
folder (mode 0700), which is removed as soon as there is a connection. The first scenario uses that
connection, because some back-ends accept only one in their life. Its operator and its disk are not
under control, and it cannot be determined when it is idle: a request may always be served *later*,
so the liveness rules are not checked.
"""

from __future__ import annotations

import os
import shlex
import time
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vblkfuzz.errors import DeviceLost, DeviceUnavailable, UsageError
from vblkfuzz.gate.available import why_no_gate
from vblkfuzz.gate.filter import Calls
from vblkfuzz.limits import DEVICE_LIMIT_S
from vblkfuzz.scenario.alphabet.ops import CODES
from vblkfuzz.scenario.scenario import Role, Scenario
from vblkfuzz.targets import broken_protocol
from vblkfuzz.targets.activity.silence import ASLEEP_S, Silence
from vblkfuzz.targets.activity.stillness import Stillness
from vblkfuzz.targets.coverage.coverage import Coverage
from vblkfuzz.targets.ending import ending_of
from vblkfuzz.targets.gated import CallDoor, CallGate, CallPoints
from vblkfuzz.targets.gated_child import GatedChild
from vblkfuzz.targets.hold import Holds
from vblkfuzz.targets.last_words import last_line
from vblkfuzz.targets.private_folder import private_folder
from vblkfuzz.targets.vhost.endpoint import connect_to
from vblkfuzz.targets.vhost.fault import BackendGone
from vblkfuzz.targets.vhost.link import Link
from vblkfuzz.targets.vhost.memory_table import SharedMemory
from vblkfuzz.targets.vhost.port import VhostUserPort
from vblkfuzz.targets.vhost.reconnection import Reconnection
from vblkfuzz.targets.vhost.suspension import SUSPENSIONS, Suspension
from vblkfuzz.trace.kinds import BROKEN, HANG
from vblkfuzz.trace.witness import Witness

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Sequence

    from vblkfuzz.scenario.device import DeviceConfig
    from vblkfuzz.scenario.op import Op
    from vblkfuzz.targets.dequeue import Dequeue
    from vblkfuzz.targets.device_end import Ending
    from vblkfuzz.targets.handover import Handover
    from vblkfuzz.targets.hold import Hold
    from vblkfuzz.targets.options import TargetOptions
    from vblkfuzz.targets.queue_counts import QueueCounts
    from vblkfuzz.targets.recorder import Recorder
    from vblkfuzz.virtio.memory import GuestMemory

_WITNESSES: Final = Witness.GUEST | Witness.MEMORY | Witness.PROCESS
_SAVE, _RESTORE = [CODES[name] for name in SUSPENSIONS]
_REPLUG: Final = CODES["replug"]
_ASLEEP_LOOKS: Final = round(DEVICE_LIMIT_S / ASLEEP_S)
"""Number of samples that must show a back-end asleep before that is a hang."""
_LOOK_S: Final = 0.0002
"""Seconds between two looks at the used rings."""
_START_S: Final = 0.002
"""Seconds between two checks of a command that is starting."""
_ONE_CONNECTION: Final = (
    "the back-end closes a second connection at once: let it serve one after the other, or exit "
    "with status 0 after the first"
)
_PATIENCE_S: Final = 0.02
"""Seconds that a back-end gets to complete requests before the scenario goes on."""
_POINTS: Final = CallPoints(
    Calls.READS | Calls.WRITES | Calls.WAITS, (Role.MAIN, Role.IO0, Role.IO1)
)
"""Nothing is known of its threads but which one was started first."""


class VhostUserRig:
    """Satisfies `targets.real.Rig`."""

    resets_at_end = False
    keeps_guest_waiting = False
    processes = 0
    """None whose witnesses have to prove themselves: no other back-end is like it."""
    witness = "none"

    def __init__(self, options: TargetOptions) -> None:
        self._options = options
        self.coverage = Coverage()
        """What the back-end reaches of its code, if it is started here."""
        self._link: Link
        self._suspension: Suspension
        self._reconnection: Reconnection
        self._shared: SharedMemory
        self._started = False
        self._child: GatedChild[CallGate] | None = None
        self._holds: Holds
        """What the schedule did to its threads."""
        self._serial = False
        """The threads of the back-end go on one at a time in this scenario."""
        self._socket = -1
        """O_PATH fd of the back-end's socket file."""
        self._first: socket.socket | None = None
        """The connection that proved that the back-end listens, until a scenario uses it."""
        self._connections = 0
        """Scenarios that the running back-end has served, or begun to."""

    def witnesses(self, config: DeviceConfig) -> Witness:
        """What can be observed of any back-end."""
        return _WITNESSES

    @property
    def memory(self) -> GuestMemory:
        """Guest memory, shared with the back-end."""
        return self._shared.memory

    def port(self) -> VhostUserPort:
        """Make the guest's access to the device; called in the guest process."""
        self._forget_first()  # an inherited copy would keep the connection open
        return VhostUserPort(self._shared, self._link)

    def start(self) -> None:
        """Create guest memory; start the back-end or connect to it."""
        if not (self._options.vhost_user_socket or self._options.vhost_user_command):
            raise DeviceUnavailable(
                "target vhost-user: name a back-end by --vhost-user-socket or --vhost-user-command"
            )
        self._shared, self._link = SharedMemory(), Link()
        self._started = True
        self._serial = self._options.is_serial(Scenario()) and not self.no_gate
        self._start_backend()

    def stop(self) -> None:
        """End the back-end, if it was started here; free guest memory."""
        self.discard()
        self.coverage.close()
        if self._started:
            self._started = False
            self._link.close()
            self._shared.close()

    def discard(self) -> None:
        """End the back-end, if it was started here; close its socket."""
        if self._child is not None:
            self._child.end()
            self._child = None
        self._connections = 0
        self._forget_first()
        if self._socket >= 0:
            os.close(self._socket)
            self._socket = -1

    def _forget_first(self) -> None:
        if self._first is not None:
            self._first.close()
            self._first = None

    def _start_backend(self) -> None:
        if not self._options.vhost_user_command:
            path = self._options.vhost_user_socket
            self._socket = _open_socket(path)
            try:
                self._first = connect_to(self._socket)
            except BackendGone as gone:
                raise DeviceUnavailable(f"--vhost-user-socket {path}: {gone}") from None
            return
        with private_folder() as folder:
            path = f"{folder}/s"
            command = _words(self._options.vhost_user_command, path)
            door = CallDoor(_POINTS) if self._serial else None
            self._holds = Holds()
            child = GatedChild[CallGate](command, (), self.coverage, door, self._holds.feed)
            child.watch(partial(CallGate, pids=(child.pid,)))
            self._child = child
            self._await_socket(path)

    def _await_socket(self, path: str) -> None:
        """Wait until the command accepts a connection; its socket file exists before that."""
        deadline = time.monotonic() + DEVICE_LIMIT_S
        while self._first is None:
            if self._has_ended() or time.monotonic() > deadline:
                raise DeviceUnavailable(f"--vhost-user-command: {self._no_socket()}")
            if self._socket < 0 and Path(path).is_socket():
                self._socket = _open_socket(path)
            if self._socket >= 0:
                with suppress(BackendGone):
                    self._first = connect_to(self._socket)

    def _has_ended(self) -> bool:
        return self._child is not None and self._child.exit_code(_START_S) is not None

    def _no_socket(self) -> str:
        assert self._child is not None
        reason = last_line(self._child.words())
        if self._has_ended():
            return f"it ended without listening on {{socket}}: {reason}"
        return f"no socket after {DEVICE_LIMIT_S:g} s, does it name {{socket}}? {reason}"

    # --- One scenario -------------------------------------------------------------------------

    def power_on(self, scenario: Scenario) -> Sequence[int]:
        """Begin a scenario on a new connection."""
        if self._child is not None and self._child.exit_code() == 0:
            self.discard()  # a back-end that serves one connection and ends
        self._serial = self._options.is_serial(scenario) and not self.no_gate
        if self._serial and self._child is not None and self._child.gated is None:
            self.discard()  # the next one has a gate, and keeps it
        if self._socket < 0:
            self._start_backend()
        self._link.forget()
        connection, self._first = self._first or self._connect(), None
        self._link.watch(connection)
        self._connections += 1
        self._suspension = Suspension(self._link, self._connect, self.dequeues)
        self._reconnection = Reconnection(self._link, self._connect, self.dequeues)
        return (connection.fileno(),)

    def _connect(self) -> socket.socket:
        try:
            return connect_to(self._socket)
        except BackendGone as gone:
            raise DeviceLost(str(gone)) from None

    @property
    def guest_runs(self) -> bool:
        """Whether the VM runs; a saved one does not."""
        return not self._suspension.saved

    def perform(self, operation: Op, recorder: Recorder) -> Handover | None:
        """Save, restore or reconnect: there is neither operator nor backend for the others."""
        if operation.code == _SAVE:
            return self._suspension.save(recorder)
        if operation.code == _RESTORE:
            return self._suspension.restore(recorder)
        if operation.code == _REPLUG and not self._suspension.saved:
            return self._reconnection.begin(recorder)
        return None

    def unfinished(self) -> Op | None:
        """The operation that ends a save; None if the device is not saved."""
        return self._suspension.unfinished()

    def holds_up(self, guest: int) -> bool:
        """False: it shows only in time that the guest waits."""
        return False

    def settle(self, recorder: Recorder) -> None:
        """Give the back-end some time to complete the published requests, then look.

        While a schedule holds a thread, requests may wait for it.
        """
        gated = self.gated
        if gated is None or not (gated.rests(_PATIENCE_S) and gated.gate.held):
            self._await_requests(recorder)
        recorder.look(self.dequeues)
        if self._link.is_cut:
            if self._child is not None and self._child.exit_code(_PATIENCE_S) is not None:
                raise DeviceLost("the back-end has ended")
            recorder.tell(BROKEN)
            self._link.offer(self._connect())
        elif not self._link.works:
            recorder.tell(BROKEN)

    def _await_requests(self, recorder: Recorder) -> None:
        deadline = time.monotonic() + _PATIENCE_S
        while not recorder.idle and time.monotonic() < deadline and not self._link.is_cut:
            time.sleep(_LOOK_S)

    def check_rest(self, recorder: Recorder) -> None:
        """Check nothing: it cannot be determined when the back-end is at rest."""

    def queue_counts(self, queues: int) -> Sequence[QueueCounts]:
        """None: asking for them would stop the rings (GET_VRING_BASE)."""
        return ()

    def answers(self, guest: int, comes: Callable[[float], bool]) -> bool:
        """Wait until the back-end answers the guest; return whether it does.

        One whose threads sleep may be waiting for its disk, so it has to sleep for long. Of one
        that was not started here only the clock tells, and its silence is no finding (`ending`).
        """
        if self._child is None:
            return comes(DEVICE_LIMIT_S)
        with closing(Stillness(self._child.pid, guest)) as both:
            return Silence(both, looks=_ASLEEP_LOOKS).outlast(comes)

    def dequeues(self) -> Sequence[Dequeue | Hold]:
        """Return what the schedule did; no dequeues: no witness of them is exact everywhere."""
        return self._holds.take() if self._child else ()

    @property
    def no_gate(self) -> str:
        """Why no schedule interrupts the threads of the back-end; empty: it can be."""
        if not self._options.vhost_user_command:
            return "a back-end that runs already has no gate: schedules do not interrupt it"
        reason = why_no_gate()
        return f"{reason}: schedules do not interrupt the back-end" if reason else ""

    @property
    def gated(self) -> CallGate | None:
        """The back-end behind its gate; None: nothing interrupts it in this scenario."""
        return self._child.gated if self._child and self._serial else None

    def ending(self, *, guest_waits: bool) -> Ending | None:
        """Return how the back-end ended, or that it hangs; None if it was not started here.

        One that has closed the connection and lives on waits for the next one: it does not hang.

        Raises:
            DeviceLost: it serves one connection only, which is no finding.
        """
        if self._child is None:
            return None
        self._child.check_gate()
        words = self._child.words()
        cut = self._link.is_cut
        ending = ending_of(self._child, guest_waits=guest_waits, explain=not cut)
        if ending is None or ending.kind != HANG or not cut:
            return ending
        if self._connections > 1 and not self._link.works:
            raise DeviceLost(_ONE_CONNECTION)
        return broken_protocol.closing(words)


def _words(command: str, path: str) -> list[str]:
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise UsageError(f"--vhost-user-command {command}: {error}") from None
    if not words:
        raise UsageError("--vhost-user-command: expected a command line, found nothing")
    return [word.replace("{socket}", path) for word in words]


def _open_socket(path: str) -> int:
    try:
        return os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError as error:
        raise DeviceUnavailable(
            f"{path}: expected the socket of a vhost-user-blk back-end: {error.strerror}"
        ) from None
