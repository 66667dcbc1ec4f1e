"""The report of an input that has no verdict."""

from __future__ import annotations

import pytest

from vblkfuzz.cli.views.replay_text import print_outcome
from vblkfuzz.cli.views.screen import Screen
from vblkfuzz.scenario.artifact import Artifact
from vblkfuzz.scenario.expectation import Expectation
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.triage.outcome import Outcome, Run, Setup


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ("no answer", "x.vblk: not judged: no answer\n"),
        (
            "device died:\n  File a.py\nZeroDivisionError: b\n",
            "x.vblk: not judged: ZeroDivisionError: b\n"
            "  device died:\n    File a.py\n  ZeroDivisionError: b\n",
        ),
    ],
)
def test_not_judged(capsys: pytest.CaptureFixture[str], error: str, expected: str) -> None:
    setup = Setup("model", "patch-v4", "inline")
    outcome = Outcome("x.vblk", Artifact(Scenario()), setup, Run("harness_error", error=error))
    print_outcome(outcome, Screen(), with_trace=True)
    assert capsys.readouterr().out == expected


def test_a_verdict_was_expected(capsys: pytest.CaptureFixture[str]) -> None:
    kept = Artifact(Scenario(), expectation=Expectation("clean"))
    run = Run("harness_error", error="no answer")
    print_outcome(
        Outcome("x.vblk", kept, Setup("model", "patch-v4", "inline"), run),
        Screen(),
        with_trace=False,
    )
    assert capsys.readouterr().out.splitlines()[1:] == ["  expected   clean, got not judged"]
