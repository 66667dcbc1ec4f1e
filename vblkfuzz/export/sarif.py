"""Findings as SARIF 2.1.0, the form that code-scanning dashboards read.

Each rule becomes a SARIF rule, and each finding a result with the signature as its fingerprint. The
part of the trace that explains the clash becomes a code flow with a thread flow for each lane. A
finding has no source file; its location is the artifact that replays it.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from vblkfuzz._version import __version__
from vblkfuzz.export.export import Export
from vblkfuzz.oracle.judge import RULES
from vblkfuzz.triage.step import lanes
from vblkfuzz.triage.story import again, shown_steps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vblkfuzz.triage.case import Case
    from vblkfuzz.triage.step import Step

Json = dict[str, Any]

VERSION: Final = "2.1.0"
_FINGERPRINT: Final = "vblkfuzz/signature/v1"
_RULE_INDEX: Final = {rule.id: index for index, rule in enumerate(RULES)}


def sarif_text(cases: Sequence[Case]) -> str:
    """Return cases as a SARIF log with one run; clean cases are left out."""
    failed = [case for case in cases if case.outcome.run.verdict == "harness_error"]
    run = {
        "tool": {"driver": _driver()},
        "invocations": [
            {
                "executionSuccessful": not failed,
                "toolExecutionNotifications": [_notification(case) for case in failed],
            }
        ],
        "results": [_result(case) for case in cases if case.violation],
        "columnKind": "unicodeCodePoints",
    }
    return json.dumps({"version": VERSION, "runs": [run]}, indent=1) + "\n"


def _driver() -> Json:
    rules = [
        {
            "id": rule.id,
            "shortDescription": _message(rule.title),
            "fullDescription": _message(f"{rule.title} Source: {rule.source}."),
            "help": _message(rule.instead),
            "defaultConfiguration": {"level": "error"},
        }
        for rule in RULES
    ]
    return {"name": "vblkfuzz", "version": __version__, "rules": rules}


def _notification(case: Case) -> Json:
    error = case.outcome.run.error.rstrip()
    return {"level": "error", "message": _message(error), "locations": [_location(case)]}


def _result(case: Case) -> Json:
    violation = case.violation
    assert violation is not None, "only violations are results"
    location = _location(case)
    if violation.path:
        names = violation.path.split(" > ")
        location["logicalLocations"] = [
            {"name": names[-1], "fullyQualifiedName": violation.path, "kind": "function"}
        ]
    return {
        "ruleId": violation.rule,
        "ruleIndex": _RULE_INDEX[violation.rule],
        "level": "error",
        "message": _message(violation.sentence),
        "locations": [location],
        "partialFingerprints": {_FINGERPRINT: violation.signature},
        "codeFlows": [_code_flow(shown_steps(case, whole=False))],
        "properties": {
            "replay": case.command,
            "reliability": again(case),
            **case.outcome.setup._asdict(),
        },
    }


def _location(case: Case) -> Json:
    path = Path(case.outcome.input)
    uri = path.as_uri() if path.is_absolute() else quote(os.fsencode(path))
    # Dashboards require a line, although an artifact has none.
    return {"physicalLocation": {"artifactLocation": {"uri": uri}, "region": {"startLine": 1}}}


def _code_flow(steps: Sequence[Step]) -> Json:
    flows = []
    for lane in lanes(steps):
        places = [_place(step, order) for order, step in enumerate(steps, 1) if step.lane == lane]
        if places:
            flows.append({"id": lane, "locations": places})
    return {"threadFlows": flows}


def _place(step: Step, order: int) -> Json:
    words = f"turn {step.event.turn}: {step.label}"
    if step.row.path:
        words += f" (in {step.row.path})"
    importance = "essential" if step.clash else "important"
    return {
        "location": {"message": _message(words)},
        "executionOrder": order,
        "importance": importance,
    }


def _message(text: str) -> Json:
    return {"text": text}


EXPORT: Final = Export(summary="a SARIF 2.1.0 log, for code-scanning dashboards", text=sarif_text)
