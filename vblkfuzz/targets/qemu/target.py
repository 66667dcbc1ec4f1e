"""Target `qemu`: start here.

    fuzz process    QemuTarget (targets.real), QemuRig, Operator: QMP, trace log, memory
     |- guest       GuestDriver on a PciPort or a MmioPort: qtest, rings in shared memory
     |- NBD server  the disks of scenarios in which the backend has a part
     |- qemu        one process for each variant of the device
     `- ...

What each witness is worth: docs/real-devices.md.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from vblkfuzz.errors import UsageError
from vblkfuzz.targets.qemu.bus import MMIO
from vblkfuzz.targets.qemu.without import WITHOUT
from vblkfuzz.targets.target_kind import TargetKind

if TYPE_CHECKING:
    from vblkfuzz.targets.options import TargetOptions
    from vblkfuzz.targets.qemu.rings_at_zero import QemuTarget

DEVICE: Final = "virtio-blk-pci"
KIND_OF: Final = MappingProxyType({DEVICE: None, "virtio-scsi-pci": "scsi", MMIO: "blk"})
"""Kind of the device in all scenarios, by name of a device; None: each scenario decides."""
IGNORES: Final = frozenset({"first_index", "fixed_iothread"})
"""virtio-blk-pci cannot set a ring index; its IOThread is fixed."""


def qemu_target(device: str, mode: str, options: TargetOptions) -> QemuTarget:
    """Return the target, not started yet.

    Raises:
        UsageError: unknown device or mode.
    """
    from vblkfuzz.targets.qemu.rig import QemuRig
    from vblkfuzz.targets.qemu.rings_at_zero import QemuTarget

    if device not in KIND_OF:
        raise UsageError(f"device {device}: target qemu has {', '.join(KIND_OF)} only")
    if mode != QemuTarget.mode:
        raise UsageError(f"mode {mode}: target qemu has {QemuTarget.mode} only")
    rig = QemuRig(options, mmio=device == MMIO)
    target = QemuTarget("qemu", device, rig, rig.port)
    target.kind = KIND_OF[device]
    target.iothread = options.iothread
    target.coverage = rig.coverage
    return target


TARGET: Final = TargetKind(
    summary="virtio-blk (PCI, MMIO) or virtio-scsi-pci of a real QEMU, under qtest and QMP",
    device=DEVICE,
    open=qemu_target,
    without=WITHOUT,
    ignores=IGNORES,
    interrupted=True,
)
