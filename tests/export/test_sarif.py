"""A SARIF log follows its schema and has what a dashboard requires."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import pytest

from tests.triage.stories import QUIET, SIGNATURE, case
from vblkfuzz.export.sarif import sarif_text
from vblkfuzz.scenario.text import to_text
from vblkfuzz.store.sightings import Sightings
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


def of_github(run: Json) -> None:
    """Check what GitHub documents as required, and its limits, for all results of a run."""
    rules = run["tool"]["driver"]["rules"]
    for rule in rules:
        assert {"id", "shortDescription", "fullDescription", "help"} <= set(rule)
        assert all(
            len(rule[name]["text"]) <= 1024 for name in ("shortDescription", "fullDescription")
        )
        assert rule["defaultConfiguration"]["level"] in ("note", "warning", "error")
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["message"]["text"]
        assert result["partialFingerprints"]
        place = result["locations"][0]["physicalLocation"]
        assert not urlsplit(place["artifactLocation"]["uri"]).scheme
        assert place["region"]["startLine"] >= 1


def test_what_github_requires() -> None:
    run = only_run(case(), case(path="a b/\udcff.vblk"))
    of_github(run)
    assert run["automationDetails"] == {"id": "vblkfuzz/model/patch-v4/"}
    log = json.loads(sarif_text([case()]))
    assert urlsplit(log["$schema"]).path.endswith("sarif-2.1.0.json")


def test_results_of_several_devices_have_a_category_of_their_own() -> None:
    run = only_run(case(), case(QUIET, "reference"))
    assert run["automationDetails"] == {"id": "vblkfuzz/"}


def test_each_rule_has_a_page_unless_it_is_our_own() -> None:
    rules = only_run(case())["tool"]["driver"]["rules"]
    pages = {rule["id"]: rule.get("helpUri", "") for rule in rules}
    assert [rule for rule, page in pages.items() if not page.startswith("https://")] == ["PLANTED"]
    assert "virtio-v1.2" in pages["S4"]
    assert "qemu" in pages["S1"]


def test_the_place_is_the_operation_in_the_text_of_a_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "vblkfuzz-out" / "findings" / "s 1"
    folder.mkdir(parents=True)
    text = folder / "scenario.toml"
    one = case(path=str(folder / "finding.vblk"))

    def place() -> tuple[str, int]:
        (result,) = only_run(one)["results"]
        found = result["locations"][0]["physicalLocation"]
        return found["artifactLocation"]["uri"], found["region"]["startLine"]

    where = "vblkfuzz-out/findings/s%201"
    assert place() == (f"{where}/finding.vblk", 1)
    text.write_text(to_text(one.scenario, "A comment\nof two lines."))
    lines = text.read_text().splitlines()
    assert place() == (f"{where}/scenario.toml", 1 + lines.index('    {op = "reset"},'))
    text.write_text(to_text(QUIET))  # of another scenario, as beside a minimized one
    assert place() == (f"{where}/scenario.toml", 1)
    text.write_text("no scenario")
    assert place() == (f"{where}/scenario.toml", 1)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert place()[0] == text.as_uri()


def test_a_known_bug_is_named_with_its_commit() -> None:
    (result,) = only_run(case())["results"]
    properties = result["properties"]
    assert properties["known"] == case().known != ""
    assert "commit" not in properties  # it is open
    start_twice = [one for one in case().execution.verdict.causes if one.rule == "S8"]
    outcome = case().outcome
    artifact = replace(outcome.artifact, expectation=None)
    fixed = replace(outcome.run, violation=start_twice[0])
    (result,) = only_run(Case(replace(outcome, artifact=artifact, run=fixed)))["results"]
    assert re.fullmatch("[0-9a-f]{10}", result["properties"]["commit"])
    assert result["properties"]["known"].startswith(result["properties"]["commit"])


@pytest.mark.parametrize("device", ["reference", "patch-v4"], ids=["clean", "another violation"])
def test_a_finding_that_is_not_reproduced_is_a_result_all_the_same(device: str) -> None:
    gone = replace(case(QUIET, device), sightings=Sightings(12, 42, 1.5, "2026-01-02T03:04:05"))
    (result,) = only_run(gone)["results"]
    assert result["partialFingerprints"] == {"vblkfuzz/signature/v1": SIGNATURE}
    assert "reproduced in 0 of 1 run" in result["message"]["text"]
    assert "codeFlows" not in result


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
