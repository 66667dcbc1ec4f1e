"""A small vhost-user-blk back-end with an inflight area; run as a program: SOCKET VARIANT.

It serves one queue and one connection at a time, without a thread. A request for an odd sector is
held until the ring is started again: so a save finds it noted in the area, and a restore submits it
once more. Variant `twice` never removes a note, so each request is submitted again; variant `drops`
does not read the notes.
"""

from __future__ import annotations

import mmap
import os
import select
import socket
import struct
import sys
from typing import Final

from vblkfuzz.targets.vhost.inflight import InflightArea
from vblkfuzz.targets.vhost.memory_table import FRONTEND_BASE, unpack_regions
from vblkfuzz.targets.vhost.message import (
    FLAG_NEED_REPLY,
    FLAG_REPLY,
    HEADER,
    NO_FD,
    VERSION,
    VringAddresses,
    VringState,
    pack_u64,
)
from vblkfuzz.virtio.chain import walk_chain
from vblkfuzz.virtio.layout import F_VERSION_1, RingLayout
from vblkfuzz.virtio.memory import GuestMemory
from vblkfuzz.virtio.vhost_user import F_PROTOCOL_FEATURES, ProtocolFeature, Request

SECTORS: Final = 64
HEAD: Final = 16
"""Bytes of the area before the first note."""
NOTE: Final = struct.Struct("<B7xQ")
"""Whether the head is in flight, and the number of its dequeue; the next field is not used."""
OFFERED: Final = {
    Request.GET_FEATURES: 1 << F_VERSION_1 | 1 << F_PROTOCOL_FEATURES,
    Request.GET_PROTOCOL_FEATURES: ProtocolFeature.REPLY_ACK
    | ProtocolFeature.CONFIG
    | ProtocolFeature.INFLIGHT_SHMFD,
}


class Backend:
    """One connection; `disk` outlives it."""

    def __init__(self, line: socket.socket, disk: bytearray, variant: str) -> None:
        self.line, self.disk, self.variant = line, disk, variant
        self.memory: GuestMemory
        self.notes: mmap.mmap
        self.layout = RingLayout(0, 0, 0, 0)
        self.kick = self.call = -1
        self.base = self.count = 0

    def serve(self) -> None:
        """Handle messages and kicks until the connection ends."""
        while True:
            watched = [self.line.fileno(), *([self.kick] if self.kick >= 0 else [])]
            ready, _, _ = select.select(watched, [], [])
            if self.kick in ready:
                os.eventfd_read(self.kick)
                self.take()
            elif not self.message():
                return

    def message(self) -> bool:
        data, fds, _, _ = socket.recv_fds(self.line, HEADER.size, 8)
        if not data:
            return False
        number, flags, size = HEADER.unpack(data)
        payload = self.line.recv(size) if size else b""
        request = Request(number)
        answer, files = self.handle(request, payload, fds)
        if answer is None and flags & FLAG_NEED_REPLY:
            answer = pack_u64(0)
        if answer is not None:
            head = HEADER.pack(request, VERSION | FLAG_REPLY, len(answer))
            socket.send_fds(self.line, [head + answer], files)
        return True

    def handle(
        self, request: Request, payload: bytes, fds: list[int]
    ) -> tuple[bytes | None, list[int]]:
        if request in OFFERED:
            return pack_u64(OFFERED[request]), []
        if request == Request.GET_CONFIG:
            return payload[:12] + struct.pack("<Q", SECTORS).ljust(len(payload) - 12, b"\0"), []
        if request == Request.GET_VRING_BASE:
            self.kick = -1
            return VringState(0, self.base).pack(), []
        if request == Request.GET_INFLIGHT_FD:
            asked = InflightArea.unpack(payload)
            size = HEAD + NOTE.size * asked.queue_size
            fd = os.memfd_create("inflight")
            os.ftruncate(fd, size)
            return asked._replace(size=size).pack(), [fd]
        self.set_up(request, payload, fds)
        return None, []

    def set_up(self, request: Request, payload: bytes, fds: list[int]) -> None:
        if request == Request.SET_MEM_TABLE:
            (region,) = unpack_regions(payload)
            self.memory = GuestMemory(memoryview(mmap.mmap(fds[0], region.size)))
        elif request == Request.SET_INFLIGHT_FD:
            self.notes = mmap.mmap(fds[0], InflightArea.unpack(payload).size)
        elif request == Request.SET_VRING_NUM:
            self.layout = RingLayout(VringState.unpack(payload).number, 0, 0, 0)
        elif request == Request.SET_VRING_BASE:
            self.base = VringState.unpack(payload).number
        elif request == Request.SET_VRING_ADDR:
            _, desc, used, avail = VringAddresses.unpack(payload)
            areas = [area - FRONTEND_BASE for area in (desc, avail, used)]
            self.layout = RingLayout(self.layout.size, *areas)
        elif request == Request.SET_VRING_CALL:
            self.call = fds[0]
        elif request == Request.SET_VRING_KICK:
            assert not payload[0] & NO_FD
            self.kick = fds[0]
            self.submit_again()

    # --- Requests -----------------------------------------------------------------------------

    def note(self, head: int, in_flight: bool) -> None:
        NOTE.pack_into(self.notes, HEAD + head * NOTE.size, in_flight, self.count)

    def submit_again(self) -> None:
        if self.variant == "drops":
            return
        places = range(HEAD, HEAD + self.layout.size * NOTE.size, NOTE.size)
        noted = [NOTE.unpack_from(self.notes, place) for place in places]
        heads = [(count, head) for head, (in_flight, count) in enumerate(noted) if in_flight]
        for _, head in sorted(heads):
            self.execute(head)

    def take(self) -> None:
        """Dequeue all; hold what is for an odd sector."""
        while self.base != self.memory.u16[self.layout.avail_idx >> 1]:
            slot = self.base % self.layout.size
            head = self.memory.u16[self.layout.avail_ring(slot) >> 1]
            self.base = self.base + 1 & 0xFFFF
            self.count += 1
            self.note(head, True)
            if not self.header(head)[1] % 2:
                self.execute(head)

    def header(self, head: int) -> tuple[int, int]:
        address, _ = walk_chain(self.memory, self.layout, head, True).readable[0]
        kind, sector = struct.unpack("<I4xQ", self.memory.read(address, 16))
        return kind, sector

    def execute(self, head: int) -> None:
        chain = walk_chain(self.memory, self.layout, head, True)
        kind, sector = self.header(head)
        at, written = sector * 512, 1
        *buffers, (status, _) = chain.writable
        if kind == 0:
            for address, length in buffers:
                self.memory.write(address, bytes(self.disk[at : at + length]))
                at, written = at + length, written + length
        elif kind == 1:
            for address, length in chain.readable[1:]:
                self.disk[at : at + length] = self.memory.read(address, length)
                at += length
        self.memory.bytes[status] = 0 if kind in (0, 1, 4) else 2
        self.push(head, written)

    def push(self, head: int, written: int) -> None:
        idx = self.memory.u16[self.layout.used_idx >> 1]
        entry = self.layout.used_ring(idx % self.layout.size) >> 2
        self.memory.u32[entry], self.memory.u32[entry + 1] = head, written
        self.memory.u16[self.layout.used_idx >> 1] = idx + 1 & 0xFFFF
        if self.variant != "twice":
            self.note(head, False)
        os.eventfd_write(self.call, 1)


def main(path: str, variant: str) -> None:
    disk = bytearray(SECTORS * 512)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        while True:
            line, _ = listener.accept()
            with line:
                Backend(line, disk, variant).serve()


if __name__ == "__main__":
    main(*sys.argv[1:])
