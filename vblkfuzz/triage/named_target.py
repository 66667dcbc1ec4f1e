"""The target of a text that names a device only, as texts of older versions do.

Their findings on a real device say ``on = "virtio-blk-pci"``, which no device of the model is
called. The first target by name that has such a device is meant; it is one of this package.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from vblkfuzz.targets.device_class import is_revision
from vblkfuzz.targets.registry import MODEL, TARGETS, default_device

if TYPE_CHECKING:
    from vblkfuzz.scenario.artifact import Artifact


def with_target(artifact: Artifact) -> Artifact:
    """Return the artifact of a text with the target that it means."""
    device = artifact.device
    if artifact.target != MODEL or ":" in device or is_revision(device):
        return artifact
    own = (name for name in sorted(TARGETS.names()) if TARGETS.is_own(name))
    named = (name for name in own if default_device(name) == device)
    return replace(artifact, target=next(named, MODEL))
