"""Re-runs of one input: with its schedule and without, on the model and on scripted targets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.campaign.large_findings import LARGE, SIGNATURE, write_finding
from tests.triage.stories import QUIET, run
from tests.triage.test_outcome import CLEAN, DIED, PLANTED, Answer, ScriptedTarget
from vblkfuzz.scenario.artifact import Artifact, read_input
from vblkfuzz.scenario.expectation import Expectation
from vblkfuzz.scenario.scenario import Deviation, Go, Scenario
from vblkfuzz.store.confidence import Confidence, confidence_in
from vblkfuzz.store.rate import Rate
from vblkfuzz.targets.model import model
from vblkfuzz.targets.options import TargetOptions
from vblkfuzz.triage.outcome import Outcome, replay_input
from vblkfuzz.triage.rerun import bare_of, keep, kept_for, measured, rerun

REGRESS = Path(__file__).parents[2] / "corpus" / "regress"
S1 = Expectation("violation", "S1", SIGNATURE)
PLAN = (Deviation(0, 0, Go.NEXT),)


def of(artifact: Artifact, runs: int = 3) -> Confidence | None:
    with model(artifact.device, "inline") as target:
        return measured(replay_input("x", artifact, target, runs), target).confidence


def scripted(*answers: Answer, scenario: Scenario | None = None) -> Outcome:
    """Measure with prepared answers: half of them without the schedule, if there is one."""
    scenario = scenario or Scenario(schedule=PLAN)
    artifact = Artifact(scenario, expectation=Expectation("violation", "PLANTED", "planted"))
    target = ScriptedTarget(answers)
    runs = len(answers) // 2 if scenario.schedule else len(answers)
    return measured(replay_input("x", artifact, target, runs), target)


def test_a_bug_that_needs_its_schedule() -> None:
    artifact = read_input(REGRESS / "s3-handler-not-submitted" / "scenario.toml")
    assert artifact.scenario.schedule
    assert of(artifact) == Confidence("model", Rate(3, 3), Rate(0, 3))


def test_a_bug_that_does_not() -> None:
    assert LARGE.schedule
    assert of(Artifact(LARGE, expectation=S1)) == Confidence("model", Rate(3, 3), Rate(3, 3))


def test_an_input_without_a_schedule_runs_with_it_only() -> None:
    artifact = Artifact(replace(LARGE, schedule=()), expectation=S1)
    assert bare_of(artifact) is None
    assert of(artifact) == Confidence("model", Rate(3, 3))


def test_another_violation_is_not_the_bug() -> None:
    assert run(LARGE).verdict.violations
    for expected in (
        Expectation("violation", "S1", "s1-another"),
        Expectation("violation", "S2"),
    ):
        found = of(Artifact(LARGE, expectation=expected))
        assert found == Confidence("model", Rate(0, 3), Rate(0, 3))


def test_what_was_saved_for_no_bug_stands_for_any() -> None:
    assert of(Artifact(LARGE)) == Confidence("model", Rate(3, 3), Rate(3, 3))


@pytest.mark.parametrize("expected", [None, Expectation("clean"), Expectation("harness_error")])
def test_what_shows_no_bug_has_no_rate(expected: Expectation | None) -> None:
    artifact = Artifact(replace(QUIET, schedule=PLAN), device="reference", expectation=expected)
    assert of(artifact) is None


def test_harness_errors_are_counted_apart() -> None:
    found = scripted(PLANTED, DIED, PLANTED, DIED, CLEAN, DIED).confidence
    assert found == Confidence("model", Rate(2, 2, 1), Rate(0, 1, 2))
    assert found.unsteady == ""


def test_a_target_that_gives_no_verdict_at_all_ends_as_well() -> None:
    found = scripted(*[DIED] * 6).confidence
    assert found == Confidence("model", Rate(0, 0, 3), Rate(0, 0, 3))


@pytest.mark.parametrize(
    "answers", [(PLANTED, CLEAN, PLANTED, PLANTED), (PLANTED, PLANTED, CLEAN, PLANTED)]
)
def test_a_model_that_varies_is_said(answers: tuple[Answer, ...]) -> None:
    outcome = scripted(*answers)
    assert outcome.unsteady == "not deterministic: the model showed it in 1 of 2 runs"
    assert outcome.unsteady in outcome.notes


def test_one_rerun_of_each() -> None:
    with model("patch-v4", "inline") as target:
        found = rerun(target, Artifact(LARGE, expectation=S1))
    assert found == Confidence("model", Rate(1, 1), Rate(1, 1))


class TestKeep:
    """What is kept beside a finding."""

    @pytest.fixture
    def outcome(self, tmp_path: Path) -> Outcome:
        path = write_finding(tmp_path, SIGNATURE) / "finding.vblk"
        with model("patch-v4", "inline") as target:
            return measured(replay_input(str(path), read_input(path), target, 2), target)

    def test_there_and_back(self, outcome: Outcome) -> None:
        assert kept_for(outcome) is None
        keep(outcome)
        assert kept_for(outcome) == outcome.confidence is not None

    def test_not_that_of_another_device(self, outcome: Outcome) -> None:
        elsewhere = replace(outcome, setup=outcome.setup._replace(device="qemu-8.0"))
        keep(elsewhere)
        assert confidence_in(Path(outcome.input).parent) is None
        keep(outcome)
        assert kept_for(elsewhere) is None

    def test_not_that_of_another_iothread(self, outcome: Outcome) -> None:
        has_one = outcome.artifact.scenario.device.iothreads > 0
        other = replace(outcome, target_options=TargetOptions(iothread=not has_one))
        keep(other)
        assert confidence_in(Path(outcome.input).parent) is None
        keep(replace(outcome, target_options=TargetOptions(iothread=has_one)))
        assert kept_for(outcome) == outcome.confidence is not None
        assert kept_for(other) is None

    def test_not_that_of_another_version(self, outcome: Outcome) -> None:
        found = replace(outcome.artifact, versions={"qemu": "7.2"})
        newer = replace(outcome, artifact=found, versions={"qemu": "10.0"})
        keep(newer)
        folder = Path(outcome.input).parent
        assert confidence_in(folder) is None
        assert outcome.confidence is not None
        confidence = replace(outcome.confidence, versions={"qemu": "7.2"})
        keep(replace(newer, versions={"qemu": "7.2"}, confidence=confidence))
        assert confidence_in(folder) == confidence
        assert kept_for(newer) is None
        assert kept_for(replace(newer, versions={})) == confidence

    def test_not_that_of_an_input_that_does_not_stand_for_it(self, outcome: Outcome) -> None:
        path = Path(outcome.input)
        path.with_name("minimized.vblk").write_bytes(path.read_bytes())
        keep(outcome)
        assert confidence_in(path.parent) is None

    def test_not_beside_an_input_of_no_campaign(self, outcome: Outcome, tmp_path: Path) -> None:
        path = tmp_path / "x.vblk"
        path.write_bytes(Path(outcome.input).read_bytes())
        keep(replace(outcome, input=str(path)))
        assert [one.name for one in tmp_path.iterdir() if one.suffix == ".json"] == []
