"""The guest's access to a vhost-user-blk back-end: the front-end inside the guest process.

Each register access of the driver becomes steps of the protocol, as in a VMM:

    DRIVER_OK                 features, memory table, then each queue is started
    status 0                  each queue is stopped (GET_VRING_BASE): a guest's reset
    queue reset               the queue is stopped, and started with its new rings
    kick                      the eventfd; without ioeventfd a message (VRING_KICK)
    kick before DRIVER_OK     the eventfd with which the queue is started is set already
    save                      each queue is stopped, and its base noted (GET_VRING_BASE)
    restore                   a new connection, on which each queue goes on at its base
    replug                    the connection is closed as it is, and there is a new one

If the back-end closes the connection, for example after broken ring contents, the guest cannot
reach the device until a reset. The reset takes the next connection, if the back-end answers on it.
"""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from vblkfuzz.driver.features import scenario_features
from vblkfuzz.limits import GUEST_MEMORY_SIZE, MAX_QUEUES
from vblkfuzz.targets.vhost.connection import Connection
from vblkfuzz.targets.vhost.dead_if_gone import DeadIfGone
from vblkfuzz.targets.vhost.fault import Refused
from vblkfuzz.targets.vhost.frontend import Frontend, QueueFds
from vblkfuzz.targets.vhost.vring_base import base_of
from vblkfuzz.trace.event import Frame
from vblkfuzz.virtio.layout import (
    F_EVENT_IDX,
    F_INDIRECT_DESC,
    F_RING_RESET,
    F_VERSION_1,
    STATUS_DRIVER_OK,
)
from vblkfuzz.virtio.request.blk import WRITEBACK_AT, id_digest

if TYPE_CHECKING:
    from vblkfuzz.driver.transport import GuestSteps
    from vblkfuzz.scenario.device import DeviceConfig
    from vblkfuzz.targets.vhost.inflight import Inflight
    from vblkfuzz.targets.vhost.link import Link
    from vblkfuzz.targets.vhost.memory_table import SharedMemory
    from vblkfuzz.virtio.queue import Areas

_GREETING_S: Final = 0.2
"""Seconds to wait for an answer on a second connection. A back-end with requests in flight accepts
no new client before they end, which is no hang."""

_OWN_FEATURES: Final = 1 << F_RING_RESET
"""Features of the front-end: it stops and starts a queue, which the back-end need not know."""
_MODERN: Final = 1 << F_VERSION_1
TOLD_BY_EVENT_IDX: Final = _MODERN | 1 << F_EVENT_IDX | 1 << F_INDIRECT_DESC
"""What is negotiated where avail_event tells the dequeues, whatever the driver declines."""

_ZEROES: Final = bytes(GUEST_MEMORY_SIZE)
_NO_STEPS: Final[GuestSteps] = (_ for _ in ())
list(_NO_STEPS)


class VhostUserPort:
    """Satisfies `driver.port.Port`."""

    in_turns = False
    queue_reset = Frame.RESET
    """GET_VRING_BASE, as in a reset of all queues (docs/decisions/0007)."""

    def __init__(
        self, shared: SharedMemory, link: Link, device_id: bytes = b"", always: int = _MODERN
    ) -> None:
        """Make the port.

        `device_id`: the answer to GET_ID if known. `always`: negotiated whatever the driver says.
        """
        self._shared = shared
        self._always = always
        self._known_id = id_digest(device_id)
        self._link = link
        link.forget()  # drop what was inherited, if this process replaces another one
        self.memory = shared.memory
        self._config: DeviceConfig
        self._frontend: Frontend | None = None
        """None: there is no working connection."""
        self._offered = 0
        """Features of the back-end that answered last, and of the front-end."""
        self._greeted: socket.socket | None = None
        """A connection on which GET_FEATURES was sent and not answered yet."""
        self._status = 0
        self._accepted = 0
        """Feature bits of the driver since the last reset."""
        self._first_mode: int | None = None
        """The cache mode before the driver has changed it; None: it has not."""
        self._mode = 0
        """The cache mode that the driver has written last."""
        self._shares_memory = False
        self._layouts: dict[int, Areas] = {}
        self._fds: list[QueueFds | None] = [None] * MAX_QUEUES
        """Eventfds of the started queues."""
        self._early: set[int] = set()
        """Queues that were set up and kicked, and are not started yet."""
        self._inflight: Inflight | None = None
        """What the back-end has noted since the last reset, if it does that."""
        self._bases: dict[int, int] = {}
        """While the device is saved: by queue, where it goes on."""

    def power_on(self, config: DeviceConfig, fds: list[int]) -> None:
        """Begin a scenario on the connection `fds[0]`, with zeroed memory.

        The back-end answers on a new connection only after it has finished with the last one, so
        after the answer it does not use the memory any more.
        """
        self._config = config
        self.power_off()
        frontend = Frontend(Connection(socket.socket(fileno=fds[0])))
        frontend.greet()
        self._enter(frontend)
        self.memory.bytes[:] = _ZEROES

    # --- Transport ----------------------------------------------------------------------------

    def device_features(self) -> int:
        """Return the offered features, without those that the scenario's device lacks."""
        return self._offered & scenario_features(self._config)

    def accept_features(self, features: int) -> None:
        """Note the driver's feature bits: a VMM negotiates with the back-end at DRIVER_OK."""
        self._accepted = features

    def set_up_queue(self, index: int, layout: Areas) -> GuestSteps:
        """Note the addresses of the rings; start the queue if the device is started."""
        self._layouts[index] = layout
        if self._status & STATUS_DRIVER_OK:
            self._begin(index)
        return _NO_STEPS

    def write_status(self, value: int) -> GuestSteps:
        """Start the device with DRIVER_OK, stop it with 0."""
        if value == 0:
            self._accepted = 0
            self._reset()
        elif value & STATUS_DRIVER_OK and not self._status & STATUS_DRIVER_OK:
            self._negotiate()
            for index in sorted(self._layouts):
                self._begin(index)
        self._status = value
        return _NO_STEPS

    def reset_function(self) -> GuestSteps:
        """Reset the device by its status: a back-end is no PCI function."""
        return self.write_status(0)

    def read_status(self) -> int:
        """Return the device status, which the front-end keeps."""
        return self._status

    def is_lost(self) -> bool:
        """Return whether the back-end has closed the connection: a reset takes the next one."""
        return self._frontend is None or self._frontend.connection.is_closed()

    def queue_enabled(self, index: int) -> bool:
        """Return whether a queue is started, which the front-end knows."""
        return self._fds[index] is not None

    def config_generation(self) -> int:
        """Return 0: vhost-user has no generation, a configuration is read in one message."""
        return 0

    def capacity(self) -> int:
        """Read the lower 16 bits of the capacity, in sectors; 0 if it cannot be read."""
        return int.from_bytes(self._read_config(8), "little") & 0xFFFF

    def writeback(self) -> int | None:
        """Read the cache mode; None if there is no connection."""
        found = self._read_config(WRITEBACK_AT + 1)
        return found[WRITEBACK_AT] if found else None

    def set_writeback(self, mode: int) -> GuestSteps:
        """Write the cache mode. The end of the scenario restores it: a reset is not told."""
        if self._first_mode is None:
            self._first_mode = self.writeback()
        self._mode = mode
        self._write_mode(mode)
        return _NO_STEPS

    def _read_config(self, size: int) -> bytes:
        """Read the first bytes of the configuration; none if it cannot be read.

        From the beginning, as VMMs do: libvhost-user ignores the offset (vu_get_config).
        """
        if self._frontend is None or not self._frontend.has_config:
            return b""
        with self._dead_if_gone(), suppress(Refused):
            return self._frontend.read_config(0, size)
        return b""

    def _write_mode(self, mode: int) -> None:
        """A back-end that refuses it keeps its mode: the driver sees that when it reads."""
        if self._frontend is not None and self._frontend.has_config:
            with self._dead_if_gone(), suppress(Refused):
                self._frontend.write_config(WRITEBACK_AT, bytes([mode]))

    def known_id(self) -> int:
        """Return the digest of the id that the back-end is known to have; 0: unknown."""
        return self._known_id

    def kick(self, index: int) -> GuestSteps:
        """Notify the back-end by the eventfd; without ioeventfd by a message."""
        fds = self._fds[index]
        if fds is None or not self._config.ioeventfd:
            return self.kick_inband(index)
        os.eventfd_write(fds.kick, 1)
        return _NO_STEPS

    def kick_inband(self, index: int) -> GuestSteps:
        """Notify the back-end by a message, although that is not negotiated."""
        if self._fds[index] is None:
            self._early.add(index)
        elif self._frontend is not None:
            with self._dead_if_gone():
                self._frontend.kick(index)
                self._frontend.round_trip()  # VRING_KICK has no answer of its own
        return _NO_STEPS

    def reset_queue(self, index: int) -> GuestSteps:
        """Stop one queue."""
        self._stop(index)
        return _NO_STEPS

    def take_call(self, index: int) -> bool:
        """Clear the call eventfd."""
        fds = self._fds[index]
        if fds is None:
            return False
        with suppress(BlockingIOError):
            return os.eventfd_read(fds.call) > 0
        return False

    def take_config_call(self) -> bool:
        """Return False: there is no channel for it."""
        return False

    # --- Connections --------------------------------------------------------------------------

    def _enter(self, frontend: Frontend) -> None:
        self._frontend = frontend
        self._offered = frontend.offered | _OWN_FEATURES
        self._shares_memory = False
        self._link.tell(True)

    def power_off(self) -> None:
        """Restore the cache mode, close the connection and forget the device's state."""
        if self._first_mode is not None:
            self._write_mode(self._first_mode)
            self._first_mode = None
        self._disconnect()

    def replace(self, fds: list[int]) -> None:
        """Close the connection as it is; meet the device behind `fds[0]`, if there is one."""
        self._disconnect()
        if fds:
            frontend = Frontend(Connection(socket.socket(fileno=fds[0])))
            with self._dead_if_gone():
                frontend.greet()
                self._enter(frontend)

    def _disconnect(self) -> None:
        for index in range(MAX_QUEUES):
            self._close_fds(index)
        if self._frontend is not None:
            self._frontend.connection.close()
        if self._greeted is not None:
            self._greeted.close()
        self._frontend = self._greeted = None
        self._layouts.clear()
        self._early.clear()
        self._bases.clear()
        self._forget_inflight()
        self._status = self._accepted = 0
        self._link.tell(False)

    def _dead_if_gone(self) -> DeadIfGone:
        return DeadIfGone(self.note_gone)

    def note_gone(self) -> None:
        """Note that the back-end has closed the connection."""
        if self._frontend is not None:
            self._frontend.connection.close()
            self._frontend = None
        self._link.tell(False)

    def _reset(self) -> None:
        for index in range(MAX_QUEUES):
            self._stop(index)
        self._layouts.clear()
        self._early.clear()
        self._forget_inflight()
        if self._frontend is not None and self._frontend.connection.is_closed():
            self.note_gone()
        if self._frontend is None:
            self._reconnect()

    def _reconnect(self) -> None:
        """Try the next connection; if there is no answer in time, the next reset tries it again."""
        connection = self._greeted or self._link.take()
        if connection is None:
            return
        frontend = Frontend(Connection(connection))
        with self._dead_if_gone():
            if self._greeted is None:
                frontend.connection.ask_later()
            self._greeted = connection
            if frontend.connection.readable(_GREETING_S):
                self._greeted = None
                frontend.go_on_greeting()
                self._enter(frontend)

    # --- Save and restore ---------------------------------------------------------------------

    def save(self) -> None:
        """Stop all queues, and note where each goes on (vhost_dev_stop)."""
        for index, fds in enumerate(self._fds):
            if fds is not None and self._frontend is not None:
                with self._dead_if_gone():
                    self._bases[index] = self._frontend.stop_queue(index)

    def restore(self, fds: list[int]) -> None:
        """Go on on the connection `fds[0]` (vhost_dev_start).

        A back-end starts a ring when it is kicked, so all kick eventfds are set. A call that the
        driver has not taken yet is still pending.
        """
        bases, self._bases = self._bases, {}
        if self._frontend is None or not fds:
            return
        self._frontend.connection.close()
        self._frontend = frontend = Frontend(Connection(socket.socket(fileno=fds[0])))
        with self._dead_if_gone():
            frontend.greet()
            self._enter(frontend)
        if self._status & STATUS_DRIVER_OK:
            self._negotiate()
        if self._first_mode is not None:
            self._write_mode(self._mode)
        for index, base in bases.items():
            self._start(index, base, kicked=True, called=self.take_call(index))

    # --- Queues -------------------------------------------------------------------------------

    def _negotiate(self) -> None:
        if self._frontend is None:
            return
        with self._dead_if_gone():
            features = self._accepted | self.device_features() & self._always
            self._frontend.accept(features & self._frontend.offered)
            if not self._shares_memory:
                self._frontend.share_memory(self._shared)
                self._shares_memory = True
            if self._frontend.tracks_inflight:
                self._inflight = self._inflight or self._frontend.get_inflight(
                    self._config.queues, self._config.queue_size
                )
                self._frontend.set_inflight(self._inflight)

    def _forget_inflight(self) -> None:
        if self._inflight is not None:
            self._inflight.close()
            self._inflight = None

    def _begin(self, index: int) -> None:
        """Start a queue with new rings."""
        kicked = index in self._early
        self._early.discard(index)
        base = base_of(self._layouts[index], self._config.first_index)
        self._start(index, base, kicked=kicked, called=False)

    def _start(self, index: int, base: int, *, kicked: bool, called: bool) -> None:
        """Start a queue; `kicked` and `called` say which of its eventfds are set."""
        self._close_fds(index)
        if self._frontend is None or index >= self._frontend.max_queues:
            return
        flags = os.EFD_NONBLOCK | os.EFD_CLOEXEC
        fds = QueueFds(*[os.eventfd(count, flags) for count in (kicked, called, False)])
        self._fds[index] = fds
        with self._dead_if_gone():
            self._frontend.start_queue(index, self._layouts[index], base, fds)

    def _stop(self, index: int) -> None:
        if self._frontend is not None and self._fds[index] is not None:
            with self._dead_if_gone():
                self._frontend.stop_queue(index)
        self._close_fds(index)

    def _close_fds(self, index: int) -> None:
        fds, self._fds[index] = self._fds[index], None
        for fd in fds or ():
            os.close(fd)
