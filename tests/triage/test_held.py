"""What is told of threads of a real device that the schedule holds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.triage.stories import RESET_IN_DRAIN, case
from vblkfuzz.cli.views.replay_json import outcome_object
from vblkfuzz.cli.views.replay_text import print_outcome
from vblkfuzz.cli.views.screen import Screen
from vblkfuzz.cli.views.triage_show import print_story
from vblkfuzz.executor import Execution
from vblkfuzz.export.case_text import case_text
from vblkfuzz.export.html_report import html_text
from vblkfuzz.export.perfetto import trace_events
from vblkfuzz.scenario.place import Place
from vblkfuzz.scenario.scenario import Deviation, Go, Role
from vblkfuzz.trace.event import ActorId, Event
from vblkfuzz.trace.kinds import RESET_CALL
from vblkfuzz.trace.schedule_kinds import GOES_ON, HELD
from vblkfuzz.triage.case import Case
from vblkfuzz.triage.excerpt import excerpt
from vblkfuzz.triage.lane_text import lane_diagram
from vblkfuzz.triage.outcome import Run
from vblkfuzz.triage.step import lanes
from vblkfuzz.triage.story import deviations, shown_steps

MUTEX = Place("qemu_mutex_lock", "util/async.c:717", "aio_co_schedule", 2)
POP = Place("virtqueue_pop")
SCHEDULE = (
    Deviation(1, 0, Go.NEXT),
    Deviation(3, 77, Go.IO0, role=Role.MAIN, locks=True),
    Deviation(3, 104, Go.GUEST, role=Role.WORKER, place=POP),
    Deviation(3, 200, Go.MAIN, role=Role.MONITOR, locks=True),
)
WORDS = [
    "at point 0 of operation 1, start the next operation",
    "in operation 3, hold the main loop at qemu_mutex_lock util/async.c:717 after aio_co_schedule "
    "nth 2 (its point 77, locks counted) until iothread 0 rests",
    "in operation 3, hold the worker at virtqueue_pop (its point 104) over the next operation",
    "in operation 3, hold the monitor at its point 200, locks counted, until the main loop rests",
]
UNMET = [
    "the place of deviation 2 was not met: virtqueue_pop",
    "deviation 3 was not met: the monitor has no point 200, locks counted, in operation 3",
]


def held() -> Case:
    """A finding as a real device gives it: the main loop is held, the others were not met."""
    found = case()
    execution = found.execution
    assert found.violation
    at = next(index for index, one in enumerate(execution.trace.events) if one.kind == RESET_CALL)
    turn = execution.trace.events[at].turn
    fields = {"flag": Go.IO0, "head": 1, "value": 77}
    events = (
        *execution.trace.events[:at],
        Event(turn, HELD, ActorId.MAIN, **fields),
        execution.trace.events[at],
        Event(turn, GOES_ON, ActorId.MONITOR, **fields),
        *execution.trace.events[at + 1 :],
    )
    trace = replace(execution.trace, events=events, places=(None, MUTEX, None, None), overtaken=())
    scenario = replace(RESET_IN_DRAIN, schedule=SCHEDULE)
    ran = Execution(scenario, trace, execution.verdict)
    outcome = replace(
        found.outcome,
        artifact=replace(found.outcome.artifact, scenario=scenario),
        setup=found.outcome.setup._replace(target="qemu"),
        run=Run("violation", ran, found.violation),
    )
    return Case(outcome)


def test_a_deviation_is_told_with_its_actor_and_place() -> None:
    assert deviations(held()) == WORDS + UNMET


def test_a_scenario_that_was_not_run_is_told_by_its_numbers() -> None:
    found = held()
    lost = Case(replace(found.outcome, run=Run("harness_error", error="died")))
    assert deviations(lost) == [
        WORDS[0],
        "in operation 3, hold the main loop at its point 77, locks counted, until iothread 0 rests",
        *WORDS[2:],
    ]


@pytest.mark.parametrize("whole", [True, False], ids=["whole", "clash"])
def test_the_diagram_shows_who_is_held(whole: bool) -> None:
    steps = shown_steps(held(), whole=whole)
    assert "monitor" in lanes(steps)
    assert "worker" not in lanes(steps)
    lines = [line.text for line in lane_diagram(steps, RESET_IN_DRAIN.ops, 130)]
    told = "held at qemu_mutex_lock util/async.c:717 until iothread 0 rests"
    (stops,) = [line for line in lines if told in line]
    (goes_on,) = [line for line in lines if "goes on" in line]
    head = lines[0]
    assert stops[head.index("main loop")] == goes_on[head.index("monitor")] == "●"


def test_all_forms_tell_it(capsys: pytest.CaptureFixture[str]) -> None:
    found = held()
    print_story(found, whole=True)
    shown = " ".join(capsys.readouterr().out.split())
    html = html_text([found])
    for line in WORDS + UNMET:
        assert f"schedule {line}" in shown
        assert f"schedule: {line}" in case_text(found)
        assert f"Schedule: {line}." in html
    assert html.count("held at qemu_mutex_lock util/async.c:717") > 1
    names = [event["name"] for event in trace_events(found.steps)]
    assert "held at qemu_mutex_lock util/async.c:717 until iothread 0 rests" in names


def test_a_replay_says_which_place_was_not_met(capsys: pytest.CaptureFixture[str]) -> None:
    print_outcome(held().outcome, Screen(), with_trace=False)
    lines = capsys.readouterr().out.splitlines()
    told = [line for line in lines if "schedule" in line]
    assert told == [f"  schedule   {one}" for one in UNMET]
    assert outcome_object(held().outcome, with_trace=False)["unmet"] == UNMET


def test_on_the_model_nothing_is_unmet() -> None:
    scenario = replace(RESET_IN_DRAIN, schedule=SCHEDULE)
    assert outcome_object(case(scenario).outcome, with_trace=False)["unmet"] == []


def test_a_failure_message_has_the_hold() -> None:
    found = held()
    assert found.violation
    text = excerpt(found.violation, found.execution.trace)
    assert "held io0" in text
    assert "goes_on io0" in text
