"""One scenario on split and on packed rings of a real device: whether the guest sees the same.

Timing decides what some scenarios show, in either form. So one that differs is run again: its forms
agree if they have shown the same in any two of their runs. Where a rule that is broken on a split
ring says that the device has been damaged, what follows may depend on the form, and is not
compared.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from tests.dataplane.ring_outcome import Outcome, on, unordered
from vblkfuzz.executor import run_scenario
from vblkfuzz.scenario.device import Ring
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.target import Target
from vblkfuzz.trace.kinds import COLLECT

_RUNS: Final = 4
"""Of each form at most."""
UNDAMAGED: Final = frozenset({"L6"})
"""Rules after whose violation a device goes on as one without."""


@dataclass
class Compared:
    """What was seen so far."""

    requests: int = 0
    again: int = 0
    """Scenarios that were run more than once."""
    damaged: Counter[str] = field(default_factory=Counter)
    """Scenarios that were not compared, by the rules that were broken on split rings."""
    different: list[Scenario] = field(default_factory=list)
    rules: dict[str, set[str]] = field(default_factory=dict)
    """Rules broken on each form."""

    def __str__(self) -> str:
        found = {ring: sorted(rules) for ring, rules in self.rules.items()}
        return (
            f"{self.requests} requests, {len(self.different)} differ, {self.again} run again, "
            f"{self.damaged.total()} not compared {dict(self.damaged)}, rules broken {found}"
        )


def compare(target: Target, scenario: Scenario, seen: Compared) -> None:
    """Run a scenario on both forms of rings, and note whether the guest sees the same."""
    outcomes: dict[Ring, list[Outcome]] = {"split": [], "packed": []}
    for number in range(_RUNS):
        seen.again += number == 1
        for ring, found in outcomes.items():
            execution = run_scenario(target, on(ring, scenario))
            rules = {each.rule for each in execution.verdict.violations}
            seen.rules.setdefault(ring, set()).update(rules)
            if not rules - UNDAMAGED:
                seen.requests += sum(event.kind == COLLECT for event in execution.trace.events)
                found.append(unordered(execution.trace))
            elif ring == "split":
                seen.damaged[" ".join(sorted(rules))] += 1
                return
        if any(each in outcomes["packed"] for each in outcomes["split"]):
            return
    seen.different.append(scenario)
