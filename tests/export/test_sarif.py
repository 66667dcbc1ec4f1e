"""A SARIF log follows its schema and has what a dashboard requires."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.triage.stories import QUIET, SIGNATURE, case
from vblkfuzz.export.sarif import sarif_text
from vblkfuzz.triage.case import Case
from vblkfuzz.triage.outcome import Outcome, Run

Json = dict[str, Any]

SCHEMA: Json = json.loads((Path(__file__).parent / "data" / "sarif-2.1.0.json").read_text())


def unjudged() -> Case:
    outcome = case().outcome
    run = Run("harness_error", error="the device process ended")
    return Case(Outcome("a b.vblk", outcome.artifact, outcome.setup, run))


def only_run(*cases: Case) -> Json:
    log: Json = json.loads(sarif_text(cases))
    jsonschema.Draft202012Validator(SCHEMA).validate(log)
    (run,) = log["runs"]
    assert isinstance(run, dict)
    return run


def test_a_finding() -> None:
    run = only_run(case())
    (result,) = run["results"]
    rule = run["tool"]["driver"]["rules"][result["ruleIndex"]]
    assert (result["ruleId"], rule["id"]) == ("S1", "S1")
    assert result["partialFingerprints"] == {"vblkfuzz/signature/v1": SIGNATURE}
    assert result["message"]["text"].startswith("Request 1 was dequeued")
    (location,) = result["locations"]
    assert location["physicalLocation"]["artifactLocation"]["uri"] == "x.vblk"
    assert location["logicalLocations"][0]["name"] == "host_notifier_read"


def test_the_code_flow_tells_the_order_over_all_lanes() -> None:
    (result,) = only_run(case())["results"]
    flows = result["codeFlows"][0]["threadFlows"]
    assert {flow["id"] for flow in flows} == {"guest", "vCPU", "main loop"}
    orders = [place["executionOrder"] for flow in flows for place in flow["locations"]]
    assert sorted(orders) == sorted(set(orders))
    assert min(orders) == 1
    essential = [
        place["location"]["message"]["text"]
        for flow in flows
        for place in flow["locations"]
        if place["importance"] == "essential"
    ]
    assert len(essential) == 2
    assert any("pop q0 r1" in text for text in essential)


def test_a_clean_input_is_no_result() -> None:
    run = only_run(case(QUIET, "reference"))
    assert run["results"] == []
    assert run["invocations"][0]["executionSuccessful"] is True


def test_what_could_not_be_judged_is_a_notification() -> None:
    run = only_run(unjudged(), case())
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is False
    (notification,) = invocation["toolExecutionNotifications"]
    assert notification["message"]["text"] == "the device process ended"
    place = notification["locations"][0]["physicalLocation"]["artifactLocation"]
    assert place["uri"] == "a%20b.vblk"
    assert len(run["results"]) == 1


def test_the_schema_can_refuse() -> None:
    log = json.loads(sarif_text([case()]))
    log["runs"][0]["results"][0]["level"] = "terrible"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(SCHEMA).validate(log)
