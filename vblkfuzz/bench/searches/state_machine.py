"""A Hypothesis state machine: a rule for each operation of the alphabet, on the inline engine.

What a user of Hypothesis would write. Each operation is a rule whose precondition is that it makes
sense (`mutation.story_state`), arguments are integers in their range, device and schedule are drawn
first. The model runs whole scenarios, so an example is executed when its steps have been chosen.
Hypothesis stops at the first violation and does not shrink it; its number of steps is the default.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from vblkfuzz.bench.searches.executions import Executions
from vblkfuzz.bench.searches.search import RANDOM_DEVIATIONS
from vblkfuzz.mutation.story_state import FITS, NEXT
from vblkfuzz.scenario.alphabet.ops import CODES, OPS
from vblkfuzz.scenario.alphabet.param import ARGS
from vblkfuzz.scenario.alphabet.spec import OpSpec
from vblkfuzz.scenario.device import FIELDS, DeviceConfig
from vblkfuzz.scenario.op import Op
from vblkfuzz.scenario.scenario import Deviation, Go, Scenario
from vblkfuzz.targets.model import model

if TYPE_CHECKING:
    from pathlib import Path

    from hypothesis.stateful import RuleBasedStateMachine
    from hypothesis.strategies import SearchStrategy

    from vblkfuzz.bench.searches.search import Budget, Ended

_MAX_STEPS: Final = 50
"""Steps of an example: the default of Hypothesis."""


class _Over(Exception):
    """The search has ended."""


@dataclass(frozen=True, slots=True)
class _StateMachine:
    name: str = "state_machine"
    summary: str = "Hypothesis: a RuleBasedStateMachine, operations as rules, with schedule"
    in_workers: bool = False
    needs: str = "hypothesis"

    def run(self, device: str, seed: int, budget: Budget, folder: Path) -> Ended:
        import hypothesis
        from hypothesis.stateful import run_state_machine_as_test

        settings = hypothesis.settings(
            max_examples=budget.runs,
            database=None,
            deadline=None,
            phases=[hypothesis.Phase.generate],
            report_multiple_bugs=False,
            stateful_step_count=_MAX_STEPS,
            suppress_health_check=list(hypothesis.HealthCheck),
            print_blob=False,
        )
        with model(device, "inline") as target:
            executions = Executions(target, budget)
            machine = hypothesis.seed(seed)(machine_of(executions))
            with suppress(_Over):
                run_state_machine_as_test(machine, settings=settings)
        return executions.ended


def machine_of(executions: Executions) -> type[RuleBasedStateMachine]:
    """Return the state machine: each example is one execution."""
    from hypothesis import stateful

    def begin(self: Any, device: DeviceConfig, schedule: list[Deviation]) -> None:  # noqa: ANN401
        init = CODES["init"]
        self.device, self.schedule = device, tuple(sorted(schedule))
        self.ops, self.state = [Op(init)], NEXT[0][init]

    def teardown(self: Any) -> None:  # noqa: ANN401
        if not executions.over:
            executions.run(Scenario(self.device, tuple(self.ops), self.schedule))
        if executions.over:
            raise _Over

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
