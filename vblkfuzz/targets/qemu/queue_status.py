"""QEMU's own counts of its queues: the QMP command x-query-virtio-queue-status (7.2 and later)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.targets.qemu.bus import virtio_path
from vblkfuzz.targets.qemu.queue_numbers import number_on_device
from vblkfuzz.targets.qmp import Refused
from vblkfuzz.targets.queue_counts import QueueCounts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vblkfuzz.targets.qemu.variant import Variant
    from vblkfuzz.targets.qmp import Qmp

_COMMAND: Final = "x-query-virtio-queue-status"


def queue_counts(qmp: Qmp, variant: Variant, queues: int) -> Sequence[QueueCounts]:
    """Return the counts of the first `queues` queues of the device.

    Returns none if this QEMU does not know the command.

    Raises:
        DeviceLost: there is no answer.
    """
    found: list[QueueCounts] = []

    async def read() -> None:
        for queue in range(queues):
            number = number_on_device(variant.kind, queue)
            status = await qmp.call(_COMMAND, path=virtio_path(variant), queue=number)
            counts = (status["inuse"], status["last-avail-idx"], status["used-idx"])
            found.append(QueueCounts(queue, *counts))

    try:
        qmp.run(read())
    except Refused:
        return ()
    return found
