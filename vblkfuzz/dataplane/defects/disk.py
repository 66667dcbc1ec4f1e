"""Defects of the disk: lost data, an old capacity, wrong interrupts for changes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.dataplane.block_backend import BlockBackend
from vblkfuzz.dataplane.defects.defect import Defect
from vblkfuzz.dataplane.operator import Operator
from vblkfuzz.dataplane.registers import CAPACITY, GENERATION
from vblkfuzz.dataplane.request import IoResult
from vblkfuzz.dataplane.thread import POINT, Steps, Thread, causal
from vblkfuzz.dataplane.virtio_blk import VirtioBlk
from vblkfuzz.limits import MAX_DISK_SECTORS, MAX_REQUEST_SECTORS, SECTOR_SIZE
from vblkfuzz.trace.event import Frame
from vblkfuzz.trace.kinds import CONFIG_IRQ
from vblkfuzz.virtio.layout import STATUS_DRIVER_OK
from vblkfuzz.virtio.request.blk import BlkStatus, RequestType, cleared_sectors

if TYPE_CHECKING:
    from vblkfuzz.dataplane.request import Request


class _DrainIsAPoint(Operator):
    _copy = b""
    """Content of the mirror's target when the job has caught up."""

    @causal(Frame.MIRROR)
    def mirror_begin(self, thread: Thread, *_: int) -> Steps:
        if not self._mirroring:
            yield from self._blk.drain(thread)
            self._copy, self._mirroring = bytes(self._machine.backend.disk), True

    @causal(Frame.MIRROR)
    def mirror_finish(self, thread: Thread, *_: int) -> Steps:
        if self._mirroring:
            self._mirroring = False
            yield from self._blk.drain(thread)
            disk = self._machine.backend.disk
            disk[:] = self._copy[: len(disk)].ljust(len(disk), b"\0")


class _WriteSpoilsNeighbour(BlockBackend):
    def deliver(self, request: Request) -> None:
        if request.blk.type == RequestType.OUT and request.result is IoResult.OK:
            disk = self.backend.disk
            end = request.blk.sector * SECTOR_SIZE + request.blk.data_length
            if end < len(disk):
                disk[end] = disk[end - 1]
        super().deliver(request)


class _ClearsTooMuch(VirtioBlk):
    @causal(Frame.COMPLETE)
    def complete(self, thread: Thread, request: Request) -> Steps:
        if request.blk.type == RequestType.WRITE_ZEROES and request.result is IoResult.OK:
            disk = self.blk.backend.disk
            end = sum(cleared_sectors(self.board.memory, request.blk)) * SECTOR_SIZE
            disk[end : end + SECTOR_SIZE] = bytes(len(disk[end : end + SECTOR_SIZE]))
        yield from super().complete(thread, request)


class _StaleCapacity(VirtioBlk):
    def capacity(self) -> int:
        return self.config.disk_sectors


class _ResizeUndone(VirtioBlk):
    @causal(Frame.RESET)
    def reset(self, thread: Thread, *, system: bool = False) -> Steps:
        yield from super().reset(thread, system=system)
        self.board.registers.words[CAPACITY] = self.config.disk_sectors


class _IgnoredReadZeroed(VirtioBlk):
    @causal(Frame.COMPLETE)
    def complete(self, thread: Thread, request: Request) -> Steps:
        failed_read = request.result and request.blk.type == RequestType.IN
        if failed_read and self.error_action(request) == "ignore":
            request.data = bytes(request.blk.data_length)
        yield from super().complete(thread, request)


class _RangeLeftToBackend(VirtioBlk):
    def capacity(self) -> int:
        return MAX_DISK_SECTORS + MAX_REQUEST_SECTORS


class _FlushNotPassedOn(VirtioBlk):
    def answer_at_once(self, request: Request) -> BlkStatus | None:
        if request.blk.type == RequestType.FLUSH:
            return BlkStatus.OK
        return super().answer_at_once(request)


class _WritesBackWithoutFlush(VirtioBlk):
    def set_features(self, bits: int) -> None:
        super().set_features(bits)
        self.blk.backend.write_cache = True


class _ConfigIrqMissing(VirtioBlk):
    def notify_config(self, thread: Thread) -> None:
        if self.started:
            super().notify_config(thread)


class _ConfigIrqEarly(Operator):
    @causal(Frame.RESIZE)
    def resize(self, thread: Thread, _a: int, _b: int, _c: int, sectors: int, *_: int) -> Steps:
        self._device.notify_config(thread)
        yield from super().resize(thread, _a, _b, _c, sectors)


class _ConfigIrqToNobody(Operator):
    def _config_interrupt(self, thread: Thread) -> Steps:
        yield POINT
        self._trace(CONFIG_IRQ, thread)


class _GenerationLate(VirtioBlk):
    def set_capacity(self, sectors: int) -> None:
        self.board.registers.words[CAPACITY] = sectors

    def notify_config(self, thread: Thread) -> None:
        if self.status & STATUS_DRIVER_OK:
            self.board.registers.words[GENERATION] += 1
        super().notify_config(thread)


FAMILY: Final = (
    Defect(
        "drain_is_a_point",
        2014,
        "QEMU commits 176c36997f, ab27c3b5e7 (LP 1570134), 9a0cec664e",
        "A mirror job is not drained between its last copy and the switch, so writes are lost.",
        ("S14",),
        (_DrainIsAPoint,),
    ),
    Defect(
        "stale_capacity",
        2026,
        "vblkfuzz",
        "Requests are checked against the capacity at power-on, even after a resize.",
        ("S14",),
        (_StaleCapacity,),
    ),
    Defect(
        "resize_undone",
        2026,
        "vblkfuzz",
        "After a reset the driver reads the capacity of power-on, even after a resize.",
        ("S15",),
        (_ResizeUndone,),
    ),
    Defect(
        "ignored_read_zeroed",
        2026,
        "vblkfuzz",
        "A read whose error is ignored ends with zeroes, whatever is on the disk.",
        ("S14",),
        (_IgnoredReadZeroed,),
    ),
    Defect(
        "range_left_to_backend",
        2026,
        "vblkfuzz",
        "Only the backend checks the range of a request, and its error is ignored like any other.",
        ("S14",),
        (_RangeLeftToBackend,),
    ),
    Defect(
        "flush_not_passed_on",
        2026,
        "vblkfuzz",
        "A flush is answered without flushing the backend, so a power loss undoes writes.",
        ("S14",),
        (_FlushNotPassedOn,),
    ),
    Defect(
        "writes_back_without_flush",
        2026,
        "vblkfuzz",
        "A write is lost with the power although the driver has declined F_FLUSH.",
        ("S14",),
        (_WritesBackWithoutFlush,),
    ),
    Defect(
        "config_irq_missing",
        2026,
        "vblkfuzz",
        "A resize while the dataplane is stopped does not interrupt the driver.",
        ("S15",),
        (_ConfigIrqMissing,),
    ),
    Defect(
        "config_irq_early",
        2026,
        "vblkfuzz",
        "A resize interrupts the driver before the capacity has changed.",
        ("S15",),
        (_ConfigIrqEarly,),
    ),
    Defect(
        "config_irq_to_nobody",
        2026,
        "vblkfuzz",
        "A resize is announced whether a driver is there or not.",
        ("S15",),
        (_ConfigIrqToNobody,),
    ),
    Defect(
        "generation_late",
        2026,
        "QEMU virtio_notify_config; open in QEMU 10.2",
        "The generation changes only with the interrupt, some time after the capacity.",
        ("S15",),
        (_GenerationLate,),
    ),
    Defect(
        "write_spoils_neighbour",
        2026,
        "vblkfuzz",
        "A write also changes the first byte of the sector behind it.",
        ("S14",),
        (_WriteSpoilsNeighbour,),
    ),
    Defect(
        "clears_too_much",
        2026,
        "vblkfuzz",
        "WRITE_ZEROES also clears the sector behind its last one.",
        ("S14",),
        (_ClearsTooMuch,),
    ),
)
