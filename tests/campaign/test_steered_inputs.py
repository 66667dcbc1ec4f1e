"""Inputs whose schedule a scheduler decides: what libFuzzer gets is what runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import isclose

import pytest

from vblkfuzz.campaign.shares import DEFAULT, shares_of
from vblkfuzz.campaign.steered_inputs import SteeredInputs
from vblkfuzz.campaign.tried import Tried
from vblkfuzz.errors import HarnessError, UsageError
from vblkfuzz.executor import run_scenario
from vblkfuzz.launch.plan import WorkerPlan
from vblkfuzz.scenario.codec import MAX_BYTES, decode, encode
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.scenario import Deviation, Go, Scenario
from vblkfuzz.schedule.bound import hit_bound
from vblkfuzz.schedule.registry import SCHEDULERS
from vblkfuzz.targets.model import model
from vblkfuzz.targets.model_modes import InlineModel, ProcessesModel

OPS = tuple(op(name) for name in ("init", "publish_kick", "drain_begin", "publish_kick", "reset"))
STORY = Scenario(ops=OPS, schedule=(Deviation(1, 2, Go.NEXT),))
DATA = encode(STORY)


@pytest.fixture(scope="module")
def target() -> Iterator[InlineModel | ProcessesModel]:
    with model("reference", "inline") as started:
        yield started


class Steered:
    """A worker's part that lets schedulers decide, and what it warns of."""

    def __init__(self, target: InlineModel | ProcessesModel, *schedulers: str) -> None:
        plan = WorkerPlan(0, "reference", "inline", 5, "out", schedulers=[*schedulers])
        self.warnings: list[str] = []
        self.inputs = SteeredInputs(plan, target, self.warnings.append)


@pytest.mark.parametrize("name", SCHEDULERS.names())
def test_what_is_decided_is_in_the_input(target: InlineModel | ProcessesModel, name: str) -> None:
    inputs = Steered(target, name).inputs
    data = inputs.of(DATA, DATA, MAX_BYTES)
    ahead = inputs.take(data)
    assert decode(data).ops == OPS
    assert ahead is None or ahead.digest == target.run(decode(data)).digest
    assert inputs.take(data) is None, "expected that a run is taken once"
    assert data == Steered(target, name).inputs.of(DATA, DATA, MAX_BYTES)


def test_the_coverage_of_the_run_is_marked(target: InlineModel | ProcessesModel) -> None:
    inputs, counters = Steered(target, "pct").inputs, target.arena.coverage
    data = inputs.of(DATA, DATA, MAX_BYTES)
    counters[:] = bytes(len(counters))
    counters[7] = 1
    assert inputs.take(data)
    assert counters[7] == 0


def test_another_run_of_a_story_is_another_one(target: InlineModel | ProcessesModel) -> None:
    inputs = Steered(target, "random").inputs
    found = set()
    for _ in range(5):
        data = inputs.of(DATA, DATA, MAX_BYTES)
        inputs.note(run_scenario(target, decode(data), inputs.take(data)))
        found.add(data)
    assert len(found) > 2


def test_a_run_that_libfuzzer_did_not_ask_for_is_forgotten(
    target: InlineModel | ProcessesModel,
) -> None:
    inputs = Steered(target, "pct").inputs
    inputs.of(DATA, DATA, MAX_BYTES)
    assert inputs.take(DATA) is None


def test_without_schedules_nothing_deviates(target: InlineModel | ProcessesModel) -> None:
    inputs = Steered(target, "none").inputs
    plain = encode(replace(STORY, schedule=()))
    assert inputs.of(b"", DATA, MAX_BYTES) == plain
    assert inputs.decoded(DATA) == (decode(plain), plain)


def test_an_input_that_would_be_too_long_stays(target: InlineModel | ProcessesModel) -> None:
    inputs = Steered(target, "random").inputs
    assert inputs.of(DATA, DATA, len(DATA)) in (DATA, encode(replace(STORY, schedule=())))


@pytest.fixture
def failing(target: InlineModel | ProcessesModel, monkeypatch: pytest.MonkeyPatch) -> Steered:
    def fails(*_: object) -> None:
        target.arena.steered.write(encode(replace(STORY, schedule=())))
        raise HarnessError("an actor raised:\nWrong: expected one of GUEST, found 9")

    monkeypatch.setattr(type(target), "steered", fails)
    return Steered(target, "pct")


def test_an_error_that_the_device_has_too_is_not_the_schedulers(failing: Steered) -> None:
    """The worker reports it; it notes no execution then."""
    for _ in range(2):
        failing.inputs.take(failing.inputs.of(DATA, DATA, MAX_BYTES))
    assert failing.warnings == []


def test_an_error_of_a_scheduler_is_said_once_and_the_input_runs(
    target: InlineModel | ProcessesModel, failing: Steered
) -> None:
    for _ in range(2):
        data = failing.inputs.of(DATA, DATA, MAX_BYTES)
        assert (decode(data).ops, failing.inputs.take(data)) == (OPS, None)
        failing.inputs.note(run_scenario(target, decode(data)))
    said = "scheduler pct: an input could not be steered: Wrong: expected one of GUEST, found 9"
    assert failing.warnings == [said]


def test_runs_of_pct_are_counted_by_story(target: InlineModel | ProcessesModel) -> None:
    inputs = Steered(target, "pct").inputs
    for _ in range(12):
        data = inputs.of(DATA, DATA, MAX_BYTES)
        inputs.note(run_scenario(target, decode(data), inputs.take(data)))
    bounds = inputs.tried.bounds()
    assert set(bounds) <= {1, 2, 3}
    assert sum(bound.runs for bound in bounds.values()) <= 12
    assert {bound.stories for bound in bounds.values()} == {1}


def test_the_bound_of_a_depth() -> None:
    tried = Tried()
    for _ in range(7):
        tried.note(b"one", 2, 5, 40)
    tried.note(b"other", 2, 5, 80)
    tried.note(b"one", 1, 5, 40)
    bounds = tried.bounds()
    assert [*bounds] == [1, 2]
    stories, runs, best, mean = bounds[2]
    assert (stories, runs) == (2, 8)
    assert isclose(best, hit_bound(5, 40, 2, 7))
    assert isclose(mean, (hit_bound(5, 40, 2, 7) + hit_bound(5, 80, 2)) / 2)


def test_shares() -> None:
    assert shares_of(["input:8", "pct"]) == {"input": 8, "pct": 1}
    assert set(shares_of(DEFAULT)) <= set(SCHEDULERS.names())


@pytest.mark.parametrize(
    ("texts", "problem"),
    [
        (("pc",), "scheduler pc: expected one of input, none, pct"),
        (("pct", "pct:2"), "--schedulers pct:2: pct stands there twice"),
        (("pct:0",), "--schedulers pct:0: expected a share of 1 to"),
        (("pct:x",), "--schedulers pct:x: expected a share of 1 to"),
        (("pct:",), "--schedulers pct:: expected a share of 1 to"),
    ],
)
def test_wrong_shares(texts: tuple[str, ...], problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        shares_of(texts)
