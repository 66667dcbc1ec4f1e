"""Plant defects in a device: their mixins become bases of its class and of the classes it uses.

A device with defects is a new class, so the plain device has no extra cost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from vblkfuzz.dataplane.aio import AioContext
from vblkfuzz.dataplane.block_backend import BlockBackend
from vblkfuzz.dataplane.defects.registry import DEFECTS
from vblkfuzz.dataplane.operator import Operator
from vblkfuzz.dataplane.queue_port import QueuePort
from vblkfuzz.dataplane.virtio_blk import VirtioBlk
from vblkfuzz.errors import UsageError
from vblkfuzz.suggestion import did_you_mean
from vblkfuzz.virtio.packed.device_queue import DeviceQueue as PackedQueue
from vblkfuzz.virtio.split.device_queue import DeviceQueue

if TYPE_CHECKING:
    from collections.abc import Sequence


def check_defect(name: str) -> None:
    """Raise UsageError if there is no such defect."""
    if name not in DEFECTS:
        meant = did_you_mean(name, DEFECTS)
        raise UsageError(
            f"defect {name}: no such defect; 'vblkfuzz list defects' names them{meant}"
        )


def with_defects(base: type[VirtioBlk], names: Sequence[str]) -> type[VirtioBlk]:
    """Return a subclass of `base` with the named defects; a repeated name counts once.

    Raises:
        UsageError: a name is not that of a defect.
    """
    mixins: list[type] = []
    for name in dict.fromkeys(names):
        check_defect(name)
        mixins.extend(DEFECTS[name].mixins)
    parts = {
        "aio_context": _mixed(AioContext, base.aio_context, mixins),
        "block_backend": _mixed(BlockBackend, base.block_backend, mixins),
        "queue_port": _mixed(QueuePort, base.queue_port, mixins),
        "device_queue": _mixed(DeviceQueue, base.device_queue, mixins),
        "packed_queue": _mixed(PackedQueue, base.packed_queue, mixins),
        "operator": _mixed(Operator, base.operator, mixins),
    }
    device = _mixed(VirtioBlk, base, mixins)
    return cast("type[VirtioBlk]", type(base.__name__, (device,), parts))


def _mixed(root: type, base: type, mixins: list[type]) -> type:
    """Return a class with the mixins that are subclasses of `root` before `base`.

    `base` itself is left out of the mixins; if none is left, the class is `base`.
    """
    bases = tuple(mixin for mixin in mixins if issubclass(mixin, root) and mixin is not base)
    return type(base.__name__, (*bases, base), {"__slots__": ()}) if bases else base
