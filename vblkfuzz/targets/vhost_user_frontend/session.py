"""One connection of a front-end: what each message of the protocol does ("Vhost-user Protocol").

A session ends with its connection. What outlives it is the disk, and the inflight area, which the
front-end keeps and hands to the next session. Each message is told when it has been carried out.
"""

from __future__ import annotations

import mmap
import os
import socket
from typing import TYPE_CHECKING, Final, NamedTuple

from vblkfuzz.limits import GUEST_MEMORY_SIZE, MAX_QUEUES
from vblkfuzz.targets.vhost.fault import MalformedReply
from vblkfuzz.targets.vhost.inflight import InflightArea
from vblkfuzz.targets.vhost.memory_table import Region, unpack_regions
from vblkfuzz.targets.vhost.message import (
    NO_FD,
    ConfigRange,
    VringAddresses,
    VringState,
    pack_u64,
    unpack_u64,
)
from vblkfuzz.targets.vhost_user_frontend.answer import GETS, LATE, RIGHT, Conduct, Reply, send
from vblkfuzz.targets.vhost_user_frontend.channel import BackendChannel
from vblkfuzz.targets.vhost_user_frontend.log import Told
from vblkfuzz.targets.vhost_user_frontend.notes import Areas, Notes
from vblkfuzz.targets.vhost_user_frontend.offer import PROTOCOL, offered
from vblkfuzz.targets.vhost_user_frontend.packed_notes import PackedNotes
from vblkfuzz.targets.vhost_user_frontend.received import Message, received
from vblkfuzz.targets.vhost_user_frontend.ring import Ring, Taken
from vblkfuzz.targets.vhost_user_frontend.split_notes import SplitNotes
from vblkfuzz.trace.event import NO_QUEUE
from vblkfuzz.trace.vhost_kinds import VHOST_ANSWER, VHOST_MESSAGE, About, Base
from vblkfuzz.virtio.layout import F_RING_PACKED
from vblkfuzz.virtio.memory import GuestMemory
from vblkfuzz.virtio.request.blk import WRITEBACK_AT, ConfigSpace
from vblkfuzz.virtio.vhost_user import F_PROTOCOL_FEATURES, Request

if TYPE_CHECKING:
    from collections.abc import Callable

    from vblkfuzz.targets.vhost_user_frontend.disk import Disk

_SEG_MAX: Final = 126
_U16: Final = 0xFFFF
_U32: Final = 0xFFFF_FFFF
_UNTOLD: Final = frozenset({Request.SET_VRING_CALL, Request.SET_VRING_ERR, Request.GET_FEATURES})
"""Many, and in any order."""


class Said(NamedTuple):
    """What a message says, for the trace."""

    queue: int = NO_QUEUE
    value: int = 0
    length: int = 0


_NOTHING: Final = Said()


class Session:
    """One connection."""

    def __init__(
        self,
        line: socket.socket,
        disk: Disk,
        packed: bool,
        areas: Areas,
        conduct: Conduct,
        tell: Callable[[Told], None],
    ) -> None:
        """Take a connected socket.

        Args:
            line: it.
            disk: what requests are about.
            packed: whether packed rings are offered.
            areas: the inflight areas of all sessions.
            conduct: what the back-end does to messages.
            tell: gets each message.
        """
        self.line: Final = line
        self.rings: Final = [Ring(index, disk) for index in range(MAX_QUEUES)]
        self.begun: list[tuple[Ring, list[Taken]]] = []
        """Rings that have begun to take requests, and those in flight, to be submitted again."""
        self._disk: Final = disk
        self._packed: Final = packed
        self._areas: Final = areas
        self._conduct: Final = conduct
        self._tell: Final = tell
        self._features = 0
        self._regions: tuple[Region, ...] = ()
        self._memory: GuestMemory | None = None
        self._notes: Notes | None = None
        self._writeback = 1
        self.greeted = False
        """Whether the front-end has become the owner: that is the last step of a greeting."""
        self.channel: BackendChannel | None = None
        """For messages of the back-end."""
        self._late: Message | None = None
        """The message that is answered late, while the front-end waits for that."""

    def close(self) -> None:
        """Close the connection and all files; forget guest memory."""
        self.line.close()
        if self.channel is not None:
            self.channel.close()
        for fd in self._late.fds if self._late else ():
            os.close(fd)
        self._late = None
        for ring in self.rings:
            ring.queue = None
            ring.close()

    def hear(self) -> bool:
        """Carry out the next message and answer it; return whether the connection goes on.

        One that is answered late is carried out in `answer_late`.

        Raises:
            OSError: it has ended.
        """
        message = received(self.line)
        if message is None:
            return False
        way = self._conduct.way(message.number, asks=message.asks)
        if way == LATE:
            self._late = message
            return True
        return self._handle(message, way)

    @property
    def owes(self) -> bool:
        """Whether the front-end waits for an answer that comes late."""
        return self._late is not None

    def answer_late(self) -> bool:
        """Carry out and answer the message that waits, if there is one; return as `hear` does."""
        message, self._late = self._late, None
        return message is None or self._handle(message, LATE)

    def _handle(self, message: Message, way: int) -> bool:
        number, asks, payload, fds = message
        reply, said, about = self._carry_out(number, payload, fds)
        if number not in _UNTOLD:
            head = about | (About.ASKS_FOR_REPLY if asks else 0)
            self._tell(Told(VHOST_MESSAGE, said.queue, number & 0xFF, head, *said[1:]))
        if number == self._conduct.ends_at:
            return False
        if reply is None and asks:
            reply = Reply(pack_u64(about & About.MALFORMED))
        if reply is None:  # the front-end would wait for what nobody knows
            return number not in GETS
        if way != RIGHT:
            self._tell(Told(VHOST_ANSWER, NO_QUEUE, way, value=number))
        return send(self.line, number, reply, way)

    def _carry_out(
        self, number: int, payload: bytes, fds: list[int]
    ) -> tuple[Reply | None, Said, int]:
        """Carry out a message; files that it does not keep are closed."""
        try:
            method = _METHODS.get(number)
            if method is None:
                return None, _NOTHING, 0
            reply, said = method(self, payload, fds)
        except (MalformedReply, IndexError, OSError, ValueError):
            return None, _NOTHING, int(About.MALFORMED)
        else:
            return reply, said, 0
        finally:
            for fd in fds:
                os.close(fd)

    # --- Features, configuration, memory ------------------------------------------------------

    def get_features(self, payload: bytes, fds: list[int]) -> tuple[Reply | None, Said]:
        """Answer what the device offers."""
        features = offered(read_only=self._disk.read_only, packed=self._packed)
        return Reply(pack_u64(features)), _NOTHING

    def set_features(self, payload: bytes, fds: list[int]) -> tuple[Reply | None, Said]:
        """Take what the driver accepts; without PROTOCOL_FEATURES rings are enabled."""
        self._features = unpack_u64(payload)
        if not self._features >> F_PROTOCOL_FEATURES & 1:
            for ring in self.rings:
                ring.enabled = True
        return None, Said(length=self._features & _U32)

    def get_protocol_features(self, payload: bytes, fds: list[int]) -> tuple[Reply | None, Said]:
        """Answer what is offered."""
        return Reply(pack_u64(PROTOCOL)), _NOTHING

    def set_protocol_features(self, payload: bytes, fds: list[int]) -> tuple[Reply | None, Said]:
        """Tell what the front-end accepts."""
        return None, Said(length=unpack_u64(payload) & _U32)

    def get_queue_num(self, payload: bytes, fds: list[int]) -> tuple[Reply | None, Said]:
        """Answer the number of queues."""
        return Reply(pack_u64(MAX_QUEUES)), _NOTHING

    def set_owner(self, payload: bytes, fds: list[int]) -> tuple[Reply | None, Said]:
        """Note that the front-end is there."""
        self.greeted = True
        return None, _NOTHING

    def set_vring_err(self, payload: bytes, fds: list[int]) -> tuple[Reply | None, Said]:
        """Do nothing with the file: errors of a ring are not reported."""
        return None, _NOTHING

    def set_backend_req_fd(self, payload: bytes, fds: list[int]) -> tuple[Reply | None, Said]:
        """Take the channel for messages of the back-end."""
        if len(fds) != 1:
            raise MalformedReply(f"channel: {len(fds)} files")
        if self.channel is not None:
            self.channel.close()
        self.channel = BackendChannel(fds.pop(), self._tell)
        return None, Said(value=1)

    def get_config(self, payload: bytes, fds: list[int]) -> tuple[Reply | None, Said]:
        """Answer a part of the configuration."""
        asked = ConfigRange.unpack(payload)
        sectors = self._disk.sectors
        space = ConfigSpace(
            *(sectors, 0, _SEG_MAX),
            writeback=self._writeback,
            num_queues=MAX_QUEUES,
            max_discard_sectors=sectors,
            max_discard_seg=1,
            max_write_zeroes_sectors=sectors,
            max_write_zeroes_seg=1,
        ).to_bytes()
        size = len(asked.data)
        data = space[asked.offset : asked.offset + size].ljust(size, b"\0")
        return Reply(ConfigRange(asked.offset, data).pack()), _NOTHING

    def set_config(self, payload: bytes, fds: list[int]) -> tuple[Reply | None, Said]:
        """Take the cache mode, which is all that a driver may write (5.2.5)."""
        asked = ConfigRange.unpack(payload)
        if asked.offset != WRITEBACK_AT or len(asked.data) != 1:
            raise MalformedReply(f"config: {len(asked.data)} bytes at {asked.offset}")
        self._writeback = asked.data[0]
        return None, Said(value=self._writeback)

    def set_mem_table(self, payload: bytes, fds: list[int]) -> tuple[Reply | None, Said]:
        """Map the region with the rings and buffers of the guest: that at address 0."""
        regions = unpack_regions(payload)
        if len(regions) != len(fds):
            raise MalformedReply(f"{len(regions)} regions, {len(fds)} files")
        self._regions, self._memory = regions, None
        for region, fd in zip(regions, fds, strict=True):
            if not region.guest_address and region.size >= GUEST_MEMORY_SIZE:
                mapping = mmap.mmap(fd, GUEST_MEMORY_SIZE, offset=region.file_offset)
                self._memory = GuestMemory(memoryview(mapping))
        return None, Said(value=len(regions))

    # --- Requests in flight -------------------------------------------------------------------

    def get_inflight_fd(self, payload: bytes, fds: list[int]) -> tuple[Reply | None, Said]:
        """Make an area."""
        area, fd = self._form_of_notes.new_area(InflightArea.unpack(payload))
        return Reply(area.pack(), (fd,)), Said(value=self._areas.number(fd, new=True))

    def set_inflight_fd(self, payload: bytes, fds: list[int]) -> tuple[Reply | None, Said]:
        """Use an area."""
        area = InflightArea.unpack(payload)
        (fd,) = fds
        if area.queues > MAX_QUEUES or not area.queue_size:
            raise MalformedReply(f"inflight: {area}")
        self._notes = self._form_of_notes(area, fd)
        return None, Said(value=self._areas.number(fd))

    @property
    def _form_of_notes(self) -> type[Notes]:
        return PackedNotes if self._has_packed_rings else SplitNotes

    def _notes_of(self, ring: Ring) -> Notes | None:
        """Return where a ring is noted: not in an area from before another set-up, or too small."""
        notes = self._notes
        fits = isinstance(notes, self._form_of_notes) and notes.has_room_for(ring.index)
        return notes if fits else None

    # --- Rings --------------------------------------------------------------------------------

    @property
    def _has_packed_rings(self) -> bool:
        """Whether the driver has accepted packed rings."""
        return bool(self._features >> F_RING_PACKED & 1)

    def _said_base(self, index: int, base: int) -> Said:
        """Return what a base says: of a packed ring both places, the second with a mark."""
        return Said(index, base & _U16, (base >> 16 | Base.PACKED) if self._has_packed_rings else 0)

    def set_vring_num(self, payload: bytes, fds: list[int]) -> tuple[Reply | None, Said]:
        """Take the size of a ring."""
        index, size = VringState.unpack(payload)
        self.rings[index].size = size
        return None, Said(index, size & _U16)

    def set_vring_addr(self, payload: bytes, fds: list[int]) -> tuple[Reply | None, Said]:
        """Take the addresses of a ring, which the memory table has to cover."""
        index, *areas = VringAddresses.unpack(payload)
        found = [self._guest_address(area) for area in areas]
        desc, used, avail = (-1 if area is None else area for area in found)
        covered = None not in found
        self.rings[index].areas = (desc, avail, used) if covered else None
        return None, Said(index, int(covered))

    def _guest_address(self, address: int) -> int | None:
        for region in self._regions:
            if region.frontend_address <= address < region.frontend_address + region.size:
                return address - region.frontend_address + region.guest_address
        return None

    def set_vring_base(self, payload: bytes, fds: list[int]) -> tuple[Reply | None, Said]:
        """Take where a ring goes on."""
        index, base = VringState.unpack(payload)
        self.rings[index].base = base
        return None, self._said_base(index, base)

    def get_vring_base(self, payload: bytes, fds: list[int]) -> tuple[Reply | None, Said]:
        """Stop a ring; what is in flight stays noted, and is submitted again at its next start."""
        index = VringState.unpack(payload).queue
        base = self.rings[index].stop()
        return Reply(VringState(index, base).pack()), self._said_base(index, base)

    def set_vring_kick(self, payload: bytes, fds: list[int]) -> tuple[Reply | None, Said]:
        """Start a ring."""
        index, fd = self._file_of_ring(payload, fds)
        self.rings[index].set_kick(fd)
        if fd >= 0:
            self._begin(self.rings[index])
        return None, Said(index, int(fd >= 0))

    def set_vring_call(self, payload: bytes, fds: list[int]) -> tuple[Reply | None, Said]:
        """Take the eventfd of calls."""
        index, fd = self._file_of_ring(payload, fds)
        self.rings[index].set_call(fd)
        return None, Said(index)

    def set_vring_enable(self, payload: bytes, fds: list[int]) -> tuple[Reply | None, Said]:
        """Enable or disable a ring."""
        index, on = VringState.unpack(payload)
        ring = self.rings[index]
        ring.enabled = bool(on)
        self._begin(ring)
        return None, Said(index, on & _U16)

    def _file_of_ring(self, payload: bytes, fds: list[int]) -> tuple[int, int]:
        """Return a ring and the file that comes with the message, which is kept; -1: none."""
        number = unpack_u64(payload)
        index = number & (NO_FD - 1)
        if index >= MAX_QUEUES or len(fds) != (not number & NO_FD):
            raise MalformedReply(f"ring {index}: {len(fds)} files")
        return index, fds.pop() if fds else -1

    def _begin(self, ring: Ring) -> None:
        """Begin to take requests, or go on with that, if the ring is started and enabled."""
        if not (ring.started and ring.enabled) or ring.broken or self._memory is None:
            return
        again: list[Taken] = []
        if ring.queue is None:
            again = ring.begin(self._memory, self._features, self._notes_of(ring))
        self.begun.append((ring, again))


_METHODS: Final[dict[int, Callable[[Session, bytes, list[int]], tuple[Reply | None, Said]]]] = {
    Request.GET_FEATURES: Session.get_features,
    Request.SET_FEATURES: Session.set_features,
    Request.SET_OWNER: Session.set_owner,
    Request.SET_MEM_TABLE: Session.set_mem_table,
    Request.SET_VRING_NUM: Session.set_vring_num,
    Request.SET_VRING_ADDR: Session.set_vring_addr,
    Request.SET_VRING_BASE: Session.set_vring_base,
    Request.GET_VRING_BASE: Session.get_vring_base,
    Request.SET_VRING_KICK: Session.set_vring_kick,
    Request.SET_VRING_CALL: Session.set_vring_call,
    Request.SET_VRING_ERR: Session.set_vring_err,
    Request.GET_PROTOCOL_FEATURES: Session.get_protocol_features,
    Request.SET_PROTOCOL_FEATURES: Session.set_protocol_features,
    Request.GET_QUEUE_NUM: Session.get_queue_num,
    Request.SET_VRING_ENABLE: Session.set_vring_enable,
    Request.SET_BACKEND_REQ_FD: Session.set_backend_req_fd,
    Request.GET_CONFIG: Session.get_config,
    Request.SET_CONFIG: Session.set_config,
    Request.GET_INFLIGHT_FD: Session.get_inflight_fd,
    Request.SET_INFLIGHT_FD: Session.set_inflight_fd,
}
