"""A device that never returns from what a register write of the driver has begun."""

from __future__ import annotations

import pytest

from vblkfuzz.dataplane.revisions.reference import Reference
from vblkfuzz.dataplane.thread import Steps, Thread
from vblkfuzz.executor import run_scenario
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.model import MODES, model


class NeverStarts(Reference):
    def start_ioeventfd(self, thread: Thread) -> Steps:
        yield lambda: False


class NeverWrites(Reference):
    def write_status(self, thread: Thread, value: int) -> Steps:
        yield lambda: False


class NeverResets(Reference):
    def reset(self, thread: Thread, *, system: bool = False) -> Steps:
        yield lambda: False


class NeverDrops(Reference):
    def drop_requests(self, thread: Thread) -> Steps:
        yield lambda: False


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("device", "signature"),
    [
        (NeverStarts, "l2-register_write"),
        (NeverWrites, "l2-register_write"),
        (NeverResets, "l2-register_write"),
        (NeverDrops, "l2-reset"),  # its call has an event, which says more
        (Reference, ""),
    ],
)
def test_it_is_a_finding(mode: str, device: type[Reference], signature: str) -> None:
    scenario = Scenario(ops=(op("init"), op("reset"), op("init")))
    with model("device", mode, device_class=device) as target:
        verdict = run_scenario(target, scenario).verdict
    found = [one.signature for one in verdict.violations]
    assert found[:1] == [signature] * bool(signature)
