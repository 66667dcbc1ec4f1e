"""Every view and export takes every value that an event can hold.

A trace may come from another version, from a device of a user, or from a broken one.
"""

from __future__ import annotations

import json
from contextlib import suppress

from hypothesis import example, given, settings

from tests.oracle.altered import altered
from tests.oracle.case_file import Case as Written
from tests.oracle.test_cases import CASES
from vblkfuzz.cli.views.replay_json import outcome_object
from vblkfuzz.cli.views.replay_text import print_outcome
from vblkfuzz.cli.views.screen import Screen
from vblkfuzz.cli.views.triage_show import print_story
from vblkfuzz.compare.view import view_of
from vblkfuzz.errors import UsageError
from vblkfuzz.executor import Execution
from vblkfuzz.export.registry import EXPORTS
from vblkfuzz.oracle.judge import judge
from vblkfuzz.scenario.artifact import Artifact
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace.event import Event
from vblkfuzz.trace.kinds import DEVICE_ID, ENABLE_READ, QUEUE_RESET
from vblkfuzz.trace.trace import Trace
from vblkfuzz.trace.witness import Witness
from vblkfuzz.triage.case import Case
from vblkfuzz.triage.excerpt import excerpt
from vblkfuzz.triage.outcome import Outcome, Run, Setup
from vblkfuzz.triage.story import story_object

OPS = (op("init"), op("publish_kick"))


def case_of(written: Written, events: tuple[Event, ...]) -> Case:
    """A case whose only run has these events."""
    scenario = Scenario(written.device, OPS)
    trace = Trace(events, witnesses=~Witness(0))
    verdict = judge(scenario, trace)
    execution = Execution(scenario, trace, verdict)
    found = next(iter(verdict.violations), None)
    run = Run("violation" if found else "clean", execution, found)
    return Case(Outcome("x.vblk", Artifact(scenario), Setup("model", "reference", "inline"), run))


def odd(kind: int) -> tuple[Written, tuple[Event, ...]]:
    """A trace of one event of a kind, of no queue, with a flag that has no word."""
    return CASES[0], (Event(0, kind, flag=0xFF),)


@settings(max_examples=12)
@given(altered())
@example(odd(QUEUE_RESET))
@example(odd(ENABLE_READ))
@example(odd(DEVICE_ID))
def test_views_and_exports_take_any_values(found: tuple[Written, tuple[Event, ...]]) -> None:
    case = case_of(*found)
    assert json.loads(json.dumps(story_object(case))) == story_object(case)
    assert json.dumps(outcome_object(case.outcome, with_trace=True))
    print_story(case, whole=True)
    print_outcome(case.outcome, Screen(), with_trace=True)
    assert view_of(case.execution).witnesses == case.execution.trace.witnesses
    for violation in case.execution.verdict.violations:
        assert violation.sentence in excerpt(violation, case.execution.trace)
    for name in EXPORTS.names():
        with suppress(UsageError):  # a form that refuses the case says why
            assert EXPORTS.find(name).text([case])
