"""Fields of the device that a campaign asks for, and that its target does not have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.as_run import as_run, without_effect

if TYPE_CHECKING:
    from vblkfuzz.launch.plan import WorkerPlan
    from vblkfuzz.targets.target import Target


def other_fields(target: Target, plan: WorkerPlan) -> str:
    """Return a sentence on fields that a started target has otherwise; empty: there are none."""
    asked = DeviceConfig(**plan.fields)  # type: ignore[arg-type]  # any field
    ran = as_run(target, Scenario(asked)).device
    other = [name for name in without_effect(asked, ran) if name in plan.fields]
    has = ", ".join(f"{name}={getattr(ran, name)}" for name in other)
    return f"the device has {has}, whatever the campaign asks for" if other else ""
