"""Whether the schedules of a campaign interrupt the threads of its device, and why they do not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vblkfuzz.campaign.shares import DEFAULT
from vblkfuzz.mutation.interrupt import Stops
from vblkfuzz.schedule.registry import NONE
from vblkfuzz.targets.registry import MODEL, TARGETS

if TYPE_CHECKING:
    from vblkfuzz.launch.plan import WorkerPlan
    from vblkfuzz.targets.target import Target


def stops_of(target: Target, plan: WorkerPlan) -> Stops | None:
    """Return what remembers the points of threads; None: schedules do not interrupt them."""
    no_gate = getattr(target, "no_gate", MODEL)
    return Stops() if not no_gate and plan.target_options.serial is not False else None


def why_free(target: Target, plan: WorkerPlan) -> str:
    """Return why schedules do not interrupt threads that they could, or were asked to; else ''."""
    wanted, gated = plan.target_options.serial, TARGETS.find(plan.target).interrupted
    why: str = getattr(target, "no_gate", "")
    steered = tuple(plan.schedulers) not in ((), DEFAULT, (NONE,))
    return why if wanted or (wanted is None and (gated or steered)) else ""
