"""Target `vhost-user`: start here.

    fuzz process    RealTarget (targets.real), VhostUserRig: memory
     |- guest       GuestDriver on a VhostUserPort: front-end, rings in shared memory, eventfds
     `- back-end    started by a command, or running already

What each witness is worth: docs/real-devices.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.errors import UsageError
from vblkfuzz.scenario.alphabet.ops import OPS
from vblkfuzz.targets.target_kind import TargetKind
from vblkfuzz.targets.vhost.suspension import SUSPENSIONS

if TYPE_CHECKING:
    from vblkfuzz.targets.options import TargetOptions
    from vblkfuzz.targets.real import RealTarget

DEVICE: Final = "vhost-user-blk"
CONNECTIONS: Final = (*SUSPENSIONS, "replug")
"""Names of the operations that the rig carries out: they are about the connection."""
WITHOUT: Final = frozenset(
    spec.name for spec in OPS if spec.owner != "guest" and spec.name not in CONNECTIONS
)
"""The operator and the disk of any back-end are not under control."""
IGNORES: Final = frozenset(
    {
        *("iothreads", "fixed_iothread", "polling", "disk_sectors"),
        *("werror", "rerror", "kind", "units", "in_order"),
    }
)
"""Threads and disk of any back-end are not under control; it is virtio-blk."""


def vhost_user_target(device: str, mode: str, options: TargetOptions) -> RealTarget:
    """Return the target, not started yet.

    Raises:
        UsageError: unknown device or mode.
    """
    from vblkfuzz.targets.real import RealTarget
    from vblkfuzz.targets.vhost_user.rig import VhostUserRig

    if device != DEVICE:
        raise UsageError(f"device {device}: target vhost-user has {DEVICE} only")
    if mode != RealTarget.mode:
        raise UsageError(f"mode {mode}: target vhost-user has {RealTarget.mode} only")
    rig = VhostUserRig(options)
    target = RealTarget("vhost-user", device, rig, rig.port)
    target.ring = None  # packed on a back-end that offers that, and split on any other
    target.coverage = rig.coverage
    return target


TARGET: Final = TargetKind(
    summary="any vhost-user-blk back-end, by socket or by command",
    device=DEVICE,
    open=vhost_user_target,
    without=WITHOUT,
    ignores=IGNORES,
)
