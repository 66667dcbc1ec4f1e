"""Defects of VM stops: requests that are lost, that go on, or that are popped twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.dataplane.defects.defect import Defect
from vblkfuzz.dataplane.operator import Operator
from vblkfuzz.dataplane.thread import POINT, Steps, Thread, causal
from vblkfuzz.dataplane.virtio_blk import VirtioBlk
from vblkfuzz.trace.event import Frame
from vblkfuzz.trace.kinds import FLUSHED, MEMWRITE, VM_STOP_CALL, VM_STOP_RET
from vblkfuzz.virtio.request.blk import BlkStatus

if TYPE_CHECKING:
    from vblkfuzz.dataplane.request import Request


class _ParkedNotSaved(VirtioBlk):
    def vm_drained(self, thread: Thread) -> None:
        pass


class _ParkedLostAtStop(VirtioBlk):
    def vm_drained(self, thread: Thread) -> None:
        self.blk.cancel_parked()


class _StopDequeues(Operator):
    def stop(self, thread: Thread, *_: int) -> Steps:
        running = self.vm_running
        yield from super().stop(thread)
        if running and not self._device.broken:
            for port in self._device.ports:
                yield from self._device.handle_queue(thread, port)


class _PausePoint(Operator):
    @causal(Frame.VM_STOP)
    def stop(self, thread: Thread, *_: int) -> Steps:
        if self.vm_running:
            self._trace(VM_STOP_CALL, thread)
            self.vm_running = False
            yield from self._pause_vcpus(thread)
            self._trace(VM_STOP_RET, thread)


class _StopDoesNotFlush(Operator):
    def flush_all(self, thread: Thread) -> None:
        pass


class _StopFlushesEarly(Operator):
    def _pause_vcpus(self, thread: Thread) -> Steps:
        super().flush_all(thread)
        yield from super()._pause_vcpus(thread)

    def flush_all(self, thread: Thread) -> None:
        pass


class _StopFlushIgnored(Operator):
    def flush_all(self, thread: Thread) -> None:
        self._trace(FLUSHED, thread)


class _WriteAfterVmstop(VirtioBlk):
    def vm_drained(self, thread: Thread) -> None:
        super().vm_drained(thread)
        for request in self.retry_list:
            self._write_status_later(request)

    def _write_status_later(self, request: Request) -> None:
        def write(runner: Thread) -> Steps:
            yield POINT
            self.board.memory.bytes[request.blk.status_address] = BlkStatus.IOERR
            self._trace_request(MEMWRITE, runner, request)

        self.main.schedule(write)


class _BaseUsedIdx(VirtioBlk):
    def restart_requests(self) -> None:
        for port in self.ports:
            port.queue.last_avail = port.queue.used_idx
        super().restart_requests()


FAMILY: Final = (
    Defect(
        "parked_not_saved",
        2023,
        "QEMU blk_drain, do_vm_stop; open in QEMU 10.2",
        "A VM stop leaves parked requests parked, so they run when their drain ends.",
        ("S16", "S17"),
        (_ParkedNotSaved,),
    ),
    Defect(
        "parked_lost_at_stop",
        2026,
        "vblkfuzz",
        "A VM stop drops parked requests instead of putting them on the retry list.",
        ("L3", "S16"),
        (_ParkedLostAtStop,),
    ),
    Defect(
        "stop_dequeues",
        2026,
        "vblkfuzz",
        "A VM stop processes the queues once more after the device is stopped and drained.",
        ("S17",),
        (_StopDequeues,),
    ),
    Defect(
        "pause_point",
        2026,
        "cloud-hypervisor commit 50f2fd369",
        "A VM stop pauses the vCPUs, but neither stops the dataplane nor drains.",
        ("S16", "S17"),
        (_PausePoint,),
    ),
    Defect(
        "write_after_vmstop",
        2026,
        "vblkfuzz",
        "After a VM stop, a bottom half writes the error status of a request that waits for cont.",
        ("S17",),
        (_WriteAfterVmstop,),
    ),
    Defect(
        "base_used_idx",
        2018,
        "DPDK commit 90bb22a197",
        "After cont the queue goes on at its used idx, so waiting requests are popped again.",
        ("S6", "S7"),
        (_BaseUsedIdx,),
    ),
    Defect(
        "stop_does_not_flush",
        2026,
        "QEMU do_vm_stop",
        "A stop of the VM drains, but leaves flushing to the driver.",
        ("S27",),
        (_StopDoesNotFlush,),
    ),
    Defect(
        "stop_flushes_early",
        2026,
        "QEMU do_vm_stop",
        "A stop of the VM flushes before it drains, so the last writes are not flushed.",
        ("S27",),
        (_StopFlushesEarly,),
    ),
    Defect(
        "stop_flush_ignored",
        2026,
        "vblkfuzz",
        "The backend does nothing for the flush of a VM stop.",
        ("S14",),
        (_StopFlushIgnored,),
    ),
)
