"""The story of a case: the facts about it, in the same words for every view.

Terminal, HTML report and JSON form take the facts from here and lay them out differently. Keys of
the JSON form are only ever added.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from vblkfuzz.counted import counted
from vblkfuzz.scenario.artifact import DEFAULT_TARGET
from vblkfuzz.targets.backtrace import without_backtrace
from vblkfuzz.trace.event import actor_name
from vblkfuzz.trace.kinds import CRASH, HANG
from vblkfuzz.triage.schedule_words import deviation_words, unmet
from vblkfuzz.triage.step import Step

if TYPE_CHECKING:
    from vblkfuzz.store.sightings import Sightings
    from vblkfuzz.triage.case import Case
    from vblkfuzz.triage.timeline import QueueState, Stage, State


def shown_steps(case: Case, *, whole: bool) -> list[Step]:
    """Return the steps to show: all if `whole`, else the shortest part that explains the clash.

    Operations that begin inside that part belong to it. Without a violation all steps are shown.
    """
    violation = case.violation
    if whole or violation is None:
        return case.steps
    window = violation.window(case.execution.trace)
    places = [place for place, step in enumerate(case.steps) if step.clash]
    inside = case.steps[places[0] : places[-1] + 1]
    return [step for step in inside if not step.lane or step.event in window]


def operations(case: Case) -> list[tuple[str, str]]:
    """Return owner and text of each operation, in order: ``("guest", "kick(queue=0)")``."""
    return [(operation.spec.owner, repr(operation)) for operation in case.scenario.ops]


def deviations(case: Case) -> list[str]:
    """Return the schedule in words: a line for each deviation, then for each that held nothing."""
    run = case.outcome.run.execution
    places = run.trace.places if run else ()
    held = case.outcome.setup.target != DEFAULT_TARGET
    lines = [
        deviation_words(one, place, held=held)
        for one, place in zip_longest(case.scenario.schedule, places[: len(case.scenario.schedule)])
    ]
    return lines + (unmet(case.scenario, run.trace) if run else [])


def device_facts(case: Case) -> str:
    """Return the device's settings that differ from the default; ``plain`` if there are none."""
    differing = case.scenario.device.differing()
    return ", ".join(f"{name}={value}" for name, value in differing.items()) or "plain"


def said_seen(case: Case) -> str:
    """Return `seen` in words for a place that has no heading *seen*."""
    counted_there = case.sightings is not None and case.sightings.count > 0
    return f"seen {seen(case)}" if counted_there else seen(case)


def seen(case: Case) -> str:
    """Return how often the campaign saw the finding and in how many runs it was reproduced."""
    parts = []
    if case.sightings:
        if case.sightings.count:
            parts.append(counted(case.sightings.count))
        first = case.sightings
        when = f"first after {first.first_s:.1f} s (execution {first.first_exec:,})"
        parts.append(when if first.first_exec else "first execution not recorded")
    parts.append(again(case))
    return ", ".join(parts)


def again(case: Case) -> str:
    """Return in how many of the runs the finding was reproduced.

    Runs without a verdict say nothing about it, so they are counted apart.
    """
    outcome = case.outcome
    errors, last = outcome.harness_errors, outcome.run.error.rstrip().rpartition("\n")[2]
    judged = outcome.runs - errors
    if not judged:
        return f"not run: {last}"
    words = f"reproduced in {outcome.reproduced} of {counted(judged, 'run')}"
    if outcome.run.signature and not outcome.reproduced:
        words += f", but {outcome.run.signature}"
    if errors:
        words += f", {counted(errors, 'harness error')}"
    return f"{words}: {last}" if last else words


def shown_again(case: Case) -> list[tuple[str, str]]:
    """Return how often the input shows its bug, as a fact with its name; none: not measured."""
    return [("rate", str(case.confidence))] if case.confidence else []


def last_output(case: Case) -> str:
    """Return the last output of a device that crashed or hangs, and its stacks; else nothing."""
    violation = case.violation
    if violation is None or violation.second.kind not in (CRASH, HANG):
        return ""
    trace = case.execution.trace
    return without_backtrace(trace.report) if trace.fault else ""


def size(case: Case) -> str:
    """Return the numbers of operations and deviations, in words."""
    scenario = case.scenario
    return (
        f"{counted(len(scenario.ops), 'operation')}, {counted(len(scenario.schedule), 'deviation')}"
    )


def state_facts(state: State) -> list[tuple[str, str]]:
    """Return a state in words; the same names in the same order for every state of a trace."""
    drained = "drained" if state.drained else "not drained"
    elsewhere = [
        f"{name} {stage}" for name, stage in _named(state) if stage not in ("in flight", "parked")
    ]
    queues = [(f"queue {index}", _queue_words(queue)) for index, queue in enumerate(state.queues)]
    return [
        ("device", state.device + ("" if state.vm_running else ", VM stopped")),
        ("drains", f"quiesce_counter {state.quiesce_counter}, {drained}"),
        ("in flight", _at(state, "in flight")),
        ("parked", _at(state, "parked")),
        ("others", ", ".join(elsewhere) or "none"),
        *queues,
    ]


def _named(state: State) -> list[tuple[str, Stage]]:
    return [(f"r{serial}", stage) for serial, stage in state.requests]


def _at(state: State, stage: Stage) -> str:
    return ", ".join(name for name, where in _named(state) if where == stage) or "none"


def _queue_words(queue: QueueState) -> str:
    words = [f"avail {queue.avail}, taken {queue.taken}, used {queue.used}"]
    words.append("wants kicks" if queue.wants_kicks else "suppresses kicks")
    if queue.attached_to is None:
        words.append("notifier open, not attached" if queue.notifier_open else "no notifier")
    else:
        words.append(f"attached to {actor_name(queue.attached_to)}")
    if queue.polled:
        words.append("polled")
    return ", ".join(words)


def first_seen(sightings: Sightings) -> str:
    """Return the time at which a finding was first seen, in ISO 8601."""
    began = datetime.fromisoformat(sightings.started)
    return (began + timedelta(seconds=sightings.first_s)).isoformat(timespec="seconds")


def case_object(case: Case) -> dict[str, Any]:
    """Return a case as an entry of a list, in JSON values."""
    outcome, sightings = case.outcome, case.sightings
    expected = outcome.artifact.expectation
    known = rule.title if (rule := case.expected_rule) else None
    return {
        "signature": case.signature or None,
        "rule": (expected.rule if expected else outcome.run.rule) or None,
        "title": known,
        "sentence": case.violation.sentence if case.violation else None,
        "last_output": last_output(case) or None,
        "count": sightings.count if sightings else None,
        "first_seen": first_seen(sightings) if sightings else None,
        "first_s": sightings.first_s if sightings else None,
        "first_exec": sightings.first_exec if sightings else None,
        **outcome.setup._asdict(),
        "verdict": outcome.run.verdict,
        "runs": outcome.runs,
        "reproduced": outcome.reproduced,
        "harness_errors": outcome.harness_errors,
        "confidence": case.confidence.to_json() if case.confidence else None,
        "ops": len(case.scenario.ops),
        "deviations": len(case.scenario.schedule),
        "minimized": asdict(case.reduction) if case.reduction else None,
        "known": case.known or None,
        "path": outcome.input,
        "error": outcome.run.error or None,
    }


def story_object(case: Case) -> dict[str, Any]:
    """Return all facts about a case, in JSON values."""
    rule, violation = case.rule, case.violation
    return {
        **case_object(case),
        "source": rule.source if rule else None,
        "instead": rule.instead if rule else None,
        "causal_path": violation.path if violation else None,
        "operations": [text for _, text in operations(case)],
        "schedule": deviations(case),
        "configuration": asdict(case.scenario.device),
        "steps": [_step_object(step) for step in case.steps],
        "replay": case.command,
    }


def _step_object(step: Step) -> dict[str, Any]:
    state = step.state._asdict()
    state["queues"] = [queue._asdict() for queue in step.state.queues]
    state["requests"] = dict(_named(step.state))
    return {
        "turn": step.event.turn,
        "lane": step.lane or None,
        "event": step.label,
        "path": step.row.path or None,
        "clash": step.clash or None,
        "state": state,
    }
