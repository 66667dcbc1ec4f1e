"""Target `qemu`: a real target whose rings begin at index 0, the only one on virtio-blk-pci."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from vblkfuzz.targets.real import RealTarget

if TYPE_CHECKING:
    from vblkfuzz.scenario.scenario import Scenario
    from vblkfuzz.trace.trace import Trace


class QemuTarget(RealTarget):
    """Target `qemu`."""

    ring: str | None = None

    def run(self, scenario: Scenario) -> Trace:
        """Run one scenario from power-on to rest; see `RealTarget.run`."""
        device = replace(scenario.device, first_index=0)
        return super().run(replace(scenario, device=device))
