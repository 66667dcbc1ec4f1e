"""The order of scenarios by size: which of two is easier to read.

Fewer operations come first; then fewer deviations, and fewer that delay stores; then a device
closer to the default, plainer operations, lower arguments, earlier deviations. Whose points a
deviation counts has no weight: those of all actors are not simpler than those of a thread, which a
real device needs. Every step of the minimizer lowers this weight, so it terminates.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from vblkfuzz.scenario.alphabet.ops import CODES, OPS
from vblkfuzz.scenario.device import DEFAULTS, FIELDS, DeviceConfig
from vblkfuzz.scenario.op import Op
from vblkfuzz.scenario.scenario import Go, Scenario

PLAINER: Final = {spec.code: CODES[spec.plainer] for spec in OPS if spec.plainer}
"""By code: the code of a simpler operation that often shows the same bug, as a reset instead of an
init, which resets a device in use first."""

GO_RANK: Final = {go: (go + 1) % len(Go) for go in Go}
"""`Go.NEXT` has the lowest rank: it is easy to read, and the only one that real devices obey if it
counts the points of all actors."""

SCALES: Final = tuple(name for name, row in FIELDS.items() if row.scale)
"""Device fields whose values have a distance to the default."""


class Weight(NamedTuple):
    """Weights are compared field by field; the first difference decides."""

    ops: int
    deviations: int
    delays: int
    """Deviations that delay stores."""
    unusual: int
    """Device fields that differ from their default."""
    distance: int
    """Sum of the distances of the fields in `SCALES` from their default."""
    kinds: int
    """Operations that have a plainer one."""
    arguments: int
    """Sum of all arguments, as stored."""
    points: int
    """Sum of the deviations' points."""
    goes: int
    """Sum of `GO_RANK`."""
    disorder: int
    """Pairs of operations not in the order of their codes: set up, use, drain, complete."""


def weight(scenario: Scenario) -> Weight:
    """Return the weight of a scenario."""
    ops, schedule, device = scenario.ops, scenario.schedule, scenario.device
    return Weight(
        len(ops),
        len(schedule),
        sum(deviation.delayed for deviation in schedule),
        len(device.differing()),
        _distance(device),
        sum(op.code in PLAINER for op in ops),
        sum(sum(op[1:]) for op in ops),
        sum(deviation.point for deviation in schedule),
        sum(GO_RANK[deviation.go] for deviation in schedule),
        _disorder(ops),
    )


def _distance(device: DeviceConfig) -> int:
    return sum(abs(getattr(device, name) - DEFAULTS[name]) for name in SCALES)


def _disorder(ops: tuple[Op, ...]) -> int:
    return sum(
        earlier.code > later.code for place, later in enumerate(ops) for earlier in ops[:place]
    )
