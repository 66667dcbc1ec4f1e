"""A guest sees the same on split and packed rings, many times: ``pytest tests/soak/packed.py``.

Not collected by a plain `pytest`. VBLKFUZZ_INPUTS sets the number of scenarios (500), VBLKFUZZ_SEED
where they begin (1). The few of a plain run: tests/dataplane/test_packed_rings.py.
"""

from __future__ import annotations

import os

import pytest

from tests.dataplane.ring_outcome import on, outcome, stories
from vblkfuzz.dataplane.revisions import REVISIONS
from vblkfuzz.oracle.judge import judge
from vblkfuzz.targets.model import model
from vblkfuzz.trace.kinds import COLLECT

COUNT = int(os.environ.get("VBLKFUZZ_INPUTS", "500"))
SEED = int(os.environ.get("VBLKFUZZ_SEED", "1"))

pytestmark = pytest.mark.timeout(0)


@pytest.mark.parametrize("device", REVISIONS)
def test_the_guest_sees_the_same(device: str) -> None:
    """Of a revision with bugs, too: they are in what both forms share."""
    ended = different = found = 0
    with model(device, "inline") as target:
        for scenario in stories(SEED, COUNT):
            split, packed = (target.run(on(ring, scenario)) for ring in ("split", "packed"))
            different += outcome(split) != outcome(packed)
            found += not judge(on("packed", scenario), packed).clean
            ended += sum(event.kind == COLLECT for event in packed.events)
    print(f"{device}: {COUNT} scenarios, {ended} requests, {different} differ, {found} violating")
    if device == "reference":
        assert (different, found) == (0, 0)
