"""Judge one trace by all rules.

One pass over the trace sorts the events into a list for each rule, by the kinds that the rule
needs (`oracle.streams`). Then each rule is applied to its list. Rules whose witnesses the trace
does not have are left out (`Rule.witnesses`). A clean trace costs only these lists: the work that
makes a report readable is done only if there is a violation.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Final

from vblkfuzz.oracle import rules
from vblkfuzz.oracle.rule import Report, Rule
from vblkfuzz.oracle.streams import Streams
from vblkfuzz.oracle.verdict import Verdict
from vblkfuzz.oracle.violation import Violation
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace.event import Event
from vblkfuzz.trace.probe import without_probe
from vblkfuzz.trace.trace import Trace
from vblkfuzz.trace.witness import Witness


def _written() -> list[Rule]:
    """Return the rules in the files of `oracle.rules`: safety, liveness, then the others."""
    names = [f"{rules.__name__}.{module.name}" for module in iter_modules(rules.__path__)]
    modules = [import_module(name) for name in names]
    found = [one for module in modules for one in vars(module).values() if isinstance(one, Rule)]
    return sorted(found, key=_place)


def _place(rule: Rule) -> tuple[int, int, str]:
    numbered = re.fullmatch(r"([SL])(\d+)", rule.id)
    return ("SL".index(numbered[1]), int(numbered[2]), "") if numbered else (2, 0, rule.id)


RULES: Final = tuple(_written())
"""All rules, in the order of `vblkfuzz list rules`."""


def by_id(found: Sequence[Rule]) -> dict[str, Rule]:
    """Return rules by identifier.

    Raises:
        ValueError: two of them have the same one.
    """
    named: dict[str, Rule] = {}
    for rule in found:
        if rule.id in named:
            places = f"{named[rule.id].check.__module__} and {rule.check.__module__}"
            raise ValueError(f"two rules are {rule.id}: in {places}")
        named[rule.id] = rule
    return named


_RULES_BY_ID: Final = by_id(RULES)


def rule_named(name: str) -> Rule | None:
    """Return a rule by its identifier; None if this version of vblkfuzz does not have it."""
    return _RULES_BY_ID.get(name)


@cache
def rules_for(witnesses: Witness) -> tuple[Rule, ...]:
    """Return the rules that are sound on a trace with these witnesses, in order of RULES."""
    return tuple(rule for rule in RULES if rule.witnesses & witnesses == rule.witnesses)


@cache
def _idle(witnesses: Witness) -> list[Streams]:
    """Return the streams for traces with these witnesses that no call of `judge` uses now."""
    return []


def _streams(witnesses: Witness) -> Streams:
    """Return empty streams, taken from the idle ones if there are any."""
    try:
        return _idle(witnesses).pop()
    except IndexError:
        of_probe = [rule for rule in rules_for(witnesses) if Witness.PROBE in rule.witnesses]
        return Streams([rule for rule in rules_for(witnesses) if rule not in of_probe], of_probe)


def judge(scenario: Scenario, trace: Trace) -> Verdict:
    """Return the verdict of all rules that are sound on `trace`, the trace of `scenario`.

    Pure and deterministic. A trace with neither END nor STEP_LIMIT is a partial one: the liveness
    rules (L...) find nothing in it.
    """
    streams = _streams(trace.witnesses)
    events = without_probe(trace.events) if streams.of_probe else trace.events
    streams.sort(events)
    report = Report(events, trace.fault, streams.life)
    for rule, stream in streams.of_rules:
        if stream:
            report.rule = rule
            rule.check(scenario, stream, report)
    streams.clear()
    _idle(trace.witnesses).append(streams)
    for rule in streams.of_probe:  # they alone get the events of the probe
        report.rule = rule
        rule.check(scenario, [each for each in trace.events if each.kind in rule.needs], report)
    found = report.violations
    violations = _one_per_signature(found, events, trace.events) if found else ()
    return Verdict(violations, frozenset(report.situations))


def _one_per_signature(
    found: list[Violation], events: Sequence[Event], whole: Sequence[Event]
) -> tuple[Violation, ...]:
    """Return the first violation of each signature, in trace order, then in order of RULES.

    `events` are those of the `whole` trace, without those of its probe.
    """
    by_signature: dict[str, Violation] = {}
    for violation in _in_order(found, whole):
        precise = _precise(violation, events)
        by_signature.setdefault(precise.signature, precise)
    return tuple(by_signature.values())


def _in_order(found: list[Violation], whole: Sequence[Event]) -> list[Violation]:
    """Return violations in trace order; those of one event stay in their order."""
    if len(found) == 1:
        return found
    wanted = {id(violation.second) for violation in found}
    places = {id(event): place for place, event in enumerate(whole) if id(event) in wanted}
    return sorted(found, key=lambda violation: places[id(violation.second)])


def _precise(violation: Violation, events: Sequence[Event]) -> Violation:
    """Return a violation with the state that the circumstance of its rule gives it."""
    refine = _RULES_BY_ID[violation.rule].circumstance
    state = refine(violation, events) if refine else violation.state
    return violation if state == violation.state else replace(violation, state=state)
