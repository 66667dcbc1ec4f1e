"""`vblkfuzz ci`: a corpus and a campaign as tests, in each form and with each exit status."""

from __future__ import annotations

import json
import os
import shutil
import time
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.cli.conftest import BUG, Cli
from vblkfuzz.campaign.job import Job
from vblkfuzz.campaign.options import CampaignOptions
from vblkfuzz.campaign.orchestrator import Campaign
from vblkfuzz.errors import ExitStatus
from vblkfuzz.export.result import State
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.scenario.text import to_text
from vblkfuzz.store.summary import Finding, Summary

SMALL = ("--runs", "30", "--workers", "1", "--seed", "1", "--mode", "inline", "--budget", "1h")


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "corpus"
    folder.mkdir()
    (folder / "bug.toml").write_text(to_text(BUG))
    (folder / "clean.toml").write_text(to_text(Scenario()))
    return folder


def states_in(path: Path) -> dict[str, str]:
    """Return the state of each test in a JUnit file, by its name."""
    root = ElementTree.parse(path).getroot()
    found = list(root.iter("testcase"))
    states = {one.attrib["name"]: one[0].tag if len(one) else "passed" for one in found}
    assert len(states) == len(found)
    return states


@pytest.mark.e2e
def test_a_device_with_a_bug(cli: Cli, corpus: Path, tmp_path: Path) -> None:
    junit, sarif, out = tmp_path / "j.xml", tmp_path / "s.sarif", tmp_path / "out"
    reports = ("--junit", junit, "--sarif", sarif, "--out", out)
    result = cli("ci", "--corpus", corpus, *SMALL, *reports)
    assert result.exit_code == 77
    states = states_in(junit)
    bug, clean = str(corpus / "bug.toml"), str(corpus / "clean.toml")
    assert (states.pop(bug), states.pop(clean), states.pop("campaign")) == (
        "failure",
        "passed",
        "passed",
    )
    found = {path.name for path in (out / "findings").iterdir()}
    assert found  # the campaign starts from the corpus
    assert states == dict.fromkeys(found, "failure")
    (run,) = json.loads(sarif.read_text())["runs"]
    assert len(run["results"]) == 1 + len(found)
    lines = result.stdout.splitlines()
    assert f"FAILED  {bug}" in lines
    assert lines[-1] == f"{3 + len(found)} tests: 2 passed, {1 + len(found)} failed"


@pytest.mark.e2e
def test_a_device_without_one(cli: Cli, corpus: Path, tmp_path: Path) -> None:
    junit = tmp_path / "j.xml"
    junit.write_text("an older report")
    device = ("--device", "reference")
    arguments = (*device, "--tap", "--junit", junit, "--out", tmp_path / "out")
    result = cli("ci", "--corpus", corpus, *SMALL, *arguments)
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "TAP version 13",
        "# SPDX-License-Identifier: MIT-0",
        "1..3",
        f"ok 1 - {corpus / 'bug.toml'}",
        f"ok 2 - {corpus / 'clean.toml'}",
        "ok 3 - campaign",
    ]
    assert set(states_in(junit).values()) == {"passed"}


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("--budget", "soon"), "--budget: expected a time such as 8m, 90s, 1h30m, or a number"),
        (("--budget", "1h30"), "more than 0, at most a year; found '1h30'"),
        (("--junit", "."), ".: expected a file, found a folder"),
        (("--corpus", "none"), "none: expected a folder of inputs, found none"),
        (("--device", "none"), "none"),
    ],
)
def test_a_mistake_is_said_before_anything_runs(
    cli: Cli,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    problem: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    result = cli("ci", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert problem in result.stderr
    assert result.stderr.count("\n") == 1
    assert not (tmp_path / "vblkfuzz-out").exists()


def job(seconds: float, tmp_path: Path, began: float | None = None) -> Job:
    options = CampaignOptions(tmp_path / "out", mode="inline", seconds=seconds)
    return Job(options, began=time.monotonic() if began is None else began)


def names(one: Job, state: State) -> list[str]:
    return [test.name for test in one.tests if test.state is state]


def test_inputs_for_which_no_time_is_left_are_skipped(corpus: Path, tmp_path: Path) -> None:
    one = job(0, tmp_path)
    files = [str(corpus / name) for name in ("clean.toml", "bug.toml")]
    one.run_corpus(files, lambda: None)
    one.fuzz(lambda message: None, lambda summary: None)
    assert names(one, State.PASSED) == [files[0]]
    assert names(one, State.SKIPPED) == [files[1], "campaign"]
    assert one.exit_status == 0


def test_known_signatures_are_skipped_and_files_that_are_no_input_are_errors(
    corpus: Path, bad: Path, tmp_path: Path
) -> None:
    one = job(1e9, tmp_path)
    one.options = replace(one.options, silenced=("s*", "l*"))
    files = [str(corpus / "bug.toml"), str(bad), str(corpus / "clean.toml")]
    one.run_corpus(files[:1], lambda: None)
    assert (names(one, State.SKIPPED), one.exit_status) == (files[:1], 0)
    one.run_corpus(files[1:], lambda: None)
    assert names(one, State.ERROR) == [str(bad)]
    assert names(one, State.PASSED) == files[2:]
    assert one.exit_status == 125


@pytest.mark.parametrize(
    ("summary", "status", "state", "expected"),
    [
        (Summary(execs=9), 0, State.PASSED, 0),
        (Summary(), 0, State.SKIPPED, 125),
        (Summary(execs=9, harness_errors=1, hangs=1, last_error="slow"), 70, State.ERROR, 70),
        (Summary(execs=9, harness_errors=1, last_error="a\nb"), 125, State.ERROR, 125),
        (Summary(execs=9, fallbacks=["disk full"]), 125, State.ERROR, 125),
        (Summary(execs=9, always_fails="fails"), 125, State.ERROR, 125),
        (Summary(execs=9), 130, State.SKIPPED, 130),
        (Summary(execs=9), 72, State.SKIPPED, 72),
        (Summary(execs=9, fallbacks=["disk full"]), 130, State.ERROR, 130),
    ],
)
def test_the_campaign_is_a_test(
    summary: Summary,
    status: int,
    state: State,
    expected: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Campaign, "run", lambda campaign: ExitStatus(status))
    monkeypatch.setattr(
        Campaign, "__init__", lambda campaign, *_: setattr(campaign, "summary", summary)
    )
    one = job(1e9, tmp_path)
    one.fuzz(lambda message: None, lambda summary: None)
    assert [(test.name, test.state) for test in one.tests] == [("campaign", state)]
    assert ("stopped after 0 s of 1,000,000,000 s" in one.tests[0].message) is (status in (72, 130))
    assert one.exit_status == expected


def test_a_finding_that_could_not_be_saved_is_a_failed_test(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finding = Finding("s1-reset", "S1", 1, 0.1, "", "It was dequeued.")
    summary = Summary(execs=9, findings={"s1-reset": finding}, fallbacks=["disk full"])
    monkeypatch.setattr(Campaign, "run", lambda campaign: ExitStatus.HARNESS)
    monkeypatch.setattr(
        Campaign, "__init__", lambda campaign, *_: setattr(campaign, "summary", summary)
    )
    one = job(1e9, tmp_path)
    one.fuzz(lambda message: None, lambda summary: None)
    assert names(one, State.FAILED) == ["s1-reset"]
    assert one.tests[-1].message == "S1: It was dequeued."
    assert one.exit_status == 77


def test_a_job_that_tested_nothing_is_not_green(cli: Cli, tmp_path: Path) -> None:
    result = cli("ci", "--budget", "0.5", "--device", "reference", "--out", tmp_path / "out")
    assert result.exit_code == 125
    assert result.stdout.splitlines()[-1] == "1 test: 1 skipped"
    assert "nothing was tested, no time is left: give more --budget\n" in result.stderr


@pytest.mark.e2e
def test_a_report_that_cannot_be_written(cli: Cli, corpus: Path, tmp_path: Path) -> None:
    """It is said after the results, and hides none of them."""
    reports = ("--out", tmp_path / "out", "--junit", "/dev/full")
    for device, status, said in (("patch-v4", 77, "FAILED"), ("reference", 125, "tests: ")):
        result = cli("ci", "--corpus", corpus, *SMALL, *reports, "--device", device)
        assert result.exit_code == status
        assert said in result.stdout
        problem = "/dev/full: cannot be written: No space left on device\n"
        assert result.stderr.endswith(problem)
        assert "vblkfuzz-out" not in result.stdout
        shutil.rmtree(tmp_path / "out")


def test_a_stop_skips_the_rest(corpus: Path, tmp_path: Path) -> None:
    one = job(1e9, tmp_path)
    files = [str(corpus / name) for name in ("bug.toml", "clean.toml")]
    one.run_corpus(files, lambda: ExitStatus.USER_STOP)
    one.fuzz(lambda message: None, lambda summary: None)
    assert names(one, State.FAILED) == [files[0]]
    assert names(one, State.SKIPPED) == [files[1], "campaign"]
    skipped = [test.message for test in one.tests if test.state is State.SKIPPED]
    assert set(skipped) == {"stopped after 0 s of 1,000,000,000 s"}
    assert one.exit_status == 130


@pytest.mark.parametrize(
    ("budget", "fuzzing", "minimizing"), [(1000, 970, 20), (80, 70, 20 / 3), (8, 7, 2 / 3)]
)
def test_minimizing_is_part_of_the_budget(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    budget: float,
    fuzzing: float,
    minimizing: float,
) -> None:
    given: list[CampaignOptions] = []

    def begin(campaign: Campaign, options: CampaignOptions, *_: object) -> None:
        campaign.summary = Summary(execs=9)
        given.append(options)

    monkeypatch.setattr(Campaign, "__init__", begin)
    monkeypatch.setattr(Campaign, "run", lambda campaign: ExitStatus.CLEAN)
    monkeypatch.setattr("vblkfuzz.campaign.job.time.monotonic", lambda: 1234.0)
    one = job(budget, tmp_path, began=1234.0)
    one.fuzz(lambda message: None, lambda summary: None)
    assert (given[0].seconds, given[0].minimize_s) == pytest.approx((fuzzing, minimizing))


def test_an_overrun_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr("vblkfuzz.campaign.job.time.monotonic", lambda: now[0])
    one = job(60, tmp_path, began=1000.0)
    now[0] += 60.9
    assert one.overrun == ""
    now[0] += 3
    assert one.overrun == "the job took 64 s, 4 s more than its budget"


@pytest.mark.e2e
def test_what_is_no_file_in_the_corpus_is_said_in_a_line(
    cli: Cli, corpus: Path, tmp_path: Path
) -> None:
    for name in ("pipe", "pipes"):
        os.mkfifo(corpus / name)
    result = cli("ci", "--corpus", corpus, *SMALL, "--out", tmp_path / "out")
    said = f"{corpus / 'pipe'}: expected a file, found a named pipe (FIFO), and 1 more"
    assert result.stderr.splitlines().count(f"vblkfuzz: left out: {said}") == 1
