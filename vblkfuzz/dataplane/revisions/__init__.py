"""The revisions of the model, by name: a class each, in a file that has only its differences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.dataplane.revisions.patch_v4 import PatchV4
from vblkfuzz.dataplane.revisions.qemu_8_0 import Qemu80
from vblkfuzz.dataplane.revisions.qemu_8_1 import Qemu81
from vblkfuzz.dataplane.revisions.qemu_9_0 import Qemu90
from vblkfuzz.dataplane.revisions.qemu_10_2 import Qemu102
from vblkfuzz.dataplane.revisions.reference import Reference

if TYPE_CHECKING:
    from vblkfuzz.dataplane.virtio_blk import VirtioBlk

REVISIONS: Final[dict[str, type[VirtioBlk]]] = {
    "qemu-8.0": Qemu80,
    "patch-v4": PatchV4,
    "qemu-8.1": Qemu81,
    "qemu-9.0": Qemu90,
    "qemu-10.2": Qemu102,
    "reference": Reference,
}
"""In the order of QEMU's history, the reference last."""
