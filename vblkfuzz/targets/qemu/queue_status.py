"""QEMU's own counts of its queues: the QMP command x-query-virtio-queue-status (7.2 and later)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.targets.qmp import Refused
from vblkfuzz.targets.queue_counts import QueueCounts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vblkfuzz.targets.qmp import Qmp

_COMMAND: Final = "x-query-virtio-queue-status"
_DEVICE: Final = "/machine/peripheral/d0/virtio-backend"


def queue_counts(qmp: Qmp, queues: int) -> Sequence[QueueCounts]:
    """Return the counts of the first `queues` queues; none if this QEMU does not know the command.

    Raises:
        DeviceLost: there is no answer.
    """
    found: list[QueueCounts] = []

    async def read() -> None:
        for queue in range(queues):
            status = await qmp.call(_COMMAND, path=_DEVICE, queue=queue)
            counts = (status["inuse"], status["last-avail-idx"], status["used-idx"])
            found.append(QueueCounts(queue, *counts))

    try:
        qmp.run(read())
    except Refused:
        return ()
    return found
