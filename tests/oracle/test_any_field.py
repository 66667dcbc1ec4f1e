"""Every rule takes every value that an event can hold, not only those that have a word.

A trace may come from another version, from a device of a user, or from a broken one. The written
cases lead into each rule; fields of their events are replaced.
"""

from __future__ import annotations

import pytest
from hypothesis import given

from tests.oracle.altered import altered
from tests.oracle.case_file import Case
from tests.oracle.test_cases import CASES
from vblkfuzz.oracle.judge import RULES, judge
from vblkfuzz.oracle.rule import Report
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace.event import Event
from vblkfuzz.trace.trace import Trace
from vblkfuzz.trace.witness import Witness

BY_ID = {rule.id: rule for rule in RULES}
ODD = {
    "flag": (1, 2, 4, 0x7F, 0xFF),
    "value": (0, 0x102, 0xFFFF),
    "head": (1, 0xFFFF),
    "queue": (1, 0xFF),
}


def sentences(case: Case, events: tuple[Event, ...]) -> list[str]:
    """What the rule of a case says of other events."""
    report = Report(events)
    report.rule = rule = BY_ID[case.rule]
    needed = [event for event in events if event.kind in rule.needs]
    rule.check(Scenario(case.device), needed, report)
    return [found.sentence for found in report.violations]


@pytest.mark.parametrize("field", ODD)
def test_a_rule_takes_any_value_at_any_event_of_its_cases(field: str) -> None:
    for case in CASES:
        for place, event in enumerate(case.events):
            for value in ODD[field]:
                events = list(case.events)
                events[place] = event._replace(**{field: value})
                said = sentences(case, tuple(events))
                assert all(sentence.endswith(".") for sentence in said)


@given(altered())
def test_all_rules_take_any_values(found: tuple[Case, tuple[Event, ...]]) -> None:
    case, events = found
    trace = Trace(events, witnesses=~Witness(0))
    for violation in judge(Scenario(case.device), trace).violations:
        assert violation.sentence.endswith(".")
        assert violation.second in violation.window(trace)
