"""Text output of `replay`: one line for a clean input, a report for a violation."""

from __future__ import annotations

from textwrap import indent
from typing import TYPE_CHECKING, Final

from vblkfuzz.targets.backtrace import without_backtrace
from vblkfuzz.trace.render import render
from vblkfuzz.triage.case import replay_command

if TYPE_CHECKING:
    from vblkfuzz.cli.views.screen import Screen
    from vblkfuzz.executor import Execution
    from vblkfuzz.oracle.violation import Violation
    from vblkfuzz.scenario.expectation import Expectation
    from vblkfuzz.triage.outcome import Outcome

_STYLES: Final = {"clean": "green", "violation": "bold red", "harness_error": "yellow"}
_VERDICTS: Final = {"clean": "clean", "violation": "violation", "harness_error": "not judged"}


def print_outcome(outcome: Outcome, screen: Screen, *, with_trace: bool) -> None:
    """Print the report on one input."""
    run = outcome.run
    screen.say(_headline(outcome), _STYLES[run.verdict])
    if "\n" in run.error:  # an actor died and left its traceback
        screen.say(indent(run.error.rstrip(), "  "))
    for name, value in _facts(outcome):
        screen.say(f"  {name:<10} {value}")
    if run.violation and run.execution:
        _print_violation(run.violation, run.execution, screen)
    if with_trace and run.execution:
        marked = (run.violation.first, run.violation.second) if run.violation else ()
        screen.say("\n  The whole trace:\n")
        screen.say(render(run.execution.trace.events, marked, screen.width))
    if run.violation:
        screen.say("  Replay it again:\n")
        screen.say(f"    {replay_command(outcome)}\n")


def _headline(outcome: Outcome) -> str:
    run = outcome.run
    if run.verdict == "violation":
        return f"{outcome.input}: violation of {run.rule}"
    if run.execution is None:
        return f"{outcome.input}: not judged: {run.error.rstrip().splitlines()[-1]}"
    return f"{outcome.input}: clean, {run.execution.trace.steps} steps, digest {run.digest}"


def _facts(outcome: Outcome) -> list[tuple[str, str]]:
    facts = _facts_of_violation(outcome)
    if outcome.runs > 1:
        facts.append(("repeated", f"{outcome.same}/{outcome.runs} the same"))
    if outcome.matches is not None:
        facts.append(("expected", _expected(outcome)))
    facts += [("note", note) for note in outcome.notes]
    return facts


def _facts_of_violation(outcome: Outcome) -> list[tuple[str, str]]:
    """Return the facts about a violation that are not in the headline."""
    run = outcome.run
    if run.violation is None or run.execution is None:
        return []
    others = [one.signature for one in run.execution.verdict.violations]
    target, device, mode = outcome.setup
    return [
        ("signature", run.signature),
        *(("also", other) for other in others if other != run.signature),
        ("digest", run.digest),
        ("run on", f"{target}, {device}, {mode}; {run.execution.trace.steps} steps"),
    ]


def _expected(outcome: Outcome) -> str:
    assert outcome.expectation is not None, "there is one if `matches` is not None"
    expected = _named(outcome.expectation)
    if outcome.matches:
        return f"{expected}: yes"
    run = outcome.run
    got = " ".join(word for word in (_VERDICTS[run.verdict], run.rule, run.signature) if word)
    return f"{expected}, got {got}"


def _named(expected: Expectation) -> str:
    words = (_VERDICTS[expected.verdict], expected.rule, expected.signature)
    return " ".join(word for word in words if word)


def _print_violation(violation: Violation, execution: Execution, screen: Screen) -> None:
    screen.say()
    screen.wrapped(violation.sentence, indent=2, style="bold")
    if violation.path:
        screen.wrapped(violation.path, label="  path: ")
    window = violation.window(execution.trace)
    screen.say()
    screen.say(render(window, (violation.first, violation.second), screen.width))
    if execution.trace.fault:
        screen.say(indent(without_backtrace(execution.trace.report) + "\n", "  "))
