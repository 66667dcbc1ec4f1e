"""Findings as SARIF 2.1.0, the form that code-scanning dashboards read.

Each rule becomes a SARIF rule, and each finding a result with the signature as its fingerprint. The
part of the trace that explains the clash becomes a code flow with a thread flow for each lane. A
finding has no source file; its location is the scenario as text, at the operation of the clash.

Of what is optional in SARIF, it has what GitHub documents for code scanning.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from vblkfuzz._version import __version__
from vblkfuzz.export.export import Export
from vblkfuzz.export.licence import SPDX
from vblkfuzz.export.reproduced import reproduced
from vblkfuzz.export.scenario_place import scenario_place, uri_of
from vblkfuzz.oracle.judge import RULES
from vblkfuzz.triage.printable import printable
from vblkfuzz.triage.step import lanes
from vblkfuzz.triage.story import again, said_seen, shown_again, shown_steps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vblkfuzz.errors import InputFileError
    from vblkfuzz.oracle.rule import Rule
    from vblkfuzz.triage.case import Case
    from vblkfuzz.triage.step import Step

Json = dict[str, Any]

VERSION: Final = "2.1.0"
SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_HELP: Final = {
    "virtio 1.2": "https://docs.oasis-open.org/virtio/virtio/v1.2/virtio-v1.2.html",
    "Vhost-user Protocol": "https://www.qemu.org/docs/master/interop/vhost-user.html",
    "QEMU": "https://www.qemu.org/docs/master/devel/multiple-iothreads.html",
}
"""Page about a rule, by a word of its source; the first that is in it counts."""
_COMMIT: Final = re.compile(r"\b[0-9a-f]{10,40}\b")
_FINGERPRINT: Final = "vblkfuzz/signature/v1"
_RULE_INDEX: Final = {rule.id: index for index, rule in enumerate(RULES)}


def sarif_text(cases: Sequence[Case], unreadable: Sequence[InputFileError] = ()) -> str:
    """Return cases as a SARIF log with one run.

    A clean case is left out, unless a campaign saw its bug, which then was not reproduced. An
    input that could not be read is a notification.
    """
    failed = [case for case in cases if case.outcome.run.verdict == "harness_error"]
    run = {
        "tool": {"driver": _driver()},
        "automationDetails": {"id": _category(cases)},
        "invocations": [
            {
                "executionSuccessful": not (failed or unreadable),
                "toolExecutionNotifications": [
                    *map(_notification, failed),
                    *map(_unreadable, unreadable),
                ],
            }
        ],
        "results": [_result(case) for case in cases if _is_result(case)],
        "columnKind": "unicodeCodePoints",
        "properties": {"licence": SPDX},
    }
    return json.dumps({"$schema": SCHEMA, "version": VERSION, "runs": [run]}, indent=1) + "\n"


def _category(cases: Sequence[Case]) -> str:
    """Return the category: results of two runs are compared only if they have the same one."""
    setups = {case.outcome.setup[:2] for case in cases}
    return "/".join(("vblkfuzz", *(setups.pop() if len(setups) == 1 else ()), ""))


def _driver() -> Json:
    return {"name": "vblkfuzz", "version": __version__, "rules": [_rule(rule) for rule in RULES]}


def _rule(rule: Rule) -> Json:
    page = next((page for word, page in _HELP.items() if word in rule.source), None)
    return {
        "id": rule.id,
        "shortDescription": _message(rule.title),
        "fullDescription": _message(f"{rule.title} Source: {rule.source}."),
        "help": _message(rule.instead),
        **({"helpUri": page} if page else {}),
        "defaultConfiguration": {"level": "error"},
    }


def _notification(case: Case) -> Json:
    error = case.outcome.run.error.rstrip()
    return {"level": "error", "message": _message(error), "locations": [_location(case)]}


def _unreadable(error: InputFileError) -> Json:
    place = {"artifactLocation": {"uri": uri_of(Path(error.path))}}
    words = _message(printable(str(error)))
    return {"level": "error", "message": words, "locations": [{"physicalLocation": place}]}


def _is_result(case: Case) -> bool:
    return bool(reproduced(case) or (case.sightings and case.expected_rule))


def _result(case: Case) -> Json:
    violation = reproduced(case)
    rule = case.rule if violation else case.expected_rule
    assert rule is not None, "a result breaks a rule"
    location = _location(case)
    if violation and violation.path:
        names = violation.path.split(" > ")
        location["logicalLocations"] = [
            {"name": names[-1], "fullyQualifiedName": violation.path, "kind": "function"}
        ]
    signature = violation.signature if violation else case.signature
    sentence = violation.sentence if violation else f"{rule.title} {signature}: {said_seen(case)}."
    return {
        "ruleId": rule.id,
        "ruleIndex": _RULE_INDEX[rule.id],
        "level": "error",
        "message": _message(sentence),
        "locations": [location],
        "partialFingerprints": {_FINGERPRINT: signature},
        **({"codeFlows": [_code_flow(shown_steps(case, whole=False))]} if violation else {}),
        "properties": _properties(case),
    }


def _properties(case: Case) -> Json:
    commit = _COMMIT.search(case.known)
    return {
        "replay": case.command,
        "reliability": again(case),
        **dict(shown_again(case)),
        **case.outcome.setup._asdict(),
        **({"known": case.known} if case.known else {}),
        **({"commit": commit[0]} if commit else {}),
    }


def _location(case: Case) -> Json:
    place = scenario_place(case)
    region = {"startLine": place.line}
    return {"physicalLocation": {"artifactLocation": {"uri": place.uri}, "region": region}}


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


EXPORT: Final = Export(
    summary="a SARIF 2.1.0 log, for code-scanning dashboards", text=sarif_text, whole=sarif_text
)
