"""Defects of unplug and plug: what the old device still does, what the new one does not know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.dataplane.defects.defect import Defect
from vblkfuzz.dataplane.virtio_blk import VirtioBlk

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vblkfuzz.dataplane.aio import AioContext
    from vblkfuzz.dataplane.block_backend import BlockBackend
    from vblkfuzz.dataplane.board import Board
    from vblkfuzz.dataplane.thread import Steps, Thread
    from vblkfuzz.scenario.device import DeviceConfig


class _UnplugIgnoresParked(VirtioBlk):
    def unplug(self, thread: Thread) -> Steps:
        parked = self.blk.cancel_parked()
        yield from super().unplug(thread)
        self.blk.parked.extend(parked)


class _UnplugDoesNotDrain(VirtioBlk):
    leaves = False
    """Whether it is being unplugged."""

    def unplug(self, thread: Thread) -> Steps:
        self.leaves = True
        yield from super().unplug(thread)

    def drop_requests(self, thread: Thread) -> Steps:
        if not self.leaves:
            yield from super().drop_requests(thread)


class _PluggedInNotDrained(VirtioBlk):
    def __init__(
        self,
        board: Board,
        config: DeviceConfig,
        blk: BlockBackend,
        main: AioContext,
        iothreads: Sequence[AioContext],
    ) -> None:
        super().__init__(board, config, blk, main, iothreads)
        self.drained_before = blk.in_drain

    def run_dataplane(self, thread: Thread) -> Steps:
        yield from super().run_dataplane(thread)
        if self.drained_before and self.blk.in_drain:
            yield from self.attach_all(thread)


FAMILY: Final = (
    Defect(
        "unplug_ignores_parked",
        2026,
        "QEMU virtio_blk_device_unrealize; open in QEMU 11.1",
        "An unplug waits for requests in flight, but does not cancel parked ones.",
        ("S4", "S7"),
        (_UnplugIgnoresParked,),
    ),
    Defect(
        "unplug_does_not_drain",
        2025,
        "cloud-hypervisor issue 7020",
        "An unplug does not wait for requests in flight.",
        ("S4", "S7"),
        (_UnplugDoesNotDrain,),
    ),
    Defect(
        "plugged_in_not_drained",
        2017,
        "QEMU commit f4d9cc88ee (blk_set_dev_ops)",
        "A device that is plugged in while its disk is drained attaches when it starts.",
        ("S1", "S8"),
        (_PluggedInNotDrained,),
    ),
)
