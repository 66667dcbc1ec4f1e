"""A worker whose target raises what usually ends a program: it is an error of that input."""

from __future__ import annotations

from pathlib import Path

import pytest

from vblkfuzz.campaign.worker import Worker
from vblkfuzz.errors import ExitStatus, ZygoteLost
from vblkfuzz.launch.plan import Message, Stat, WorkerPlan
from vblkfuzz.process.arena import Arena
from vblkfuzz.scenario.codec import encode
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.model import model

INPUT = encode(Scenario(ops=(op("init"),)))
"""An input with operations: libFuzzer's own first ones have none, and do not run."""


class Raising:
    """A target, as a plugin may have it."""

    name, device, mode = "model", "reference", "inline"

    def __init__(self, error: BaseException) -> None:
        self._error = error

    def run(self, scenario: Scenario) -> None:
        raise self._error


@pytest.mark.parametrize("error", [KeyboardInterrupt, GeneratorExit, SystemExit, RuntimeError])
def test_no_exception_of_a_target_ends_a_worker_as_if_it_were_done(
    error: type[BaseException], tmp_path: Path
) -> None:
    plan = WorkerPlan(0, "reference", "inline", 1, str(tmp_path))
    sent: list[Message] = []
    arena = Arena()
    worker = Worker(plan, Raising(error()), arena, None, sent.append)  # type: ignore[arg-type]  # a fake
    with pytest.raises(KeyboardInterrupt):  # ours: it lets Atheris leave Fuzz()
        worker.test_one_input(INPUT)
    assert worker.ending is ExitStatus.HARNESS
    (message,) = sent
    assert message.kind == "harness_error"
    assert message.name.strip().endswith(error.__name__)
    assert bytes.fromhex(message.input) == INPUT
    assert arena.statistics[Stat.HARNESS_ERRORS] == arena.statistics[Stat.EXECS] == 1


@pytest.mark.parametrize(
    ("of_input", "ending"), [(True, ExitStatus.HARNESS), (False, ExitStatus.INTERRUPTED)]
)
def test_a_zygote_that_somebody_has_killed_is_no_failure_of_the_worker(
    of_input: bool, ending: ExitStatus, tmp_path: Path
) -> None:
    """Before the first verdict it would be one: a campaign of one worker would end."""
    error = ZygoteLost("the zygote has ended")
    error.of_input = of_input
    plan = WorkerPlan(0, "reference", "processes", 1, str(tmp_path))
    worker = Worker(plan, Raising(error), Arena(), None, lambda _message: None)  # type: ignore[arg-type]  # a fake
    with pytest.raises(KeyboardInterrupt):
        worker.test_one_input(INPUT)
    assert worker.ending is ending


@pytest.mark.parametrize("data", [b"", b"\n"])
def test_the_inputs_that_libfuzzer_begins_with_say_nothing(data: bytes, tmp_path: Path) -> None:
    """They do not run, and are no executions; what has no operation later does."""
    plan = WorkerPlan(0, "reference", "inline", 1, str(tmp_path))
    arena = Arena()
    with model("reference", "inline") as target:
        worker = Worker(plan, target, arena, None, lambda _message: None)
        worker.test_one_input(data)
        assert arena.statistics[Stat.EXECS] == 0
        worker.test_one_input(INPUT)
        worker.test_one_input(data)
    assert arena.statistics[Stat.EXECS] == 2
