"""A SUBMIT event has the type of the request."""

from __future__ import annotations

import pytest

from vblkfuzz.scenario.alphabet.guest import REQUESTS
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.model import model
from vblkfuzz.trace.kinds import SUBMIT


@pytest.mark.parametrize("request_type", ["in", "out", "flush", "discard", "write_zeroes"])
def test_submit_shows_the_request_type(request_type: str) -> None:
    scenario = Scenario(ops=(op("init"), op("publish_kick", request=request_type)))
    with model("reference", "inline") as target:
        trace = target.run(scenario)
    (submit,) = [event for event in trace.events if event.kind == SUBMIT]
    assert REQUESTS[submit.flag] == request_type
