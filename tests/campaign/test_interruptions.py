"""A campaign whose schedules interrupt no thread says why, if that was asked for."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from vblkfuzz.campaign.interruptions import why_free
from vblkfuzz.campaign.shares import DEFAULT
from vblkfuzz.launch.plan import WorkerPlan
from vblkfuzz.targets.options import TargetOptions
from vblkfuzz.targets.target import Target

WHY = "no gate here"


@pytest.mark.parametrize(
    ("serial", "schedulers", "said"),
    [
        (None, list(DEFAULT), ""),
        (None, [], ""),
        (None, ["none"], ""),
        (None, ["pct"], WHY),
        (True, list(DEFAULT), WHY),
        (False, ["pct"], ""),
    ],
)
def test_who_asks_for_schedules_is_told(
    serial: bool | None, schedulers: list[str], said: str
) -> None:
    asked = TargetOptions(serial=serial)
    plan = SimpleNamespace(
        target_options=asked, target="vhost-user-frontend", schedulers=schedulers
    )
    target = cast("Target", SimpleNamespace(no_gate=WHY))
    assert why_free(target, cast("WorkerPlan", plan)) == said
