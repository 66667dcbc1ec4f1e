"""Which of two scenarios is smaller, in the order in which a reader cares.

Fewest operations; then fewest deviations, and fewest that delay stores; then a device nearest to
the default, operations of the plainest kind, the lowest arguments, the earliest deviations. Every
step of the minimizer lowers this weight: that is why it ends, and why what it ends with does not
depend on luck.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from vblkfuzz.scenario.alphabet.ops import CODES, OPS
from vblkfuzz.scenario.device import DEFAULTS, FIELDS, DeviceConfig
from vblkfuzz.scenario.op import Op
from vblkfuzz.scenario.scenario import Go, Scenario

PLAINER: Final = {spec.code: CODES[spec.plainer] for spec in OPS if spec.plainer}
"""What says the same of a bug with less around it: an init of a device in use resets it first."""

GO_RANK: Final = {go: (go + 1) % len(Go) for go in Go}
"""`Go.NEXT` first: not to settle is easy to read, and the one deviation that real devices know."""

SCALES: Final = tuple(name for name, row in FIELDS.items() if row.scale)
"""Fields of the device that can be nearer to their default."""


class Weight(NamedTuple):
    """Compared field by field, the first difference decides."""

    ops: int
    deviations: int
    delays: int
    """Deviations that delay stores."""
    unusual: int
    """Fields of the device that are not the default."""
    distance: int
    """How far its numbers are from the default."""
    kinds: int
    """Operations for which there is a plainer one."""
    arguments: int
    """Sum of all arguments, as stored."""
    points: int
    """Sum of the deviations' points."""
    goes: int
    """Sum of `GO_RANK`."""
    disorder: int
    """Pairs of operations in another order than the alphabet's: set up, use, drain, complete."""


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
