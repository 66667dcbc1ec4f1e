"""Target `qsd`: start here.

    fuzz process    RealTarget (targets.real), QsdRig, Operator: QMP, memory
     |- guest       GuestDriver on a VhostUserPort: front-end, rings in shared memory, eventfds
     |- NBD server  the disks; holds, fails and reorders requests
     |- daemon      one with, one without IOThread
     `- ...

What each witness is worth: docs/real-devices.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.errors import UsageError
from vblkfuzz.targets.qsd.without import WITHOUT
from vblkfuzz.targets.target_kind import TargetKind

if TYPE_CHECKING:
    from vblkfuzz.targets.options import TargetOptions
    from vblkfuzz.targets.real import RealTarget

DEVICE: Final = "vhost-user-blk"
IGNORES: Final = frozenset({"werror", "rerror", "kind", "units", "ring", "in_order"})
"""An export reports each error, and is virtio-blk; it does not offer packed rings."""


def qsd_target(device: str, mode: str, options: TargetOptions) -> RealTarget:
    """Return the target, not started yet.

    Raises:
        UsageError: unknown device or mode.
    """
    from vblkfuzz.targets.qsd.rig import QsdRig
    from vblkfuzz.targets.real import RealTarget

    if device != DEVICE:
        raise UsageError(f"device {device}: target qsd has {DEVICE} only")
    if mode != RealTarget.mode:
        raise UsageError(f"mode {mode}: target qsd has {RealTarget.mode} only")
    rig = QsdRig(options)
    target = RealTarget("qsd", device, rig, rig.port)
    target.iothread = options.iothread
    target.coverage = rig.coverage
    return target


TARGET: Final = TargetKind(
    summary="vhost-user-blk export of a real qemu-storage-daemon, on vblkfuzz's NBD server",
    device=DEVICE,
    open=qsd_target,
    without=WITHOUT,
    ignores=IGNORES,
)
