"""A small vhost-user-blk back-end for both forms of rings; run as a program: SOCKET [VARIANT].

It takes and returns requests by `virtio.split` and `virtio.packed`. It serves up to four queues and
one connection at a time, without a thread. Variant `forgets` begins at the first descriptor when a
ring is started again, whatever the base says; `skips` returns the next request one descriptor too
late.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import select
import socket
import sys
from typing import Final

from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.targets.vhost.memory_table import FRONTEND_BASE, unpack_regions
from vblkfuzz.targets.vhost.message import (
    FLAG_NEED_REPLY,
    FLAG_REPLY,
    HEADER,
    NO_FD,
    VERSION,
    ConfigRange,
    VringAddresses,
    VringState,
    pack_u64,
    unpack_u64,
)
from vblkfuzz.targets.vhost_user_frontend.disk import Disk, Form
from vblkfuzz.virtio.chain import Chain
from vblkfuzz.virtio.device_rings import DeviceRings
from vblkfuzz.virtio.features import device_side
from vblkfuzz.virtio.layout import RingLayout
from vblkfuzz.virtio.memory import GuestMemory
from vblkfuzz.virtio.packed import device_queue as packed
from vblkfuzz.virtio.queue import DeviceQueue, Progress
from vblkfuzz.virtio.request.blk import ConfigSpace, parse_request
from vblkfuzz.virtio.ring_error import RingError
from vblkfuzz.virtio.split import device_queue as split
from vblkfuzz.virtio.vhost_user import F_PROTOCOL_FEATURES, ProtocolFeature, Request

QUEUES, SECTORS = 4, DeviceConfig().disk_sectors
OFFERED: Final = {
    Request.GET_FEATURES: device_side(
        queues=QUEUES, event_idx=True, indirect=True, read_only=False, packed=True
    )
    | 1 << F_PROTOCOL_FEATURES,
    Request.GET_PROTOCOL_FEATURES: ProtocolFeature.MQ
    | ProtocolFeature.REPLY_ACK
    | ProtocolFeature.CONFIG,
    Request.GET_QUEUE_NUM: QUEUES,
}
_OF_A_RING: Final = (
    Request.SET_VRING_NUM,
    Request.SET_VRING_BASE,
    Request.SET_VRING_ADDR,
    Request.SET_VRING_CALL,
    Request.SET_VRING_KICK,
)
CONFIG: Final = ConfigSpace(SECTORS, num_queues=QUEUES).to_bytes()


class Ring:
    """One queue: what the front-end has said of it, and the ring while it is started."""

    def __init__(self) -> None:
        self.size = self.base = 0
        self.areas = (0, 0, 0)
        self.kick = self.call = -1
        self.queue: DeviceQueue | None = None

    def close(self) -> None:
        """Stop the ring; its eventfds are no longer used."""
        for fd in {self.kick, self.call} - {-1}:
            os.close(fd)
        self.kick = self.call = -1
        self.queue = None


class Backend:
    """One connection; `disk` outlives it."""

    def __init__(self, line: socket.socket, disk: Disk, variant: str) -> None:
        self.line, self.disk, self.variant = line, disk, variant
        self.memory: GuestMemory
        self.features = 0
        self.config = bytearray(CONFIG)
        self.rings = [Ring() for _ in range(QUEUES)]

    def serve(self) -> None:
        """Handle messages and kicks until the connection ends."""
        try:
            self._serve()
        finally:
            for ring in self.rings:
                ring.close()

    def _serve(self) -> None:
        while True:
            kicks = {ring.kick: ring for ring in self.rings if ring.kick >= 0}
            ready, _, _ = select.select([self.line.fileno(), *kicks], [], [])
            for kick in kicks.keys() & set(ready):
                with contextlib.suppress(BlockingIOError):
                    os.eventfd_read(kick)
                self.take(kicks[kick])
            if self.line.fileno() in ready and not self.message():
                return

    def message(self) -> bool:
        data, fds, _, _ = socket.recv_fds(self.line, HEADER.size, 8)
        if not data:
            return False
        number, flags, size = HEADER.unpack(data)
        payload = self.line.recv(size) if size else b""
        answer = self.handle(Request(number), payload, fds)
        if answer is None and flags & FLAG_NEED_REPLY:
            answer = pack_u64(0)
        if answer is not None:
            self.line.sendall(HEADER.pack(number, VERSION | FLAG_REPLY, len(answer)) + answer)
        return True

    def handle(self, request: Request, payload: bytes, fds: list[int]) -> bytes | None:
        if request in OFFERED:
            return pack_u64(OFFERED[request])
        if request == Request.GET_CONFIG:
            asked = ConfigRange.unpack(payload)
            return ConfigRange(0, bytes(self.config[: len(asked.data)])).pack()
        if request == Request.SET_FEATURES:
            self.features = unpack_u64(payload)
        elif request == Request.SET_MEM_TABLE:
            (region,) = unpack_regions(payload)
            self.memory = GuestMemory(memoryview(mmap.mmap(fds[0], region.size)))
            os.close(fds[0])
        elif request == Request.SET_CONFIG:
            changed = ConfigRange.unpack(payload)
            self.config[changed.offset : changed.offset + len(changed.data)] = changed.data
        elif request == Request.GET_VRING_BASE:
            return self.stop(VringState.unpack(payload).queue)
        elif request == Request.VRING_KICK:
            self.take(self.rings[VringState.unpack(payload).queue])
        elif request == Request.SET_VRING_ERR:
            os.close(fds[0])
        elif request in _OF_A_RING:
            self.set_up(request, payload, fds)
        return None

    def set_up(self, request: Request, payload: bytes, fds: list[int]) -> None:
        ring = self.rings[payload[0]]
        if request == Request.SET_VRING_NUM:
            ring.size = VringState.unpack(payload).number
        elif request == Request.SET_VRING_BASE:
            ring.base = VringState.unpack(payload).number
        elif request == Request.SET_VRING_ADDR:
            _, desc, used, avail = VringAddresses.unpack(payload)
            ring.areas = desc - FRONTEND_BASE, avail - FRONTEND_BASE, used - FRONTEND_BASE
        elif request == Request.SET_VRING_CALL:
            ring.call = fds[0]
        elif request == Request.SET_VRING_KICK:
            assert not unpack_u64(payload) & NO_FD
            ring.kick = fds[0]
            self.start(ring)

    # --- Rings --------------------------------------------------------------------------------

    def start(self, ring: Ring) -> None:
        rings = DeviceRings(
            split.DeviceQueue(self.memory, 0), lambda: packed.DeviceQueue(self.memory, 0)
        )
        ring.queue = queue = rings.set_up((ring.size, *ring.areas), self.features)
        base = 0x8000_8000 if self.variant == "forgets" else ring.base
        if isinstance(rings.areas, RingLayout):
            queue.begin_at(base)
            queue.used_idx = self.memory.u16[rings.areas.used_idx >> 1]
        else:
            queue.go_on_at(0, Progress(base & 0xFFFF, base >> 16, 0, ()))

    def stop(self, index: int) -> bytes:
        ring, queue = self.rings[index], self.rings[index].queue
        ring.close()
        base = queue.last_avail if queue else 0
        if isinstance(queue, packed.DeviceQueue):
            progress = queue.progress()
            assert progress is not None
            base = progress.used << 16 | progress.avail
        return VringState(index, base).pack()

    def take(self, ring: Ring) -> None:
        """Serve all requests; a broken ring is stopped."""
        queue = ring.queue
        try:
            while queue is not None and (chain := queue.pop()):
                queue.push(chain.head, self.execute(chain))
                if self.variant == "skips" and isinstance(queue, packed.DeviceQueue):
                    self.skip(queue)
                if queue.should_call():
                    os.eventfd_write(ring.call, 1)
        except RingError:
            ring.queue = None

    def skip(self, queue: packed.DeviceQueue) -> None:
        progress = queue.progress()
        assert progress is not None
        layout = queue.layout
        after = layout.off_wrap((layout.place_of(progress.used) + 1) % layout.places)
        queue.go_on_at(queue.last_avail, progress._replace(used=after))

    def execute(self, chain: Chain) -> int:
        """Serve a request; return the number of bytes written."""
        request = parse_request(self.memory, chain)
        answer = self.disk.at_once(self.memory, request) or self.disk.execute(self.memory, request)
        self.memory.bytes[request.status_address] = answer.status
        return answer.length + 1


def main(path: str, variant: str = "") -> None:
    disk = Disk(Form(SECTORS, read_only=False))
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        while True:
            line, _ = listener.accept()
            disk.clear()
            with line:
                Backend(line, disk, variant).serve()


if __name__ == "__main__":
    main(*sys.argv[1:])
