"""The processes of a target, by role, and the check that its traces are right."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import cycle
from random import Random

import psutil

from tests.conformance.inputs import every_operation
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.model import model
from vblkfuzz.targets.model_modes import InlineModel, ProcessesModel
from vblkfuzz.trace.trace import Trace

ROLES = ("device", "guest")
SCENARIOS = tuple(
    every_operation(DeviceConfig(queues=queues, iothreads=queues % 3, ioeventfd=queues != 3))
    for queues in (1, 2, 3, 4)
)
"""All different, so that a late answer to an earlier one is detected."""


def expected(device: str) -> dict[Scenario, str]:
    """Return the digest of each scenario, run inline."""
    with model(device, "inline") as inline:
        return {scenario: inline.run(scenario).digest for scenario in SCENARIOS}


def process(role: str) -> psutil.Process:
    """Return the process of the one target that is started."""
    children = psutil.Process().children(recursive=True)
    (found,) = [child for child in children if lives_as(child, f"vblk-{role}")]
    return found


def lives_as(child: psutil.Process, name: str) -> bool:
    try:
        return child.name() == name and child.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:  # one that was replaced, reaped since it was listed
        return False


def kill(*processes: psutil.Process) -> None:
    """Kill the processes that are left: the death of one may have ended the others."""
    for victim in processes:
        with suppress(psutil.NoSuchProcess):
            victim.kill()


class Crew:
    """A started target and its processes."""

    def __init__(self, target: InlineModel | ProcessesModel) -> None:
        self.target = target
        self._right = expected(target.device)
        self._next = cycle(SCENARIOS)

    def run(self) -> Trace:
        """Run the next scenario and check its trace.

        Raises:
            HarnessError: there is no whole trace.
        """
        scenario = next(self._next)
        trace = self.target.run(scenario)
        assert trace.digest == self._right[scenario]
        return trace

    def run_all(self) -> None:
        """Run each scenario three times and check the traces."""
        for _ in range(3 * len(SCENARIOS)):
            self.run()

    def run_until_error(self) -> None:
        """Run scenarios until one raises."""
        while True:
            self.run()


@contextmanager
def soon(random: Random, act: Callable[[], None]) -> Iterator[None]:
    """Call `act` at a random moment within 10 ms of the start of the block."""

    def later(delay: float) -> None:
        time.sleep(delay)
        act()

    thread = threading.Thread(target=later, args=(random.uniform(0, 0.01),))
    thread.start()
    try:
        yield
    finally:
        thread.join()
