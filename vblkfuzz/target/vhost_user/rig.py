"""The rig of target `vhost-user`: a back-end that somebody else wrote.

It is reached by a socket, or started by a command and reached by a socket in a private folder
(mode 0700), which is removed as soon as there is a connection. There is no operator and no backend
of ours behind it, and nobody knows when it is idle: what it has not done in a while counts as not
done *yet*, so the liveness rules are not asked.
"""

from __future__ import annotations

import os
import shlex
import shutil
import socket
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vblkfuzz.errors import DeviceLost, DeviceUnavailable
from vblkfuzz.limits import DEVICE_LIMIT_S
from vblkfuzz.target.child import Child
from vblkfuzz.target.ending import ending_of, last_line
from vblkfuzz.target.vhost_user.endpoint import connect_to
from vblkfuzz.target.vhost_user.fault import BackendGone
from vblkfuzz.target.vhost_user.link import Link
from vblkfuzz.target.vhost_user.memory_table import SharedMemory
from vblkfuzz.target.vhost_user.port import VhostUserPort
from vblkfuzz.trace.event import EventKind
from vblkfuzz.trace.witness import Witness

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vblkfuzz.scenario.ops import Op
    from vblkfuzz.scenario.scenario import DeviceConfig
    from vblkfuzz.target.options import TargetOptions
    from vblkfuzz.target.real import Ending
    from vblkfuzz.target.recorder import Dequeue, Recorder
    from vblkfuzz.virtio.memory import GuestMemory

_WITNESSES: Final = Witness.GUEST | Witness.MEMORY | Witness.PROCESS
_LOOK_S: Final = 0.0002
_PATIENCE_S: Final = 0.02
"""Seconds that a back-end gets to answer requests before the scenario goes on."""


class VhostUserRig:
    """Satisfies `target.real.Rig`."""

    guest_runs = True

    def __init__(self, options: TargetOptions) -> None:
        self._options = options
        self._link: Link
        self._shared: SharedMemory
        self._started = False
        self._child: Child | None = None
        self._socket = -1
        """O_PATH fd of the back-end's socket file."""

    def witnesses(self, config: DeviceConfig) -> Witness:
        """What can be seen of any back-end."""
        return _WITNESSES

    @property
    def memory(self) -> GuestMemory:
        """Guest memory, shared with the back-end."""
        return self._shared.memory

    def port(self) -> VhostUserPort:
        """The guest's way to the device; made in the guest process."""
        return VhostUserPort(self._shared, self._link)

    def start(self) -> None:
        """Make guest memory, start the back-end."""
        if not (self._options.vhost_user_socket or self._options.vhost_user_command):
            raise DeviceUnavailable(
                "target vhost-user: name a back-end by --vhost-user-socket or --vhost-user-command"
            )
        self._shared, self._link = SharedMemory(), Link()
        self._started = True
        self._start_backend()

    def stop(self) -> None:
        """End the back-end, if it is ours; free guest memory."""
        self.discard()
        if self._started:
            self._started = False
            self._link.close()
            self._shared.close()

    def discard(self) -> None:
        """End the back-end, if it is ours."""
        if self._child is not None:
            self._child.end()
            self._child = None
        if self._socket >= 0:
            os.close(self._socket)
            self._socket = -1

    def _start_backend(self) -> None:
        if not self._options.vhost_user_command:
            self._socket = _open_socket(self._options.vhost_user_socket)
            return
        folder = tempfile.mkdtemp(prefix="vblkfuzz-")
        try:
            path = f"{folder}/s"
            command = self._options.vhost_user_command.replace("{socket}", path)
            self._child = Child(shlex.split(command), ())
            self._await_socket(path)
        finally:
            shutil.rmtree(folder)

    def _await_socket(self, path: str) -> None:
        assert self._child is not None
        deadline = time.monotonic() + DEVICE_LIMIT_S
        while not Path(path).is_socket():
            if self._child.exit_code(_PATIENCE_S) is not None or time.monotonic() > deadline:
                said = last_line(self._child.words())
                raise DeviceUnavailable(f"--vhost-user-command: no socket {path}: {said}")
        self._socket = _open_socket(path)
        while True:  # it is bound before it listens
            try:
                connect_to(self._socket).close()
            except BackendGone:
                if time.monotonic() > deadline:
                    raise
            else:
                return

    # --- One scenario -------------------------------------------------------------------------

    def power_on(self, config: DeviceConfig) -> Sequence[int]:
        """Begin a scenario by a new connection."""
        if self._socket < 0:
            self._start_backend()
        self._link.forget()
        connection = self._connect()
        self._link.watch(connection)
        return (connection.fileno(),)

    def _connect(self) -> socket.socket:
        try:
            return connect_to(self._socket)
        except BackendGone as gone:
            raise DeviceLost(str(gone)) from None

    def perform(self, operation: Op, recorder: Recorder) -> None:
        """There is neither operator nor backend: nothing."""

    def unfinished(self) -> Op | None:
        """Nothing ever is."""
        return None

    def settle(self, recorder: Recorder) -> None:
        """Give the back-end some time to serve what is published."""
        deadline = time.monotonic() + _PATIENCE_S
        while not recorder.idle and time.monotonic() < deadline and not self._link.is_cut:
            time.sleep(_LOOK_S)
        recorder.look(self.dequeues)
        if self._link.is_cut:
            if self._child is not None and self._child.exit_code(_PATIENCE_S) is not None:
                raise DeviceLost("the back-end has ended")
            recorder.tell(EventKind.BROKEN)
            self._link.offer(self._connect())
        elif not self._link.works:
            recorder.tell(EventKind.BROKEN)

    def check_rest(self) -> None:
        """Nobody knows when it rests."""

    def sleeps(self) -> bool:
        """It may wait for a disk of its own: nobody knows."""
        return False

    def dequeues(self) -> Sequence[Dequeue]:
        """There is no witness that is exact for every back-end."""
        return ()

    def ending(self, *, guest_waits: bool) -> Ending | None:
        """Say how the back-end ended; None if it is not ours."""
        if self._child is None:
            return None
        return ending_of(self._child, guest_waits=guest_waits)


def _open_socket(path: str) -> int:
    try:
        return os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError as error:
        raise DeviceUnavailable(
            f"{path}: expected the socket of a vhost-user-blk back-end: {error.strerror}"
        ) from None
