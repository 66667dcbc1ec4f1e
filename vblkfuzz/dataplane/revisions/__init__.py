"""The revisions of the model, by name. A revision is a class; what it differs in is its file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.dataplane.revisions.reference import Reference
from vblkfuzz.dataplane.revisions.seed import Seed

if TYPE_CHECKING:
    from vblkfuzz.dataplane.virtio_blk import VirtioBlk

REVISIONS: Final[dict[str, type[VirtioBlk]]] = {"seed": Seed, "reference": Reference}
"""In the order of QEMU's history, the reference last."""
