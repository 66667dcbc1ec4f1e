"""Defects of guest memory: writes that the driver did not ask for, and writes that come too late.

The device records none of them, and the driver goes on as if nothing had happened: only a look at
memory shows them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.dataplane.defects.defect import Defect
from vblkfuzz.dataplane.thread import POINT, Steps, Thread
from vblkfuzz.dataplane.virtio_blk import VirtioBlk
from vblkfuzz.virtio.layout import USED_F_NO_NOTIFY
from vblkfuzz.virtio.packed.device_queue import DeviceQueue as PackedQueue
from vblkfuzz.virtio.request.blk import BlkStatus, RequestType
from vblkfuzz.virtio.split.device_queue import DeviceQueue

if TYPE_CHECKING:
    from vblkfuzz.dataplane.queue_port import QueuePort
    from vblkfuzz.dataplane.request import Request
    from vblkfuzz.virtio.chain import Chain, Segment

_RUBBISH: Final = 0x77


class _WritePastBuffer(VirtioBlk):
    def finish(self, thread: Thread, request: Request, status: BlkStatus) -> Steps:
        for address, length in request.blk.writable[-1:]:
            self.board.memory.write(address + length, bytes([_RUBBISH]))
        yield from super().finish(thread, request, status)


class _WriteBeforeBuffer(VirtioBlk):
    def finish(self, thread: Thread, request: Request, status: BlkStatus) -> Steps:
        for address, _ in request.blk.writable[:1]:
            self.board.memory.write(address - 1, bytes([_RUBBISH]))
        yield from super().finish(thread, request, status)


class _HeaderReused(VirtioBlk):
    def _parse(self, thread: Thread, port: QueuePort, chain: Chain) -> Request | None:
        request = super()._parse(thread, port, chain)
        if request is not None:
            address, _ = chain.readable[0]
            self.board.memory.write(address + 4, request.serial.to_bytes(4, "little"))
        return request


class _EncryptedInPlace(VirtioBlk):
    def finish(self, thread: Thread, request: Request, status: BlkStatus) -> Steps:
        memory = self.board.memory
        if request.blk.type == RequestType.OUT:
            for address, length in request.blk.readable:
                plain = memory.read(address, length)
                memory.write(address, bytes([byte ^ _RUBBISH for byte in plain]))
        yield from super().finish(thread, request, status)


class _FlagsInAvailRing(DeviceQueue):
    def set_notification(self, on: bool) -> None:
        super().set_notification(on)
        if self.ready and not on:
            self.memory.u16[self.layout.avail_flags >> 1] |= USED_F_NO_NOTIFY << 8


class _DescriptorMarked(DeviceQueue):
    def push(self, head: int, length: int) -> bool:
        if self.ready:
            flags = self.layout.desc + 16 * head + 12
            self.memory.u16[flags >> 1] |= 1 << 15
        return super().push(head, length)


class _PackedDescriptorMarked(PackedQueue):
    __slots__ = ()

    def pop(self) -> Chain | None:
        place = self._avail % self.layout.size if self.ready else 0
        chain = super().pop()
        if chain is not None:
            self._u16[(self._desc >> 1) + 8 * place + 7] |= 1 << 4
        return chain


class _BounceFlushedLate(VirtioBlk):
    _bounce: tuple[tuple[Segment, ...], bytes] = ((), b"")

    def finish(self, thread: Thread, request: Request, status: BlkStatus) -> Steps:
        if request.blk.type == RequestType.IN:
            self._bounce = request.blk.writable, request.data
        yield from super().finish(thread, request, status)

    def handle_queue(self, thread: Thread, port: QueuePort) -> Steps:
        buffers, data = self._bounce
        for address, length in buffers:
            self.board.memory.write(address, data[:length])
        self._bounce = (), b""
        yield from super().handle_queue(thread, port)


class _CancelledIsAnswered(VirtioBlk):
    def cancel(self, thread: Thread, request: Request) -> None:
        super().cancel(thread, request)

        def answer(runner: Thread) -> Steps:
            yield POINT
            self.board.memory.bytes[request.blk.status_address] = BlkStatus.IOERR

        request.context.schedule(answer)


class _OldRingsSilenced(VirtioBlk):
    _old: tuple[int, ...] = ()

    def _set_up(self, thread: Thread, port: QueuePort) -> None:
        for flags in self._old:
            self.board.memory.u16[flags >> 1] |= USED_F_NO_NOTIFY
        super()._set_up(thread, port)
        areas = port.rings.areas
        self._old = (areas.used,) if areas else ()


class _NullAddress(VirtioBlk):
    def push(self, thread: Thread, request: Request, length: int) -> None:
        self.board.memory.bytes[0] = _RUBBISH
        super().push(thread, request, length)


FAMILY: Final = (
    Defect(
        "write_past_buffer",
        2026,
        "vblkfuzz",
        "A read writes one byte behind its buffer.",
        ("S24",),
        (_WritePastBuffer,),
    ),
    Defect(
        "write_before_buffer",
        2026,
        "vblkfuzz",
        "A read writes the byte in front of its buffer.",
        ("S24",),
        (_WriteBeforeBuffer,),
    ),
    Defect(
        "header_reused",
        2026,
        "vblkfuzz",
        "The device keeps a number of its own in the header of a request.",
        ("S24",),
        (_HeaderReused,),
    ),
    Defect(
        "encrypted_in_place",
        2026,
        "vblkfuzz",
        "The data of a write is encrypted in the driver's buffer, which is not written back.",
        ("S24",),
        (_EncryptedInPlace,),
    ),
    Defect(
        "flags_in_avail_ring",
        2026,
        "vblkfuzz",
        "A device that suppresses kicks also sets a flag in the available ring.",
        ("S24",),
        (_FlagsInAvailRing,),
    ),
    Defect(
        "descriptor_marked",
        2026,
        "vblkfuzz",
        "A request is marked by a flag in its first descriptor, which the driver alone may write.",
        ("S24",),
        (_DescriptorMarked, _PackedDescriptorMarked),
    ),
    Defect(
        "bounce_flushed_late",
        2026,
        "vblkfuzz",
        "The data of a read is written once more when the queue is handled the next time.",
        ("S24",),
        (_BounceFlushedLate,),
    ),
    Defect(
        "cancelled_is_answered",
        2026,
        "vblkfuzz",
        "A request that a reset has cancelled gets a status after the reset.",
        ("S24",),
        (_CancelledIsAnswered,),
    ),
    Defect(
        "old_rings_silenced",
        2026,
        "vblkfuzz",
        "A device that gets new rings suppresses kicks in the rings that a reset took away.",
        ("S24",),
        (_OldRingsSilenced,),
    ),
    Defect(
        "null_address",
        2026,
        "vblkfuzz",
        "Each push also writes to address 0, which was never set.",
        ("S24",),
        (_NullAddress,),
    ),
)
