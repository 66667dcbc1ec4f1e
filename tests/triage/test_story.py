"""The facts of a story, and its JSON form."""

from __future__ import annotations

import json
from dataclasses import replace

from hypothesis import given, settings

from tests.strategies import scenarios
from tests.triage.stories import QUIET, RESET_IN_DRAIN, SIGNATURE, case
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.scenario import Deviation, Go, Role, Scenario
from vblkfuzz.store.sightings import Sightings
from vblkfuzz.triage.case import Case
from vblkfuzz.triage.outcome import Run
from vblkfuzz.triage.step import lane_of
from vblkfuzz.triage.story import (
    again,
    case_object,
    deviations,
    device_facts,
    first_seen,
    said_seen,
    seen,
    shown_steps,
    state_facts,
    story_object,
)

SIGHTINGS = Sightings(1200, 42, 1.25, "2026-01-02T03:04:05+00:00")


@settings(max_examples=30)
@given(scenarios(max_ops=12))
def test_every_story_can_be_told_in_json(scenario: Scenario) -> None:
    story = story_object(case(scenario))
    assert json.loads(json.dumps(story)) == story
    assert len(story["operations"]) == len(scenario.ops)


@settings(max_examples=30)
@given(scenarios(max_ops=20))
def test_the_window_of_the_clash_is_shown(scenario: Scenario) -> None:
    story = case(scenario)
    if story.violation:
        assert_window_is_shown(story)


def assert_window_is_shown(story: Case) -> None:
    assert story.violation
    shown = {step.event for step in shown_steps(story, whole=False) if step.lane}
    window = story.violation.window(story.execution.trace)
    assert shown == {event for event in window if lane_of(event)}


def test_the_window_of_a_known_clash_is_shown() -> None:
    assert_window_is_shown(case())


def test_the_whole_story_has_every_event() -> None:
    story = case()
    part = shown_steps(story, whole=False)
    assert len(part) < len(shown_steps(story, whole=True)) == len(story.steps)


def test_what_was_seen() -> None:
    story = Case(case().outcome, SIGHTINGS)
    facts = "1,200 times, first after 1.2 s (execution 42), reproduced in 1 of 1 run"
    assert (seen(story), said_seen(story)) == (facts, f"seen {facts}")
    assert said_seen(case()) == seen(case()) == "reproduced in 1 of 1 run"
    assert first_seen(SIGHTINGS) == "2026-01-02T03:04:06+00:00"


def test_a_finding_that_shows_no_more() -> None:
    fixed = case(RESET_IN_DRAIN, "reference")
    assert seen(fixed) == "reproduced in 0 of 1 run"
    found = case_object(fixed)
    assert (found["signature"], found["rule"], found["reproduced"]) == (SIGNATURE, "S1", 0)
    assert found["verdict"] == "clean"


def test_a_finding_that_could_not_be_judged() -> None:
    run = Run("harness_error", error="trace\ndied")
    outcome = replace(case().outcome, run=run, reproduced=0, harness_errors=1)
    lost = Case(outcome)
    assert seen(lost) == "not run: died"
    assert (lost.steps, story_object(lost)["steps"]) == ([], [])


def test_runs_without_a_verdict_are_counted_apart() -> None:
    outcome = replace(case().outcome, runs=5, harness_errors=2, reproduced=3)
    assert again(Case(outcome)) == "reproduced in 3 of 3 runs, 2 harness errors"
    clean = replace(
        outcome, runs=3, harness_errors=1, reproduced=0, run=Run("harness_error", error="a\ndied")
    )
    assert again(Case(clean)) == "reproduced in 0 of 2 runs, 1 harness error: died"
    assert case_object(Case(clean))["harness_errors"] == 1


def test_another_bug_beside_a_run_without_a_verdict() -> None:
    outcome = replace(case().outcome, runs=2, harness_errors=1, reproduced=0)
    words = f"reproduced in 0 of 1 run, but {SIGNATURE}, 1 harness error"
    assert again(Case(outcome)) == words


def test_the_schedule_in_words() -> None:
    schedule = (Deviation(1, 2, Go.MAIN), Deviation(1, 3, Go.NEXT), Deviation(2, 0, Go.IO1))
    assert deviations(case(Scenario(ops=QUIET.ops, schedule=schedule))) == [
        "at point 2 of operation 1, go on with the main loop",
        "at point 3 of operation 1, start the next operation",
        "at point 0 of operation 2, go on with iothread 1",
    ]


def test_points_of_one_actor_in_words() -> None:
    schedule = (
        Deviation(1, 2, Go.MAIN, role=Role.IO0),
        Deviation(1, 3, Go.NEXT, delayed=True, role=Role.GUEST),
    )
    assert deviations(case(Scenario(ops=QUIET.ops, schedule=schedule))) == [
        "at point 2 of iothread 0 in operation 1, go on with the main loop",
        "at point 3 of the guest in operation 1, start the next operation, with the last stores "
        "not visible to it yet",
    ]


def test_only_what_differs_of_the_device_is_said() -> None:
    assert device_facts(case(QUIET)) == "plain"
    polling = Scenario(device=DeviceConfig(polling=True, queues=2))
    assert device_facts(case(polling)) == "queues=2, polling=True"


def test_a_state_in_words() -> None:
    clash = next(step for step in case().steps if step.clash == "second")
    assert state_facts(clash.state) == [
        ("device", "stopping"),
        ("drains", "quiesce_counter 1, drained"),
        ("in flight", "none"),
        ("parked", "none"),
        ("others", "r1 taken"),
        ("queue 0", "avail 1, taken 1, used 0, wants kicks, notifier open, not attached"),
    ]
