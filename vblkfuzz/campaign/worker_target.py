"""The target of a worker, imported with probes."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from vblkfuzz.targets.registry import MODEL, open_target

if TYPE_CHECKING:
    from vblkfuzz.feedback.instrument import Instrumenter
    from vblkfuzz.launch.plan import WorkerPlan
    from vblkfuzz.process.arena import Arena
    from vblkfuzz.targets.target import Target


def target_of(plan: WorkerPlan, arena: Arena, finder: Instrumenter) -> Target:
    """Import the target of the plan, with probes; return it, not started."""
    if plan.target != MODEL:
        target = open_target(plan.target, plan.device, plan.mode, plan.target_options)
        if plan.coverage and (coverage := getattr(target, "coverage", None)):
            coverage.begin(plan.coverage)
        return target
    # Not above: they have probes if they are imported now.
    from vblkfuzz.targets.device_class import device_class
    from vblkfuzz.targets.model import model
    from vblkfuzz.targets.model_modes import ProcessesModel

    device = device_class(plan.device, finder.load_file)
    found = model(plan.device, plan.mode, arena, device)
    if isinstance(found, ProcessesModel):
        found.number = os.getppid() + plan.index  # the workers of a campaign share out the cores
    return found
