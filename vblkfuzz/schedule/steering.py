"""A scheduler and its task: what a run is told, also one in another process."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from vblkfuzz.schedule.policy import Policy, Task
from vblkfuzz.schedule.registry import scheduler_of

if TYPE_CHECKING:
    from vblkfuzz.scenario.scenario import Scenario


class Steering(NamedTuple):
    """Which scheduler steers a run, and what it is told."""

    scheduler: str
    """Name of the scheduler."""
    task: Task

    def policy(self, scenario: Scenario) -> Policy:
        """Return a new policy for one run.

        Raises:
            UsageError: there is no such scheduler, or it cannot be imported.
        """
        return scheduler_of(self.scheduler).new(scenario, self.task)

    def to_json(self) -> bytes:
        """Return it as one line of JSON."""
        return json.dumps(self).encode()

    @staticmethod
    def from_json(text: bytes) -> Steering:
        """Return what `to_json` has written."""
        name, (seed, depth, steps, counts) = json.loads(text)
        return Steering(name, Task(seed, depth, steps, tuple(counts)))
