"""Judge one trace by all rules.

One pass over the trace hands each event to the rules that asked for its kind, then each rule
reads its own stream. A clean trace costs a few lists; everything that makes a report readable
is done only when there is something to report.
"""

from __future__ import annotations

from typing import Final

from vblkfuzz.oracle import (
    attachment,
    conservation,
    drained,
    indices,
    kicks,
    liveness,
    planted,
    quiesce,
    reset,
)
from vblkfuzz.oracle.rule import Report, Rule
from vblkfuzz.oracle.verdict import Verdict, Violation
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace.event import Event
from vblkfuzz.trace.trace import Trace

RULES: Final[tuple[Rule, ...]] = (
    drained.S1,
    drained.S2,
    drained.S3,
    reset.S4,
    conservation.S5,
    conservation.S6,
    indices.S7,
    attachment.S8,
    quiesce.S11,
    kicks.L1,
    liveness.L2,
    liveness.L3,
    liveness.L5,
    planted.PLANTED,
)
"""All rules, in the order of `vblkfuzz list rules`."""

_KINDS: Final = 256
"""Event kinds that exist: `Event.kind` is a u8."""

_READERS: Final[tuple[tuple[int, ...], ...]] = tuple(
    tuple(index for index, rule in enumerate(RULES) if kind in rule.needs) for kind in range(_KINDS)
)
"""Positions in RULES of the rules that need events of a kind, by kind."""


def judge(scenario: Scenario, trace: Trace) -> Verdict:
    """Return what all rules say about `trace`, the trace of `scenario`.

    Pure and deterministic. A trace with neither END nor STEP_LIMIT is a partial one: the
    liveness rules (L...) say nothing about it.
    """
    report = Report()
    for rule, stream in zip(RULES, _streams(trace.events), strict=True):
        if stream:
            report.rule = rule.id
            rule.check(scenario, stream, report)
    violations = _sorted(report.violations, trace) if report.violations else ()
    return Verdict(violations, frozenset(report.situations))


def _streams(events: tuple[Event, ...]) -> list[list[Event]]:
    """Return the events each rule needs, by position in RULES."""
    streams: list[list[Event]] = [[] for _ in RULES]
    for event in events:
        for index in _READERS[event.kind]:
            streams[index].append(event)
    return streams


def _sorted(violations: list[Violation], trace: Trace) -> tuple[Violation, ...]:
    """Return the violations in trace order of the clashing event, then in order of RULES."""
    places = {id(event): place for place, event in enumerate(trace.events)}
    return tuple(sorted(violations, key=lambda violation: places[id(violation.second)]))
