"""Policies: what decides, while a scenario runs, which actor goes on at each preemption point.

A *scheduler* has a name, by entry point, and makes a policy for one run. `steered` asks the policy
and records each answer that differs from the default as a deviation. So whatever a policy decides
is part of the input afterwards: the input runs again without the policy, in any mode.

To add one, see CONTRIBUTING.md: a file in `schedule.policies` and a line in pyproject.toml.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from vblkfuzz.scenario.scenario import Go

if TYPE_CHECKING:
    from vblkfuzz.scenario.scenario import Scenario
    from vblkfuzz.trace.event import Event

ACTORS: Final = len(Go)
"""Most actors that a policy orders. The story is one of them: its steps start operations
(`Go.NEXT`)."""


class Moment(NamedTuple):
    """A preemption point at which a policy is asked."""

    op: int
    """Index of the operation that runs."""
    point: int
    """Preemption points passed since it started."""
    choices: Sequence[Go]
    """Who can go on, ascending, at least one; `Go.NEXT` unless the last operation runs."""
    default: Go
    """Who goes on without a policy."""
    happened: Sequence[Event]
    """The events since the policy was asked last."""


class Policy(Protocol):
    """Decides during one run."""

    def choose(self, moment: Moment) -> Go:
        """Return one of the choices."""


class Task(NamedTuple):
    """What a policy is told before a run."""

    seed: int
    """All that is random comes from it."""
    depth: int = 0
    """Depth of the bugs it is to find, from 1, for a scheduler that has depths."""
    steps: int = 1
    """Points at which it will be asked, estimated; at least 1."""
    counts: tuple[int, ...] = ()
    """Events of `surw.INTERESTING` in a run of the same operations, by the number of the actor;
    empty: not known."""


@dataclass(frozen=True, slots=True)
class Scheduler:
    """What an entry point names."""

    summary: str
    """One line for `vblkfuzz list`."""
    new: Callable[[Scenario, Task], Policy]
    """Makes the policy of one run of a scenario; it may read the schedule of the input."""
    depths: tuple[int, ...] = ()
    """Depths of bugs that `Task.depth` is chosen from; empty: it has none."""
    steers: bool = True
    """False: the input as it is shows what this scheduler decides, so nothing is to be recorded."""
