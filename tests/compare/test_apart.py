"""A target in a process of its own: answers, errors, ends; nothing is left."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

import pytest

from tests.conformance.inputs import biggest
from tests.conformance.leftovers import await_end, descendants, nothing_left
from tests.targets.without_processes import WithoutProcesses
from vblkfuzz.compare.apart import Apart
from vblkfuzz.errors import ActorDied, HarnessError, UsageError
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.model import model
from vblkfuzz.targets.target import Target
from vblkfuzz.trace.trace import Trace

SCENARIO = Scenario(ops=(op("init"), op("publish_kick"), op("collect")))


def reference() -> Target:
    return model("reference", "inline")


class Failing(WithoutProcesses):
    """A target that has no trace."""

    def run(self, scenario: Scenario) -> Trace:
        raise HarnessError(f"no trace of {len(scenario.ops)}")


def unusable() -> Target:
    raise UsageError("there is none")


@pytest.mark.parametrize("scenario", [SCENARIO, biggest()])
def test_the_same_trace_as_in_this_process(scenario: Scenario) -> None:
    with reference() as here:
        expected = here.run(scenario)
    with nothing_left(), Apart(reference) as apart:
        assert (apart.name, apart.device, apart.mode) == ("model", "reference", "inline")
        assert apart.run(scenario) == expected
        assert apart.run(scenario) == expected


def test_errors_of_runs() -> None:
    with Apart(Failing) as apart:
        for _ in range(2):
            with pytest.raises(HarnessError, match="no trace of 3"):
                apart.run(SCENARIO)


def test_errors_of_the_start() -> None:
    with nothing_left(), pytest.raises(UsageError, match="there is none"):
        Apart(unusable).__enter__()


def killed() -> Target:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


@pytest.mark.parametrize("make", [killed])
def test_a_process_that_ends_at_the_start(make: Callable[[], Target]) -> None:
    with nothing_left(), pytest.raises(ActorDied):
        Apart(make).__enter__()


def test_a_process_that_ends_later() -> None:
    with nothing_left(), Apart(reference) as apart:
        (process,) = descendants()
        process.kill()
        await_end([process])
        for _ in range(2):
            with pytest.raises(ActorDied):
                apart.run(SCENARIO)


def test_it_has_a_session_of_its_own() -> None:
    with Apart(reference):
        (process,) = descendants()
        assert os.getsid(process.pid) == process.pid
