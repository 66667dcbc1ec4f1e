"""Several runs of one input: which one is reported, and how many were the same."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.targets.without_processes import WithoutProcesses
from vblkfuzz.cli.views.replay_json import outcome_object
from vblkfuzz.errors import ActorDied
from vblkfuzz.scenario.artifact import Artifact
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace import kinds
from vblkfuzz.trace.event import Event
from vblkfuzz.trace.kinds import END
from vblkfuzz.trace.trace import Trace
from vblkfuzz.triage.outcome import Outcome, replay_input

CLEAN = Trace((Event(1, END),))
PLANTED = Trace((Event(1, kinds.PLANTED), Event(2, END)))
OTHER_TURNS = Trace((Event(5, kinds.PLANTED), Event(6, END)))
DIED = None
Answer = Trace | None


class ScriptedTarget(WithoutProcesses):
    """Returns prepared traces; None: raises, as if an actor had died."""

    name, device, mode = "model", "patch-v4", "inline"

    def __init__(self, answers: Iterable[Answer]) -> None:
        self._answers = iter(answers)

    def run(self, scenario: Scenario) -> Trace:
        answer = next(self._answers)
        if answer is None:
            raise ActorDied("device process ended by signal 9")
        return answer


def replayed(*answers: Answer) -> Outcome:
    return replay_input("x", Artifact(Scenario()), ScriptedTarget(answers), len(answers))


@pytest.mark.parametrize(
    ("answers", "verdict", "same"),
    [
        ((CLEAN,), "clean", 1),
        ((PLANTED, PLANTED, PLANTED), "violation", 3),
        ((CLEAN, CLEAN, PLANTED), "violation", 1),
        ((CLEAN, DIED, CLEAN), "harness_error", 1),
        ((DIED, PLANTED, DIED), "violation", 1),
        ((PLANTED, OTHER_TURNS), "violation", 1),
    ],
)
def test_the_worst_run_is_reported(answers: tuple[Answer, ...], verdict: str, same: int) -> None:
    outcome = replayed(*answers)
    assert (outcome.run.verdict, outcome.same, outcome.runs) == (verdict, same, len(answers))


@given(st.lists(st.sampled_from([CLEAN, PLANTED, OTHER_TURNS, DIED]), min_size=1, max_size=8))
def test_a_violation_is_never_lost(answers: list[Answer]) -> None:
    outcome = replayed(*answers)
    seen = {PLANTED, OTHER_TURNS} & set(answers)
    assert (outcome.run.verdict == "violation") == bool(seen)
    assert 1 <= outcome.same <= outcome.runs


def test_no_verdict_has_its_reason() -> None:
    found = outcome_object(replayed(DIED), with_trace=True)
    assert found["verdict"] == "harness_error"
    assert found["error"] == "device process ended by signal 9"
    assert (found["trace_digest"], found["steps"], found["signatures"]) == (None, None, [])


def test_another_version_of_the_program_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    versions = {"vblkfuzz": "0.1", "qemu-system-x86_64": "7.2.19", "back-end": "1"}
    found = Artifact(Scenario(), versions=versions)

    def notes(now: dict[str, str]) -> list[str]:
        monkeypatch.setattr(ScriptedTarget, "versions", now, raising=False)
        return replay_input("x", found, ScriptedTarget([CLEAN]), 1).notes

    assert notes({"qemu-system-x86_64": "10.0.2"}) == [
        "found on qemu-system-x86_64 7.2.19, run on 10.0.2; --qemu-binary PATH runs another one"
    ]
    assert notes({"qemu-system-x86_64": "7.2.19"}) == notes({"qemu-storage-daemon": "9"}) == []
    assert notes({"back-end": "2"}) == ["found on back-end 1, run on 2"]
