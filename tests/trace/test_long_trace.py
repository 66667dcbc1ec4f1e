"""The longest trace that mutation has made so far has a verdict: no event of it is dropped."""

from __future__ import annotations

import pytest

from vblkfuzz.executor import run_scenario
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.scenario import Deviation, Go, Scenario
from vblkfuzz.targets.model import MODES, model

FAILS_AGAIN_AND_AGAIN = Scenario(
    DeviceConfig(queues=4, queue_size=4, polling=True, disk_sectors=8, rerror="stop"),
    (
        op("init"),
        op("stop"),
        op("start_fail"),
        op("publish_kick", queue=2, request="flush", sector=3),
        op("publish_kick", request="in", sector=6),
        op("publish_kick", queue=2, request="flush", sector=3),
        op("drain_begin", wait="nopoll"),
        op("cont"),
        op("resize", sectors=1),
        op("drain_end"),
        op("publish_kick", request="write_zeroes", sector=7, sectors=2),
    ),
    (Deviation(1, 118, Go.NEXT), Deviation(5, 2, Go.NEXT)),
)
"""The start fails and is tried again while the schedule lets nobody else go on."""


@pytest.mark.parametrize("mode", MODES)
def test_no_event_is_dropped(mode: str) -> None:
    with model("reference", mode) as target:
        execution = run_scenario(target, FAILS_AGAIN_AND_AGAIN)
    assert len(execution.trace.events) > 4096
    assert execution.verdict.clean
