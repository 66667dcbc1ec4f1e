"""The story of one finding, as ``vblkfuzz triage DIR show SIGNATURE`` prints it."""

from __future__ import annotations

from textwrap import indent
from typing import TYPE_CHECKING, Final

from vblkfuzz.cli.views.screen import Screen
from vblkfuzz.triage.lane_text import lane_diagram
from vblkfuzz.triage.story import (
    deviations,
    device_facts,
    last_output,
    operations,
    seen,
    shown_again,
    shown_steps,
    size,
    state_facts,
)

if TYPE_CHECKING:
    from vblkfuzz.triage.case import Case

_STYLES: Final = {
    "head": "bold",
    "operation": "dim",
    "drained": "blue",
    "clash": "bold red",
    "plain": "",
}
_WIDTH: Final = 100
"""Columns of a diagram if stdout is no terminal."""


def print_story(case: Case, *, whole: bool) -> None:
    """Print the story of a finding."""
    screen = Screen()
    screen.say(case.signature or "no violation", "bold")
    _print_facts(screen, case)
    if output := last_output(case):
        screen.say("\nLast output of the device", "bold")
        screen.say(indent(output, "  "))
    _print_operations(screen, case)
    if case.outcome.run.execution is not None:
        _print_diagram(screen, case, whole=whole)
        _print_state(screen, case)
    screen.say("\nReplay", "bold")
    screen.say(f"  {case.command}")


def _print_facts(screen: Screen, case: Case) -> None:
    violation, rule = case.violation, case.expected_rule
    if violation:
        screen.say()
        screen.wrapped(violation.sentence, style="bold red")
    screen.say()
    facts = [("rule", f"{rule.id}: {rule.title}"), ("source", rule.source)] if rule else []
    if rule:
        facts.append(("correct", rule.instead))
    if violation and violation.path:
        facts.append(("path", violation.path))
    if case.known:
        facts.append(("known", case.known))
    facts += [
        ("seen", seen(case)),
        *shown_again(case),
        ("on", ", ".join(case.outcome.setup)),
        ("device", device_facts(case)),
        *([("size", str(case.reduction))] if case.reduction else []),
        *(("note", note) for note in case.outcome.notes),
    ]
    for name, value in facts:
        screen.wrapped(value, label=f"  {name:<8}")


def _print_operations(screen: Screen, case: Case) -> None:
    screen.say(f"\nThe story, {size(case)}", "bold")
    for index, (owner, text) in enumerate(operations(case)):
        screen.wrapped(text, label=f"  {index:>2}. {owner:<11} ")
    for text in deviations(case):
        screen.wrapped(text, label="      schedule    ")


def _print_diagram(screen: Screen, case: Case, *, whole: bool) -> None:
    steps, all_steps = shown_steps(case, whole=whole), case.steps
    screen.say("\nEvents by actor", "bold")
    for line in lane_diagram(steps, case.scenario.ops, screen.width or _WIDTH):
        screen.say(line.text, _STYLES[line.style])
    screen.say("\n  ░ drained section, with its quiesce_counter; > the two events that clash")
    if len(steps) < len(all_steps):
        screen.say(f"  {len(steps)} of {len(all_steps)} events; --whole shows all")


def _print_state(screen: Screen, case: Case) -> None:
    """Print the state of the machine after the clash."""
    clash = next((step for step in reversed(case.steps) if step.clash), None)
    if clash is None:
        return
    screen.say("\nThe machine after the clash", "bold")
    for name, value in state_facts(clash.state):
        screen.wrapped(value, label=f"  {name:<9} ")
