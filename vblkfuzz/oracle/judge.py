"""Judge one trace by all rules.

One pass over the trace hands each event to the rules that asked for its kind, then each rule
reads its own stream. Only rules that are sound on how the trace was made are asked
(`Rule.witnesses`). A clean trace costs a few lists; everything that makes a report readable
is done only when there is something to report.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from vblkfuzz.oracle import (
    attachment,
    calls,
    config,
    conservation,
    data,
    drained,
    indices,
    kicks,
    liveness,
    notifications,
    notifiers,
    planted,
    quiesce,
    reentrancy,
    reset,
    stopped,
    survival,
    threads,
)
from vblkfuzz.oracle.circumstance import with_circumstance
from vblkfuzz.oracle.rule import Report, Rule
from vblkfuzz.oracle.verdict import Verdict
from vblkfuzz.oracle.violation import Violation
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace.event import Event
from vblkfuzz.trace.trace import Trace
from vblkfuzz.trace.witness import Witness

RULES: Final[tuple[Rule, ...]] = (
    drained.S1,
    drained.S2,
    drained.S3,
    reset.S4,
    conservation.S5,
    conservation.S6,
    indices.S7,
    attachment.S8,
    notifiers.S9,
    threads.S10,
    quiesce.S11,
    reentrancy.S12,
    notifications.S13,
    data.S14,
    config.S15,
    stopped.S16,
    stopped.S17,
    kicks.L1,
    liveness.L2,
    liveness.L3,
    calls.L4,
    liveness.L5,
    survival.CRASH,
    survival.HANG,
    planted.PLANTED,
)
"""All rules, in the order of `vblkfuzz list rules`."""

_KINDS: Final = 256
"""Event kinds that exist: `Event.kind` is a u8."""


@cache
def rules_for(witnesses: Witness) -> tuple[Rule, ...]:
    """Return the rules that can judge a trace with these witnesses, in order of RULES."""
    return tuple(rule for rule in RULES if rule.witnesses & witnesses == rule.witnesses)


@cache
def _readers(witnesses: Witness) -> tuple[tuple[int, ...], ...]:
    """Return positions in `rules_for` of the rules that an event of a kind is for, by kind."""
    rules = rules_for(witnesses)
    return tuple(
        tuple(at for at, rule in enumerate(rules) if kind in (rule.decisive or rule.needs))
        for kind in range(_KINDS)
    )


@cache
def _waiting(witnesses: Witness) -> tuple[tuple[int, frozenset[int]], ...]:
    """Return positions of the rules that wait for a decisive event, and what they need then."""
    return tuple(
        (at, frozenset(map(int, rule.needs)))
        for at, rule in enumerate(rules_for(witnesses))
        if rule.decisive
    )


def judge(scenario: Scenario, trace: Trace) -> Verdict:
    """Return what all rules that are sound on `trace`, the trace of `scenario`, say about it.

    Pure and deterministic. A trace with neither END nor STEP_LIMIT is a partial one: the
    liveness rules (L...) say nothing about it.
    """
    report = Report(trace.events)
    for rule, stream in zip(rules_for(trace.witnesses), _streams(trace), strict=True):
        if stream:
            report.rule = rule.id
            rule.check(scenario, stream, report)
    violations = _told_apart(report.violations, trace) if report.violations else ()
    return Verdict(violations, frozenset(report.situations))


def _streams(trace: Trace) -> list[list[Event]]:
    """Return the events each rule needs, by position in `rules_for`."""
    readers = _readers(trace.witnesses)
    streams: list[list[Event]] = [[] for _ in rules_for(trace.witnesses)]
    for event in trace.events:
        for at in readers[event.kind]:
            streams[at].append(event)
    for at, needs in _waiting(trace.witnesses):
        if streams[at]:
            streams[at] = [event for event in trace.events if event.kind in needs]
    return streams


def _told_apart(found: list[Violation], trace: Trace) -> tuple[Violation, ...]:
    """Return the first violation of each signature, in trace order, then in order of RULES."""
    places = {id(event): place for place, event in enumerate(trace.events)}
    ordered = sorted(found, key=lambda violation: places[id(violation.second)])
    by_signature: dict[str, Violation] = {}
    for violation in ordered:
        precise = with_circumstance(violation, trace.events)
        by_signature.setdefault(precise.signature, precise)
    return tuple(by_signature.values())
