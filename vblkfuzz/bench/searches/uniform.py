"""Uniform random testing: each operation, argument and deviation is as likely as any other.

What a user writes in an afternoon: a random device, an init, then random operations of the
alphabet with random arguments, and a random schedule. Nothing is kept, nothing is learnt. Points of
deviations are drawn from those that an operation usually passes (`OpSpec.reach`): of all 256 that a
schedule can name, almost none would be reached.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any, Final

from vblkfuzz import limits
from vblkfuzz.bench.searches.executions import Executions, prepare
from vblkfuzz.bench.searches.search import RANDOM_DEVIATIONS
from vblkfuzz.scenario.alphabet.ops import CODES, OPS
from vblkfuzz.scenario.alphabet.param import ARGS
from vblkfuzz.scenario.device import FIELDS, DeviceConfig
from vblkfuzz.scenario.op import Op
from vblkfuzz.scenario.scenario import Deviation, Go, Scenario
from vblkfuzz.targets.model import model

if TYPE_CHECKING:
    from pathlib import Path

    from vblkfuzz.bench.searches.search import Budget, Ended


@dataclass(frozen=True, slots=True)
class _Uniform:
    name: str = "uniform"
    summary: str = "uniform random operations, arguments and schedules after an init"
    needs_engine: bool = False
    needs: str = ""

    def prepare(self) -> None:
        prepare()

    def draw(self, seed: int, budget: Budget) -> None:
        """Draw nothing: a trial does it soon enough."""

    def run(self, device: str, seed: int, budget: Budget, folder: Path) -> Ended:
        random = Random(seed)
        with model(device, "inline") as target:
            executions = Executions(target, budget)
            while not executions.over:
                executions.run(uniform_scenario(random))
        return executions.ended


def uniform_scenario(random: Random) -> Scenario:
    """Return a scenario of 1 to `limits.MAX_OPS` operations, the first of them an init."""
    fields: dict[str, Any] = {
        name: random.choice(row.values) for name, row in FIELDS.items() if row.changed
    }
    codes = random.choices(range(len(OPS)), k=random.randrange(limits.MAX_OPS))
    ops = tuple(_op(code, random) for code in (CODES["init"], *codes))
    return Scenario(DeviceConfig(**fields), ops, _schedule(ops, random))


def _op(code: int, random: Random) -> Op:
    fields = [0] * ARGS
    for param in OPS[code].params:
        fields[param.field] = random.randrange(param.count)
    return Op(code, *fields)


def _schedule(ops: tuple[Op, ...], random: Random) -> tuple[Deviation, ...]:
    """Return up to `RANDOM_DEVIATIONS` deviations; of two at one point, the last counts."""
    chosen = {}
    for _ in range(random.randint(0, RANDOM_DEVIATIONS)):
        at = random.randrange(len(ops))
        point = random.randint(0, ops[at].spec.reach)
        deviation = Deviation(at, point, random.choice(tuple(Go)), random.random() < 0.5)
        chosen[deviation.where] = deviation
    return tuple(sorted(chosen.values()))


SEARCH: Final = _Uniform()
