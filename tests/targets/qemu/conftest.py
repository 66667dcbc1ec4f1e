"""One QEMU for the tests of a module, or each version in turn.

A module that needs another one has a fixture of its own.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.targets.qemu.binary import EACH_QEMU
from vblkfuzz.targets.options import TargetOptions
from vblkfuzz.targets.qemu.rig import QemuRig
from vblkfuzz.targets.qemu.rings_at_zero import QemuTarget
from vblkfuzz.targets.qemu.target import qemu_target


@pytest.fixture(scope="module")
def rig() -> QemuRig:
    return QemuRig(TargetOptions())


@pytest.fixture(scope="module", params=EACH_QEMU)
def each_qemu(request: pytest.FixtureRequest) -> Iterator[QemuTarget]:
    """Each version that is there, with a virtio-blk device."""
    options = TargetOptions(qemu_binary=request.param)
    with qemu_target("virtio-blk-pci", "processes", options) as started:
        yield started


@pytest.fixture(scope="module")
def target(rig: QemuRig) -> Iterator[QemuTarget]:
    with QemuTarget("qemu", "virtio-blk-pci", rig, rig.port) as target:
        yield target
