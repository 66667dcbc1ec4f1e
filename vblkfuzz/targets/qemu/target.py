"""Target `qemu`: start here.

    fuzz process    RealTarget (target.real), QemuRig, Operator: QMP, trace log, memory
     |- guest       GuestDriver on a PciPort: qtest, rings in shared memory
     |- qemu        one process for each variant of the device
     `- ...

What each witness is worth: docs/real-devices.md.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from vblkfuzz.errors import UsageError
from vblkfuzz.targets.qemu.rig import QemuRig
from vblkfuzz.targets.real import RealTarget

if TYPE_CHECKING:
    from vblkfuzz.scenario.scenario import Scenario
    from vblkfuzz.targets.options import TargetOptions
    from vblkfuzz.trace.trace import Trace

DEVICE: Final = "virtio-blk-pci"


class QemuTarget(RealTarget):
    """A real target whose rings begin at 0: virtio-blk-pci cannot be told another index."""

    def run(self, scenario: Scenario) -> Trace:
        """Run one scenario from power-on to rest; see `RealTarget.run`."""
        device = replace(scenario.device, first_index=0)
        return super().run(replace(scenario, device=device))


def qemu_target(device: str, mode: str, options: TargetOptions) -> QemuTarget:
    """Return the target, not started yet.

    Raises:
        UsageError: another device or mode than there is.
        DeviceUnavailable: the package qemu.qmp is missing.
    """
    if device != DEVICE:
        raise UsageError(f"device {device}: target qemu has {DEVICE} only")
    if mode != RealTarget.mode:
        raise UsageError(f"mode {mode}: target qemu has {RealTarget.mode} only")
    rig = QemuRig(options)
    return QemuTarget("qemu", device, rig, rig.port)
