"""Canaries: planted defects that a campaign must find, to show that it could find others.

One of a hundred inputs of the campaign runs once more, on a device with a planted defect, and is
judged by the rules of the campaign's target. So a canary tries the search and the rules. Of a
built-in device it is the device itself, with the defect in it; for a user's device and for a real
one it is the model's `reference`, as neither has a place for our mistakes.

What a canary does leaves no trace in the campaign: its memory is its own, the marks of its probes
are undone, and its verdict goes nowhere but to the counts. So the same seed gives the same inputs,
features and findings as without it.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

from vblkfuzz.errors import HarnessError
from vblkfuzz.launch.plan import Message, Stat
from vblkfuzz.oracle.naming.known import matches
from vblkfuzz.store.canary import Canary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from vblkfuzz.dataplane.virtio_blk import VirtioBlk
    from vblkfuzz.executor import Execution
    from vblkfuzz.launch.plan import WorkerPlan
    from vblkfuzz.process.arena import Arena
    from vblkfuzz.scenario.scenario import Scenario
    from vblkfuzz.targets.target import Target
    from vblkfuzz.trace.trace import Trace
    from vblkfuzz.trace.witness import Witness

_EACH: Final = 100
"""Of so many executions, one is tried on a canary."""
_AT: Final = 49
"""Which one of them: not the one that runs twice (`campaign.worker`)."""


class _Candidate(NamedTuple):
    """A defect that may be planted."""

    defect: str
    rule: str
    """The rule that must see it."""
    needs: frozenset[str]
    """Operations that show it."""


_START: Final = frozenset(("init", "publish_kick"))
_HELD: Final = frozenset((*_START, "hold", "complete", "collect"))
_SECTION: Final = frozenset((*_START, "drain_begin", "drain_end"))

_GRADES: Final = (
    (
        _Candidate("in_flight_not_awaited", "S3", frozenset((*_START, "hold", "drain_begin"))),
        _Candidate("status_of_last", "S21", _HELD),
    ),
    (_Candidate("wakes_one", "L3", _SECTION), _Candidate("enospc_reported", "S21", _HELD)),
    (_Candidate("no_selfkick", "L1", _SECTION), _Candidate("read_error_by_werror", "S21", _HELD)),
)
"""Candidates by grade of difficulty; of each grade, the first one that fits is planted.

They are neither trivial nor very rare: docs/silence.md has how many inputs show each.
"""
_RULES: Final = {one.defect: one.rule for grade in _GRADES for one in grade}


def planted_for(device: str, witnesses: Witness, without: Iterable[str] = ()) -> tuple[Canary, ...]:
    """Return the defects to plant, the easiest first.

    Without an easy one there are none: whether the others are found says little of a set-up.

    Args:
        device: as in ``--device``. A defect that it has already is not planted.
        witnesses: of the target; the rule that sees a defect must be sound on it.
        without: operations that inputs do not have; a defect that needs one is not planted.
    """
    from vblkfuzz.oracle.judge import rules_for

    sound = {rule.id for rule in rules_for(witnesses)}
    there, left_out = device.split("+")[1:], frozenset(without)
    fitting = [
        [
            one.defect
            for one in grade
            if one.rule in sound and one.defect not in there and not one.needs & left_out
        ]
        for grade in _GRADES
    ]
    return tuple(Canary(names[0]) for names in fitting if names) if fitting[0] else ()


class Canaries:
    """Tries inputs on devices with a planted defect, in turn, until each was found.

    Args:
        target: that of the campaign.
        plan: names the defects, and what the campaign does not report.
        arena: that of the worker. Its coverage region stays as it is; its statistics get the tries.
        send: called with a message for each defect that was found.
    """

    def __init__(
        self, target: Target, plan: WorkerPlan, arena: Arena, send: Callable[[Message], None]
    ) -> None:
        self._target = target
        self._left = list(enumerate(plan.canaries))
        self._silenced = plan.silenced
        self._coverage = arena.coverage
        self._statistics = arena.statistics
        self._send = send

    def turn(self, execution: Execution, number: int) -> None:
        """Try an input, if it is its turn.

        Args:
            execution: on the target of the campaign.
            number: executions before it.
        """
        if number % _EACH != _AT or not self._left:
            return
        place, name = self._left.pop(0)
        self._statistics[Stat.CANARIES + place] += 1
        try:
            shown = self._shows(execution, name)
        except HarnessError as error:
            self._statistics[Stat.HARNESS_ERRORS] += 1
            said = f"planted defect {name}: {error}"
            self._send(Message("harness_error", said, execs=number + 1))
            return  # it is never found, and the end of the campaign says so
        if shown:
            self._send(Message("canary", name, execs=number + 1))
        else:
            self._left.append((place, name))

    def _shows(self, execution: Execution, name: str) -> bool:
        """Whether the campaign would report the defect, were it in the device, for this input."""
        from vblkfuzz.oracle.judge import judge

        trace = self._run(execution.scenario, name)
        # Else rules would judge that the target of the campaign cannot have.
        trace = replace(trace, witnesses=trace.witnesses & execution.trace.witnesses)
        own = {one.rule for one in execution.verdict.violations} if self._is_in_device else set()
        rule = _RULES[name]
        return rule not in own and any(
            one.rule == rule and not matches(one.signature, self._silenced)
            for one in judge(execution.scenario, trace).causes
        )

    def _run(self, scenario: Scenario, name: str) -> Trace:
        """Run a scenario on a device with a defect; the coverage region stays as it is."""
        from vblkfuzz.dataplane.defects.plant import with_defects
        from vblkfuzz.targets.model_modes import InlineModel

        marks = bytes(self._coverage)
        try:
            # Not longer: its time limit takes the place of that of the campaign's target.
            with InlineModel(name, self._arena, with_defects(self._base, [name])) as model:
                return model.run(scenario)
        finally:
            self._coverage[:] = marks

    @cached_property
    def _arena(self) -> Arena:
        from vblkfuzz.process.arena import Arena

        return Arena()

    @cached_property
    def _base(self) -> type[VirtioBlk]:
        """The device to plant defects in. Imported late: the probes of the campaign come first."""
        from vblkfuzz.dataplane.revisions import REVISIONS
        from vblkfuzz.process.own_code import OwnCode

        device: type[VirtioBlk] | None = getattr(self._target, "device_class", None)
        if device is None or OwnCode(device):
            return REVISIONS["reference"]
        return device

    @property
    def _is_in_device(self) -> bool:
        """Whether the defect is in the device of the campaign, whose other bugs show as well."""
        return self._base is getattr(self._target, "device_class", None)
