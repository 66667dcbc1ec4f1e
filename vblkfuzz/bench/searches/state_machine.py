"""A Hypothesis state machine: a rule for each operation of the alphabet, on the inline engine.

What a user of Hypothesis would write. Each operation is a rule whose precondition is that it makes
sense (`mutation.story_state`), arguments are integers in their range, device and schedule are drawn
first. The model runs whole scenarios, so an example is executed when its steps have been chosen.
Hypothesis stops at the first violation and does not shrink it; its number of steps is the default.

No choice depends on what an execution shows, and choosing takes many times as long as executing. So
the examples of a seed are drawn once, for all devices. A trial is charged with the CPU seconds in
which those that it has run were drawn.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from vblkfuzz.bench.searches.executions import Executions, prepare
from vblkfuzz.bench.searches.search import RANDOM_DEVIATIONS
from vblkfuzz.mutation.story_state import FITS, NEXT
from vblkfuzz.scenario.alphabet.ops import CODES, OPS
from vblkfuzz.scenario.alphabet.param import ARGS
from vblkfuzz.scenario.alphabet.spec import OpSpec
from vblkfuzz.scenario.codec import decode, encode
from vblkfuzz.scenario.device import FIELDS, DeviceConfig
from vblkfuzz.scenario.op import Op
from vblkfuzz.scenario.scenario import Deviation, Go, Scenario
from vblkfuzz.targets.model import model

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hypothesis.stateful import RuleBasedStateMachine
    from hypothesis.strategies import SearchStrategy

    from vblkfuzz.bench.searches.search import Budget, Ended

_MAX_STEPS: Final = 50
"""Steps of an example: the default of Hypothesis."""


class _Over(Exception):
    """The examples have been drawn."""


class _Example(NamedTuple):
    """A scenario that was drawn."""

    data: bytes
    drawn_s: float
    """CPU seconds until it was drawn, with all before it."""


@dataclass(slots=True)
class _StateMachine:
    name: str = "state_machine"
    summary: str = "Hypothesis: a RuleBasedStateMachine, operations as rules, with schedule"
    needs_engine: bool = False
    needs: str = "hypothesis"
    _drawn: tuple[int, list[_Example]] | None = None
    """A seed, and its examples."""

    def prepare(self) -> None:
        examples(seed=0, count=1, seconds=0.0)
        prepare()

    def draw(self, seed: int, budget: Budget) -> None:
        if self._drawn is None or self._drawn[0] != seed:
            self._drawn = seed, examples(seed, budget.runs, budget.seconds)

    def run(self, device: str, seed: int, budget: Budget, folder: Path) -> Ended:
        """Run the examples that were drawn; see `Search.run`."""
        assert self._drawn is not None
        drawn_s = 0.0
        with model(device, "inline") as target:
            executions = Executions(target, budget)
            for example in self._drawn[1]:
                executions.run(decode(example.data))
                drawn_s = example.drawn_s
                if executions.over:
                    break
        return executions.ended._replace(drawn_s=drawn_s)


def examples(seed: int, count: int, seconds: float) -> list[_Example]:
    """Return what a state machine draws with a seed.

    Args:
        seed: any number.
        count: most examples.
        seconds: on the wall clock, after which no further one is begun.
    """
    import hypothesis
    from hypothesis.stateful import run_state_machine_as_test

    settings = hypothesis.settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[hypothesis.Phase.generate],
        report_multiple_bugs=False,
        stateful_step_count=_MAX_STEPS,
        suppress_health_check=list(hypothesis.HealthCheck),
        print_blob=False,
    )
    found: list[_Example] = []
    begun_s, end = time.process_time(), time.monotonic() + seconds

    def over() -> bool:
        return len(found) == count or (bool(found) and time.monotonic() >= end)

    def take(scenario: Scenario) -> None:
        if not over():
            found.append(_Example(encode(scenario), time.process_time() - begun_s))
        if over():  # Hypothesis tries again what raises
            raise _Over

    with suppress(_Over):
        run_state_machine_as_test(hypothesis.seed(seed)(machine_of(take)), settings=settings)
    return found


def machine_of(take: Callable[[Scenario], None]) -> type[RuleBasedStateMachine]:
    """Return the state machine; `take` is called with the scenario of each example."""
    from hypothesis import stateful

    def begin(self: Any, device: DeviceConfig, schedule: list[Deviation]) -> None:  # noqa: ANN401
        init = CODES["init"]
        self.device, self.schedule = device, tuple(sorted(schedule))
        self.ops, self.state = [Op(init)], NEXT[0][init]

    def teardown(self: Any) -> None:  # noqa: ANN401
        take(Scenario(self.device, tuple(self.ops), self.schedule))

    first = stateful.initialize(device=_devices(), schedule=_schedules())(begin)
    rules = {spec.name: _rule_of(spec) for spec in OPS}
    members = {**rules, "begin": first, "teardown": teardown}
    return type("Machine", (stateful.RuleBasedStateMachine,), members)


def _rule_of(spec: OpSpec) -> Any:  # noqa: ANN401  # what Hypothesis makes of a method
    from hypothesis import stateful
    from hypothesis import strategies as st

    stored = [st.just(0)] * ARGS
    for param in spec.params:
        stored[param.field] = st.integers(0, param.count - 1)

    def step(self: Any, fields: tuple[int, ...]) -> None:  # noqa: ANN401
        self.ops.append(Op(spec.code, *fields))
        self.state = NEXT[self.state][spec.code]

    step.__name__ = spec.name
    rule = stateful.rule(fields=st.tuples(*stored))(step)
    return stateful.precondition(lambda self: FITS[self.state][spec.code])(rule)


def _devices() -> SearchStrategy[DeviceConfig]:
    from hypothesis import strategies as st

    values: dict[str, Any] = {
        name: st.sampled_from(row.values) for name, row in FIELDS.items() if row.changed
    }
    return st.builds(DeviceConfig, **values)


def _schedules() -> SearchStrategy[list[Deviation]]:
    from hypothesis import strategies as st

    point = st.integers(0, max(spec.reach for spec in OPS))
    op = st.integers(0, _MAX_STEPS)
    deviation = st.builds(Deviation, op, point, st.sampled_from(Go), st.booleans())
    return st.lists(deviation, max_size=RANDOM_DEVIATIONS, unique_by=lambda one: one.where)


SEARCH: Final = _StateMachine()
