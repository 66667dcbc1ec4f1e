"""What a guest is told by a real device: one scenario, and what the rules say of it."""

from __future__ import annotations

from vblkfuzz.executor import run_scenario
from vblkfuzz.oracle.verdict import Verdict
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.real import RealTarget

INIT, LOOK = op("init"), op("collect")
GET_ID = op("publish_kick", request="get_id")
ANSWERS = (op("publish_kick", request="in", sectors=2), op("publish_kick", request="unsupported"))
BEYOND = op("publish_kick", request="in", sector=250)
OPS = (INIT, GET_ID, *ANSWERS, LOOK, BEYOND, LOOK, op("reset"), INIT, GET_ID, LOOK)

ALL_MET = frozenset(
    {
        *("length_of_read", "length_of_failed", "failure_told", "unsupported_told"),
        "id_read_after_reset",
    }
)
"""Situations that the scenario meets on a right device."""


def but_spins(verdict: Verdict) -> list[str]:
    """Return the signatures of a verdict, without the spin in a section that QEMU 7.2 has."""
    found = [one.signature for one in verdict.violations]
    return [each for each in found if each != "l6-drained"]


def signatures(target: RealTarget, met: frozenset[str]) -> list[str]:
    """Return the violations of a device that is not open yet; it has to meet these situations."""
    with target:
        verdict = run_scenario(target, Scenario(ops=OPS)).verdict
    assert met <= verdict.situations
    return [one.signature for one in verdict.violations]
