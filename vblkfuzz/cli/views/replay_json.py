"""The object that `replay --json` prints for one input. Keys are only ever added."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from vblkfuzz.trace import render
from vblkfuzz.triage.schedule_words import unmet

if TYPE_CHECKING:
    from vblkfuzz.triage.outcome import Outcome


def outcome_object(outcome: Outcome, *, with_trace: bool) -> dict[str, object]:
    """Return an outcome in JSON values; a value that does not exist is null."""
    run, expected = outcome.run, outcome.expectation
    found: dict[str, object] = {
        "input": outcome.input,
        "verdict": run.verdict,
        "rule": run.rule or None,
        "signature": run.signature or None,
        "trace_digest": run.digest or None,
        "steps": run.execution.trace.steps if run.execution else None,
        **outcome.setup._asdict(),
        "sentence": run.violation.sentence if run.violation else None,
        "path": run.violation.path if run.violation else None,
        "signatures": _signatures(outcome),
        "runs": outcome.runs,
        "same": outcome.same,
        "harness_errors": outcome.harness_errors,
        "confidence": outcome.confidence.to_json() if outcome.confidence else None,
        "expected": asdict(expected) if expected else None,
        "matches": outcome.matches,
        "notes": outcome.notes,
        "error": run.error or None,
        "unmet": unmet(run.execution.scenario, run.execution.trace) if run.execution else [],
    }
    if with_trace and run.execution:
        found["trace"] = [row._asdict() for row in render.rows(run.execution.trace.events)]
    return found


def _signatures(outcome: Outcome) -> list[str]:
    execution = outcome.run.execution
    return [one.signature for one in execution.verdict.violations] if execution else []
