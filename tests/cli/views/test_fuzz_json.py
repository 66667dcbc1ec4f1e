"""The lines of `fuzz --json` are as the schema in the package says, and it describes each key."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.cli.conftest import Cli
from vblkfuzz.campaign.options import CampaignOptions
from vblkfuzz.cli.views import fuzz_json
from vblkfuzz.cli.views.fuzz_json import VERSION, FuzzJson
from vblkfuzz.launch.plan import Message
from vblkfuzz.store.confidence import Confidence
from vblkfuzz.store.rate import Rate
from vblkfuzz.store.summary import Earlier, Finding, Summary

SCHEMA = json.loads(files("vblkfuzz.cli.views").joinpath(fuzz_json.SCHEMA).read_text())
EVENTS = {one["title"]: one for one in SCHEMA["oneOf"]}


def checked(stdout: str) -> list[dict[str, Any]]:
    """Return the lines, after a check of each."""
    lines = [json.loads(line) for line in stdout.splitlines()]
    for line in lines:
        jsonschema.validate(line, SCHEMA, jsonschema.Draft202012Validator)
        assert set(line) == set(EVENTS[line["event"]]["properties"])
    return lines


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_every_event(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fuzz_json, "_EVERY_S", 0.0)
    summary = Summary(execs=2, seconds=3.5, features=7, situations={"a": True, "b": False})
    summary.findings["s1-x"] = Finding("s1-x", "S1", 2, 0.5, "out/s1-x", "It broke.")
    summary.findings["s1-y"] = replace(summary.findings["s1-x"], signature="s1-y")
    summary.again["s1-z"] = replace(summary.findings["s1-x"], signature="s1-z")
    summary.seen, summary.earlier = {"s1-x": 4, "s1-z": 3}, Earlier(1, 8, 2.0)
    kept = Confidence("qemu", Rate(19, 20), Rate(0, 20), {"qemu-system-x86_64": "7.2.22"})
    summary.confidence["s1-x"] = kept
    lines = FuzzJson(CampaignOptions(Path("out"), seed=7))
    for message in (
        Message("continued", "out goes on"),
        Message("finding", "s1-x", "S1", "It broke.", "out/s1-x", known="B1"),
        Message("harness_error", "Traceback\nError"),
    ):
        lines.announce(message)
    lines.progress(summary)
    lines.end(summary, 77)
    start, note, finding, error, progress, end = checked(capsys.readouterr().out)
    assert (start["event"], start["version"], start["seed"]) == ("start", VERSION, 7)
    assert (note["kind"], error["kind"]) == ("continued", "harness_error")
    assert (finding["signature"], finding["known"]) == ("s1-x", "B1")
    assert (progress["event"], progress["findings"], progress["met"]) == ("progress", 2, 1)
    assert (end["status"], end["findings"][0]["signature"]) == (77, "s1-x")
    assert end["seen_again"] == {"s1-z": 3}
    assert end["total"] == {"campaigns": 2, "execs": 10, "seconds": 5.5}
    measured, not_measured = (one["confidence"] for one in end["findings"])
    assert (measured, not_measured) == (kept.to_json(), None)
    described = EVENTS["end"]["properties"]["findings"]["items"]["properties"]["confidence"]
    assert set(measured) == set(described["properties"])
    assert set(measured["rate"]) == set(described["properties"]["rate"]["properties"])


def test_a_line_of_another_kind_is_none() -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"event": "finding"}, SCHEMA)


def test_a_campaign(cli: Cli, tmp_path: Path) -> None:
    setup = ("--runs", "5", "--workers", "1", "--seed", "3", "--mode", "inline", "--json")
    lines = checked(cli("fuzz", *setup, "--out", tmp_path / "out").stdout)
    assert [lines[0]["event"], lines[-1]["event"]] == ["start", "end"]


def test_a_campaign_that_cannot_start_prints_none(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    result = cli("fuzz", "--json", "--runs", "1", "--out", tmp_path)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.count("\n") == 1
    assert "output folder of a campaign, found mine.txt in it" in result.stderr
