"""A crash of a device process: every view begins with the assertion, none shows its digest."""

from __future__ import annotations

import json

import pytest

from vblkfuzz.cli.views.triage_list import print_list
from vblkfuzz.cli.views.triage_show import print_story
from vblkfuzz.executor import Execution
from vblkfuzz.export.html_report import html_text
from vblkfuzz.export.sarif import sarif_text
from vblkfuzz.oracle.judge import judge
from vblkfuzz.scenario.artifact import Artifact
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.ending import crash_of
from vblkfuzz.trace.event import Event
from vblkfuzz.trace.kinds import CRASH, OP
from vblkfuzz.trace.render import render
from vblkfuzz.trace.trace import Trace
from vblkfuzz.trace.witness import Witness
from vblkfuzz.triage.case import Case
from vblkfuzz.triage.outcome import Outcome, Run, Setup
from vblkfuzz.triage.pages import page_of
from vblkfuzz.triage.story import case_object, last_output

WORDS = "qsd: ../block/io.c:19: write_prepare: Assertion `perm & WRITE' failed."
HEADLINE = "ended by SIGABRT (Assertion `perm & WRITE' failed) in write_prepare (io.c, line 19)"


def crashed() -> Case:
    scenario, fault = Scenario(ops=(op("init"),)), crash_of(WORDS, 6, 0)
    events = (Event(1, OP), Event(2, CRASH, flag=6, path=fault.digest))
    trace = Trace(events, witnesses=Witness.PROCESS, report=WORDS, fault=fault)
    execution = Execution(scenario, trace, judge(scenario, trace))
    run = Run("violation", execution, execution.verdict.violations[0])
    setup = Setup("qsd", "vhost-user-blk", "processes")
    return Case(Outcome("x.vblk", Artifact(scenario), setup, run, 1, 1, 1))


def html(case: Case) -> str:
    return html_text([case]).replace("&amp;", "&").replace("&#39;", "'").replace("&#34;", '"')


def sarif(case: Case) -> str:
    return str(json.loads(sarif_text([case]))["runs"][0]["results"])


def test_the_views(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    case = crashed()
    print_list([case], "out", page_of("out", ["x.vblk"], 1))
    listed = capsys.readouterr().out
    print_story(case, whole=False)
    shown = capsys.readouterr().out
    for text in (listed, shown, html(case), sarif(case), case_object(case)["sentence"]):
        assert HEADLINE in " ".join(text.split()).replace('\\"', '"').replace("\\'", "'")
        assert f"{case.execution.trace.events[1].path:x}" not in text
    for text in (shown, html(case), case_object(case)["last_output"]):
        assert WORDS in text


def test_a_trace_has_no_digest_as_a_path() -> None:
    assert "0x" not in render(crashed().execution.trace.events)


def test_another_violation_of_such_a_trace_has_no_last_output() -> None:
    case = crashed()
    assert case.violation is not None
    assert last_output(case) == WORDS
    first = case.violation.first
    outcome = case.outcome
    violation = type(case.violation)("S1", first, first, "")
    run = Run("violation", case.execution, violation)
    assert last_output(Case(Outcome("x", outcome.artifact, outcome.setup, run))) == ""
