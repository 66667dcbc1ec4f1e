"""One QEMU for the tests of a module; a module that needs another one has a fixture of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from vblkfuzz.targets.options import TargetOptions
from vblkfuzz.targets.qemu.rig import QemuRig
from vblkfuzz.targets.qemu.rings_at_zero import QemuTarget


@pytest.fixture(scope="module")
def rig() -> QemuRig:
    return QemuRig(TargetOptions())


@pytest.fixture(scope="module")
def target(rig: QemuRig) -> Iterator[QemuTarget]:
    with QemuTarget("qemu", "virtio-blk-pci", rig, rig.port) as target:
        yield target
