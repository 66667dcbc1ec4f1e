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
        of_probe = _of_probe(witnesses)
        return Streams([rule for rule in rules_for(witnesses) if rule not in of_probe])


def judge(scenario: Scenario, trace: Trace) -> Verdict:
    """Return the verdict of all rules that are sound on `trace`, the trace of `scenario`.

    Pure and deterministic. A trace with neither END nor STEP_LIMIT is a partial one: the liveness
    rules (L...) find nothing in it.
    """
    probed = Witness.PROBE in trace.witnesses
    events = without_probe(trace.events) if probed else trace.events
    streams = _streams(trace.witnesses)
    streams.sort(events)
    report = Report(events, trace.fault, streams.life)
    for rule, stream in streams.of_rules:
        if stream:
            report.rule = rule
            rule.check(scenario, stream, report)
    streams.clear()
    _idle(trace.witnesses).append(streams)
    if probed:
        _judge_probe(scenario, trace, report)
    violations = _one_per_signature(report.violations, trace) if report.violations else ()
    return Verdict(violations, frozenset(report.situations))


def _judge_probe(scenario: Scenario, trace: Trace, report: Report) -> None:
    """Apply the rules of the probe, which alone get its events."""
    for rule in _of_probe(trace.witnesses):
        report.rule = rule
        rule.check(scenario, [each for each in trace.events if each.kind in rule.needs], report)


@cache
def _of_probe(witnesses: Witness) -> tuple[Rule, ...]:
    return tuple([rule for rule in rules_for(witnesses) if Witness.PROBE in rule.witnesses])


def _one_per_signature(found: list[Violation], trace: Trace) -> tuple[Violation, ...]:
    """Return the first violation of each signature, in trace order, then in order of RULES."""
    places = {id(event): place for place, event in enumerate(trace.events)}
    ordered = sorted(found, key=lambda violation: places[id(violation.second)])
    by_signature: dict[str, Violation] = {}
    for violation in ordered:
        precise = _precise(violation, trace)
        by_signature.setdefault(precise.signature, precise)
    return tuple(by_signature.values())


def _precise(violation: Violation, trace: Trace) -> Violation:
    """Return a violation with the state that the circumstance of its rule gives it."""
    refine = _RULES_BY_ID[violation.rule].circumstance
    if refine is None:
        return violation
    return replace(violation, state=refine(violation, without_probe(trace.events)))
