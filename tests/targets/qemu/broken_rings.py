"""QEMU 7.2 never leaves its handler when a packed ring is broken (docs/real-devices.md).

So tests of something else break split rings only. That bug itself: tests/soak/packed.py.
"""

from __future__ import annotations

from tests.dataplane.ring_outcome import on
from vblkfuzz.scenario.scenario import Scenario


def spared(scenario: Scenario) -> Scenario:
    """Return a scenario that breaks no packed ring."""
    breaks = any(one.name == "hostile" for one in scenario.ops)
    return on("split", scenario) if breaks else scenario
