from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.oracle.events import traces
from tests.oracle.test_cases import CASES
from tests.strategies import device_configs
from vblkfuzz.oracle import rules
from vblkfuzz.oracle.judge import RULES, judge, rules_for
from vblkfuzz.oracle.rule import Report, Rule
from vblkfuzz.oracle.verdict import Verdict
from vblkfuzz.oracle.violation import Violation
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace.event import ActorId, Event
from vblkfuzz.trace.kinds import END, PUSH, RESET_CALL, RESET_RET, STEP_LIMIT
from vblkfuzz.trace.probe import without_probe
from vblkfuzz.trace.trace import Trace
from vblkfuzz.trace.witness import Witness

Events = tuple[Event, ...]


def verdict(events: Events) -> Verdict:
    return judge(Scenario(), Trace(events))


def safety(events: Events) -> list[Violation]:
    return [found for found in verdict(events).violations if found.rule.startswith("S")]


@given(traces(), device_configs())
def test_judge_takes_any_trace_and_is_deterministic(events: Events, device: DeviceConfig) -> None:
    scenario = Scenario(device)
    copied = tuple(Event(*event) for event in events)
    assert judge(scenario, Trace(events)) == judge(scenario, Trace(copied))


@given(traces())
def test_violations_are_readable_wherever_they_come_from(events: Events) -> None:
    for found in verdict(events).violations:
        assert found.first in events
        assert found.second in found.window(Trace(events))
        assert found.sentence.endswith(".")


@given(traces())
def test_violations_are_in_order_and_each_signature_comes_once(events: Events) -> None:
    found = verdict(events).violations
    ids = [rule.id for rule in RULES]
    places = [(violation.second.turn, ids.index(violation.rule)) for violation in found]
    assert places == sorted(places)
    signatures = [violation.signature for violation in found]
    assert len(signatures) == len(set(signatures))


@given(traces(), st.integers(0, 40))
def test_what_happens_later_does_not_change_what_was_unsafe(events: Events, length: int) -> None:
    """So every prefix of a safe trace is safe, and the trace of a finding can be cut."""
    before = [found for found in safety(events) if found.second.turn < length]
    assert safety(events[:length]) == before
    assert verdict(events[:length]).situations <= verdict(events).situations


def says(rule: Rule, device: DeviceConfig, events: Events) -> tuple[list[Violation], set[str]]:
    """The result of a rule for the events that it needs, even if `judge` would not apply it."""
    report = Report(events)
    report.rule = rule
    needed = [event for event in events if event.kind in rule.needs]
    if needed:
        rule.check(Scenario(device), needed, report)
    return report.violations, report.situations


@pytest.mark.parametrize(
    "rule", [rule for rule in RULES if rule.decisive], ids=lambda rule: rule.id
)
@given(traces(), device_configs())
def test_without_a_decisive_event_a_rule_finds_nothing(
    rule: Rule, events: Events, device: DeviceConfig
) -> None:
    indecisive = tuple(event for event in events if event.kind not in rule.decisive)
    assert says(rule, device, indecisive) == ([], set())


def test_a_decisive_event_brings_all_that_the_rule_needs() -> None:
    """Of a probe only its own rules get the events."""
    for case in CASES:
        verdict = judge(Scenario(case.device), Trace(case.events, witnesses=~Witness(0)))
        for rule in RULES:
            probes = Witness.PROBE in rule.witnesses
            events = case.events if probes else tuple(without_probe(case.events))
            violations, situations = says(rule, case.device, events)
            assert {found.rule for found in verdict.violations} >= {rule.id for _ in violations}
            assert verdict.situations >= situations


@given(st.integers(0, int(~Witness(0))))
def test_a_rule_is_applied_if_the_trace_has_all_its_witnesses(bits: int) -> None:
    witnesses = Witness(bits)
    assert set(rules_for(witnesses)) == {rule for rule in RULES if rule.witnesses in witnesses}


def test_prefixes_of_the_written_cases() -> None:
    for case in CASES:
        for length in range(len(case.events)):
            before = [found for found in safety(case.events) if found.second.turn < length]
            assert safety(case.events[:length]) == before


@given(traces())
def test_partial_traces_are_not_judged_for_liveness(events: Events) -> None:
    ends = (END, STEP_LIMIT)
    partial = tuple(event for event in events if event.kind not in ends)
    assert not [found for found in verdict(partial).violations if found.rule.startswith("L")]


@given(traces().map(lambda events: (*events, Event(99, STEP_LIMIT))))
@example((Event(0, RESET_CALL), Event(1, STEP_LIMIT)))
def test_a_trace_that_never_settled_is_left_to_l5(events: Events) -> None:
    unsettled = tuple(event for event in events if event.kind != END)
    rules = {found.rule for found in verdict(unsettled).violations}
    assert {rule for rule in rules if rule.startswith("L")} - {"L6"} == {"L5"}


def test_an_empty_trace_is_clean() -> None:
    assert verdict(()) == Verdict()


def test_two_rules_about_one_event_are_in_the_order_of_rules() -> None:
    events = (
        Event(0, RESET_RET, ActorId.VCPU),
        Event(1, PUSH, ActorId.IO0, queue=0, request=1, value=1),
    )
    assert [found.rule for found in verdict(events).violations] == ["S4", "S6", "S7", "S10"]


def test_every_rule_that_is_written_is_judged() -> None:
    """Rules are decorated functions in any file of `oracle.rules`."""
    folder = Path(rules.__file__).parent
    text = "".join(path.read_text() for path in folder.rglob("*.py"))
    written = re.findall(r'^@rule\(\n?\s*"(\w+)"', text, re.MULTILINE)
    ids = [rule.id for rule in RULES]
    assert sorted(written) == sorted(ids)
    assert ids[:2] == ["S1", "S2"]
    assert ids[-5:] == ["L5", "L6", "CRASH", "HANG", "PLANTED"]


def test_what_a_rule_leads_to_exists() -> None:
    for rule in RULES:
        states = [led for _, rules in rule.naming.leads_to_in for led in rules]
        assert {*rule.naming.leads_to, *states} <= {rule.id for rule in RULES}


def test_rules_and_situations_have_names_of_their_own() -> None:
    ids = [rule.id for rule in RULES]
    names = [situation.name for rule in RULES for situation in rule.situations]
    assert len(ids) == len(set(ids))
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[a-z0-9_]+", name) for name in names)


def test_every_rule_has_its_texts() -> None:
    for rule in RULES:
        assert rule.title.endswith(".")
        assert rule.source
        assert len(rule.needs) == len(set(rule.needs))
        assert set(rule.decisive) < set(rule.needs)
        assert all(situation.summary.endswith(".") for situation in rule.situations)


def test_rules_without_their_witnesses_are_not_applied() -> None:
    for case in CASES:
        for witnesses in (Witness.GUEST, Witness.MEMORY, Witness.POP | Witness.MEMORY):
            found = judge(Scenario(case.device), Trace(case.events, witnesses=witnesses))
            everything = judge(Scenario(case.device), Trace(case.events))
            sound = {rule.id for rule in rules_for(witnesses)}
            expected = [one for one in everything.violations if one.rule in sound]
            assert list(found.violations) == expected


def test_a_rule_that_trusts_the_device_is_sound_on_no_real_one() -> None:
    trusting = {rule.id for rule in RULES} - {rule.id for rule in rules_for(~Witness.DEVICE)}
    assert {"S2", "S3", "S8", "S11", "PLANTED"} <= trusting
    assert not trusting & {"S1", "S4", "S6", "L1", "L2", "L3", "CRASH", "HANG"}
