"""A vhost-user front-end: the steps of the protocol, in the order in which a VMM takes them.

    greet           features offered, protocol features, owner
    accept          the driver's features
    share_memory    the memory table, once a connection
    set_inflight    where the back-end notes what it has taken, if it offers that
    start_queue     size, addresses, base, eventfds, enable
    stop_queue      GET_VRING_BASE: how a back-end sees a reset or a stopped VM

Source: "Vhost-user Protocol"; QEMU vhost_dev_init, vhost_dev_start, vhost_dev_stop. Nothing here
depends on the kind of device. Next: `port`, which a guest driver uses.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, NamedTuple

from vblkfuzz.targets.vhost.fault import FeatureMissing, MalformedReply, Refused
from vblkfuzz.targets.vhost.inflight import Inflight, InflightArea
from vblkfuzz.targets.vhost.memory_table import FRONTEND_BASE, pack_regions
from vblkfuzz.targets.vhost.message import (
    ConfigRange,
    VringAddresses,
    VringState,
    pack_u64,
    unpack_u64,
)
from vblkfuzz.virtio.layout import F_RING_PACKED, F_VERSION_1
from vblkfuzz.virtio.vhost_user import F_PROTOCOL_FEATURES, ProtocolFeature, Request

if TYPE_CHECKING:
    from vblkfuzz.targets.vhost.connection import Connection
    from vblkfuzz.targets.vhost.memory_table import SharedMemory
    from vblkfuzz.virtio.queue import Areas


WANTED: Final = (
    ProtocolFeature.MQ
    | ProtocolFeature.REPLY_ACK
    | ProtocolFeature.CONFIG
    | ProtocolFeature.INFLIGHT_SHMFD
)
"""Protocol features that are accepted if they are offered. INBAND_NOTIFICATIONS is not among them:
kicks are sent by eventfd, as by every VMM. A kick by message is then something that the back-end
does not expect."""


class QueueFds(NamedTuple):
    """The eventfds of one queue."""

    kick: int
    call: int
    error: int


class Frontend:
    """The front-end's side of one connection to a back-end."""

    def __init__(self, connection: Connection) -> None:
        self.connection: Final = connection
        self.offered = 0
        """Virtio features that the back-end offers."""
        self.protocol = ProtocolFeature(0)
        """Protocol features in use."""
        self.max_queues = 1
        self._accepted = 0

    def greet(self) -> None:
        """Read the back-end's features and become its owner; the first step of a connection.

        Raises:
            FeatureMissing: the back-end is a legacy device.
            BackendFault: there is no answer, or it is malformed.
        """
        self.connection.send(Request.GET_FEATURES)
        self.go_on_greeting()

    def go_on_greeting(self) -> None:
        """As `greet`, if GET_FEATURES has been sent already."""
        line = self.connection
        self.offered = unpack_u64(line.receive(Request.GET_FEATURES), "GET_FEATURES")
        if not self.offered >> F_VERSION_1 & 1:
            raise FeatureMissing(
                "the back-end is a legacy device: expected feature VERSION_1 (bit 32), offered are "
                f"{self.offered:#x}"
            )
        line.send(Request.SET_OWNER)
        if self.offered >> F_PROTOCOL_FEATURES & 1:
            offered = unpack_u64(line.ask(Request.GET_PROTOCOL_FEATURES), "GET_PROTOCOL_FEATURES")
            self.protocol = ProtocolFeature(offered & WANTED)
            line.send(Request.SET_PROTOCOL_FEATURES, pack_u64(self.protocol))
        line.acknowledges = ProtocolFeature.REPLY_ACK in self.protocol
        if ProtocolFeature.MQ in self.protocol:
            self.max_queues = unpack_u64(line.ask(Request.GET_QUEUE_NUM), "GET_QUEUE_NUM")

    def accept(self, features: int) -> None:
        """Send the features that the driver has accepted, and the bit for protocol features."""
        self._accepted = features | self.offered & 1 << F_PROTOCOL_FEATURES
        self.connection.send(Request.SET_FEATURES, pack_u64(self._accepted))

    def share_memory(self, shared: SharedMemory) -> None:
        """Let the back-end map guest memory.

        Raises:
            Refused: the back-end does not map it, for example because other memory is in use.
        """
        self.connection.demand(
            Request.SET_MEM_TABLE, pack_regions(shared.regions), [shared.fd] * len(shared.regions)
        )

    @property
    def tracks_inflight(self) -> bool:
        """Whether the back-end notes the requests that it has taken."""
        return ProtocolFeature.INFLIGHT_SHMFD in self.protocol

    def get_inflight(self, queues: int, queue_size: int) -> Inflight:
        """Return a new inflight area, whose file the caller closes.

        Raises:
            MalformedReply: the answer is malformed, or has no file.
        """
        asked = InflightArea(0, 0, queues, queue_size)
        answer, fd = self.connection.ask_for_file(Request.GET_INFLIGHT_FD, asked.pack())
        try:
            return Inflight(InflightArea.unpack(answer), fd)
        except MalformedReply:
            os.close(fd)
            raise

    def set_inflight(self, inflight: Inflight) -> None:
        """Hand the area to the back-end, before the queues are started."""
        send = self.connection.send
        send(Request.SET_INFLIGHT_FD, inflight.area.pack(), (inflight.fd,))

    def start_queue(self, index: int, layout: Areas, base: int, fds: QueueFds) -> None:
        """Let the back-end serve a queue, from `base` on (`targets.vhost.vring_base`)."""
        send = self.connection.send
        addresses = VringAddresses(
            index,
            FRONTEND_BASE + layout.desc,
            FRONTEND_BASE + layout.used,
            FRONTEND_BASE + layout.avail,
        )
        send(Request.SET_VRING_NUM, VringState(index, layout.size).pack())
        send(Request.SET_VRING_BASE, VringState(index, base).pack())
        send(Request.SET_VRING_ADDR, addresses.pack())
        send(Request.SET_VRING_ERR, pack_u64(index), (fds.error,))
        send(Request.SET_VRING_CALL, pack_u64(index), (fds.call,))
        send(Request.SET_VRING_KICK, pack_u64(index), (fds.kick,))
        if self._accepted >> F_PROTOCOL_FEATURES & 1:
            send(Request.SET_VRING_ENABLE, VringState(index, 1).pack())

    def stop_queue(self, index: int) -> int:
        """Stop a queue; return its base, where it goes on.

        Raises:
            MalformedReply: the answer is about another queue.
        """
        asked = VringState(index, 0)
        state = VringState.unpack(self.connection.ask(Request.GET_VRING_BASE, asked.pack()))
        if state.queue != index:
            raise MalformedReply(f"vring base: expected queue {index}, found {state.queue}")
        return state.number if self._accepted >> F_RING_PACKED & 1 else state.number & 0xFFFF

    def kick(self, index: int) -> None:
        """Kick by a message, even if that is not negotiated."""
        self.connection.send(Request.VRING_KICK, VringState(index, 0).pack())

    def round_trip(self) -> None:
        """Wait until all earlier messages have been handled, by a request without effect."""
        self.connection.ask(Request.GET_FEATURES)

    def read_config(self, offset: int, size: int) -> bytes:
        """Return a part of the configuration space.

        Raises:
            FeatureMissing: the back-end does not offer CONFIG.
            Refused: the back-end answers with an error, which is an empty payload.
            MalformedReply: the answer is about another part.
        """
        self._check_config()
        asked = ConfigRange(offset, bytes(size))
        payload = self.connection.ask(Request.GET_CONFIG, asked.pack())
        if not payload:
            raise Refused("GET_CONFIG: the back-end answers with an error")
        answer = ConfigRange.unpack(payload)
        if (answer.offset, len(answer.data)) != (offset, size):
            found = f"{len(answer.data)} at {answer.offset}"
            raise MalformedReply(f"config: expected {size} bytes at {offset}, found {found}")
        return answer.data

    def write_config(self, offset: int, data: bytes) -> None:
        """Change a part of the configuration space.

        Raises:
            FeatureMissing: the back-end does not offer CONFIG.
            Refused: the back-end answers with an error.
        """
        self._check_config()
        self.connection.demand(Request.SET_CONFIG, ConfigRange(offset, data).pack())

    @property
    def has_config(self) -> bool:
        """Whether the configuration space can be read and written."""
        return ProtocolFeature.CONFIG in self.protocol

    def _check_config(self) -> None:
        if not self.has_config:
            raise FeatureMissing("CONFIG: expected, the back-end does not offer it")
