"""Target `vhost-user-frontend`: start here.

    fuzz process    QemuTarget (targets.real), FrontendRig, Operator: QMP, memory
     |- guest       GuestDriver on a PciPort: qtest, rings in shared memory
     |- back-end    ours: the protocol, the rings, the disk; what it does is told in a log
     `- qemu        the front-end under test: vhost-user-blk-pci

The roles of target `vhost-user` are swapped. What each operation means: docs/real-devices.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.errors import UsageError
from vblkfuzz.targets.target_kind import TargetKind
from vblkfuzz.targets.vhost_user_frontend.without import WITHOUT

if TYPE_CHECKING:
    from vblkfuzz.targets.options import TargetOptions
    from vblkfuzz.targets.qemu.rings_at_zero import QemuTarget

NAME: Final = "vhost-user-frontend"
DEVICE: Final = "vhost-user-blk-pci"
IGNORES: Final = frozenset(
    {
        *("iothreads", "fixed_iothread", "polling", "ioeventfd", "first_index"),
        *("werror", "rerror", "kind", "units", "in_order"),
    }
)
"""QEMU has neither disk nor IOThread for the device; it has virtio-blk."""


def frontend_target(device: str, mode: str, options: TargetOptions) -> QemuTarget:
    """Return the target, not started yet.

    Raises:
        UsageError: unknown device or mode.
    """
    from vblkfuzz.targets.qemu.rings_at_zero import QemuTarget
    from vblkfuzz.targets.vhost_user_frontend.rig import FrontendRig

    if device != DEVICE:
        raise UsageError(f"device {device}: target {NAME} has {DEVICE} only")
    if mode != QemuTarget.mode:
        raise UsageError(f"mode {mode}: target {NAME} has {QemuTarget.mode} only")
    rig = FrontendRig(options)
    target = QemuTarget(NAME, device, rig, rig.port)
    target.ring = None  # packed if the scenario says so: QEMU and our back-end have both
    target.ioeventfd = True  # a back-end gets no other kicks
    target.coverage = rig.coverage
    return target


TARGET: Final = TargetKind(
    summary="a vhost-user front-end: vhost-user-blk-pci of a real QEMU, on a back-end of ours",
    device=DEVICE,
    open=frontend_target,
    without=WITHOUT,
    ignores=IGNORES,
)
